"""The log as it grows: one look at it per wake-up serves all event streams of this process."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import structlog

from alfred.db import Database, connection_lost
from alfred.events import SWEEP_SECONDS, Event
from alfred.positions import Here, Position, Snapshot
from alfred.queries import Row, sql
from alfred.quotas import QUOTAS
from alfred.wake import Heartbeat, Wake

log = structlog.get_logger()

T = TypeVar("T")
LOOK_LIMIT = 1000
PAUSE_SECONDS = 0.01  # between two looks: what comes meanwhile is read together
QUEUE_EVENTS = 2000  # that wait for a reader, before it is too slow


class TooManyStreams(Exception):
    """The user has as many open as one may have."""


@dataclass(frozen=True)
class LoggedEvent(Event):
    """An event with its transaction: a snapshot tells whether it was there already."""

    xid: int


class Burst:
    """What one look found for one user; what is made of it is made once, for whichever stream asks first."""

    def __init__(self, events: Sequence[LoggedEvent], look: Position, end: Position) -> None:
        self.events = events
        self.end = end  # where a reader of all of it is
        self._look = look
        self._made: asyncio.Future[Any] | None = None

    def position_of(self, event: Event) -> Position:
        """Where a reader is who has read up to this event."""
        return self.end if event is self.events[-1] else self._look.cut_at(event.number)

    async def once(self, make: Callable[[Sequence[LoggedEvent]], Awaitable[T]]) -> T:
        """What `make` makes of the events; whoever asks later waits for the first one's."""
        if self._made is None:
            self._made = asyncio.ensure_future(make(self.events))
        made: T = await asyncio.shield(self._made)
        return made


class Seat:
    """One stream: a bounded queue of bursts."""

    __slots__ = ("_bursts", "_lost", "_over", "_snapshot", "_waiting", "_wake", "gone", "start")

    def __init__(self, start: Here, gone: Callable[[], bool]) -> None:
        self.start = start
        self.gone = gone  # whether the client has hung up: the next frame would notice it
        self._snapshot = Snapshot.read(start.seen)
        self._bursts: list[Burst] = []  # an empty deque takes ten times as much, for each of thousands of streams
        self._waiting = 0
        self._lost: Position | None = None
        self._over = False
        self._wake = Wake()

    def knows(self, event: LoggedEvent) -> bool:
        """Whether it was there before this stream began."""
        return self._snapshot.shows(event.xid)

    def push(self, burst: Burst) -> None:
        """Hand over; for a reader who is too slow everything that waits is dropped."""
        if self._lost is not None or self._waiting + len(burst.events) > QUEUE_EVENTS:
            self.lose(burst.end)
        else:
            self._bursts.append(burst)
            self._waiting += len(burst.events)
            self._wake.ring()

    def lose(self, end: Position) -> None:
        """Drop everything that waits, up to here."""
        self._bursts.clear()
        self._waiting, self._lost = 0, end
        self._wake.ring()

    def close(self) -> None:
        """End the stream at once."""
        self._over = True
        self._wake.ring()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Wake an idle reader with a heartbeat."""
        self._wake.ring(heartbeat)

    async def next(self) -> Burst | Position | Heartbeat | None:
        """The next burst; a position where bursts up to it were dropped; None when the stream is over."""
        while not (self._over or self._lost or self._bursts):
            if heartbeat := await self._wake.sleep():
                return heartbeat
        if self._over:
            return None
        if self._lost is not None:
            lost, self._lost = self._lost, None
            return lost
        burst = self._bursts.pop(0)
        self._waiting -= len(burst.events)
        return burst


class Tail:
    """The event streams of each user, and how far the log was read for them all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seats: dict[UUID, set[Seat]] = defaultdict(set)
        self._read = Position("", 0, "")
        self._turn = asyncio.Lock()  # a seat is taken between two looks, so that none misses its user
        self._wake = asyncio.Event()

    def poke(self, _buckets: Iterable[int] | None) -> None:
        """There may be news."""
        self._wake.set()

    @asynccontextmanager
    async def seat(self, user_id: UUID, gone: Callable[[], bool]) -> AsyncIterator[Seat]:
        """A seat that is handed everything from its start on; what was before is for the caller to read.

        Raises:
            TooManyStreams: the user has as many here as the quota allows.
            UnknownUser: there is no such user (any more).
        """
        if sum(not seat.gone() for seat in self._seats.get(user_id, ())) >= QUOTAS["streams"]:
            raise TooManyStreams
        async with self._turn:
            async with self._database.acting_as(user_id) as db:
                start = here(await sql.events.here.one(db))
            if not self._seats:
                self._read = start
            seat = Seat(start, gone)
            self._seats[user_id].add(seat)
        try:
            yield seat
        finally:
            self._seats[user_id].discard(seat)
            if not self._seats[user_id]:
                del self._seats[user_id]

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
                async with asyncio.timeout(SWEEP_SECONDS):  # `wait_for` may swallow a cancellation (Python 3.11)
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                while self._seats and await self._look():
                    pass
            except Exception as error:
                log.warning("tail_waits", error=repr(error), exc_info=None if connection_lost(error) else error)
                await asyncio.sleep(SWEEP_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self) -> bool:
        """One look at the log; whether there is more than it took."""
        async with self._turn:
            rows = await self._database.service_rows(
                sql.events.look,
                users=list(self._seats),
                seen=self._read.seen,
                upto=self._read.upto or None,
                after_number=self._read.number,
                limit=LOOK_LIMIT,
            )
            events = [LoggedEvent.of(row) for row in rows if row["number"] is not None]
            look = Position(self._read.log, int(time.time()), self._read.seen, rows[0]["upto"])
            more = len(events) == LOOK_LIMIT
            end = look.cut_at(events[-1].number) if more else Position(look.log, look.at, look.upto)
            went_back = Snapshot.read(look.upto).next_xid < Snapshot.read(look.seen).next_xid
            self._read = end
            if went_back:  # a failover has lost transactions: what is new among the old cannot be told
                for seat in [seat for seats in self._seats.values() for seat in seats]:
                    seat.lose(end)
            else:
                self._hand_out(events, look, end)
            return more and not went_back

    def _hand_out(self, events: Iterable[LoggedEvent], look: Position, end: Position) -> None:
        of_users: dict[UUID, list[LoggedEvent]] = defaultdict(list)
        for event in events:
            of_users[event.user_id].append(event)
        for user_id, own in of_users.items():
            burst = Burst(own, look, end)
            for seat in self._seats.get(user_id, ()):
                seat.push(burst)


def here(row: Row | None) -> Here:
    """The position of who asks now."""
    assert row is not None
    return Here(row["log"], int(time.time()), row["seen"], begins_at=row["begins_at"])
