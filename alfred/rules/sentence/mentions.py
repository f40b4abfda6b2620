"""The grammar of what a message says: words and phrases, quoted or not."""

from alfred.rules.sentence.building import Cond, leaf, negated
from alfred.rules.sentence.properties import Properties
from alfred.rules.sentence.reader import Hit
from alfred.rules.sentence.tokens import Token
from alfred.rules.sentence.vocabulary import Vocabulary

# Loose words, without quotation marks: how many make a phrase, first in a list and after or, and.
LONGEST = {"first": 5, "or": 3, "and": 2, ",": 3, "nor": 3}


class Mentions(Properties):
    """Reads verbs of saying with their words; `loose_words` follow "and", so they could be a verb unknown."""

    noted: tuple[str, ...] = ()

    def __init__(self, text: str, tokens: list[Token], words: Vocabulary) -> None:
        super().__init__(text, tokens, words)
        self.loose_words: list[str] = []

    def clause(self, i: int) -> Hit[Cond] | None:
        raise NotImplementedError

    def mention(self, i: int) -> Hit[Cond] | None:
        start = self.first(i, "mention", "topic")
        return self.phrases(start) if start is not None else None

    def phrases(self, start: int) -> Hit[Cond] | None:
        """A list of phrases; from the second on, what can be a clause or an order is one."""

        def phrase(place: int) -> Hit[Cond] | None:
            joint = "first" if place == start else self._joint_before(place)
            if joint != "first" and (unlike := self._excluded(place)):
                return unlike
            text = self._phrase(place, joint)
            return (leaf("message.text", "contains", text[0]), text[1]) if text else None

        return self.paired(start, phrase) or self.series(start, phrase)

    def _excluded(self, i: int) -> Hit[Cond] | None:
        """ "sale" but not "wholesale": in quotation marks, so that no verb can hide in it."""
        start = self.first(i, "not")
        text = self.quoted(start) if start is not None else None
        return (negated(leaf("message.text", "contains", text[0])), text[1]) if text else None

    def _joint_before(self, i: int) -> str:
        for back in (1, 2, 3):
            joint = self.joint(i - back) if i >= back else None
            if joint and joint[2] == i:
                return joint[0]
        return "first"

    def _phrase(self, i: int, joint: str) -> Hit[str] | None:
        start = self.skip(i, "mention_prep", "word_noun")
        if quoted := self.quoted(start):
            return quoted
        if self.begins_order(i) or self.adverbial(i) or (joint != "first" and self.clause(i)):
            return None
        while (after := self.first(start, "word_noun", "mention_prep", "article")) is not None:
            start = after
        loose = self._loose(start, LONGEST[joint])
        if loose and joint == "and":
            self.loose_words.append(loose[0])
        return loose

    def _loose(self, start: int, longest: int) -> Hit[str] | None:
        """Plain words up to whatever begins next; none of them may be able to turn the meaning."""
        end = start
        while self.kind(end) in ("word", "number", "other") and not self._stops(end, start):
            adverb = end > start and self.tokens[end].text.endswith(self.words.adverbs)
            if adverb or self.first(end, "suspicious", "loose_time", "copula", "copula_not", "aux_not"):
                return None
            end += 1
        return (self.source(start, end), end) if start < end <= start + longest else None

    def _stops(self, i: int, start: int) -> bool:
        if self.ends(i) or self.joint(i) or self.begins_order(i):
            return True
        return i > start and self.adverbial(i) is not None
