"""Weighs what the rules found and the fields of all words, by weights that were learnt from labelled rows."""

from bisect import bisect_left
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from alfred.ai.builtin.fields import Fields, fields
from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.signals import Reading
from alfred.terms import Language, Sentiment, Urgency

Own = tuple[int, ...]  # the fields of a word
Clue = str | int  # a word or what a rule found; a field, or two fields that stand together, as a number
Lanes = int  # sums of all labels side by side in one number, and how many clues they are of
WEIGHTS = FOLDER / "weights.dat"
LABELS = ("positive", "neutral", "negative", "low", "medium", "high", "negotiation", "create_task")
MOST_WORDS = 400  # of a text that are weighed, the first ones; a natural message has fewer
MOST_REMEMBERED, MOST_PAIRS = 5_000, 4_000  # words and pairs; when there are more, all are forgotten
NEAR = 3  # words between which two fields stand together
DENIED, LAST = 500, 1_000  # added to the number of a field: denied, in the last sentence
PAIR = 1_000  # a pair is PAIR * (2 + the first) + the second, which no single field reaches
_LANE = 32  # bits of a sum
_MIDDLE = 1 << 15  # what stands for no weight, so that no lane is ever below nothing
_MASK = (1 << _LANE) - 1
_COUNT = len(LABELS) * _LANE
_FULL = frozenset(".!?…\n")
NOTHING: Own = ()


class Rules(NamedTuple):
    """What the rules alone decide."""

    sentiment: Sentiment
    urgency: Urgency
    negotiation: bool
    task: bool
    problem: bool


class Verdict(NamedTuple):
    """What the weights decide, and by how much the sentiment leads."""

    sentiment: Sentiment
    lead: float
    urgency: Urgency
    negotiation: bool
    task: bool


class Shape(NamedTuple):
    """How a text looks: eights of tokens, sentences, whether it asks, begins with a capital, ends with a stop.

    `silent`: the rules found nothing in it.
    """

    length: int
    sentences: int
    asks: bool
    capital: bool
    stop: bool
    silent: bool


def weigh(reading: Reading, rules: Rules, text: str) -> Verdict:
    """The labels whose clues weigh most; those of the rules where no language is spoken."""
    if reading.language is None:
        return Verdict(rules.sentiment, 0.0, rules.urgency, rules.negotiation, rules.task)
    total = _worded(reading, reading.language) + _aside(rules, shape_of(reading, text), reading)
    nothing = (total >> _COUNT) * _MIDDLE
    sums = [(total >> lane & _MASK) - nothing for lane in range(0, _COUNT, _LANE)]
    feelings, haste = sums[:3], sums[3:6]
    best = max(feelings)
    sentiment: Sentiment = LABELS[feelings.index(best)]  # type: ignore[assignment]
    urgency: Urgency = LABELS[3 + haste.index(max(haste))]  # type: ignore[assignment]
    return Verdict(sentiment, (best - sorted(feelings)[1]) / 1_000, urgency, sums[6] > 0, sums[7] > 0)


