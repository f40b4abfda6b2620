"""The live streams of this process: one look at the notifications serves all users who are connected."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from uuid import UUID

import structlog

from alfred.db import Database, connection_lost
from alfred.events import BUCKETS, SWEEP_SECONDS, bucket_of
from alfred.queries import Row, sql
from alfred.quotas import QUOTAS
from alfred.tail import TooManyStreams
from alfred.wake import Heartbeat, Wake

log = structlog.get_logger()

QUEUE_SIZE = 256
READ_LIMIT = 200


class Seat:
    """One stream: a bounded queue of notifications."""

    __slots__ = ("_over", "_rows", "_wake")

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._over = False
        self._wake = Wake()

    def push(self, row: Row) -> None:
        """Hand over; a reader who is too slow is sent away, and resumes from its last id."""
        if len(self._rows) < QUEUE_SIZE and not self._over:
            self._rows.append(row)
            self._wake.ring()
        else:
            self.close()

    def close(self) -> None:
        """End the stream, after what it has been handed."""
        self._over = True
        self._wake.ring()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Wake an idle reader with a heartbeat."""
        self._wake.ring(heartbeat)

    async def next(self) -> Row | Heartbeat | None:
        """The next notification; None when the stream is over."""
        while not (self._rows or self._over):
            if heartbeat := await self._wake.sleep():
                return heartbeat
        return self._rows.pop(0) if self._rows else None


class Hub:
    """The seats of each user, and the number of the last notification that they were handed."""

    sweep_seconds = SWEEP_SECONDS

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seats: dict[UUID, set[Seat]] = defaultdict(set)
        self._shown: dict[UUID, int] = {}
        self.arrivals = 0  # of users; who asks twice knows whether somebody came meanwhile
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()

    def poke(self, buckets: Iterable[int] | None) -> None:
        """There may be news in these buckets (None: in any)."""
        self._dirty.update(range(BUCKETS) if buckets is None else buckets)
        self._wake.set()

    @asynccontextmanager
    async def seat(self, user_id: UUID) -> AsyncIterator[tuple[Seat, int]]:
        """A seat, and the number after which it is handed everything; what was before is for the caller to read.

        Raises:
            TooManyStreams
        """
        if len(self._seats.get(user_id, ())) >= QUOTAS["notification_streams"]:
            raise TooManyStreams
        async with self._database.acting_as(user_id) as db:  # asked for each: its user may be gone
            newest = await sql.notifications.newest_number.value(db, user_id=user_id)
        if user_id not in self._shown:
            self._shown[user_id] = newest
            self.arrivals += 1
        seat = Seat()
        self._seats[user_id].add(seat)
        try:
            yield seat, self._shown[user_id]
        finally:
            self._seats[user_id].discard(seat)
            if not self._seats[user_id]:
                del self._seats[user_id], self._shown[user_id]

    @property
    def seat_count(self) -> int:
        """How many streams are open."""
        return sum(map(len, self._seats.values()))

    def close(self) -> None:
        """Send everybody home."""
        for seats in self._seats.values():
            for seat in seats:
                seat.close()

    async def run(self) -> None:
        """Hand out what is new, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self.sweep_seconds):  # `wait_for` may swallow a cancellation (Python 3.11)
                    await self._wake.wait()
            except TimeoutError:
                self._dirty.update(range(BUCKETS))
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                await self._look(self.shown(dirty))
            except Exception as error:
                log.warning("hub_waits", error=repr(error), exc_info=None if connection_lost(error) else error)
                await asyncio.sleep(self.sweep_seconds)

    async def _look(self, shown: dict[UUID, int]) -> None:
        if shown:
            asked = {"users": list(shown), "numbers": list(shown.values()), "limit": READ_LIMIT}
            self.hand_out(await self._database.service_rows(sql.notifications.after, **asked))

    def shown(self, buckets: Iterable[int]) -> dict[UUID, int]:
        """The users of some buckets who are connected, each with the last number that it was handed."""
        asked = set(buckets)
        return {user: number for user, number in self._shown.items() if bucket_of(user) in asked}

    def hand_out(self, rows: Iterable[Row]) -> None:
        """Hand over what came after what was shown, of each user the first `READ_LIMIT` at most."""
        counts: dict[UUID, int] = defaultdict(int)
        for row in rows:
            user = row["user_id"]
            counts[user] += 1
            if user in self._shown and row["number"] > self._shown[user]:
                self._shown[user] = row["number"]
                for seat in self._seats[user]:
                    seat.push(row)
        if cut := [bucket_of(user) for user, count in counts.items() if count >= READ_LIMIT]:
            self.poke(cut)
