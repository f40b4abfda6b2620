"""Retention: what was sent goes after a while, and what waits too long is given up."""

from collections.abc import Awaitable, Callable

import structlog

from alfred.db import Database
from alfred.queries import sql

log = structlog.get_logger()

SWEEP_SECONDS = 3600.0
KEEP_DEAD_SECONDS = 90 * 86_400
MOST_WAITING = 100_000  # of one subscription
BATCH = 2000


def sweeper(database: Database, keep_seconds: int) -> Callable[[], Awaitable[None]]:
    """The periodic job; several replicas pass over each other's rows."""

    async def sweep() -> None:
        total, went = 0, BATCH
        while went >= BATCH:
            async with database.as_service() as db:
                went = await sql.subscriptions.sweep.value(
                    db,
                    keep_seconds=keep_seconds,
                    keep_dead_seconds=max(KEEP_DEAD_SECONDS, keep_seconds),
                    most_waiting=MOST_WAITING,
                    limit=BATCH,
                )
            total += went
        if total:
            log.info("webhooks_swept", found=total)

    return sweep
