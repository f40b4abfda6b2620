"""A few at a time: those who wait are served key by key in turn, and known ones before strangers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


class TooBusy(Exception):
    """More wait than can be served in time."""


class Turns:
    """`most` at a time, and at most so many who wait."""

    def __init__(self, most: int, most_waiting: int) -> None:
        self._free = most
        self._most_waiting = most_waiting
        self._waiting = 0
        # For the known and for strangers: who waits under each key, the key whose turn is next first.
        self._queues: dict[bool, dict[Hashable, deque[asyncio.Future[None]]]] = {True: {}, False: {}}

    @asynccontextmanager
    async def turn(self, key: Hashable, *, known: bool = False) -> AsyncIterator[None]:
        """Wait for a turn, and have it.

        Raises:
            TooBusy: too many wait already.
        """
        await self._wait(key, known)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, key: Hashable, known: bool) -> None:
        if self._free:
            self._free -= 1
            return
        if self._waiting >= self._most_waiting:
            raise TooBusy
        place = asyncio.get_running_loop().create_future()
        self._queues[known].setdefault(key, deque()).append(place)
        self._waiting += 1
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._pass_on()  # the turn came too late
            raise
        finally:
            self._waiting -= 1

    def _pass_on(self) -> None:
        """Give the turn to the next who still waits."""
        for queues in (self._queues[True], self._queues[False]):
            while queues:
                key = next(iter(queues))
                queue = queues.pop(key)
                place = queue.popleft()
                if queue:
                    queues[key] = queue  # behind the other keys
                if not place.done():
                    place.set_result(None)
                    return
        self._free += 1


class QueueInTurn(asyncio.Queue[T]):
    """What waits is taken of one key after the other, so that who brings many delays others by one at a time."""

    def __init__(self, key: Callable[[T], Hashable]) -> None:
        self._key = key
        self._lines: dict[Hashable, deque[T]] = {}  # the key whose turn is next first
        self._size = 0
        super().__init__()

    def qsize(self) -> int:
        """How many wait."""
        return self._size

    def empty(self) -> bool:
        """Whether none does."""
        return not self._size

    def _put(self, item: T) -> None:
        self._lines.setdefault(self._key(item), deque()).append(item)
        self._size += 1

    def _get(self) -> T:
        key = next(iter(self._lines))
        line = self._lines.pop(key)
        item = line.popleft()
        if line:
            self._lines[key] = line  # behind the other keys
        self._size -= 1
        return item
