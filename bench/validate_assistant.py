"""Prints how well weights read rows that they were not learnt from: `python bench/validate_assistant.py` (a minute).

Five folds of `blind_tune.jsonl`. Training rows that say the same as a row of the fold are left out.
"""

import json
import re
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from alfred.ai.builtin import weighing
from alfred.ai.builtin import weights as table
from alfred.ai.builtin.text import fold
from bench.train_assistant import LEAST, Weights, examples, learn
from tests.ai_eval.score import Row, by_our_rules, given, rows, tallied

FOLDS = 5
ALIKE = 0.5  # share of the words of both that two rows which say the same have in common
_WORDS = re.compile(r"\w{3,}")


def words(row: Row) -> frozenset[str]:
    return frozenset(_WORDS.findall(fold(row["text"])))


def _unlike(others: list[frozenset[str]], row: Row) -> bool:
    own = words(row)
    return not any(own and len(own & other) >= ALIKE * len(own | other) for other in others)


def use(weights: Weights) -> None:
    """Weigh with these instead of those of the file."""
    known = table.weights()
    known.clear()
    for clue, own in weights.items():
        values = [round(value * 1_000) for value in own]
        if max(map(abs, values)) >= LEAST:
            known[clue] = table.lanes(values)
    for remembered in (weighing.weighed, table.ruled, weighing.sum_decided):
        remembered.cache_clear()


def main() -> None:
    tuned, wanted, got = rows("blind_tune.jsonl"), [], []
    for number in range(FOLDS):
        aside = tuned[number::FOLDS]
        unlike = partial(_unlike, [words(row) for row in aside])
        rest = [row for at, row in enumerate(tuned) if at % FOLDS != number]
        use(learn(examples(rest, unlike)))
        wanted += [by_our_rules(row) for row in aside]
        got += given(aside)
    print(json.dumps({key: round(value, 3) for key, value in tallied(wanted, got).items()}, indent=1))


if __name__ == "__main__":
    main()
