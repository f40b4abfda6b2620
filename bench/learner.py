"""Learns what clues weigh: linear weights with a hidden layer of a few units beside them, by AdaGrad, in plain Python.

Every clue has a weight for each label and each hidden unit; a unit counts where its sum is above nothing. A share of
the clues is left out of a row each time it is seen, so that none is relied on alone. It is learnt twice, from another
beginning, with half of the units each: the average errs less, and the more units, the less. The same rows, the same
weights.
"""

import math
import random
from collections import Counter
from typing import NamedTuple

from alfred.ai.builtin.weights import HIDDEN, LABELS, Clue, is_pair

SEEDS = (9, 10)
OF_EACH = HIDDEN // len(SEEDS)  # units
ROUNDS, RATE, PENALTY = 8, 0.05, 1.5
RAREST, RAREST_PAIR = 3, 6  # rows that must have a clue, and two words one after the other
AVERAGED = 4  # rounds whose weights are averaged, which keeps less of the order of the rows than those of the last
LEFT_OUT = 0.3  # share of the clues
UP = 1 / (1 - LEFT_OUT)  # what those that are left then weigh
SMALL, HALF = 0.05, 0.5  # how far the weights of units, and what units add, are from nothing at first
FLAT = 1e-3  # slope before the first row
LOUD = frozenset("!¡")  # no clues: whoever wrote the rows complains more quietly than customers do
GROUPS = ((0, 3), (3, 6), (6, 7), (7, 8))  # the labels of which exactly one holds, and the two that may hold
LABELLED = len(LABELS)
Example = tuple[list[Clue], list[float], float]
Errors = list[tuple[int, float]]


class Learnt(NamedTuple):
    """What each clue weighs for labels and units, and what each unit adds to the labels."""

    weights: dict[Clue, list[float]]
    units: list[list[float]]


class Weight:
    """What one clue, or one unit, weighs."""

    __slots__ = ("own", "shrink", "slopes")

    def __init__(self, own: list[float], shrink: float) -> None:
        self.own = own
        self.slopes = [FLAT] * len(own)
        self.shrink = shrink

    def step(self, errors: Errors, scale: float) -> None:
        own, slopes, shrink = self.own, self.slopes, self.shrink
        for at, error in errors:
            gradient = scale * error + shrink * own[at]
            slopes[at] += gradient * gradient
            own[at] -= RATE * gradient / math.sqrt(slopes[at])


def learn(found: list[Example]) -> Learnt:
    """The weights of every clue that enough rows have."""
    each = [_learn(found, random.Random(seed)) for seed in SEEDS]
    weights = {clue: _joined([one.weights[clue] for one in each]) for clue in each[0].weights}
    return Learnt(weights, [[value / len(each) for value in unit] for one in each for unit in one.units])


def _joined(each: list[list[float]]) -> list[float]:
    """A clue's average weights for the labels, and those for the units of each."""
    labels = [sum(column) / len(each) for column in zip(*[own[:LABELLED] for own in each], strict=True)]
    return labels + [value for own in each for value in own[LABELLED:]]


def _learn(found: list[Example], draw: random.Random) -> Learnt:
    learnt = _begin(found, draw)
    units = [Weight([draw.uniform(-HALF, HALF) for _ in LABELS], 0.0) for _ in range(OF_EACH)]
    kept = [([learnt[clue] for clue in seen if clue in learnt], wanted, weight) for seen, wanted, weight in found]
    sums = {clue: [0.0] * (LABELLED + OF_EACH) for clue in learnt}
    added = [[0.0] * LABELLED for _ in units]
    for number in range(ROUNDS):
        draw.shuffle(kept)
        for seen, wanted, weight in kept:
            left = [one for one in seen if draw.random() >= LEFT_OUT]
            if left:
                _see(left, units, wanted, weight)
        if number >= ROUNDS - AVERAGED:
            for clue, one in learnt.items():
                _average(sums[clue], one.own)
            for total, unit in zip(added, units, strict=True):
                _average(total, unit.own)
    return Learnt(sums, added)


def _begin(found: list[Example], draw: random.Random) -> dict[Clue, Weight]:
    """The clues before the first row. Each pays a part of its penalty in each of its rows, so that all pay the same."""
    counts = Counter(clue for seen, _, _ in found for clue in set(seen) if LOUD.isdisjoint(str(clue).split()))
    known = sorted((clue for clue in counts if counts[clue] >= (RAREST_PAIR if is_pair(clue) else RAREST)), key=str)
    nothing = [0.0] * LABELLED
    return {
        clue: Weight(nothing + [draw.uniform(-SMALL, SMALL) for _ in range(OF_EACH)], PENALTY / counts[clue])
        for clue in known
    }


def _average(total: list[float], own: list[float]) -> None:
    for at, value in enumerate(own):
        total[at] += value / AVERAGED


def _see(seen: list[Weight], units: list[Weight], wanted: list[float], weight: float) -> None:
    """Learns from one row."""
    told = [UP * sum(column) for column in zip(*[one.own for one in seen], strict=True)]
    lit = [(at, told[LABELLED + at]) for at in range(OF_EACH) if told[LABELLED + at] > 0]
    sums = told[:LABELLED]
    for at, value in lit:
        sums = [total + value * more for total, more in zip(sums, units[at].own, strict=True)]
    off = [weight * error for error in _off(sums, wanted)]
    back = [(LABELLED + at, sum(map(float.__mul__, off, units[at].own))) for at, _ in lit]
    errors = list(enumerate(off))
    for at, value in lit:
        units[at].step(errors, value)
    errors += back
    for one in seen:
        one.step(errors, UP)


def _off(sums: list[float], wanted: list[float]) -> list[float]:
    """By how much each label's probability is too high."""
    found: list[float] = []
    for first, end in GROUPS:
        part = sums[first:end] if end - first > 1 else [*sums[first:end], 0.0]
        most = max(part)
        powers = [math.exp(value - most) for value in part]
        found += [power / sum(powers) for power in powers[: end - first]]
    return [value - right for value, right in zip(found, wanted, strict=True)]
