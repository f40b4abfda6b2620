"""Learns the weights of the built-in assistant again: `python bench/train_assistant.py` (some minutes)."""

import random
import re
import sys
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any
from zlib import crc32

sys.path.insert(0, str(Path(__file__).parents[1]))

from alfred.ai.builtin.fields import fields
from alfred.ai.builtin.language import LANGUAGES
from alfred.ai.builtin.provider import rules_of
from alfred.ai.builtin.sentiment import mood_of
from alfred.ai.builtin.signals import read
from alfred.ai.builtin.weighing import clues
from alfred.ai.builtin.weights import HEAD, LABELS, NUMBER, UNITS, WEIGHTS, Clue, is_pair, key_of, packed
from bench.learner import Example, Learnt, learn
from tests.ai_eval.score import HERE, Row, by_our_rules, rows

WRITTEN = ("training.jsonl", "training_chats.jsonl", "training_reviews.jsonl", "training_voices.jsonl")
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
LEAST = 6  # hundredths; a clue of which no weight is larger is left out
_OF_RULES = re.compile(r"[=+-].")


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


def write(learnt: Learnt, into: Path = WEIGHTS, units: Path = UNITS) -> int:
    """The weights of clues as `Table` reads them, in hundredths, and those of units, a line each, in thousandths.

    Clues that weigh next to nothing are left out, but for words that begin a pair. Returns the number of clues.
    """
    told = {clue: [round(value * 100) for value in values] for clue, values in learnt.weights.items()}
    kept = {clue for clue, values in told.items() if max(map(abs, values)) >= LEAST}
    kept |= {str(clue).partition(" ")[0] for clue in kept if is_pair(clue)} & told.keys()
    rows = sorted((key_of(clue), packed(told[clue])) for clue in kept)
    names = [name for name, _ in rows]
    places = accumulate(map(len, names), initial=0)
    slots = slots_of(names)
    into.write_bytes(
        HEAD.pack(len(rows), len(slots))
        + b"".join(map(NUMBER.pack, slots))
        + b"".join(map(NUMBER.pack, places))
        + b"".join(row for _, row in rows)
        + b"".join(names)
    )
    lines = [",".join(str(round(value * 1_000)) for value in unit) for unit in learnt.units]
    units.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(rows)


def slots_of(names: list[bytes]) -> list[int]:
    """The number of each clue's row, from 1, and of the first pair of each word, where its key is looked for."""
    keys = {name: number for number, name in enumerate(names, 1)}
    for number, name in enumerate(names, 1):
        first, blank, _ = name.partition(b" ")
        if blank:
            keys.setdefault(first + blank, number)
    slots = [0] * (1 << (2 * len(keys)).bit_length())
    for key, number in keys.items():
        slot = crc32(key) % len(slots)
        while slots[slot]:
            slot = (slot + 1) % len(slots)
        slots[slot] = number
    return slots


if __name__ == "__main__":
    print(write(learn(examples())), "clues")
