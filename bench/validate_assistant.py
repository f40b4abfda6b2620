"""Prints how well weights read rows that they were not learnt from: `python bench/validate_assistant.py` (minutes).

Those are `blind_tune.jsonl` and a tenth of `training_chats.jsonl`; rows that say the same as one of them are left out.
"""

import hashlib
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1]))

from alfred.ai.builtin import weighing, weights
from alfred.ai.builtin.text import fold
from bench.learner import Learnt, learn
from bench.train_assistant import examples, write
from tests.ai_eval.score import Row, by_our_rules, given, rows, tallied

TENTH = 10
ALIKE = 0.5  # share of the words of both that two rows which say the same have in common
_WORDS = re.compile(r"\w{3,}")


def words(row: Row) -> frozenset[str]:
    return frozenset(_WORDS.findall(fold(row["text"])))


def is_aside(row: Row) -> bool:
    """Whether a row is of the tenth that is not learnt from, by its text."""
    return int(hashlib.sha256(row["text"].encode()).hexdigest(), 16) % TENTH == 0


class Alike:
    """Rows by their words, to find those that say the same."""

    def __init__(self, aside: list[Row]) -> None:
        self._words = [words(row) for row in aside]
        self._by: dict[str, list[int]] = {}
        for at, own in enumerate(self._words):
            for word in own:
                self._by.setdefault(word, []).append(at)

    def has(self, row: Row) -> bool:
        """Whether one of the rows says the same."""
        own = words(row)
        common = Counter(at for word in own for at in self._by.get(word, ()))
        return any(count >= ALIKE * len(own | self._words[at]) for at, count in common.items())


def use(learnt: Learnt) -> None:
    """Weigh with these instead of those of the files."""
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(weights, "WEIGHTS", Path(folder, "weights.dat")),
        patch.object(weights, "UNITS", Path(folder, "units.dat")),
    ):
        write(learnt, weights.WEIGHTS, weights.UNITS)
        for remembered in (
            weights.table,
            weights.units,
            weighing.weighed,
            weighing.sum_decided,
            weighing.openings,
            weighing.found_weighs,
            weighing.denied_weighs,
        ):
            remembered.cache_clear()
        weights.table(), weights.units()


def main() -> None:
    sets = {
        "blind_tune": [by_our_rules(row) for row in rows("blind_tune.jsonl")],
        "a tenth of training_chats": [row for row in rows("training_chats.jsonl") if is_aside(row)],
    }
    alike = Alike([row for own in sets.values() for row in own])
    use(learn(examples([], lambda row: not alike.has(row))))
    for name, own in sets.items():
        print(name, json.dumps({key: round(value, 3) for key, value in tallied(own, given(own)).items()}, indent=1))


if __name__ == "__main__":
    main()
