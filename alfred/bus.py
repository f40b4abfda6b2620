"""The event bus: the log is read by consumers with snapshot cursors; what fails is tried again.

Effects and cursor move in one transaction, so a consumer's effects happen exactly once. After a commit the
process pokes its own consumers and rings the bell for the others; a sweep each second makes up for a missed bell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from alfred.bell import Bell
from alfred.db import Database, UnknownUser, connection_lost, held_by_others
from alfred.events import BUCKETS, SWEEP_SECONDS, Event, EventType, bucket_of
from alfred.hub import Hub
from alfred.queries import Db, Query, Row, sql

log = structlog.get_logger()

READ_LIMIT = 200
MOST_ATTEMPTS = 8
FIRST_WAIT_SECONDS = 2.0
# Patience with a row that somebody else holds: short, since the events of other tenants wait too.
LOCK_MILLISECONDS = 500


@dataclass(frozen=True)
class Consumer:
    """What wants to know of events; `handle` runs under the tenant's hat, in the transaction of the cursor."""

    name: str
    types: Sequence[EventType]
    handle: Callable[[Db, Event], Awaitable[None]]
    wants: Callable[[Event], bool] = lambda _: True
    users: Query | None = None  # of `:users`, those for whom there is anything to do; None: all


class Stuck(Exception):
    """An earlier event of the same tenant waits for a lock in vain."""


class Reader:
    """Reads the log for one consumer."""

    def __init__(self, consumer: Consumer, database: Database, changed: Callable[[Iterable[int]], None]) -> None:
        self._consumer = consumer
        self._database = database
        self._changed = changed
        self._dirty: set[int] = set()
        self._wake = asyncio.Event()
        self.behind = True

    def poke(self, buckets: Iterable[int] | None) -> None:
        """There may be news in these buckets (None: in any)."""
        self._dirty.update(range(BUCKETS) if buckets is None else buckets)
        self._wake.set()

    async def run(self) -> None:
        """Read until cancelled; while PostgreSQL is away, wait for it."""
        while True:
            try:
                async with self._database.as_service() as db:
                    await sql.events.join_bus.run(db, consumer=self._consumer.name)
                while True:
                    await self._turn()
                    self.behind = False
            except Exception as error:
                self.behind = True
                log.warning("consumer_stopped", consumer=self._consumer.name, error=repr(error),
                            exc_info=None if connection_lost(error) else error)  # fmt: skip
                await asyncio.sleep(SWEEP_SECONDS)
                self.poke(None)

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(SWEEP_SECONDS):  # `wait_for` may swallow a cancellation (Python 3.11)
                await self._wake.wait()
        except TimeoutError:
            self._dirty.update(range(BUCKETS))
            while await self._retry_one():
                pass
        self._wake.clear()
        dirty, self._dirty = self._dirty, set()
        while dirty:
            dirty = await self._read(sorted(dirty))

    async def _read(self, buckets: list[int]) -> set[int]:
        """One batch of each bucket; the buckets that may hold more."""
        consumer = self._consumer
        touched: set[int] = set()
        stuck: set[UUID] = set()
        async with self._database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
            rows = await sql.events.read.all(
                db, consumer=consumer.name, buckets=buckets, types=list(consumer.types), limit=READ_LIMIT
            )
            for event in await self._wanted(db, rows):
                await self._try(db, event, stuck)
                touched.add(bucket_of(event.user_id))
        if touched:
            self._changed(touched)
        counts = [bucket_of(row["user_id"]) for row in rows]
        return {bucket for bucket in set(counts) if counts.count(bucket) >= READ_LIMIT}

    async def _wanted(self, db: Db, rows: Sequence[Row]) -> list[Event]:
        """What the consumer has to look at: for most events one question for the whole batch is enough."""
        users = {row["user_id"] for row in rows}
        if rows and self._consumer.users is not None:
            users = {row[0] for row in await self._consumer.users.all(db, users=list(users))}
        events = (Event.model_validate(dict(row)) for row in rows if row["user_id"] in users)
        return [event for event in events if self._consumer.wants(event)]

    async def _try(self, db: Db, event: Event, stuck: set[UUID]) -> bool:
        """Handle one event within a savepoint: what fails undoes itself only, and is noted.

        `stuck` are the tenants who hold something that this batch has waited for: it does not wait for them again.
        """
        if event.user_id in stuck:
            await self._note(db, event, Stuck())
            return False
        try:
            await db.execute(f"savepoint event; select app.act_as('{event.user_id}')")
            await self._consumer.handle(db, event)
            await db.execute("select set_config('app.user_id', '', true); release savepoint event")
        except Exception as error:
            if connection_lost(error):
                raise
            await db.execute("rollback to savepoint event; select set_config('app.user_id', '', true)")
            if held_by_others(error):
                stuck.add(event.user_id)
            if getattr(error, "sqlstate", None) == "AL401" or isinstance(error, UnknownUser):
                return True  # its tenant was erased meanwhile
            await self._note(db, event, error)
            return False
        return True

    async def _note(self, db: Db, event: Event, error: Exception) -> None:
        state = await sql.events.failed.value(
            db,
            consumer=self._consumer.name,
            number=event.number,
            user_id=event.user_id,
            error=f"{type(error).__name__}: {error}"[:2000],
            wait_seconds=FIRST_WAIT_SECONDS,
            most=MOST_ATTEMPTS,
        )
        told = log.error if state == "dead" else log.warning
        told(
            "event_failed",
            consumer=self._consumer.name,
            event_type=event.type,
            number=event.number,
            state=state,
            exc_info=error,
        )

    async def _retry_one(self) -> bool:
        """Another attempt at what failed longest ago; whether to go on with the next."""
        stuck: set[UUID] = set()
        async with self._database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
            row = await sql.events.retry.one(db, consumer=self._consumer.name)
            if row is None:
                return False
            event = Event.model_validate(dict(row))
            if await self._try(db, event, stuck):
                await sql.events.settled.run(db, consumer=self._consumer.name, number=event.number)
        self._changed([bucket_of(event.user_id)])
        return not stuck


class Bus:
    """The readers, the bell and the hub of this process."""

    def __init__(self, database: Database, listen_dsn: str, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        self._readers: list[Reader] = []
        self.bell = Bell(listen_dsn, self._poke)

    def subscribe(self, consumer: Consumer) -> None:
        """Let a consumer read the log from now on."""
        self._readers.append(Reader(consumer, self._database, self._changed))

    def announce(self, user_ids: Iterable[UUID]) -> None:
        """These users' events were committed just now."""
        self._changed({bucket_of(user_id) for user_id in user_ids})

    def announce_buckets(self, buckets: Iterable[int]) -> None:
        """The same, where only the buckets are known."""
        self._changed(set(buckets))

    @property
    def well(self) -> bool:
        """Whether every consumer keeps up, and the bell is heard."""
        return self.bell.listening and not any(reader.behind for reader in self._readers)

    async def run(self) -> None:
        """Run all parts until cancelled."""
        async with asyncio.TaskGroup() as group:
            for run in (self.bell.run, self._hub.run, *(reader.run for reader in self._readers)):
                group.create_task(run())

    def _changed(self, buckets: Iterable[int]) -> None:
        self._poke(buckets)
        self.bell.ring(buckets)

    def _poke(self, buckets: Iterable[int] | None) -> None:
        self._hub.poke(buckets)
        for reader in self._readers:
            reader.poke(buckets)
