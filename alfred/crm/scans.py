"""The periodic scans: overdue tasks, stalled leads, sleepers to wake; each is told once, however many replicas look."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from uuid_utils.compat import uuid7

from alfred import metrics
from alfred.db import Database
from alfred.queries import Query, sql

log = structlog.get_logger()

BATCH = 500
MOST_RESTS, REST_SECONDS = 5, 0.1


class Scans:
    """The scans, with a clock from outside."""

    def __init__(
        self,
        database: Database,
        announce: Callable[[Iterable[int]], None],
        *,
        clock: Callable[[], datetime],
        stalled_after: int,
    ) -> None:
        self._database = database
        self._announce = announce
        self._clock = clock
        self._stalled_after = stalled_after
        self._one_at_a_time = asyncio.Lock()
        self._scans = {"overdue": self.overdue, "stalled": self.stalled, "snoozed": self.snoozed}

    async def overdue(self) -> int:
        """Tell of the tasks that have lapsed; how many."""
        return await self._told_together("overdue", sql.scans.begin_overdue, sql.scans.overdue, {})

    async def stalled(self) -> int:
        """Tell of the conversations in which nobody has written for long; how many."""
        limits = {"after_seconds": self._stalled_after}
        return await self._told_together("stalled", sql.scans.begin_stalled, sql.scans.stalled, limits)

    async def snoozed(self) -> int:
        """Wake the conversations whose time has come; how many."""
        return await self._scan("snoozed", sql.scans.snoozed, {})

    def in_turn(self, scan: str, interval: int) -> Callable[[], Any]:
        """The scan as a periodic job: at the start of a process always, then by the one replica whose turn it is."""
        first = True

        async def job() -> None:
            nonlocal first
            slot = datetime.fromtimestamp(self._clock().timestamp() // interval * interval, UTC)
            async with self._database.as_service() as db:
                turn = await sql.scans.claim.value(db, scan=scan, slot=slot)
            if turn or first:
                await self._scans[scan]()
            first = False

        return job

    async def _told_together(self, scan: str, begin: Query, query: Query, limits: dict[str, Any]) -> int:
        """A scan that notes first of whom it finds so many that they are told of together; one replica at a time."""
        limits = limits | {"scan_id": uuid7()}
        # One at a time in this process: each holds a connection while it asks for others.
        async with self._one_at_a_time, self._database.as_service() as held:
            if not await sql.scans.alone.value(held, scan=scan):
                return 0  # another replica is at it
            async with self._database.as_service() as db:
                await begin.value(db, now=self._clock(), **limits)
            return await self._scan(scan, query, limits)

    async def _scan(self, scan: str, query: Query, limits: dict[str, Any]) -> int:
        """Look until nothing is left; what somebody held and was passed over is mostly free after a moment."""
        total = rests = 0
        while True:
            async with self._database.as_service() as db:
                rows = await query.all(db, now=self._clock(), limit=BATCH, **limits)
            found: int = sum(row["found"] for row in rows)
            total += found
            metrics.scan_findings.labels(scan).inc(found)
            self._announce(row["bucket"] for row in rows)
            if not found and (not rows or rests == MOST_RESTS):
                if total:
                    log.info("scan_done", scan=scan, found=total)
                return total
            if not found:  # a row that counts none: something was passed over
                rests += 1
                await asyncio.sleep(REST_SECONDS)
