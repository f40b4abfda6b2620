"""A channel whose calls all fail is called one at a time, until one succeeds: dead peers leave room for the others."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from alfred.senders.outcomes import Outcome

FAILURES = 5  # in a row, as for the state `failing`
MOST_CHANNELS = 10_000
_FAILED = frozenset({"transient", "unknown_outcome"})


class Breaker:
    """What the calls of this process have met, by channel."""

    def __init__(self) -> None:
        self._failures: Counter[UUID] = Counter()

    def note(self, channel_id: UUID, outcome: Outcome) -> None:
        """One more call of a channel has ended."""
        if outcome.kind not in _FAILED:
            self._failures.pop(channel_id, None)
        elif channel_id in self._failures or len(self._failures) < MOST_CHANNELS:
            self._failures[channel_id] += 1

    def busy(self, under_way: Mapping[UUID, int], *, each: int, calls: int) -> dict[UUID, int]:
        """Calls under way by channel, as a claim counts them to leave each channel `each` of them.

        A failing channel counts as all but one of them, and all failing ones together get half of the `calls`.
        """
        failing = {channel for channel, count in self._failures.items() if count >= FAILURES}
        tries = sum(under_way.get(channel, 0) for channel in failing)
        least = each - 1 if tries < max(calls // 2, 1) else each
        held = {channel: max(least, each if under_way.get(channel) else 0) for channel in failing}
        return {**under_way, **held}
