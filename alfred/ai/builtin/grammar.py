"""Negations, conditions and turns ("but") of a text, each in the text's own language."""

from collections.abc import Set
from functools import cache
from typing import NamedTuple

from alfred.ai.builtin.lexicon import lexicon
from alfred.ai.builtin.phrase_trie import Hit
from alfred.ai.builtin.word_cache import Word
from alfred.terms import Language

REACH = 4  # words that a negation can stand before what it denies
SUPPOSED = 6  # words that an "if" can stand before what it supposes
_SO = frozenset(("tao", "tan", "so", "such", "as"))
_ONLY = frozenset(("so", "solo", "only", "just", "apenas"))
_CONDITIONAL = frozenset(("trouble", "pain", "praise", "danger", "stopped", "silence", "solved", "sour"))
_DENIABLE = frozenset(
    (
        "praise",
        "pain",
        "trouble",
        "solved",
        "urgent",
        "danger",
        "costly",
        "threat",
        "cancel",
        "act",
        "order",
    )
)


class SmallWords(NamedTuple):
    """The small words of a language, by what they do."""

    nots: Set[str]
    nevers: Set[str]
    lacks: Set[str]
    buts: Set[str]
    ifs: Set[str]


@cache
def small_words(language: Language) -> SmallWords:
    """Those of the lexicon."""
    words = lexicon().grammar
    nots, nevers, buts, ifs = (words.get((language, name), set()) for name in ("@not", "@never", "@but", "@if"))
    return SmallWords(
        nots, nevers, words.get(("any", "@lack"), set()), buts - {"mas"} if language == "es" else buts, ifs
    )


class Grammar:
    """The small words of a text and what they do to the phrases after them."""

    def __init__(self, tokens: list[Word], forms: list[str], language: Language | None) -> None:
        self.tokens = tokens
        self.forms = forms
        self._said = frozenset(forms)
        self.language = language
        self.nots, self.nevers, self.lacks, self.buts, self.ifs = small_words(language or "en")

    def last_but(self) -> int:
        """The place of the last "but", -1 where there is none."""
        if self.buts.isdisjoint(self._said):
            return -1
        backwards = range(len(self.tokens) - 1, -1, -1)
        return next((at for at in backwards if self.forms[at] in self.buts), -1)

    def settle(self, hits: list[Hit]) -> tuple[list[Hit], list[Hit]]:
        """The hits that stand, and those that are denied."""
        after_if, after_not = self._after(self.ifs, SUPPOSED), self._after(self.nots, REACH)
        if not (after_if or after_not or self.language == "es"):
            return hits, []
        kept, denied = [], []
        for hit in hits:
            if hit.first in after_if and hit.meaning.label in _CONDITIONAL and self._supposed(hit):
                continue
            if hit.meaning.label == "act" and self._told(hit):
                continue
            if hit.first in after_not and hit.meaning.label in _DENIABLE and self._negated(hit):
                denied.append(hit)
            else:
                kept.append(hit)
        return kept, denied

    def _after(self, words: Set[str], reach: int) -> Set[int]:
        """The places that any of these words reaches."""
        if words.isdisjoint(self._said):
            return frozenset()
        places = [at for at, form in enumerate(self.forms) if form in words]
        return {at + step for at in places for step in range(1, reach + 1)}

    def _negated(self, hit: Hit) -> bool:
        for at in range(hit.first - 1, max(-1, hit.first - 1 - REACH), -1):
            token = self.tokens[at]
            if token.kind == "mark" or token.form in self.buts:
                return False
            if token.form in self.nevers and self._so(hit):
                return False
            if token.form in self.lacks and hit.first - at > 2:
                continue  # "sem sal e fria": what lacks is only the next thing
            if token.form in self.nots:
                return self.tokens[min(at + 1, hit.first)].form not in _ONLY
        return False

    def _so(self, hit: Hit) -> bool:
        """Whether "so" intensifies the phrase: "never so bad" denies nothing."""
        return any(token.form in _SO for token in self.tokens[max(0, hit.first - 1) : hit.last + 1])

    def _told(self, hit: Hit) -> bool:
        """Whether a Spanish verb looks like a command but tells what was done: "pasé"."""
        return self.language == "es" and any(
            token.seen[-1:] in "éó" and token.kind == "word" for token in self.tokens[hit.first : hit.last + 1]
        )

    def _supposed(self, hit: Hit) -> bool:
        for at in range(hit.first, max(-1, hit.first - SUPPOSED - 1), -1):
            token = self.tokens[at]
            if token.kind == "mark" and token.form != ",":
                return False
            if token.form in self.ifs and token.seen != "sí" and at < hit.first:
                return True
        return False
