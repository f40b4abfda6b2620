"""The event bus: the reader of the log, the bell and the hub of this process.

After a commit the process pokes its own reader and rings the bell for the others; a sweep each second makes up for a
missed bell. Only consumers make notifications: what a batch of this process makes is handed out with it, else the hub
looks when some have acted, here or in another process.
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
from alfred.tail import Tail

__all__ = ["Bus", "Consumer"]


class Bus:
    """The reader, the bell and the hub of this process; the tail, where there is one, is told of events."""

    def __init__(self, database: Database, listen_dsn: str, hub: Hub, tail: Tail | None = None) -> None:
        self.hub, self._tail = hub, tail
        self.reader = Reader(database, self._acted)
        self.bell = Bell(listen_dsn, self._heard)
        self._followers: list[Callable[[], None]] = []

    def subscribe(self, consumer: Consumer) -> None:
        """Let a consumer read the log from now on."""
        self.reader.add(consumer)

    def follow(self, told: Callable[[], None]) -> None:
        """Call this after each commit of this process that may have recorded events."""
        self._followers.append(told)

    def announce(self, user_ids: Iterable[UUID], urgent: Iterable[UUID] = ()) -> None:
        """These users' events were committed just now; an event of `urgent` cannot wait."""
        if buckets := {bucket_of(user_id) for user_id in urgent}:
            self.reader.poke_urgent(buckets)
        self.announce_buckets({bucket_of(user_id) for user_id in user_ids})

    def announce_buckets(self, buckets: Iterable[int]) -> None:
        """The same, where only the buckets are known."""
        buckets = set(buckets)
        self._poke(buckets)
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
            for run in (self.bell.run, self.hub.run, self.reader.run):
                group.create_task(run())

    def _acted(self, buckets: Iterable[int], *, handed_out: bool = False) -> None:
        """Consumers of this process have acted."""
        buckets = set(buckets)
        if not handed_out:
            self.hub.poke(buckets)
        self.announce_buckets(buckets)

    def _heard(self, buckets: Iterable[int] | None) -> None:
        """Another process has news: of events, or of what its consumers did."""
        self.hub.poke(buckets)
        self._poke(buckets)

    def _poke(self, buckets: Iterable[int] | None) -> None:
        """There are events."""
        self.reader.poke(buckets)
        if self._tail is not None:
            self._tail.poke(buckets)
