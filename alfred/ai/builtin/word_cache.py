"""Words as the assistant keeps them: cut from a text, named and weighed once, then remembered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from alfred.ai.builtin.language import INVERTED, SILENT, Votes, votes
from alfred.ai.builtin.lexicon import Lexicon, lexicon
from alfred.ai.builtin.text import tokens

LONGEST = 10_000  # characters considered; what follows is not read
MOST_REMEMBERED = 10_000  # words and pieces each; when there are more, all are forgotten
_LONGEST_REMEMBERED = 40
# What stands between blanks can be cut alone, but for "5 pm" and "s/ 50", and is always cut alike where it has none of:
_NUMERIC = re.compile(r"[\d/$€£]")
_STOPPED = re.compile(r"(?!www\.)([^\W\d_]+)(,|[.!?…]+)")
_STOP = re.compile(r"(,|[.!?…]+)")
_STOPS = {"\n": "."}  # a line break is weighed as a stop
_SPOKEN = frozenset(("word", "sign", "face", "mark"))

Span = tuple[int, int]


@dataclass(slots=True, eq=False)
class Word:
    """A token without its place: its names in the nets, and what it says for each language."""

    form: str
    seen: str
    kind: str
    symbols: tuple[str, ...]
    votes: Votes
    clue: str  # under which name it is weighed: its form, or what kind of number it is


class Cut(NamedTuple):
    """A piece of text as words and their places in it."""

    words: list[Word]
    spans: list[Span]


class Vocabulary:
    """The words met so far; bounded, since texts come from strangers."""

    def __init__(self, known: Lexicon) -> None:
        self._lexicon = known
        self._short = {language: frozenset(slang) for language, slang in known.slang.items()}
        self._words: dict[tuple[str, str, str], Word] = {}
        self._pieces: dict[str, Cut] = {}

    def cut(self, text: str) -> Cut:
        """The words of a text, in order; linear in its length."""
        words: list[Word] = []
        spans: list[Span] = []
        at = 0
        pieces = iter(text[:LONGEST].split(" "))
        for written in pieces:
            cut, length = self._pieces.get(written), len(written)
            if cut is None:
                whole = _joined(written, pieces)
                cut, length = self._fresh(whole, words), len(whole)
            words += cut.words
            for start, end in cut.spans:
                spans.append((at + start, at + end))
            at += length + 1
        return Cut(words, spans)

    def expand(self, cut: Cut, language: str | None) -> tuple[Cut, list[str]]:
        """The words with short forms written out ("vc" is "voce"), and the forms of all words."""
        forms = [word.form for word in cut.words]
        if language not in self._short or self._short[language].isdisjoint(forms):
            return cut, forms
        slang = self._lexicon.slang[language]
        words: list[Word] = []
        spans: list[Span] = []
        done = 0
        for at in [at for at, form in enumerate(forms) if form in slang and cut.words[at].kind == "word"]:
            full = [self._word(form, cut.words[at].seen, "word") for form in slang[forms[at]]]
            words += cut.words[done:at] + full
            spans += cut.spans[done:at] + cut.spans[at : at + 1] * len(full)
            done = at + 1
        words += cut.words[done:]
        spans += cut.spans[done:]
        return Cut(words, spans), [word.form for word in words]

    def _fresh(self, written: str, before: list[Word]) -> Cut:
        """A piece cut for the first time, or one that depends on what stands before it."""
        alike = written.isalpha() or not _NUMERIC.search(written)
        if not alike:
            return self._tokens(written, (before[-1].form, before[-1].kind) if before else ("", ""))
        if len(written) > _LONGEST_REMEMBERED:
            return self._unbroken(written)
        stopped = None if written.isalpha() else _STOPPED.fullmatch(written)
        cut = self._stopped(*stopped.groups()) if stopped else self._tokens(written)
        _make_room(self._pieces)
        self._pieces[written] = cut
        return cut

    def _stopped(self, word: str, stop: str) -> Cut:
        """A word with a comma or stops behind it, which may be known apart."""
        (words, spans), (stops, _) = [self._pieces.get(part) or self._fresh(part, []) for part in (word, stop)]
        return Cut([*words, *stops], [*spans, (len(word), len(word) + len(stop))])

    def _unbroken(self, written: str) -> Cut:
        """A long piece without numbers, cut at its commas and stops as well, which no link has."""
        words: list[Word] = []
        spans: list[Span] = []
        at = 0
        for part in _STOP.split(written) if "www." not in written else (written,):
            cut = self._pieces.get(part)
            if cut is None:
                cut = self._tokens(part) if len(part) > _LONGEST_REMEMBERED else self._fresh(part, words)
            words += cut.words
            spans += [(at + start, at + end) for start, end in cut.spans]
            at += len(part)
        return Cut(words, spans)

    def _tokens(self, written: str, before: tuple[str, str] = ("", "")) -> Cut:
        found = tokens(written, self._lexicon.known, before)
        met = self._words
        return Cut([met.get(token[:3]) or self._word(*token[:3]) for token in found], [token[3:] for token in found])

    def _word(self, form: str, seen: str, kind: str) -> Word:
        key = (form, seen, kind)
        word = self._words.get(key)
        if word is None:
            _make_room(self._words)
            clue = _STOPS.get(form, form) if kind in _SPOKEN else f"#{kind}"
            word = Word(form, seen, kind, self._lexicon.symbols(form, kind), self._votes(form, seen, kind), clue)
            self._words[key] = word
        return word

    def _votes(self, form: str, seen: str, kind: str) -> Votes:
        if kind == "word":
            return votes(seen, form, self._lexicon.tells)
        return INVERTED if kind == "mark" and form in "¿¡" else SILENT


def _joined(written: str, pieces: Iterator[str]) -> str:
    """A piece with those that follow it, where it ends in a number or a slash."""
    parts = [written]
    while parts[-1].endswith("/") or parts[-1][-1:].isdecimal():
        following = next(pieces, None)
        if following is None:
            break
        parts.append(following)
    return " ".join(parts)


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MOST_REMEMBERED:
        remembered.clear()


@cache
def vocabulary() -> Vocabulary:
    """The one vocabulary of this process."""
    return Vocabulary(lexicon())
