"""Long work on the event loop, in slices: others run between them."""

import asyncio
from time import monotonic

SLICE_SECONDS = 0.005


class Pace:
    """Ask it often; every few milliseconds it lets others run."""

    def __init__(self, seconds: float = SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._ends_at = monotonic() + seconds

    async def rest(self) -> None:
        """A slice may be over here."""
        if monotonic() >= self._ends_at:
            await asyncio.sleep(0)
            self._ends_at = monotonic() + self._seconds
