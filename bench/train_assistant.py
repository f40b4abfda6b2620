"""Learns the weights of the built-in assistant again: `python bench/train_assistant.py` (a minute).

Multinomial logistic regression by AdaGrad with a quadratic penalty, in plain Python: the same rows, the same weights.
"""

import math
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from alfred.ai.builtin.fields import fields
from alfred.ai.builtin.language import LANGUAGES
from alfred.ai.builtin.provider import rules_of
from alfred.ai.builtin.sentiment import mood_of
from alfred.ai.builtin.signals import read
from alfred.ai.builtin.weighing import clues
from alfred.ai.builtin.weights import LABELS, WEIGHTS, Clue, is_pair
from tests.ai_eval.score import HERE, Row, by_our_rules, rows

ROUNDS, RATE, PENALTY = 8, 0.1, 1.5
RAREST, RAREST_PAIR = 3, 6  # rows that must have a clue, and two words one after the other
AVERAGED = 4  # rounds whose weights are averaged, which keeps less of the order of the rows than those of the last
WRITTEN = ("training.jsonl", "training_chats.jsonl")
LOUD = frozenset("!¡")  # no clues: whoever wrote the rows complains more quietly than customers do
BACKGROUND = 200  # texts of each language that say nothing
EVERYDAY = (
    "furniture",
    "clothes",
    "food",
    "device",
    "vehicle",
    "place",
    "course",
    "colour",
    "worker",
    "courier",
    "we",
    "they",
    "me",
    "you",
    "all",
    "months",
    "a number",
    "info",
    "body",
    "event",
    "weekday",
    "doc",
    "size",
    "child",
    "animal",
    "card",
    "money",
    "bulk",
    "said",
    "came",
)
NO_ERRAND: Row = {"negotiation": False, "create_task": False}
LEAST = 60  # thousandths; a clue of which no weight is larger is left out
GROUPS = ((0, 3), (3, 6), (6, 7), (7, 8))  # the labels of which exactly one holds, and the two that may hold
_OF_RULES = re.compile(r"[=+-].")
Weights = dict[Clue, list[float]]
Example = tuple[list[Clue], list[float], float]


def examples(also: list[Row] | None = None, fit: Callable[[Row], bool] = bool) -> list[Example]:
    """All rows that may be learnt from, each with its weight; of our own only those that are `fit`.

    The rules were tuned on our own rows, where they are right more often than elsewhere: those rows teach their words,
    and only a little what the rules are worth.
    """
    tuned = also if also is not None else rows("blind_tune.jsonl")
    found = [_example(by_our_rules(row), 1.0) for row in tuned]
    found += [_example(row, 1.0) for name in WRITTEN for row in rows(name) if fit(row)]
    found += [_example(row, 1.0) for row in background()]
    for path in sorted(HERE.glob("*.jsonl")):
        if path.stem.startswith(("own", "messages")):
            for row in filter(fit, rows(path.name)):
                seen, wanted, _ = _example(row, 1.0)
                found.append(([clue for clue in seen if not _of_rules(clue)], wanted, 0.3))
                found.append((seen, wanted, 0.9))
    return found


def background() -> Iterator[Row]:
    """Texts of a few everyday nouns, which say nothing: what is not understood is to stay neutral, low and false."""
    for code in LANGUAGES:
        own = fields(code)
        nouns = sorted(word for name in EVERYDAY for word in own.exact(name))
        draw = random.Random(code)
        for _ in range(BACKGROUND):
            text = " ".join(draw.choices(nouns, k=draw.randint(1, 9)))
            text = f"{text} {draw.randint(10, 99_999)}" if draw.random() < 0.2 else text
            text = f"{draw.choice(nouns)}@{draw.choice(nouns)}.com" if draw.random() < 0.03 else text
            text = text.capitalize() + "." if draw.random() < 0.5 else text
            yield {"text": text, "lang": code, "sentiment": "neutral", "urgency": "low"} | NO_ERRAND


def _of_rules(clue: Clue) -> bool:
    return isinstance(clue, str) and bool(_OF_RULES.match(clue))


def _example(row: Row, weight: float) -> Example:
    reading = read(row["text"])
    seen = clues(reading, rules_of(reading, mood_of(reading)), row["text"])
    return seen, wanted_of(row), weight


def wanted_of(row: dict[str, Any]) -> list[float]:
    wanted = {row["sentiment"], row["urgency"]} | {label for label in LABELS[6:] if row[label]}
    return [float(label in wanted) for label in LABELS]


class Weight:
    """What one clue weighs for each label, and what is needed to learn it."""

    __slots__ = ("own", "shrink", "slopes")

    def __init__(self, count: int) -> None:
        self.own = [0.0] * len(LABELS)
        self.slopes = [1e-3] * len(LABELS)
        self.shrink = PENALTY / count  # in each of the rows that have it, so that every clue pays the same in a round


def learn(found: list[Example]) -> Weights:
    """The weights of every clue that enough rows have."""
    counts = Counter(clue for seen, _, _ in found for clue in set(seen) if LOUD.isdisjoint(str(clue).split()))
    least = {clue: RAREST_PAIR if is_pair(clue) else RAREST for clue in counts}
    learnt = {clue: Weight(count) for clue, count in counts.items() if count >= least[clue]}
    kept = [([learnt[clue] for clue in seen if clue in learnt], wanted, weight) for seen, wanted, weight in found]
    sums = {clue: [0.0] * len(LABELS) for clue in learnt}
    draw = random.Random(7)
    for number in range(ROUNDS):
        draw.shuffle(kept)
        for seen, wanted, weight in kept:
            _step(seen, [weight * off for off in _off(seen, wanted)])
        if number >= ROUNDS - AVERAGED:
            for clue, one in learnt.items():
                sums[clue] = [total + value / AVERAGED for total, value in zip(sums[clue], one.own, strict=True)]
    return sums


def _off(seen: list[Weight], wanted: list[float]) -> list[float]:
    """By how much each label's probability is too high."""
    sums = [sum(column) for column in zip(*[one.own for one in seen], strict=True)]
    found: list[float] = []
    for first, end in GROUPS:
        part = sums[first:end] if end - first > 1 else [*sums[first:end], 0.0]
        most = max(part)
        powers = [math.exp(value - most) for value in part]
        found += [power / sum(powers) for power in powers[: end - first]]
    return [value - right for value, right in zip(found, wanted, strict=True)]


def _step(seen: list[Weight], off: list[float]) -> None:
    for one in seen:
        own, slopes, shrink = one.own, one.slopes, one.shrink
        for at, error in enumerate(off):
            gradient = error + shrink * own[at]
            slopes[at] += gradient * gradient
            own[at] -= RATE * gradient / math.sqrt(slopes[at])


def write(weights: Weights, into: Path = WEIGHTS) -> int:
    """One line a clue, thousandths; those that weigh next to nothing are left out. Returns the number of lines."""
    lines = []
    for clue in sorted(weights, key=str):
        values = [round(value * 1_000) for value in weights[clue]]
        if max(map(abs, values)) >= LEAST:
            lines.append(f"{clue}\t{','.join(map(str, values))}\n")
    into.write_text("".join(lines), encoding="utf-8")
    return len(lines)


if __name__ == "__main__":
    print(write(learn(examples())), "clues")
