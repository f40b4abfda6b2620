"""Words as the assistant keeps them: cut from a text, named and weighed once, then remembered."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from alfred.ai.builtin.language import INVERTED, SILENT, Votes, votes
from alfred.ai.builtin.lexicon import Lexicon, lexicon
from alfred.ai.builtin.phrase_trie import CLOSED
from alfred.ai.builtin.text import tokens

LONGEST = 10_000  # characters considered; what follows is not read
MOST_REMEMBERED = 10_000  # words, pieces of one word and other pieces each; when there are more, all are forgotten
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
    closes: bool  # ends a clause, which no phrase goes beyond


class Cut(NamedTuple):
    """A piece of text as words and their places in it."""

    words: list[Word]
    spans: list[Span]


JOINED = Cut([], [])  # a piece that was cut together with the one before


@dataclass(slots=True, eq=False)
class Said:
    """A text as words; in which places they stand is found when somebody asks."""

    words: list[Word]
    pieces: list[str]  # of the text, most of them a word
    cuts: dict[int, Cut]  # of those pieces that are more or less than a word, by number
    forms: list[str] = field(default_factory=list)
    written_out: list[tuple[int, int]] = field(default_factory=list)  # words that were, and how many each is now

    def spans(self) -> list[Span]:
        """From where to where in the text each word stands; all words of a short form stand where it does."""
        spans: list[Span] = []
        at, cuts = 0, self.cuts
        for number, piece in enumerate(self.pieces):
            end = at + len(piece)
            if number in cuts:
                for start, stop in cuts[number].spans:
                    spans.append((at + start, at + stop))
            else:
                spans.append((at, end))
            at = end + 1
        return self._shared(spans) if self.written_out else spans

    def _shared(self, spans: list[Span]) -> list[Span]:
        found: list[Span] = []
        done = 0
        for at, size in self.written_out:
            found += spans[done:at] + spans[at : at + 1] * size
            done = at + 1
        return found + spans[done:]


class Vocabulary:
    """The words met so far; bounded, since texts come from strangers."""

    def __init__(self, known: Lexicon) -> None:
        self._lexicon = known
        self._short = {language: frozenset(slang) for language, slang in known.slang.items()}
        self._words: dict[tuple[str, str, str], Word] = {}
        self._alone: dict[str, Word] = {}  # pieces that are one word
        self._pieces: dict[str, Cut] = {}  # others

    def cut(self, text: str) -> Said:
        """The words of a text, in order; linear in its length."""
        pieces = text[:LONGEST].split(" ")
        said = self._said(pieces, list(map(self._alone.get, pieces)))
        said.forms = [word.form for word in said.words]
        return said

    def _said(self, pieces: list[str], met: list[Word | None]) -> Said:
        """The pieces of a text as words; `met`: those that are one known word, None for others."""
        words: list[Word] = []
        cuts: dict[int, Cut] = {}
        done = 0
        for at in [at for at, word in enumerate(met) if word is None]:
            if at < done:
                continue
            words += met[done:at]  # type: ignore[arg-type]  # all of them words
            done = at + 1
            cut = self._pieces.get(pieces[at])
            if cut is None:
                done = _joined(pieces, at)
                cut = self._fresh(" ".join(pieces[at:done]), words[-1] if words else None)
                cuts.update(dict.fromkeys(range(at + 1, done), JOINED))
            words += cut.words
            cuts[at] = cut
        words += met[done:]  # type: ignore[arg-type]
        return Said(words, pieces, cuts)

    def write_out(self, said: Said, language: str | None) -> None:
        """Replaces short forms by what they stand for: "vc" is "voce"."""
        if language not in self._short or self._short[language].isdisjoint(said.forms):
            return
        slang, words, forms = self._lexicon.slang[language], said.words, said.forms
        said.words, said.forms = [], []
        done = 0
        for at in [at for at, form in enumerate(forms) if form in slang and words[at].kind == "word"]:
            full = slang[forms[at]]
            said.words += words[done:at]
            said.words += [self._word(form, words[at].seen, "word") for form in full]
            said.forms += forms[done:at]
            said.forms += full
            said.written_out.append((at, len(full)))
            done = at + 1
        said.words += words[done:]
        said.forms += forms[done:]

    def _fresh(self, written: str, before: Word | None) -> Cut:
        """A piece cut for the first time, or one that depends on what stands before it."""
        alike = written.isalpha() or not _NUMERIC.search(written)
        if not alike:
            return self._tokens(written, before)
        if len(written) > _LONGEST_REMEMBERED:
            return self._unbroken(written)
        stopped = None if written.isalpha() else _STOPPED.fullmatch(written)
        cut = self._stopped(*stopped.groups()) if stopped else self._tokens(written)
        self._remember(written, cut)
        return cut

    def _remember(self, written: str, cut: Cut) -> None:
        if cut.spans == [(0, len(written))]:
            _make_room(self._alone)
            self._alone[written] = cut.words[0]
        else:
            _make_room(self._pieces)
            self._pieces[written] = cut

    def _part(self, written: str) -> Cut:
        """A part of a piece without numbers."""
        alone = self._alone.get(written)
        if alone is not None:
            return Cut([alone], [(0, len(written))])
        return self._pieces.get(written) or self._fresh(written, None)

    def _stopped(self, word: str, stop: str) -> Cut:
        """A word with a comma or stops behind it, which may be known apart."""
        (words, spans), (stops, _) = self._part(word), self._part(stop)
        return Cut([*words, *stops], [*spans, (len(word), len(word) + len(stop))])

    def _unbroken(self, written: str) -> Cut:
        """A long piece without numbers, cut at its commas and stops as well, which no link has."""
        words: list[Word] = []
        spans: list[Span] = []
        at = 0
        for part in _STOP.split(written) if "www." not in written else (written,):
            end = at + len(part)
            alone = self._alone.get(part)
            if alone is not None:
                words.append(alone)
                spans.append((at, end))
            elif part:
                cut = self._tokens(part) if len(part) > _LONGEST_REMEMBERED else self._part(part)
                words += cut.words
                spans += [(at + start, at + stop) for start, stop in cut.spans]
            at = end
        return Cut(words, spans)

    def _tokens(self, written: str, before: Word | None = None) -> Cut:
        found = tokens(written, self._lexicon.known, (before.form, before.kind) if before else ("", ""))
        met = self._words
        return Cut([met.get(token[:3]) or self._word(*token[:3]) for token in found], [token[3:] for token in found])

    def _word(self, form: str, seen: str, kind: str) -> Word:
        key = (form, seen, kind)
        word = self._words.get(key)
        if word is None:
            _make_room(self._words)
            clue = _STOPS.get(form, form) if kind in _SPOKEN else f"#{kind}"
            symbols = self._lexicon.symbols(form, kind)
            word = Word(form, seen, kind, symbols, self._votes(form, seen, kind), clue, symbols[0] == CLOSED)
            self._words[key] = word
        return word

    def _votes(self, form: str, seen: str, kind: str) -> Votes:
        if kind == "word":
            return votes(seen, form, self._lexicon.tells)
        return INVERTED if kind == "mark" and form in "¿¡" else SILENT


def _joined(pieces: list[str], at: int) -> int:
    """Up to where pieces are read together with this one, since it ends in a number or a slash."""
    end = at + 1
    while end < len(pieces) and (pieces[end - 1].endswith("/") or pieces[end - 1][-1:].isdecimal()):
        end += 1
    return end


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= MOST_REMEMBERED:
        remembered.clear()


@cache
def vocabulary() -> Vocabulary:
    """The one vocabulary of this process."""
    return Vocabulary(lexicon())
