"""The event bus: the reader of the log, the bell and the hub of this process.

After a commit the process pokes its own reader and rings the bell for the others; a sweep each second makes up for a
missed bell.
"""

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

from alfred.bell import Bell
from alfred.consumers import Consumer
from alfred.db import Database
from alfred.events import bucket_of
from alfred.hub import Hub
from alfred.reader import Reader

__all__ = ["Bus", "Consumer"]


class Bus:
    """The reader, the bell and the hub of this process."""

    def __init__(self, database: Database, listen_dsn: str, hub: Hub) -> None:
        self._hub = hub
        self.reader = Reader(database, self.announce_buckets)
        self.bell = Bell(listen_dsn, self._heard)
        self._followers: list[Callable[[], None]] = []

    def subscribe(self, consumer: Consumer) -> None:
        """Let a consumer read the log from now on."""
        self.reader.add(consumer)

    def follow(self, told: Callable[[], None]) -> None:
        """Call this after each commit of this process that may have recorded events."""
        self._followers.append(told)

    def announce(self, user_ids: Iterable[UUID]) -> None:
        """These users' events were committed just now."""
        self.announce_buckets({bucket_of(user_id) for user_id in user_ids})

    def announce_buckets(self, buckets: Iterable[int]) -> None:
        """The same, where only the buckets are known."""
        buckets = set(buckets)
        self._heard(buckets)
        self.bell.ring(buckets)
        for told in self._followers:
            told()

    @property
    def well(self) -> bool:
        """Whether the reader keeps up, and the bell is heard."""
        return self.bell.listening and not self.reader.behind

    async def join(self) -> None:
        """Before the first request: what it records is read."""
        await self.reader.join()

    async def run(self) -> None:
        """Run all parts until cancelled."""
        async with asyncio.TaskGroup() as group:
            for run in (self.bell.run, self._hub.run, self.reader.run):
                group.create_task(run())

    def _heard(self, buckets: Iterable[int] | None) -> None:
        """There is news, of this process or of another."""
        self._hub.poke(buckets)
        self.reader.poke(buckets)
