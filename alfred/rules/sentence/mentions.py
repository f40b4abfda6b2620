"""The grammar of what a message says: words and phrases, quoted or not."""

from collections.abc import Callable

from alfred.rules.sentence.building import Cond, leaf, negated
from alfred.rules.sentence.nouns import Nouns
from alfred.rules.sentence.reader import Hit, Reader

# Loose words, without quotation marks: how many make a phrase, first in a list and after or, and.
LONGEST = {"first": 5, "or": 3, "and": 2, ",": 3, "nor": 3}


class Mentions:
    """Reads verbs of saying with their words; `loose_words` follow "and", so they could be a verb unknown."""

    def __init__(self, reader: Reader, nouns: Nouns, clause: Callable[[int], Hit[Cond] | None]) -> None:
        self.reader, self.nouns = reader, nouns
        self._clause = clause  # a phrase ends where a clause could begin
        self.loose_words: list[str] = []

    def mention(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "mention", "topic")
        return self.phrases(start) if start is not None else None

    def phrases(self, start: int) -> Hit[Cond] | None:
        """A list of phrases; from the second on, what can be a clause or an order is one."""

        def phrase(place: int) -> Hit[Cond] | None:
            joint = "first" if place == start else self._joint_before(place)
            if joint != "first" and (unlike := self._excluded(place)):
                return unlike
            text = self._phrase(place, joint)
            return (leaf("message.text", "contains", text[0]), text[1]) if text else None

        return self.reader.paired(start, phrase) or self.reader.series(start, phrase)

    def _excluded(self, i: int) -> Hit[Cond] | None:
        """ "sale" but not "wholesale": in quotation marks, so that no verb can hide in it."""
        start = self.reader.first(i, "not")
        text = self.reader.quoted(start) if start is not None else None
        return (negated(leaf("message.text", "contains", text[0])), text[1]) if text else None

    def _joint_before(self, i: int) -> str:
        for back in (1, 2, 3):
            joint = self.reader.joint(i - back) if i >= back else None
            if joint and joint[2] == i:
                return joint[0]
        return "first"

    def _phrase(self, i: int, joint: str) -> Hit[str] | None:
        start = self.reader.skip(i, "mention_prep", "word_noun")
        if quoted := self.reader.quoted(start):
            return quoted
        if self.reader.begins_command(i) or self.nouns.adverbial(i) or (joint != "first" and self._clause(i)):
            return None
        while (after := self.reader.first(start, "word_noun", "mention_prep", "article")) is not None:
            start = after
        loose = self._loose(start, LONGEST[joint])
        if loose and joint == "and":
            self.loose_words.append(loose[0])
        return loose

    def _loose(self, start: int, longest: int) -> Hit[str] | None:
        """Plain words up to whatever begins next; none of them may be able to turn the meaning."""
        end = start
        while self.reader.kind(end) in ("word", "number", "other") and not self._stops(end, start):
            adverb = end > start and self.reader.tokens[end].text.endswith(self.reader.words.adverbs)
            if adverb or self.reader.first(end, "suspicious", "loose_time", "copula", "copula_not", "aux_not"):
                return None
            end += 1
        return (self.reader.source(start, end), end) if start < end <= start + longest else None

    def _stops(self, i: int, start: int) -> bool:
        if self.nouns.ends(i) or self.reader.joint(i) or self.reader.begins_command(i):
            return True
        return i > start and self.nouns.adverbial(i) is not None
