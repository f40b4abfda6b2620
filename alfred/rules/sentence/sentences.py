"""The grammar of whole rules: conditions and commands in any order that has one meaning."""

from typing import Any, NoReturn

from alfred.rules.sentence.building import ANYTHING, Cond, all_of, negated, triggers_in
from alfred.rules.sentence.clauses import Clauses
from alfred.rules.sentence.commands import Command, Commands
from alfred.rules.sentence.moments import Moments
from alfred.rules.sentence.nouns import Nouns
from alfred.rules.sentence.reader import Hit, Reader, Refused

LIMITS = "LNT"


class Sentence:
    """Reads a rule block by block: C a condition, L, N and T what limits it, A a command."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.moments = Moments(reader)
        self.nouns = Nouns(reader, self.moments)
        self.clauses = Clauses(reader, self.moments, self.nouns)
        self.commands = Commands(reader, self.nouns)
        reader.begins_command = self.commands.begins
        self.shape = ""
        self.conditions: list[Cond] = []
        self.actions: list[dict[str, Any]] = []
        self.leftovers: list[str] = []

    @property
    def loose_words(self) -> list[str]:
        """Loose words behind "and", which could be a verb unknown."""
        return self.clauses.mentions.loose_words

    def read(self) -> tuple[str, Cond, list[dict[str, Any]]]:
        """The trigger, the condition, the actions."""
        place = 0
        while (start := self._separated(place)) < len(self.reader.tokens):
            place = self._block(place, start)
        if not self.conditions:
            raise Refused("no_condition")
        if not self.actions:
            raise Refused("no_action")
        return self._triggered()

    def _separated(self, i: int) -> int:
        """Behind commas, stops, "and", "then" and courtesies."""
        start = i
        while True:
            nxt = self.reader.skip(start, "then", "polite", "and")
            nxt += self.reader.mark(",.:>&", nxt)
            if nxt == start:
                return start
            start = nxt

    def _block(self, before: int, start: int) -> int:
        if (self.reader.first(start, "or") or self.reader.mark("/", start)) and self.shape.endswith("A"):
            raise Refused("or_actions", self._rest(start))
        if self.reader.first(start, "otherwise"):
            raise Refused("otherwise", self._rest(start))
        if hit := self._limit(start):
            return self._limited(before, start, hit)
        if (when := self.reader.first(start, "when", "only_when")) is not None:
            return self._conditioned(start, when)
        if command := self.commands.command(start):
            return self._commanded(before, start, command)
        if turned := self._becoming(start):
            return turned
        if bare := self._bare(start):
            return self._limited(before, start, bare)
        return self._left_over(start)

    def _limit(self, i: int) -> tuple[str, Hit[Cond]] | None:
        """Unless, except, only: what narrows the rule down."""
        if (start := self.reader.first(i, "unless")) is not None:
            return "L", self._outside(start, self._after_when(start))
        if (start := self.reader.first(i, "except")) is not None:
            behind = self.reader.skip(start, "about")
            return "L", self._outside(start, self.nouns.adverbial(start) or self.clauses.condition(behind))
        if (when := self.reader.first(i, "only_when")) is not None:
            limit = self._after_when(when) if self.shape else None
            return ("L", limit) if limit and limit[0] != ANYTHING else None
        if (start := self.reader.first(i, "only")) is None:
            return None
        hit = self.nouns.adverbial(start) or self._only_these(self.reader.skip(start, "about"))
        return ("L", hit) if hit else self.unknown(start)

    def _outside(self, i: int, hit: Hit[Cond] | None) -> Hit[Cond]:
        """Where what was read does not hold."""
        return (negated(hit[0]), hit[1]) if hit and hit[0] != ANYTHING else self.unknown(i)

    def _only_these(self, i: int) -> Hit[Cond] | None:
        """Only urgent messages; "only the contact is a VIP" says something else."""
        noun = self.nouns.noun(i)
        return (noun[0][1], noun[1]) if noun and noun[0][1] != ANYTHING else None

    def unknown(self, i: int) -> NoReturn:
        raise Refused("unknown", self._rest(i))

    def _limited(self, before: int, start: int, found: tuple[str, Hit[Cond]]) -> int:
        letter, (condition, end) = found
        leading = self.shape[:1] in ("C", *LIMITS)
        comma = any(self.reader.mark(",.", place) for place in range(before, start))
        if leading and self.shape.count("A") > 1 and self.shape.endswith("A") and not comma:
            raise Refused("ambiguous", self.reader.source(start, end))
        self.shape += letter
        self.conditions.append(condition)
        return end

    def _conditioned(self, start: int, when: int) -> int:
        hit = self._after_when(when)
        if hit is None:
            raise Refused("unknown", self._rest(when))
        if "C" in self.shape and not (self.shape.endswith("A") and self.shape.count("A") == 1):
            raise Refused("two_rules", self._rest(start))
        self.shape += "C"
        self.conditions.append(hit[0])
        return hit[1]

    def _after_when(self, i: int) -> Hit[Cond] | None:
        """A condition, or what one would be about: "if urgent or negative"."""
        hits = [hit for hit in (self.clauses.condition(i), self.clauses.predicates(i, "message")) if hit]
        return max(hits, key=lambda hit: hit[1], default=None)

    def _commanded(self, before: int, start: int, command: Hit[Command]) -> int:
        (actions, limit), end = command
        joined = self.reader.find("and", before) is not None or self.reader.mark("&", before)
        if self.shape and "A" not in self.shape and joined:
            raise Refused("ambiguous", self.reader.source(before, end))
        again = "A" in self.shape and not self.shape.endswith("A")
        if again and (self.shape[0] != "A" or self.shape[-1] in "LT"):
            raise Refused("two_rules", self._rest(start))
        self.shape += "A"
        self.actions += actions
        if limit != ANYTHING:
            if self.shape.count("A") > 1:
                raise Refused("ambiguous", self.reader.source(start, end))
            self.shape = self.shape[:-1] + "NA"
            self.conditions.append(limit)
        return end

    def _becoming(self, i: int) -> int | None:
        """ "Every urgent lead becomes a task": a condition and a command in one."""
        subject = self.nouns.noun(i)
        verb = self.reader.first(subject[1], "becomes") if subject else None
        command = self.commands.task(verb) if verb is not None else None
        if not subject or not command or subject[0][1] == ANYTHING or "A" in self.shape:
            return None
        self.conditions.append(subject[0][1])
        self.actions += command[0][0]
        self.shape += "CA"
        return command[1]

    def _bare(self, i: int) -> tuple[str, Hit[Cond]] | None:
        """A condition without "when": a moment, or the messages that the command is about."""
        moment = self._moments_in_a_row(i)
        if moment and ("A" in self.shape or not self._continues(moment[1])):
            return "T", moment
        start = i if self.shape and not self.shape.endswith("A") else self.reader.skip(i, "about")
        hit = self.clauses.condition(start)
        return ("N", hit) if hit and hit[0] != ANYTHING else None

    def _moments_in_a_row(self, i: int) -> Hit[Cond] | None:
        parts, end = list[Cond](), i
        while moment := self.moments.several(end):
            parts, end = [*parts, moment[0]], moment[1]
        return (all_of(parts), end) if parts else None

    def _continues(self, i: int) -> bool:
        """Whether the clause goes on behind a leading moment: "on weekends urgent messages ..."."""
        return i < len(self.reader.tokens) and not self.reader.mark(",.:>", i) and not self.commands.command(i)

    def _left_over(self, i: int) -> int:
        """What hangs on to a command and is not understood is named; anything else is refused."""
        end = i + 1
        while end < len(self.reader.tokens) and not self._resumes(end):
            end += 1
        words = self.reader.source(i, end)
        turning = any(self.reader.find("suspicious", k) or self.nouns.ends(k) for k in range(i, end))
        if not self.shape.endswith("A") or turning:
            raise Refused("unknown", words)
        self.leftovers.append(words)
        return end

    def _resumes(self, i: int) -> bool:
        return (
            self.reader.mark(",.:>()", i)
            or self.reader.joint(i) is not None
            or self.nouns.ends(i)
            or self.reader.begins_command(i)
        )

    def _rest(self, i: int) -> str:
        """The words from here to the next comma or stop."""
        end = i
        while end < len(self.reader.tokens) and not self.reader.mark(",.:>", end):
            end += 1
        return self.reader.source(i, end)

    def _triggered(self) -> tuple[str, Cond, list[dict[str, Any]]]:
        """Takes what happens out of the condition, where it stands beside the rest and once."""
        whole = all_of(self.conditions)
        parts = whole.get("all", [whole])
        triggers = [part["trigger"] for part in parts if "trigger" in part]
        rest = all_of([part for part in parts if "trigger" not in part])
        if len(triggers) > 1 or triggers_in(rest):
            raise Refused("trigger_inside")
        if not triggers and rest == ANYTHING:
            raise Refused("no_condition")
        return triggers[0] if triggers else "message.received", rest, self.actions
