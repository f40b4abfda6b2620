"""A condition tried on situations of the past, within a bound of time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from alfred.rules.conditions import Condition, Situation, match
from alfred.rules.situation import situation_of


@dataclass(frozen=True)
class Backtest:
    """How many were tried, and the places of those that match."""

    tried: int
    matching: list[int]


def backtest(when: Condition, situations: Iterable[Situation], seconds: float) -> Backtest:
    """Try one after the other, until the time is over: a costly condition on long texts takes minutes."""
    ends_at = monotonic() + seconds
    tried, matching = 0, []
    for place, situation in enumerate(situations):
        if match(when, situation):
            matching.append(place)
        tried = place + 1
        if monotonic() > ends_at:
            break
    return Backtest(tried, matching)


def backtest_rows(when: Condition, rows: Sequence[Mapping[str, Any]], seconds: float) -> Backtest:
    """The same on rows of sql/rules.sql, each at its message's moment."""
    return backtest(when, (situation_of(row, row["sent_at"]) for row in rows), seconds)
