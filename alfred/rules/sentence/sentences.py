"""The grammar of whole rules: conditions and orders in any order that has one meaning."""

from typing import Any, NoReturn

from alfred.rules.sentence.building import ANYTHING, Cond, all_of, negated, triggers_in
from alfred.rules.sentence.commands import Order, Orders
from alfred.rules.sentence.reader import Hit, Refused
from alfred.rules.sentence.tokens import Token
from alfred.rules.sentence.vocabulary import Vocabulary

LIMITS = "LNT"


class Sentence(Orders):
    """Reads a rule block by block: C a condition, L, N and T what limits it, A an order."""

    def __init__(self, text: str, tokens: list[Token], words: Vocabulary) -> None:
        super().__init__(text, tokens, words)
        self.shape = ""
        self.conditions: list[Cond] = []
        self.actions: list[dict[str, Any]] = []
        self.leftovers: list[str] = []

    def read(self) -> tuple[str, Cond, list[dict[str, Any]]]:
        """The trigger, the condition, the actions."""
        place = 0
        while (start := self._separated(place)) < len(self.tokens):
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
            nxt = self.skip(start, "then", "polite", "and")
            nxt += self.mark(",.:>&", nxt)
            if nxt == start:
                return start
            start = nxt

    def _block(self, before: int, start: int) -> int:
        if (self.first(start, "or") or self.mark("/", start)) and self.shape.endswith("A"):
            raise Refused("or_actions", self._rest(start))
        if self.first(start, "otherwise"):
            raise Refused("otherwise", self._rest(start))
        if hit := self._limit(start):
            return self._limited(before, start, hit)
        if (when := self.first(start, "when", "only_when")) is not None:
            return self._conditioned(start, when)
        if order := self.order(start):
            return self._ordered(before, start, order)
        if turned := self._becoming(start):
            return turned
        if bare := self._bare(start):
            return self._limited(before, start, bare)
        return self._left_over(start)

    def _limit(self, i: int) -> tuple[str, Hit[Cond]] | None:
        """Unless, except, only: what narrows the rule down."""
        if (start := self.first(i, "unless")) is not None:
            return "L", self._outside(start, self._after_when(start))
        if (start := self.first(i, "except")) is not None:
            behind = self.skip(start, "about")
            return "L", self._outside(start, self.adverbial(start) or self.condition(behind))
        if (when := self.first(i, "only_when")) is not None:
            limit = self._after_when(when) if self.shape else None
            return ("L", limit) if limit and limit[0] != ANYTHING else None
        if (start := self.first(i, "only")) is None:
            return None
        hit = self.adverbial(start) or self._only_these(self.skip(start, "about"))
        return ("L", hit) if hit else self.unknown(start)

    def _outside(self, i: int, hit: Hit[Cond] | None) -> Hit[Cond]:
        """Where what was read does not hold."""
        return (negated(hit[0]), hit[1]) if hit and hit[0] != ANYTHING else self.unknown(i)

    def _only_these(self, i: int) -> Hit[Cond] | None:
        """Only urgent messages; "only the contact is a VIP" says something else."""
        noun = self.noun(i)
        return (noun[0][1], noun[1]) if noun and noun[0][1] != ANYTHING else None

    def unknown(self, i: int) -> NoReturn:
        raise Refused("unknown", self._rest(i))

    def _limited(self, before: int, start: int, found: tuple[str, Hit[Cond]]) -> int:
        letter, (condition, end) = found
        leading = self.shape[:1] in ("C", *LIMITS)
        comma = any(self.mark(",.", place) for place in range(before, start))
        if leading and self.shape.count("A") > 1 and self.shape.endswith("A") and not comma:
            raise Refused("ambiguous", self.source(start, end))
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
        hits = [hit for hit in (self.condition(i), self.predicates(i, "message")) if hit]
        return max(hits, key=lambda hit: hit[1], default=None)

    def _ordered(self, before: int, start: int, order: Hit[Order]) -> int:
        (actions, limit), end = order
        joined = self.find("and", before) is not None or self.mark("&", before)
        if self.shape and "A" not in self.shape and joined:
            raise Refused("ambiguous", self.source(before, end))
        again = "A" in self.shape and not self.shape.endswith("A")
        if again and (self.shape[0] != "A" or self.shape[-1] in "LT"):
            raise Refused("two_rules", self._rest(start))
        self.shape += "A"
        self.actions += actions
        if limit != ANYTHING:
            if self.shape.count("A") > 1:
                raise Refused("ambiguous", self.source(start, end))
            self.shape = self.shape[:-1] + "NA"
            self.conditions.append(limit)
        return end

    def _becoming(self, i: int) -> int | None:
        """ "Every urgent lead becomes a task": a condition and an order in one."""
        subject = self.noun(i)
        verb = self.first(subject[1], "becomes") if subject else None
        order = self.task(verb) if verb is not None else None
        if not subject or not order or subject[0][1] == ANYTHING or "A" in self.shape:
            return None
        self.conditions.append(subject[0][1])
        self.actions += order[0][0]
        self.shape += "CA"
        return order[1]

    def _bare(self, i: int) -> tuple[str, Hit[Cond]] | None:
        """A condition without "when": a moment, or the messages that the order is about."""
        moment = self._moments_in_a_row(i)
        if moment and ("A" in self.shape or not self._continues(moment[1])):
            return "T", moment
        start = i if self.shape and not self.shape.endswith("A") else self.skip(i, "about")
        hit = self.condition(start)
        return ("N", hit) if hit and hit[0] != ANYTHING else None

    def _moments_in_a_row(self, i: int) -> Hit[Cond] | None:
        parts, end = list[Cond](), i
        while moment := self.moments(end):
            parts, end = [*parts, moment[0]], moment[1]
        return (all_of(parts), end) if parts else None

    def _continues(self, i: int) -> bool:
        """Whether the clause goes on behind a leading moment: "on weekends urgent messages ..."."""
        return i < len(self.tokens) and not self.mark(",.:>", i) and not self.order(i)

    def _left_over(self, i: int) -> int:
        """What hangs on to an order and is not understood is named; anything else is refused."""
        end = i + 1
        while end < len(self.tokens) and not self._resumes(end):
            end += 1
        words = self.source(i, end)
        turning = any(self.find("suspicious", k) or self.ends(k) for k in range(i, end))
        if not self.shape.endswith("A") or turning:
            raise Refused("unknown", words)
        self.leftovers.append(words)
        return end

    def _resumes(self, i: int) -> bool:
        return self.mark(",.:>()", i) or self.joint(i) is not None or self.ends(i) or self.begins_order(i)

    def _rest(self, i: int) -> str:
        """The words from here to the next comma or stop."""
        end = i
        while end < len(self.tokens) and not self.mark(",.:>", end):
            end += 1
        return self.source(i, end)

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
