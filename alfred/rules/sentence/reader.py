"""Steps through the tokens of a sentence; the grammars of conditions and commands hold one reader."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from alfred.rules.sentence.building import ANYTHING, Cond, all_of, any_of, negated
from alfred.rules.sentence.tokens import Token
from alfred.rules.sentence.vocabulary import Vocabulary

T = TypeVar("T")
Hit = tuple[T, int]
Joint = Literal["and", "or", "nor", ","]
Reason = Literal[
    "unknown", "no_condition", "no_action", "ambiguous", "two_rules", "or_actions", "otherwise", "full_hours",
    "half_day", "quotes", "unclosed_quote", "negated_action", "channel_after_action", "too_long",
    "trigger_inside", "never",
]  # fmt: skip
MAX_NESTING = 40


class Refused(Exception):
    """The sentence cannot be a rule: why, and the words that it is about."""

    def __init__(self, reason: Reason, words: str = "") -> None:
        super().__init__(f"{reason}: {words}")
        self.reason = reason
        self.words = words


class Reader:
    """Reading functions take a place and return what they read and the next place, or None."""

    def __init__(self, text: str, tokens: list[Token], words: Vocabulary) -> None:
        self.text, self.tokens, self.words = text, tokens, words
        self._beginning = [*map(words.beginning, tokens), frozenset[str]()]
        self._end = len(tokens)
        self._skips: dict[tuple[int, tuple[str, ...]], int] = {}
        self._nesting = 0
        self.negative = False  # inside "not ...", where "nor" only means or
        # Whether a command begins at a place, which ends whatever is being read; the grammar of commands says.
        self.begins_command: Callable[[int], bool] = lambda _: False

    @contextmanager
    def inside(self) -> Iterator[None]:
        """While a part of a part is read; people say "not" twice, not forty times."""
        self._nesting += 1
        try:
            if self._nesting > MAX_NESTING:
                raise Refused("too_long")
            yield
        finally:
            self._nesting -= 1

    def kind(self, i: int) -> str:
        return self.tokens[i].kind if i < len(self.tokens) else "end"

    def source(self, start: int, end: int) -> str:
        """The sentence's own characters between two places."""
        if start >= end or start >= len(self.tokens):
            return ""
        return self.text[self.tokens[start].start : self.tokens[end - 1].end]

    def _begins(self, i: int) -> frozenset[str]:
        """The categories of which a phrase may begin here."""
        return self._beginning[i] if i < self._end else self._beginning[-1]

    def find(self, category: str, i: int) -> Hit[str] | None:
        if category not in self._begins(i):
            return None
        return self.words.find(category, self.tokens, i)

    def first(self, i: int, *categories: str) -> int | None:
        """Behind the first category that has a phrase here."""
        begins = self._begins(i)
        if begins.isdisjoint(categories):
            return None
        for category in categories:
            if category in begins and (hit := self.words.find(category, self.tokens, i)):
                return hit[1]
        return None

    def skip(self, i: int, *categories: str) -> int:
        """Behind all phrases of these categories, none included."""
        if self._begins(i).isdisjoint(categories):
            return i
        passed: list[int] = []
        while (end := self._skips.get((i, categories)) or self.first(i, *categories)) is not None and end > i:
            passed.append(i)
            i = end
        self._skips.update(((place, categories), i) for place in passed)
        return i

    def mark(self, marks: str, i: int) -> bool:
        return self.kind(i) == "mark" and self.tokens[i].text in marks

    def quoted(self, i: int) -> Hit[str] | None:
        if self.kind(i) != "quoted":
            return None
        if not self.tokens[i].text:
            raise Refused("quotes", self.source(i, i + 1))
        return self.tokens[i].text, i + 1

    def number(self, i: int) -> Hit[int] | None:
        """Digits or a number's name."""
        if self.kind(i) == "number" and self.tokens[i].text.isdecimal() and len(self.tokens[i].text) < 7:
            return int(self.tokens[i].text), i + 1
        hit = self.find("numbers", i)
        return (int(hit[0]), hit[1]) if hit else None

    def joint(self, i: int) -> tuple[Joint, bool, int] | None:
        """And, or, nor, or a bare comma: which, whether a comma stands before it, the next place."""
        comma = self.mark(",", i)
        after = i + 1 if comma else i
        if self.mark("&/", after):
            return "and" if self.tokens[after].text == "&" else "or", comma, after + 1
        kinds: tuple[Joint, ...] = ("nor", "and", "or")
        for kind in kinds:
            if hit := self.find(kind, after):
                return kind, comma, hit[1]
        return (",", True, after) if comma else None

    def series(self, i: int, item: Callable[[int], Hit[Cond] | None]) -> Hit[Cond] | None:
        """One item or several with and, or, nor and commas between them, bracketed as people speak."""
        if (first := item(i)) is None:
            return None
        parts, joints, commas = [first[0]], list[Joint](), list[bool]()
        closed, end = 1, first[1]
        place = end
        while joint := self.joint(place):
            kind, comma, after = joint
            if (nxt := item(after)) is None:
                break
            lone = kind == "nor" and not self.negative
            parts.append(denial(nxt[0]) if lone else nxt[0])
            joints.append(kind if kind != "nor" else "and" if lone else "or")
            commas.append(comma and kind != ",")
            place = nxt[1]
            if kind != ",":
                closed, end = len(parts), place
        parts, joints, commas = parts[:closed], joints[: closed - 1], commas[: closed - 1]
        return bracketed(parts, _resolved(joints), commas), end

    def paired(self, i: int, item: Callable[[int], Hit[Cond] | None]) -> Hit[Cond] | None:
        """Two items held together by a pair of words."""
        for opening, closing in (("either", "or"), ("both", "both_and"), ("neither", "nor")):
            start = self.first(i, opening)
            first = item(start) if start is not None else None
            middle = self.first(self.past_comma(first[1]), closing) if first else None
            second = item(middle) if middle is not None else None
            if first and second:
                parts = [first[0], second[0]]
                if opening == "neither" and not self.negative:
                    return all_of([denial(part) for part in parts]), second[1]
                return join("and" if opening == "both" else "or", parts), second[1]
        return None

    def past_comma(self, i: int) -> int:
        return i + 1 if self.mark(",", i) else i


