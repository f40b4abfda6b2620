"""Fields of meaning ("gas", "child", "rude"): which of them a word belongs to, in its language."""

from functools import cache
from pathlib import Path

from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.text import fold
from alfred.terms import Language

_SHORTEST_STEM = 3
_FILE = FOLDER / "fields.dat"


class Fields:
    """The fields in the order of the file, which numbers them, and their words and stems in one language."""

    def __init__(self, names: tuple[str, ...], words: dict[str, list[int]], stems: dict[str, list[int]]) -> None:
        self.names = names
        self._words = words
        self._stems = stems

    def exact(self, name: str) -> list[str]:
        """The whole words of a field."""
        number = self.names.index(name)
        return [word for word, own in self._words.items() if number in own]

    def of(self, form: str) -> tuple[int, ...]:
        """The numbers of the fields of a folded word: those of the word and of its longest stem."""
        own = self._words.get(form, [])
        for length in range(len(form), _SHORTEST_STEM - 1, -1):
            stem = self._stems.get(form[:length])
            if stem:
                return tuple(sorted({*own, *stem}))
        return tuple(sorted(own))


@cache
def fields(language: Language) -> Fields:
    """The fields as words of this language."""
    names: list[str] = []
    words: dict[str, list[int]] = {}
    stems: dict[str, list[int]] = {}
    for line in _lines(_FILE):
        if line.startswith("["):
            names.append(line.strip("[]"))
        elif line.startswith(f"{language}:"):
            for word in line.split()[1:]:
                into = stems if word.endswith("*") else words
                into.setdefault(fold(word.rstrip("*")), []).append(len(names) - 1)
    return Fields(tuple(names), words, stems)


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
