"""Reads the log for every consumer of the process: tenants take turns, and what fails is tried again.

Effects and cursors move in one transaction, so a consumer's effects happen exactly once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from time import monotonic
from typing import Literal
from uuid import UUID

import structlog

from alfred.consumers import Consumer, asked
from alfred.db import Database, UnknownUser, connection_lost, held_by_others
from alfred.events import BUCKETS, SWEEP_SECONDS, Event, bucket_of
from alfred.queries import Db, sql

log = structlog.get_logger()

READ_LIMIT = 1000
TURN_LIMIT = 100
# How long a transaction acts on single events, and on those of one tenant: others may wait.
TURN_SECONDS = 0.1
SHARE_SECONDS = 0.05
# Looks follow each other at this distance, but for the first few after a silence.
REST_SECONDS = 0.01
MOST_LOOKS_AT_ONCE = 3
# So often at most, where looks follow each other, is looked for consumers that may wait.
WAIT_SECONDS = 0.05
MOST_ATTEMPTS = 8
FIRST_WAIT_SECONDS = 2.0
# Patience with a row that somebody else holds: short, since the events of other tenants wait too.
LOCK_MILLISECONDS = 200


class Stuck(Exception):
    """An earlier event of the same tenant waits for a lock in vain."""


class BatchFailed(Exception):
    """A consumer failed on a whole batch."""


class Share:
    """The time of one transaction, and of each tenant within it."""

    def __init__(self, tenant_seconds: float) -> None:
        self._ends_at = monotonic() + TURN_SECONDS
        self._left: dict[UUID, float] = defaultdict(lambda: tenant_seconds)
        self.stuck: set[UUID] = set()  # who hold something that was waited for: it is not waited for again

    def is_used_up(self, user_id: UUID) -> bool:
        """Whether the tenant's next events wait for its turn."""
        return self._left[user_id] <= 0 or monotonic() > self._ends_at

    def use(self, user_id: UUID, seconds: float) -> None:
        """Count time to a tenant."""
        self._left[user_id] -= seconds


class Reader:
    """Reads the log for all consumers of the process."""

    def __init__(self, database: Database, changed: Callable[[Iterable[int]], None]) -> None:
        self._consumers: dict[str, Consumer] = {}
        self._database = database
        self._changed = changed
        self._dirty: set[int] = set()
        self._dirty_for_all: set[int] = set()  # these and `_dirty`: what those who may wait have not looked at
        self._wake = asyncio.Event()
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
                await asyncio.sleep(SWEEP_SECONDS)
                self.poke(None)

    async def _round(self) -> None:
        """Wait for news and look; let a tenant of the backlog have its turn; each second, see what was missed."""
        if not self._has_backlog:
            await self._news()
        self._wake.clear()
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
        if self._look_at > now:
            await asyncio.sleep(self._look_at - now)
        self._look_at = max(self._look_at, now - MOST_LOOKS_AT_ONCE * REST_SECONDS) + REST_SECONDS

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
        names = {row["consumer"] for row in found}
        if names:
            await self._read({row["bucket"] for row in found}, [each for each in consumers if each.name in names])

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
                    events = await self._act_on_all(db, self._consumers[name], events)
                await self._put_aside(db, name, await self._act(db, self._consumers[name], events, share))
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
            left = {event.number for event in await self._act(db, self._consumers[name], events, Share(SHARE_SECONDS))}
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
                outcome = await self._try(db, self._consumers[name], event, Share(TURN_SECONDS))
                if outcome == "unfinished":
                    await self._put_aside(db, name, [event])
                if outcome != "failed":
                    await sql.events.settled.run(db, consumer=name, number=event.number)
            self._changed([bucket_of(event.user_id)])

    async def _act(self, db: Db, consumer: Consumer, events: Sequence[Event], share: Share) -> list[Event]:
        """Act on one after the other; returns what the time does not suffice for."""
        left: list[Event] = []
        behind: set[UUID] = set()  # a tenant's events keep their order
        for event in events:
            waits = event.user_id in behind or share.is_used_up(event.user_id)
            if waits or await self._try(db, consumer, event, share) == "unfinished":
                behind.add(event.user_id)
                left.append(event)
        return left

    async def _put_aside(self, db: Db, consumer: str, events: Sequence[Event]) -> None:
        """Let events wait for their tenants' turns."""
        if events:
            self._has_backlog = True
            users, numbers = [event.user_id for event in events], [event.number for event in events]
            await sql.events.put_aside.run(db, consumer=consumer, users=users, numbers=numbers)

    async def _act_on_all(self, db: Db, consumer: Consumer, events: Sequence[Event]) -> Sequence[Event]:
        """What is left to be done one by one."""
        if consumer.act_on_all is None or not events:
            return events
        try:
            return await consumer.act_on_all(db, events)
        except Exception as error:
            if connection_lost(error):
                raise
            log.warning("batch_failed", consumer=consumer.name, events=len(events), exc_info=error)
            raise BatchFailed from error

    async def _try(
        self, db: Db, consumer: Consumer, event: Event, share: Share
    ) -> Literal["done", "unfinished", "failed"]:
        """Act on one event within a savepoint: what fails undoes itself only, and is noted."""
        if event.user_id in share.stuck:
            await self._note(db, consumer, event, Stuck())
            return "failed"
        began = monotonic()
        try:
            await db.execute(f"savepoint event; select app.act_as('{event.user_id}')")
            unfinished = await consumer.act(db, event)
            await db.execute("select set_config('app.user_id', '', true); release savepoint event")
        except Exception as error:
            if connection_lost(error):
                raise
            await db.execute("rollback to savepoint event; select set_config('app.user_id', '', true)")
            if held_by_others(error):
                share.stuck.add(event.user_id)
            if getattr(error, "sqlstate", None) == "AL401" or isinstance(error, UnknownUser):
                return "done"  # its tenant was erased meanwhile
            await self._note(db, consumer, event, error)
            return "failed"
        else:
            return "unfinished" if unfinished else "done"
        finally:
            share.use(event.user_id, monotonic() - began)

    async def _note(self, db: Db, consumer: Consumer, event: Event, error: Exception) -> None:
        state = await sql.events.failed.value(
            db,
            consumer=consumer.name,
            number=event.number,
            user_id=event.user_id,
            error=f"{type(error).__name__}: {error}"[:2000],
            wait_seconds=FIRST_WAIT_SECONDS,
            most=MOST_ATTEMPTS,
        )
        told = log.error if state == "dead" else log.warning
        told(
            "event_failed",
            consumer=consumer.name,
            event_type=event.type,
            number=event.number,
            state=state,
            exc_info=error,
        )