def denial(part: Cond) -> Cond:
    """The negation of a condition; what restricts nothing has none."""
    if part == ANYTHING:
        raise Refused("no_condition")
    return negated(part)


def _resolved(joints: list[Joint]) -> list[Joint]:
    """A bare comma means what the next word says: "a, b or c"."""
    meaning: Joint = "and"
    resolved: list[Joint] = []
    for joint in reversed(joints):
        meaning = meaning if joint == "," else joint
        resolved.append(meaning)
    return resolved[::-1]


def bracketed(parts: list[Cond], joints: list[Joint], commas: list[bool]) -> Cond:
    """`, and` and `, or` part wider groups than `and` and `or`; within a group and binds tighter."""
    mixed = len(set(joints)) > 1
    wide = {joint for joint, comma in zip(joints, commas, strict=True) if comma}
    if mixed and len(wide) == 1:
        kind = wide.pop()
        groups = _split(parts, joints, [c and j == kind for c, j in zip(commas, joints, strict=True)])
        return join(kind, [bracketed(ps, js, [False] * len(js)) for ps, js in groups])
    if mixed:
        groups = _split(parts, joints, [joint == "or" for joint in joints])
        return join("or", [join("and", ps) for ps, _ in groups])
    return join(joints[0] if joints else "and", parts)


def _split(parts: list[Cond], joints: list[Joint], cuts: list[bool]) -> list[tuple[list[Cond], list[Joint]]]:
    groups: list[tuple[list[Cond], list[Joint]]] = [([parts[0]], [])]
    for part, joint, cut in zip(parts[1:], joints, cuts, strict=True):
        if cut:
            groups.append(([part], []))
        else:
            groups[-1][0].append(part)
            groups[-1][1].append(joint)
    return groups


def join(kind: Joint, parts: list[Cond]) -> Cond:
    if kind == "and":
        return all_of(parts)
    if ANYTHING in parts:
        raise Refused("no_condition")
    return any_of(parts)
