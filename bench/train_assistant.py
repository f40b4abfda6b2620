"""Learns the weights of the built-in assistant again: `python bench/train_assistant.py` (some ten seconds).

Multinomial logistic regression by AdaGrad with a quadratic penalty, in plain Python: the same rows, the same weights.
"""

import math
import random
import re
import sys
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
from alfred.ai.builtin.weights import LABELS, WEIGHTS, Clue
from tests.ai_eval.score import HERE, Row, by_our_rules, rows

ROUNDS, RATE, PENALTY, RAREST = 8, 0.1, 0.004, 2
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
LEAST = 50  # thousandths; a clue of which no weight is larger is left out
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
    found += [_example(row, 1.0) for row in rows("training.jsonl") if fit(row)]
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


def learn(found: list[Example]) -> Weights:
    """The weights of every clue that at least `RAREST` rows have."""
    counts: dict[Clue, int] = {}
    for seen, _, _ in found:
        for clue in set(seen):
            counts[clue] = counts.get(clue, 0) + 1
    weights: Weights = {clue: [0.0] * 8 for clue, count in counts.items() if count >= RAREST}
    slopes: Weights = {clue: [1e-3] * 8 for clue in weights}
    kept = [([clue for clue in seen if clue in weights], wanted, weight) for seen, wanted, weight in found]
    draw = random.Random(7)
    passed: list[Weights] = []
    for _ in range(ROUNDS):
        draw.shuffle(kept)
        for seen, wanted, weight in kept:
            _step(weights, slopes, seen, [weight * off for off in _off(weights, seen, wanted)])
        passed.append({clue: list(own) for clue, own in weights.items()})
    return _mean(passed[ROUNDS // 2 :])


def _mean(passed: list[Weights]) -> Weights:
    """The weights of several rounds, averaged, which keeps less of the order of the rows than those of the last."""
    return {
        clue: [sum(part) / len(passed) for part in zip(*(w[clue] for w in passed), strict=True)] for clue in passed[0]
    }


def _off(weights: Weights, seen: list[Clue], wanted: list[float]) -> list[float]:
    """By how much each label's probability is too high."""
    sums = [sum(column) for column in zip(*(weights[clue] for clue in seen), strict=True)]
    found: list[float] = []
    for first, end in GROUPS:
        part = sums[first:end] if end - first > 1 else [*sums[first:end], 0.0]
        most = max(part)
        powers = [math.exp(value - most) for value in part]
        found += [power / sum(powers) for power in powers[: end - first]]
    return [value - right for value, right in zip(found, wanted, strict=True)]


def _step(weights: Weights, slopes: Weights, seen: list[Clue], off: list[float]) -> None:
    for clue in seen:
        own, slope = weights[clue], slopes[clue]
        for at, error in enumerate(off):
            gradient = error + PENALTY * own[at]
            slope[at] += gradient * gradient
            own[at] -= RATE * gradient / math.sqrt(slope[at])


def write(weights: Weights) -> int:
    """One line a clue, thousandths; those that weigh next to nothing are left out. Returns the number of lines."""
    lines = []
    for clue in sorted(weights, key=str):
        values = [round(value * 1_000) for value in weights[clue]]
        if max(map(abs, values)) >= LEAST:
            lines.append(f"{clue}\t{','.join(map(str, values))}\n")
    WEIGHTS.write_text("".join(lines), encoding="utf-8")
    return len(lines)


if __name__ == "__main__":
    print(write(learn(examples())), "clues")
