"""A condition tried on situations of the past, within a bound of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from alfred.rules.conditions import Condition, Situation, match


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
