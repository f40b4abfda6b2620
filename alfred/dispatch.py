"""Lets a consumer act on events one by one, each within a savepoint under its tenant's hat.

What fails undoes itself only, and is noted, to be tried again.
"""

from collections import defaultdict
from collections.abc import Sequence
from time import monotonic
from typing import Literal
from uuid import UUID

import structlog

from alfred.consumers import Consumer
from alfred.db import UnknownUser, connection_lost, held_by_others
from alfred.events import Event
from alfred.queries import Db, sql

log = structlog.get_logger()

# How long a transaction acts on single events, and on those of one tenant: others may wait.
TURN_SECONDS = 0.1
SHARE_SECONDS = 0.05
MOST_ATTEMPTS = 8
# Patience with a row that somebody else holds: short, since the events of other tenants wait too; and that of a
# transaction which holds rows itself.
LOCK_MILLISECONDS, LOCK_MILLISECONDS_HOLDING = 200, 10
FIRST_WAIT_SECONDS = 2.0


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
        self.holds = False  # whether the transaction has acted: what others hold is left to one that has not

    def is_used_up(self, user_id: UUID) -> bool:
        """Whether the tenant's next events wait for its turn."""
        return self._left[user_id] <= 0 or monotonic() > self._ends_at

    def use(self, user_id: UUID, seconds: float) -> None:
        """Count time to a tenant."""
        self._left[user_id] -= seconds


async def act_on_all(db: Db, consumer: Consumer, events: Sequence[Event]) -> Sequence[Event]:
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


async def act(db: Db, consumer: Consumer, events: Sequence[Event], share: Share) -> list[Event]:
    """Act on one after the other; returns what the time does not suffice for."""
    left: list[Event] = []
    behind: set[UUID] = set()  # a tenant's events keep their order
    for event in events:
        waits = event.user_id in behind or share.is_used_up(event.user_id)
        if waits or await attempt(db, consumer, event, share) == "unfinished":
            behind.add(event.user_id)
            left.append(event)
    return left


async def attempt(db: Db, consumer: Consumer, event: Event, share: Share) -> Literal["done", "unfinished", "failed"]:
    """Act on one event within a savepoint: what fails undoes itself only, and is noted."""
    if event.user_id in share.stuck:
        await _note(db, consumer, event, Stuck())
        return "failed"
    began = monotonic()
    patience = LOCK_MILLISECONDS_HOLDING if share.holds else LOCK_MILLISECONDS
    try:
        await db.execute(f"savepoint event; set local lock_timeout = {patience}; select app.act_as('{event.user_id}')")
        unfinished = await consumer.act(db, event)
        await db.execute(
            f"select set_config('app.user_id', '', true); set local lock_timeout = {LOCK_MILLISECONDS};"
            "release savepoint event"
        )
    except Exception as error:
        if connection_lost(error):
            raise
        await db.execute("rollback to savepoint event; select set_config('app.user_id', '', true)")
        if held_by_others(error):
            if share.holds:
                return "unfinished"
            share.stuck.add(event.user_id)
        if getattr(error, "sqlstate", None) == "AL401" or isinstance(error, UnknownUser):
            return "done"  # its tenant was erased meanwhile
        await _note(db, consumer, event, error)
        return "failed"
    else:
        share.holds = True
        return "unfinished" if unfinished else "done"
    finally:
        share.use(event.user_id, monotonic() - began)


async def _note(db: Db, consumer: Consumer, event: Event, error: Exception) -> None:
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
