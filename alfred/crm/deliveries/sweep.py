"""What no worker looks at: leases that ran out, rows that waited too long, channels that fail for minutes."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import structlog

from alfred import metrics
from alfred.crm.deliveries.results import result_of
from alfred.db import Database, UnknownUser, connection_lost
from alfred.log import kind_of
from alfred.queries import Row, sql
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome

log = structlog.get_logger()

MOST = 200  # of one look
FAILING_SECONDS = 300


class DeliverySweep:
    """One look; replicas may look at once, since each row is locked and judged anew."""

    def __init__(
        self, database: Database, announce: Callable[[Iterable[UUID]], None], backoff: tuple[float, ...], keep: int
    ) -> None:
        self._database, self._announce = database, announce
        self._backoff, self._keep = backoff, keep

    async def __call__(self) -> None:
        """Look at what has been overdue for longest; the next look goes on."""
        async with self._database.as_service() as db:
            rows = await sql.deliveries.overdue.all(db, limit=MOST)
            channels = await sql.deliveries.failing_channels.all(db, after_seconds=FAILING_SECONDS, limit=MOST)
            metrics.delivery_lag.set(await sql.deliveries.lag.value(db))
            await sql.deliveries.forget_settled.run(db, keep_seconds=self._keep, limit=MOST)
        for row in rows:
            await self._each(row, self._judge)
        for channel in channels:
            await self._each(channel, self._tell)
        if rows or channels:
            self._announce({row["user_id"] for row in [*rows, *channels]})

    async def _each(self, row: Row, do: Callable[[Row], Any]) -> None:
        try:
            await do(row)
        except UnknownUser:
            return
        except Exception as error:
            if connection_lost(error):
                raise
            log.warning("overdue_delivery_failed", error=kind_of(error))

    async def _judge(self, row: Row) -> None:
        keys = {"user_id": row["user_id"], "delivery_id": row["delivery_id"]}
        if row["state"] == "sending":
            result = result_of(Outcome("unknown_outcome", error=Error.of("outcome_unknown")), row, self._backoff)
            await self._database.once(sql.deliveries.settle, **keys, worker=row["leased_by"], result=result)
            return
        async with self._database.acting_as(row["user_id"]) as db:
            await sql.deliveries.give_up.run(db, **keys, state=row["state"], error=_why(row).row())

    async def _tell(self, channel: Row) -> None:
        async with self._database.acting_as(channel["user_id"]) as db:
            about = {"user_id": channel["user_id"], "channel_id": channel["channel_id"]}
            await sql.deliveries.tell_failing.run(db, **about)


def _why(row: Row) -> Error:
    """Nobody has proven it in a day, or it has waited for too long."""
    return Error.of("outcome_unknown" if row["state"] == "unknown" else "expired")
