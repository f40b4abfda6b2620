"""The grammar of conditions: clauses with and, or, not and brackets."""

from collections.abc import Callable

from alfred.rules.sentence.building import ANYTHING, Cond, all_of, from_key, leaf, negated, trigger
from alfred.rules.sentence.mentions import Mentions
from alfred.rules.sentence.moments import Moments
from alfred.rules.sentence.nouns import Nouns
from alfred.rules.sentence.properties import Properties
from alfred.rules.sentence.reader import Hit, Reader, Refused, denial


class Clauses:
    """Reads whole conditions; `subject` is what the last clause was about, for the next that names none."""

    def __init__(self, reader: Reader, moments: Moments, nouns: Nouns) -> None:
        self.reader, self.moments, self.nouns = reader, moments, nouns
        self.properties = Properties(reader, moments, nouns)
        self.mentions = Mentions(reader, nouns, self.clause)
        self.subject = "message"
        self.tails: dict[int, str] = {}  # what hangs on to the clause that ends at a place
        self._clauses: dict[tuple[int, str], tuple[Hit[Cond] | None, str]] = {}

    def condition(self, i: int) -> Hit[Cond] | None:
        """Clauses joined; a phrase after the last of several with "or" could belong to each: refused."""
        read: list[Hit[Cond]] = []

        def clause(place: int) -> Hit[Cond] | None:
            hit = self.clause(self.reader.skip(place, "when"))
            read.extend([hit] if hit else [])
            return hit

        hit = self.reader.series(i, clause)
        taken = [each for each in read if hit and each[1] <= hit[1]]
        if hit and len(taken) > 1 and "any" in hit[0]:
            tails = [self.tails.get(each[1]) for each in taken]
            if tails[-1] is not None and not any(tails[:-1]):
                raise Refused("ambiguous", tails[-1])
        return hit

    def clause(self, i: int) -> Hit[Cond] | None:
        """One clause; remembered, since phrases look ahead whether one begins behind them."""
        key = (i, self.subject)
        if key not in self._clauses:
            before, self.reader.negative = self.reader.negative, False
            hit = self._clause(i)
            self._clauses[key], self.reader.negative = (hit, self.subject), before
        hit, self.subject = self._clauses[key]
        return hit

    def _clause(self, i: int) -> Hit[Cond] | None:
        with self.reader.inside():
            return self._grouped(i) or self._plain(i)

    def _grouped(self, i: int) -> Hit[Cond] | None:
        """Brackets, as marks or as words: either ... or, both ... and, neither ... nor, not (...)."""
        if self.reader.mark("(", i):
            hit = self.condition(self.reader.skip(i + 1, "when"))
            return (hit[0], hit[1] + 1) if hit and self.reader.mark(")", hit[1]) else None
        if (start := self.reader.first(i, "not")) is not None and self.reader.mark("(", start):
            with self.reader.inside():
                hit = self._grouped(start)
            return (denial(hit[0]), hit[1]) if hit else None
        return self.reader.paired(i, self.clause)

    def _plain(self, i: int) -> Hit[Cond] | None:
        start, lead = i, list[Cond]()
        while hit := self.nouns.adverbial(start):
            lead.append(hit[0])
            start = self.reader.past_comma(hit[1])
        core = self._core(start)
        if core is None:
            return (all_of(lead), hit_end) if lead and (hit_end := self._back(start)) else None
        parts, end = [*lead, core[0]], core[1]
        while hit := self.nouns.adverbial(end):
            parts.append(hit[0])
            if core[0] != ANYTHING:
                self.tails[hit[1]] = self.reader.source(core[1], hit[1])
            end = hit[1]
        return all_of(parts), end

    def _back(self, i: int) -> int:
        return i - 1 if self.reader.mark(",", i - 1) else i

    def _core(self, i: int) -> Hit[Cond] | None:
        """What a clause says without what hangs on to it."""
        named = self.starting(i) or self.properties.property(i) or self.nouns.attachments.arriving(i)
        return named or self._existing(i) or self._about(i)

    def starting(self, i: int) -> Hit[Cond] | None:
        start = self.reader.skip(i, "article")
        hit = self.reader.find("starts", start)
        if hit is None and (subject := self.nouns.noun(i)):
            hit = self.reader.find("starts", subject[1]) if subject[0][1] == ANYTHING else None
        return (trigger("conversation.created"), hit[1]) if hit else None

    def _existing(self, i: int) -> Hit[Cond] | None:
        """There is a complaint, an urgent message, more than 3 unread ones."""
        if (start := self.reader.first(i, "exists")) is None:
            return None
        noun = self.nouns.noun(start)
        said = self.nouns.unread(start) or self.nouns.attachments.some(start) or self._state(start)
        return said or ((noun[0][1], noun[1]) if noun and noun[0][1] != ANYTHING else None)

    def _about(self, i: int) -> Hit[Cond] | None:
        """Subject and verb; a verb alone is about what was spoken of; a subject alone must say something."""
        subject = self.nouns.noun(i)
        if subject is None:
            return None if self.reader.begins_command(i) else self.verb(i, self.subject)
        (kind, said), end = subject
        self.subject = kind
        that = self.reader.first(end, "that")
        verb = self.verb(end if that is None else that, kind)
        if verb and that is not None and (main := self.verb(verb[1], kind)):
            return all_of([said, verb[0], main[0]]), main[1]
        if verb:
            return all_of([said, verb[0]]), verb[1]
        return (said, end) if said != ANYTHING else None

    def verb(self, i: int, kind: str) -> Hit[Cond] | None:
        """What the subject does or is."""
        if (start := self.reader.first(i, "copula_not")) is not None:
            return self.denied(lambda: self.predicates(start, kind))
        if (behind := self.reader.first(i, "aux_not")) is not None:
            return self.denied(lambda: self.verb(behind, kind))
        if event := self._happening(i, kind):
            return event
        if kind == "task":
            return self._being(i, kind)
        return (
            self._doing(i)
            or self.nouns.attachments.sent(i)
            or self.mentions.mention(i)
            or self._having(i)
            or self._being(i, kind)
            or self._written(i)
            or self._arriving(i)
        )

    def denied(self, read: Callable[[], Hit[Cond] | None]) -> Hit[Cond] | None:
        """What was read, negated; what says nothing cannot be."""
        before, self.reader.negative = self.reader.negative, True
        try:
            with self.reader.inside():
                hit = read()
        finally:
            self.reader.negative = before
        return (negated(hit[0]), hit[1]) if hit and hit[0] != ANYTHING else None

    def _happening(self, i: int, kind: str) -> Hit[Cond] | None:
        if kind == "task" and (end := self.reader.first(i, "lapse")):
            return trigger("task.overdue"), end
        if kind in ("contact", "conversation") and (end := self.reader.first(i, "stall")):
            return trigger("lead.stalled"), end
        return None

    def _doing(self, i: int) -> Hit[Cond] | None:
        hit = self.reader.find("verb_state", i)
        return (from_key(hit[0]), hit[1]) if hit else None

    def _having(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "has")
        if start is None:
            return self.nouns.carrying(i)
        return self.nouns.unread(start) or self.nouns.tags(start) or self._state(start)

    def _state(self, i: int) -> Hit[Cond] | None:
        hit = self.reader.find("state", self.reader.skip(i, "article", "every"))
        return (from_key(hit[0]), hit[1]) if hit else None

    def _being(self, i: int, kind: str) -> Hit[Cond] | None:
        start = self.reader.first(i, "copula")
        return self.predicates(start, kind) if start is not None else None

    def predicates(self, i: int, kind: str) -> Hit[Cond] | None:
        def predicate(place: int) -> Hit[Cond] | None:
            return self._predicate(place, kind, first=place == i)

        return self.reader.paired(i, predicate) or self.reader.series(i, predicate)

    def _predicate(self, i: int, kind: str, *, first: bool) -> Hit[Cond] | None:
        """A quality, or a noun that has one; after "or" a noun of another kind begins a new clause."""
        if (start := self.reader.first(i, "not")) is not None:
            with self.reader.inside():
                hit = self._predicate(start, kind, first=first)
            return (negated(hit[0]), hit[1]) if hit else None
        noun = self.nouns.noun(i)
        fits = noun and (first or noun[0][0] == kind) and not self._speaks_on(noun[1])
        if noun and fits and noun[0][1] != ANYTHING:
            return noun[0][1], noun[1]
        quality = self.nouns.quality(i)
        if quality:
            return self.nouns.fitting([quality[0]], kind, i, quality[1]), quality[1]
        state = self.nouns.attachments.one(i) or self._state(i)
        if state and not self._speaks_on(state[1]):
            return state
        if self.reader.find("topic", i):
            return self.mentions.mention(i)
        if day := self.reader.find("days", i):
            return leaf("time.weekday", "eq", int(day[0])), day[1]
        return self.nouns.adverbial(i)

    def _speaks_on(self, i: int) -> bool:
        """A verb follows: what stood before it begins a clause of its own."""
        verbs = ("copula", "copula_not", "aux_not", "mention", "verb_state", "has", "arrive", "write")
        return self.reader.first(i, *verbs) is not None

    def _written(self, i: int) -> Hit[Cond] | None:
        """Verbs of writing take only quoted words: "writes late" is not about the word late."""
        start = self.reader.first(i, "write")
        return self.reader.series(start, self._quoted_phrase) if start is not None else None

    def _quoted_phrase(self, i: int) -> Hit[Cond] | None:
        hit = self.reader.quoted(self.reader.skip(i, "mention_prep", "word_noun"))
        return (leaf("message.text", "contains", hit[0]), hit[1]) if hit else None

    def _arriving(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "arrive")
        if start is None or self.moments.moment(i):  # Spanish "entre" is also between
            return None
        message = self.nouns.noun(start)
        if message and message[0][0] in ("message", "conversation"):
            return message[0][1], message[1]
        if (end := self.reader.first(start, "first_time")) is not None:
            return all_of([trigger("conversation.created"), leaf("contact.first_conversation", "eq", True)]), end
        return ANYTHING, start
