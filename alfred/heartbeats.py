"""The heartbeats of all open streams, by one clock: a timer for each would cost it a kilobyte."""

import asyncio
import time
from collections.abc import Callable
from itertools import takewhile
from typing import Protocol

from alfred.wake import Heartbeat

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 1.0


class Beating(Protocol):
    """What a stream reads from."""

    def beat(self, heartbeat: Heartbeat) -> None:
        """Say that it is still there, unless it has something to say anyway."""


class Heartbeats:
    """The open streams, whose turn comes next first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[Beating, float] = {}

    def start(self, stream: Beating) -> None:
        """Have it beat from now on."""
        self._last[stream] = self._clock()

    def stop(self, stream: Beating) -> None:
        """No more heartbeats of it."""
        self._last.pop(stream, None)

    async def run(self) -> None:
        """Let them beat until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.beat()

    def beat(self) -> None:
        """The heartbeats that are due."""
        now, heartbeat = self._clock(), Heartbeat()
        for stream in [*takewhile(lambda each: self._last[each] + HEARTBEAT_SECONDS <= now, self._last)]:
            self.stop(stream)
            self.start(stream)
            stream.beat(heartbeat)
