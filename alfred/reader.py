"""Reads the log for every consumer of the process: tenants take turns, and what fails is tried again.

Effects and cursors move in one transaction, so a consumer's effects happen exactly once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from time import monotonic
from typing import Protocol
from uuid import UUID

import structlog

from alfred.consumers import Consumer, asked
from alfred.db import Database, connection_lost, held_by_others
from alfred.dispatch import LOCK_MILLISECONDS, SHARE_SECONDS, TURN_SECONDS, BatchFailed, Share, act, act_on_all, attempt
from alfred.events import BUCKETS, SWEEP_SECONDS, Event, bucket_of
from alfred.queries import Db, sql

log = structlog.get_logger()

READ_LIMIT = 1000
TURN_LIMIT = 100
# Looks follow each other at this distance, but for the first few after a silence.
REST_SECONDS = 0.02
MOST_LOOKS_AT_ONCE = 3
# What cannot wait for the next look is read at this distance.
URGENT_REST_SECONDS = 0.01
# So often at most, where looks follow each other, is looked for consumers that may wait.
WAIT_SECONDS = 0.05


class Changed(Protocol):
    """Who hears in which buckets consumers have acted, and whether what they made is handed out already."""

    def __call__(self, buckets: Iterable[int], *, handed_out: bool = False) -> None: ...


class Reader:
    """Reads the log for all consumers of the process."""

    rest_seconds = REST_SECONDS

    def __init__(self, database: Database, changed: Changed) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._database = database
        self._changed = changed
        self._dirty: set[int] = set()
        self._dirty_for_all: set[int] = set()  # these and `_dirty`: what those who may wait have not looked at
        self._urgent: set[int] = set()
        self._wake, self._wake_urgent = asyncio.Event(), asyncio.Event()
        self._urgent_at = 0.0
        self._sweep_at = self._look_at = self._look_for_all_at = 0.0
        self._has_backlog = True  # perhaps
        self._last_turn: tuple[UUID, str] = (UUID(int=0), "")
        self.behind = True

    def add(self, consumer: Consumer) -> None:
        """Read for this one too."""
        self._consumers[consumer.name] = consumer

    @property
    def consumers(self) -> list[str]:
        """The names of those who read."""
        return list(self._consumers)

    def poke(self, buckets: Iterable[int] | None) -> None:
        """There may be news in these buckets (None: in any)."""
        self._dirty.update(range(BUCKETS) if buckets is None else buckets)
        self._wake.set()

    def poke_urgent(self, buckets: Iterable[int]) -> None:
        """There are news in these buckets for who acts at once: no need to look for what nobody wants, nor to rest."""
        self._urgent.update(buckets)
        self._wake_urgent.set()
        self.poke(buckets)

    async def join(self) -> None:
        """Begin to count for each consumer: a new one reads what is written from now on."""
        async with self._database.as_service() as db:
            for name in self._consumers:
                await sql.events.join_bus.run(db, consumer=name)

    async def run(self) -> None:
        """Read until cancelled; while PostgreSQL is away, wait for it."""
        while True:
            try:
                await self.join()
                while True:
                    await self._round()
                    self.behind = False
            except Exception as error:
                self.behind = True
                log.warning("bus_stopped", error=repr(error), exc_info=None if connection_lost(error) else error)
                await asyncio.sleep(self.rest_seconds if held_by_others(error) else SWEEP_SECONDS)
                self.poke(None)

    async def _round(self) -> None:
        """Wait for news and look; let a tenant of the backlog have its turn; each second, see what was missed."""
        if not self._has_backlog:
            await self._news()
        self._wake.clear()
        await self._act_on_urgent()
        if sweep := monotonic() >= self._sweep_at:
            self._sweep_at = monotonic() + SWEEP_SECONDS
            self._dirty.update(range(BUCKETS))
            self._has_backlog = True
        await self._look_where_dirty()
        if self._has_backlog:
            self._has_backlog = await self._turn()
        if sweep:
            await self._retry()

    async def _news(self) -> None:
        """Until somebody pokes, or a look is due. Under load a look finds more when it comes a little later."""
        due_at = min(self._sweep_at, self._look_for_all_at) if self._dirty_for_all else self._sweep_at
        try:
            async with asyncio.timeout(due_at - monotonic()):  # `wait_for` may swallow a cancellation (3.11)
                await self._wake.wait()
        except TimeoutError:
            pass
        now = monotonic()
        while (rest := self._look_at - monotonic()) > 0:
            await self._act_on_urgent()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._wake_urgent.wait()
                    await asyncio.sleep(self._urgent_at - monotonic())
        self._look_at = max(self._look_at, now - MOST_LOOKS_AT_ONCE * self.rest_seconds) + self.rest_seconds

    async def _act_on_urgent(self) -> None:
        """Let those who act at once read what cannot wait."""
        self._wake_urgent.clear()
        buckets, self._urgent = self._urgent, set()
        if buckets:
            self._urgent_at = monotonic() + URGENT_REST_SECONDS
            for consumer in self._consumers.values():
                await self._at_once(consumer, buckets)

    async def _look_where_dirty(self) -> None:
        """For all consumers when it is time, else for those that cannot wait."""
        dirty, self._dirty = self._dirty, set()
        self._dirty_for_all |= dirty
        if monotonic() < self._look_for_all_at:
            await self._look(dirty, [each for each in self._consumers.values() if not each.may_wait])
            return
        self._look_for_all_at = monotonic() + WAIT_SECONDS
        dirty, self._dirty_for_all = self._dirty_for_all, set()
        await self._look(dirty, list(self._consumers.values()))

    async def _look(self, buckets: set[int], consumers: Sequence[Consumer]) -> None:
        """Pass over what nobody wants, which is most of it, in one statement; then read what is left."""
        if not buckets:
            return
        found = await self._database.service_rows(sql.events.skip, **asked(consumers), buckets=sorted(buckets))
        waiting: dict[str, set[int]] = defaultdict(set)
        for row in found:
            waiting[row["consumer"]].add(row["bucket"])
        left = [
            consumer
            for consumer in consumers
            if consumer.name in waiting and not await self._at_once(consumer, waiting[consumer.name])
        ]
        if left:
            await self._read(set().union(*(waiting[each.name] for each in left)), left)

    async def _at_once(self, consumer: Consumer, buckets: set[int]) -> bool:
        """Whether a consumer has done what was new for it by one statement."""
        if consumer.act_at_once is None:
            return False
        try:
            done = await consumer.act_at_once(self._database, sorted(buckets), READ_LIMIT)
        except Exception as error:
            if connection_lost(error):
                raise
            log.warning("batch_failed", consumer=consumer.name, exc_info=error)
            return False
        if done.more:
            self.poke(buckets)  # the page was cut
        self._has_backlog |= done.backlog
        if done.buckets:
            self._changed(done.buckets, handed_out=True)
        return True

    async def _read(self, buckets: set[int], consumers: Sequence[Consumer]) -> None:
        """What is new for each; where that fails for all together, none of it was done, and it is done one by one."""
        try:
            await self._read_batches(buckets, consumers, together=True)
        except BatchFailed:
            await self._read_batches(buckets, consumers, together=False)

    async def _read_batches(self, buckets: set[int], consumers: Sequence[Consumer], *, together: bool) -> None:
        """One batch for each consumer that has news, in one transaction.

        Raises:
            BatchFailed: one of them could not act on its whole batch.
        """
        async with self._database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
            rows = await sql.events.read.all(db, **asked(consumers), buckets=sorted(buckets), limit=READ_LIMIT)
            share = Share(SHARE_SECONDS)
            for name, batch in groupby(rows, key=itemgetter("consumer")):
                page = list(batch)
                if len(page) >= READ_LIMIT:
                    self.poke(buckets)  # it was cut: buckets without a row on it may have news too
                    if self._consumers[name].may_wait:
                        self._look_for_all_at = 0.0
                events: Sequence[Event] = [Event.of(row) for row in page if not row["aside"]]
                if together:
                    left = await act_on_all(db, self._consumers[name], events)
                    share.holds |= len(left) < len(events)
                    events = left
                await self._put_aside(db, name, await act(db, self._consumers[name], events, share))
        self._has_backlog |= any(row["aside"] for row in rows)
        if rows:
            self._changed({bucket_of(row["user_id"]) for row in rows})

    async def _turn(self) -> bool:
        """The turn of the next tenant in the backlog, one by one; whether there was one."""
        user_id, name = self._last_turn
        async with self._database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
            rows = await sql.events.turn.all(
                db, consumers=list(self._consumers), last_user=user_id, last_consumer=name, limit=TURN_LIMIT
            )
            if not rows:
                return False
            events = [Event.of(row) for row in rows]
            user_id, name = self._last_turn = events[0].user_id, rows[0]["consumer"]
            left = {event.number for event in await act(db, self._consumers[name], events, Share(SHARE_SECONDS))}
            numbers = [event.number for event in events if event.number not in left]
            await sql.events.done.run(db, consumer=name, user_id=user_id, numbers=numbers)
        self._changed([bucket_of(user_id)])
        return True

    async def _retry(self) -> None:
        """Other attempts at what failed longest ago, for as long as a transaction's share."""
        ends_at = monotonic() + TURN_SECONDS
        while monotonic() < ends_at:
            async with self._database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
                row = await sql.events.retry.one(db, consumers=list(self._consumers))
                if row is None:
                    return
                event, name = Event.of(row), row["consumer"]
                outcome = await attempt(db, self._consumers[name], event, Share(TURN_SECONDS))
                if outcome == "unfinished":
                    await self._put_aside(db, name, [event])
                if outcome != "failed":
                    await sql.events.settled.run(db, consumer=name, number=event.number)
            self._changed([bucket_of(event.user_id)])

    async def _put_aside(self, db: Db, consumer: str, events: Sequence[Event]) -> None:
        """Let events wait for their tenants' turns."""
        if events:
            self._has_backlog = True
            users, numbers = [event.user_id for event in events], [event.number for event in events]
            await sql.events.put_aside.run(db, consumer=consumer, users=users, numbers=numbers)