def shape_of(reading: Reading, text: str) -> Shape:
    """How long a text is, how many sentences, whether it asks, and whether it is written like a letter."""
    sentences = reading.sentences[-1] if reading.sentences else 0
    length = min(6, len(reading.tokens) // 8)
    return Shape(
        length, min(4, sentences), bool(reading.asking), text[:1].isupper(), text.rstrip().endswith("."), not reading.by
    )


def _ruled(rules: Rules) -> list[Clue]:
    decided: list[Clue] = [f"={rules.sentiment}", f"={rules.urgency}"]
    return [*decided, f"=price {rules.negotiation}", f"=task {rules.task}", f"=problem {rules.problem}"]


def _shaped(shape: Shape) -> list[Clue]:
    said = [
        name for name, holds in (("#asks", shape.asks), ("#capital", shape.capital), ("#stop", shape.stop)) if holds
    ]
    return ["#all", f"#length {shape.length}", f"#sentences {shape.sentences}", *said]


@lru_cache(maxsize=512)
def _sum_decided(rules: Rules, shape: Shape) -> Lanes:
    return _sum(_ruled(rules) + _shaped(shape))


def _aside(rules: Rules, shape: Shape, reading: Reading) -> Lanes:
    """The weights of what the rules found and decided, and of the shape of the text."""
    table = weights()
    total = _sum_decided(rules, shape)
    for label in reading.by:
        total += table.get("+" + label, 0)
    for label in reading.denied:
        total += table.get("-" + label, 0)
    return total


def clues(reading: Reading, rules: Rules, text: str) -> list[Clue]:
    """Every clue of a text as often as it has it: those that `weigh` adds up."""
    found = _ruled(rules) + _shaped(shape_of(reading, text))
    found += ["+" + label for label in reading.by] + ["-" + label for label in reading.denied]
    known = weighed(reading.language or "pt")
    last, denied, before = _last(reading), 0, [NOTHING] * NEAR
    for at, word in enumerate(reading.tokens[:MOST_WORDS]):
        _, own, turn = known.met.get(word.clue) or known.meet(word.clue)
        found.append(word.clue)
        found += known.alone(own, denied > 0, at >= last)
        found += [clue for other in before for clue in known.together(other, own)]
        denied = turn if turn is not None else denied - 1
        before = [*before[1:], own]
    return found


def _worded(reading: Reading, language: Language) -> Lanes:
    """The weights of the words, of their fields, and of the fields that stand together: of all `clues` but those aside.

    Each sum is looked up, since this is done for every word of every message.
    """
    known = weighed(language)
    met, alone, together = known.met, known.sums, known.pairs
    last, denied, total = _last(reading), 0, 0
    first = second = third = NOTHING
    for at, word in enumerate(reading.tokens[:MOST_WORDS]):
        weight, own, turn = met.get(word.clue) or known.meet(word.clue)
        total += weight
        if own:
            key = (own, denied > 0, at >= last)
            total += alone[key] if key in alone else known.sum_alone(*key)
            for other in (first, second, third):
                if other:
                    pair = (other, own)
                    total += together[pair] if pair in together else known.sum_together(*pair)
        denied = turn if turn is not None else denied - 1
        first, second, third = second, third, own
    return total


def _last(reading: Reading) -> int:
    """Where the last sentence begins."""
    return bisect_left(reading.sentences, reading.sentences[-1]) if reading.sentences else 0


class Weighed:
    """The words and fields of one language with the sums of their weights, each put together when it is first met."""

    def __init__(self, own: Fields) -> None:
        self.met: dict[str, tuple[Lanes, Own, int | None]] = {}
        self.sums: dict[tuple[Own, bool, bool], Lanes] = {}
        self.pairs: dict[tuple[Own, Own], Lanes] = {}
        self._fields = own
        self._denial = own.names.index("not")
        self._ceasing = own.names.index("ceasing")  # "does not stop bleeding" denies no bleeding

    def meet(self, clue: str) -> tuple[Lanes, Own, int | None]:
        """The weight of a word, its fields, and how many words after it are denied (None: no change)."""
        own = self._fields.of(clue)
        turn = NEAR if self._denial in own else 0 if clue in _FULL or self._ceasing in own else None
        _make_room(self.met, MOST_REMEMBERED)
        found = self.met[clue] = (weights().get(clue, 0), own, turn)
        return found

    def alone(self, own: Own, denied: bool, last: bool) -> list[int]:
        """The clues of the fields of one word, perhaps denied, perhaps in the last sentence."""
        said = [field + DENIED if denied and field != self._denial else field for field in own]
        return said + [field + LAST for field in own] if last else said

    def together(self, before: Own, own: Own) -> list[int]:
        """The clues of two words that stand near each other."""
        return [PAIR * (2 + other) + field for other in before for field in own]

    def sum_alone(self, own: Own, denied: bool, last: bool) -> Lanes:
        """The weights of `alone`."""
        found = self.sums[own, denied, last] = _sum(self.alone(own, denied, last))
        return found

    def sum_together(self, before: Own, own: Own) -> Lanes:
        """The weights of `together`."""
        _make_room(self.pairs, MOST_PAIRS)
        found = self.pairs[before, own] = _sum(self.together(before, own))
        return found


def _make_room(remembered: dict[Any, Any], most: int) -> None:
    if len(remembered) >= most:
        remembered.clear()


def _sum(found: Iterable[Clue]) -> Lanes:
    table = weights()
    return sum(table.get(clue, 0) for clue in found)


@cache
def weighed(language: Language) -> Weighed:
    """The one of this process and language."""
    return Weighed(fields(language))


@cache
def weights() -> dict[Clue, Lanes]:
    """The weights of each clue."""
    found: dict[Clue, Lanes] = {}
    for line in WEIGHTS.read_text(encoding="utf-8").splitlines():
        name, _, values = line.partition("\t")
        clue: Clue = int(name) if name.isdecimal() else name
        found[clue] = lanes([int(value) for value in values.split(",")])
    return found


def lanes(values: list[int]) -> Lanes:
    """One clue's weights, thousandths of either sign, side by side."""
    return sum((value + _MIDDLE) << _LANE * at for at, value in enumerate(values)) + (1 << _COUNT)
