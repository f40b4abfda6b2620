"""Cuts a rule's sentence into words, numbers, quoted texts and marks."""

import re
from dataclasses import dataclass
from typing import Literal

from alfred.rules.comparing import fold


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the sentence: `text` is folded for words, the content for quoted ones."""

    kind: Literal["word", "number", "quoted", "mark", "other"]
    text: str
    start: int
    end: int


class UnclosedQuote(ValueError):
    """A quotation mark that opens and does not close."""

    def __init__(self, rest: str) -> None:
        super().__init__(rest)
        self.rest = rest


_CLOSING = {'"': '"', "“": "”", "„": "“”", "«": "»", "‘": "’", "'": "'", "”": "”"}
_SOFT = "'‘"  # also an apostrophe: opens only before a word, closes only after one
_MARKS = {
    "\n": ".", ".": ".", ";": ".", "!": ".", "?": ".", "…": ".", ",": ",", ":": ":", "(": "(", ")": ")",
    "[": "(", "]": ")", "→": ">", "⇒": ">", "–": ">", "—": ">", "&": "&", "+": "&", "/": "/", "|": "/",
}  # fmt: skip
_SPACE = re.compile(r"[^\S\n]+")
_ARROW = re.compile(r"-+>|=+>|-+(?=\s)")
_EMAIL = re.compile(r"e-?mail(?=s?\b)", re.IGNORECASE)
_HALF_DAY = re.compile(r"([ap])\.\s?m\b\.?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*[ªº]?")


def fold_word(word: str) -> str:
    """Folded, without apostrophes; only the Portuguese "é" (is) keeps its accent: "e" means and."""
    plain = word.replace("'", "").replace("’", "")
    return "é" if plain in ("é", "É") else fold(plain)


def tokenise(text: str) -> list[Token]:
    """Every character is in a token, but for spaces and the hyphens inside compounds."""
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if spaces := _SPACE.match(text, place):
            place = spaces.end()
            continue
        token = _next(text, place)
        tokens.append(token)
        place = token.end
        if text[place : place + 1] in ("-", "‑") and text[place + 1 : place + 2].isalnum():
            place += 1
    return tokens


def _next(text: str, at: int) -> Token:
    if text[at] in _CLOSING and (quoted := _quoted(text, at)):
        return quoted
    if found := _ARROW.match(text, at):
        return Token("mark", ">", at, found.end())
    if found := _EMAIL.match(text, at):
        return Token("word", "email", at, _WORD.match(text, found.end() - 1).end())  # type: ignore[union-attr]
    if found := _HALF_DAY.match(text, at):
        return Token("word", found[1].lower() + "m", at, found.end())
    if found := _NUMBER.match(text, at):
        return Token("number", found[0], at, found.end())
    if found := _WORD.match(text, at):
        return Token("word", fold_word(found[0]), at, found.end())
    mark = _MARKS.get(text[at])
    return Token("mark" if mark else "other", mark or text[at], at, at + 1)


def _quoted(text: str, at: int) -> Token | None:
    """The quoted text that opens here; a soft quotation mark may turn out to be an apostrophe."""
    soft = text[at] in _SOFT
    if soft and (text[at - 1 : at].isalnum() or text[at + 1 : at + 2].isspace()):
        return None
    for end in range(at + 1, len(text)):
        if text[end] in _CLOSING[text[at]] and not (soft and text[end + 1 : end + 2].isalnum()):
            return Token("quoted", text[at + 1 : end].strip(), at, end + 1)
    if soft:
        return None
    raise UnclosedQuote(text[at:])
