"""Text as conditions compare it: without case, accents and punctuation, word by word."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache


class _Table(dict[int, str]):
    """A table for str.translate that learns each character when it first meets it."""

    def __init__(self, meaning: Callable[[str], str]) -> None:
        super().__init__()
        self._meaning = meaning

    def __missing__(self, code: int) -> str:
        if len(self) > 20_000:  # a stranger may send all of Unicode
            self.clear()
        self[code] = self._meaning(chr(code))
        return self[code]


def _bare(char: str) -> str:
    return "" if unicodedata.category(char) in {"Mn", "Cf"} else char


def _spaced(char: str) -> str:
    kind = unicodedata.category(char)[0]
    return char if kind in "LNM" else f" {char} " if kind == "S" else " "


_BARE, _SPACED = _Table(_bare), _Table(_spaced)
_MOST_GROWTH, _LEAST_ROOM = 4, 1_000  # of a text in another form: one sign of Arabic is eighteen letters
LONGEST_KEPT = 100  # phrases
_LONG, _LINEAR = 2_500, 30_000  # characters


def fold(text: str) -> str:
    """Small letters without accents; invisible format characters (joiners, soft hyphens) are dropped."""
    if text.isascii():
        return text.lower()
    room = max(_MOST_GROWTH * len(text), _LEAST_ROOM)
    bare = unicodedata.normalize("NFKD", text.casefold())[:room].translate(_BARE)
    return unicodedata.normalize("NFKC", bare).casefold()


def split(folded: str) -> list[str]:
    """Words, and each symbol ($, %, emoji) as a word of its own; punctuation only separates."""
    return folded.translate(_SPACED).split()


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
        other = _wanted(text)
        return self.line == other.line and (bool(self.words) or self.folded == other.folded)

    def contains(self, phrase: str) -> bool:
        """The phrase's words stand here one after the other; a phrase of punctuation alone ("?") anywhere."""
        wanted = _wanted(phrase)
        if not wanted.words:
            return wanted.folded in self.folded
        return wanted.words <= self.words and wanted.line in _searched_in_linear_time(self.line)


def _wanted(text: str) -> Text:
    """The same few phrases of the rules are looked for in every message."""
    return _kept(text) if len(text) <= LONGEST_KEPT else Text.of(text)


@lru_cache(maxsize=4_096)
def _kept(text: str) -> Text:
    return Text.of(text)


def _searched_in_linear_time(line: str) -> str:
    """In a short text of repetitions CPython takes length times length for a phrase of up to 99 characters."""
    return line.ljust(_LINEAR) if len(line) > _LONG else line
