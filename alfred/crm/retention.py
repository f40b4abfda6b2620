"""What grows for ever goes after a while: in small batches, by one replica, and never what is still needed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from alfred import metrics
from alfred.db import Database
from alfred.queries import Db, Query, sql

log = structlog.get_logger()

BATCH = 1000
MOST_SECONDS = 600.0  # of a run; the next one goes on
DAY = 86_400
KEEP_EXPIRED = 30 * DAY  # tokens and sessions that have ended: their owner may still ask when


@dataclass(frozen=True)
class Ages:
    """For how many seconds each kind is kept."""

    payloads: int
    events: int
    notifications: int
    matches: int
    suggestions: int
    merges: int

    def by_kind(self) -> dict[str, int]:
        """The kinds that `app.forget_old` knows; dead retries before the events that they hold."""
        return {
            "rejected_webhooks": self.payloads,
            "ignored_items": self.payloads,
            "message_updates": self.events,
            "event_retries": self.events,
            "notifications": self.notifications,
            "ai_suggestions": self.suggestions,
            "contact_merges": self.merges,
            "idempotency_keys": 2 * DAY,  # they answer for one
            "login_failures": DAY,
            "stream_tickets": DAY,
            "api_tokens": KEEP_EXPIRED,
            "refresh_tokens": DAY,  # once expired; spent ones are needed until then, to know a thief by
            "sessions": KEEP_EXPIRED,
        }


class Retention:
    """Removes what is old; `consumers` are those of the bus, whose unread events stay."""

    def __init__(
        self,
        database: Database,
        ages: Ages,
        consumers: Sequence[str],
        clock: Callable[[], datetime],
        *,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._ages = ages
        self._consumers = list(consumers)
        self._clock = clock
        self._batch = batch

    def every(self, interval: int) -> Callable[[], Awaitable[None]]:
        """The periodic job: run by the one replica whose turn it is."""

        async def job() -> None:
            slot = datetime.fromtimestamp(self._clock().timestamp() // interval * interval, UTC)
            async with self._database.as_service() as db:
                turn = await sql.scans.claim.value(db, scan="retention", slot=slot)
            if turn:
                await self.run()

        return job

    async def run(self) -> dict[str, int]:
        """Remove what is old; how many rows of each kind went."""
        counts: dict[str, int] = {}
        until = asyncio.get_running_loop().time() + MOST_SECONDS
        for kind, forget in self._parts():
            counts[kind] = await self._all_batches(forget, until)
            metrics.scan_findings.labels(f"retention {kind}").inc(counts[kind])
        if any(counts.values()):
            log.info("old_rows_removed", **{kind: count for kind, count in counts.items() if count})
        return counts

    def _parts(self) -> Iterator[tuple[str, "Batches"]]:
        for kind, seconds in self._ages.by_kind().items():
            yield kind, OldRows(self._database, kind, seconds, self._batch)
        yield "rule_matches", OldMatches(self._database, self._ages.matches, self._batch)
        yield "message_payloads", OldPayloads(self._database, self._ages.payloads, self._batch)
        yield "ai_events", OldEvents(self._database, self._ages.events, self._consumers, self._batch)

    async def _all_batches(self, forget: "Batches", until: float) -> int:
        """Batch after batch, resting as long as each has taken."""
        total, loop = 0, asyncio.get_running_loop()
        while loop.time() < until:
            begun = loop.time()
            count, more = await forget()
            total += count
            if not more:
                break
            if count:
                await asyncio.sleep(min(loop.time() - begun, 1.0))
        return total


Batches = Callable[[], Awaitable[tuple[int, bool]]]
"""Removes one batch: how many rows went, and whether there may be more."""


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[Db | None]:
    """A transaction for a batch; None where another replica has one. No connection is held between batches."""
    async with database.as_service() as db:
        yield db if await sql.scans.alone.value(db, scan="retention") else None


async def _forgotten(database: Database, query: Query, batch: int, **given: Any) -> tuple[int, bool]:
    """One batch; how many rows, and whether there may be more."""
    async with alone(database) as db:
        if db is None:
            return 0, False
        count: int = await query.value(db, limit=batch, **given)
    return count, count >= batch


@dataclass
class OldRows:
    """Kinds that an index finds by their time."""

    database: Database
    kind: str
    age: int  # seconds
    batch: int

    async def __call__(self) -> tuple[int, bool]:
        return await _forgotten(self.database, sql.retention.forget_old, self.batch, kind=self.kind, age=self.age)


@dataclass
class OldMatches:
    """What rules have done: their counts go on."""

    database: Database
    age: int  # seconds
    batch: int

    async def __call__(self) -> tuple[int, bool]:
        return await _forgotten(self.database, sql.retention.forget_matches, self.batch, age=self.age)


@dataclass
class OldPayloads:
    """Raw payloads: their keys are times."""

    database: Database
    age: int  # seconds
    batch: int

    async def __call__(self) -> tuple[int, bool]:
        return await _forgotten(self.database, sql.retention.forget_payloads, self.batch, age=self.age)


class OldEvents:
    """The log, in its order."""

    def __init__(self, database: Database, age: int, consumers: list[str], batch: int) -> None:
        self._database, self._batch = database, batch
        self._wanted = {"age": age, "consumers": consumers}
        self._xid, self._number = "0", 0

    async def __call__(self) -> tuple[int, bool]:
        async with alone(self._database) as db:
            if db is None:
                return 0, False
            row = await sql.retention.forget_events.one(
                db, **self._wanted, xid=self._xid, number=self._number, limit=self._batch
            )
        assert row is not None
        if row["next_xid"] is None:
            return row["removed"], False
        self._xid, self._number = row["next_xid"], row["next_number"]
        return row["removed"], True
