"""Text as conditions compare it: without case, accents and punctuation, word by word."""

import unicodedata
from dataclasses import dataclass


def fold(text: str) -> str:
    """Small letters without accents; invisible format characters (joiners, soft hyphens) are dropped."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (char for char in decomposed if unicodedata.category(char) not in {"Mn", "Cf"})
    return unicodedata.normalize("NFKC", "".join(kept)).casefold()


def split(folded: str) -> list[str]:
    """Words, and each symbol ($, %, emoji) as a word of its own; punctuation only separates."""
    spaced = []
    for char in folded:
        kind = unicodedata.category(char)
        if kind[0] in "LNM":
            spaced.append(char)
        elif kind[0] == "S":
            spaced += (" ", char, " ")
        else:
            spaced.append(" ")
    return "".join(spaced).split()


@dataclass(frozen=True, slots=True)
class Text:
    """A text made ready for many comparisons."""

    folded: str
    line: str
    words: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Text":
        folded = fold(text)
        words = split(folded)
        return cls(folded.strip(), f" {' '.join(words)} ", frozenset(words))

    def equals(self, text: str) -> bool:
        other = Text.of(text)
        return self.line == other.line and (bool(self.words) or self.folded == other.folded)

    def contains(self, phrase: str) -> bool:
        """The phrase's words stand here one after the other; a phrase of punctuation alone ("?") anywhere."""
        folded = fold(phrase)
        words = split(folded)
        if not words:
            return folded.strip() in self.folded
        return self.words.issuperset(words) and f" {' '.join(words)} " in self.line
