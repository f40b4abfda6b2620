"""Phrases as data: reads `lexicon/*.txt` once, and knows words by their classes and beginnings."""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from alfred.ai.builtin.phrase_trie import END, PAUSE, Meaning, Net, spelled
from alfred.ai.builtin.phrase_walk import Reader
from alfred.ai.builtin.text import fold

FOLDER = Path(__file__).parent / "lexicon"
LAST_DAY = 31
SHARED = "any"  # the language of what every language shares
NUMERIC = {
    "num": ("@number",),
    "number": ("@number",),
    "date": ("@date",),
    "time": ("@time",),
    "percent": ("@percent",),
    "times": ("@times",),
    "ordinal": ("@ordinal",),
    "amount": ("@amount", "@number"),
}


class Lexicon:
    """The phrases of all languages; a token is known by its word, its classes and its known beginnings."""

    def __init__(self) -> None:
        self.nets: dict[str, Net] = {}
        self._readers: dict[tuple[str, ...], Reader] = {}
        self.classes: dict[str, list[str]] = {}
        self.grammar: dict[tuple[str, str], set[str]] = {}
        self.stems: set[str] = set()
        self.tells: dict[str, Mapping[str, float]] = {}
        self._told: dict[tuple[tuple[str, float], ...], Mapping[str, float]] = {}  # one for all who tell the same
        self.known: frozenset[str] = frozenset()
        self._known: set[str] = set()
        self.entries: dict[str, int] = {}
        self.slang: dict[str, dict[str, tuple[str, ...]]] = {}

    def add(self, phrase: str, meaning: Meaning) -> None:
        """One line of a file: words, `a|b`, `two_words`, `stem*`, `maybe?`, `@class`, `^`, `$` and `~`."""
        self.entries[meaning.language] = self.entries.get(meaning.language, 0) + 1
        net = self.nets.setdefault(meaning.language, Net())
        nodes = [net.root]
        for element in phrase.split():
            after = list(dict.fromkeys(net.step(node, element.rstrip("?")) for node in nodes))
            nodes = nodes + after if element.endswith("?") else after
        for node in nodes:
            node.meanings = (*node.meanings, meaning)
        self._learn(phrase, meaning.language)

    def learn(self, word: str, language: str) -> None:
        """A word that a language has; it speaks for it a little."""
        self._known.add(word)
        if language not in self.tells.get(word, ()):
            self.tell(word, language, 0.3)

    def tell(self, word: str, language: str, weight: float) -> None:
        """How much a word speaks for a language."""
        told = {**self.tells.get(word, {}), language: weight}
        self.tells[word] = self._told.setdefault(tuple(told.items()), told)

    def close(self) -> None:
        """Nothing more is added."""
        self.known = frozenset(self._known)
        self._known.clear()
        self._told.clear()
        spelled.cache_clear()
        shared = self.nets.pop(SHARED).root
        for net in self.nets.values():
            net.close(shared)

    def _learn(self, phrase: str, language: str) -> None:
        for word in phrase.replace("|", " ").replace("_", " ").split():
            if word.endswith("*"):
                self.stems.add(fold(word[:-1]))
            elif word[0] not in "@^~$":
                for symbol in spelled(word.rstrip("?")):
                    self.learn(symbol, language)

    def symbols(self, form: str, kind: str) -> tuple[str, ...]:
        """Under which names the nets may know a token."""
        if kind == "mark":
            return PAUSE if form == "," else END
        if kind in NUMERIC:
            return (*NUMERIC[kind], "@day") if _is_day(form, kind) else NUMERIC[kind]
        begun = [sys.intern(f"{form[:n]}*") for n in range(3, len(form) + 1) if form[:n] in self.stems]
        # The very strings of the nets are found sooner; what no net knows need not be kept.
        own = sys.intern(form) if form in self.known else form
        return (own, *self.classes.get(form, ()), *begun)

    def reader(self, languages: tuple[str, ...]) -> Reader:
        """What finds every phrase of these languages; none crosses a mark. Linear in the text."""
        reader = self._readers.get(languages)
        if reader is None:
            reader = self._readers[languages] = Reader([self.nets[language] for language in languages])
        return reader


def _is_day(form: str, kind: str) -> bool:
    """Whether a bare number can be the day of a month."""
    return kind in ("num", "number") and form.isdecimal() and 1 <= int(form) <= LAST_DAY


def read(path: Path) -> list[tuple[list[str], str]]:
    """The lines of a data file, each with the words of the `[section]` that it stands in."""
    section: list[str] = []
    found = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]").split()
        elif line and not line.startswith("#"):
            found.append((section, line))
    return found


@cache
def lexicon() -> Lexicon:
    """The one lexicon of this process."""
    made = Lexicon()
    for path in sorted(FOLDER.glob("*.txt")):
        for section, line in read(path):
            _take(made, path.name.partition(".")[0], section, line)
    made.close()
    return made


def _take(made: Lexicon, language: str, section: list[str], line: str) -> None:
    name, *rest = section
    if name == "slang":
        short, _, full = line.partition("=")
        made.slang.setdefault(language, {})[fold(short.strip())] = tuple(map(fold, full.split()))
        if language not in made.tells.get(short.strip(), ()):
            made.tell(short.strip(), language, 0.8)
    elif name == "tells":
        for word in line.split("|"):
            made.tell(word, language, max(float(rest[0]), made.tells.get(word, {}).get(language, 0)))
    elif name.startswith("@"):
        for word in line.split():
            for ending in rest or [""]:
                form = fold(word + ending)
                made.learn(form, language)
                made.grammar.setdefault((language, name), set()).add(form)
                if name not in made.classes.setdefault(form, []):
                    made.classes[form].append(sys.intern(name))
    else:
        made.add(line, Meaning(name, float(rest[0]), language, f"{language}: {line}"))
