"""Claims due rows, calls their messengers, and settles each in a transaction of its own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from alfred import metrics
from alfred.channels.phones import variants
from alfred.crm import connections
from alfred.crm.connections import Connection
from alfred.crm.deliveries.breaker import Breaker
from alfred.crm.deliveries.calls import Reach, Unreadable, call
from alfred.crm.deliveries.results import result_of
from alfred.crm.leases import Room, Work, Worker, lease_seconds
from alfred.db import Database, UnknownUser
from alfred.log import kind_of
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome
from alfred.vault import DamagedSecret, UnknownKey, Vault

log = structlog.get_logger()

MOST_AT_ONCE = 16  # rows of one claim
EACH_CHANNEL = 4  # calls of one channel at once, in a process
LONGEST_DEADLINE = 35.0  # of a chat's call; the database gives mails more
SETTLE_ATTEMPTS = 5


@dataclass(frozen=True)
class Pace:
    """How many calls run at once, and how long things may take; `timeout` caps every deadline (tests)."""

    calls: int = 16
    backoff: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 7200)
    timeout: float | None = None


@dataclass(frozen=True)
class Claimed:
    """A row that is this process's while its lease holds; `worker` is whom it was given to."""

    row: Row
    worker: UUID

    @property
    def user_id(self) -> UUID:
        """The tenant."""
        user_id: UUID = self.row["user_id"]
        return user_id

    @property
    def lane(self) -> UUID:
        """The channel: its messenger is what the calls share."""
        channel_id: UUID = self.row["channel_id"]
        return channel_id


class DeliveryWorker:
    """The worker of this process."""

    def __init__(self, database: Database, reach: Reach, vault: Vault, pace: Pace) -> None:
        self.told: Callable[[UUID], None] = lambda _: None  # the bus, that a user's events were committed
        self._database, self._reach, self._vault, self._pace = database, reach, vault, pace
        self._breaker = Breaker()
        work = Work("deliveries", self._claim, self._deliver, self._due_in)
        self._worker: Worker[Claimed] = Worker(work, database, calls=pace.calls)
        self.run, self.close = self._worker.run, self._worker.close
        self.expect, self.heard = self._worker.expect, self._worker.heard

    async def _claim(self, db: Db, room: Room) -> list[Claimed]:
        """Due rows, some of each channel that has room."""
        busy = self._breaker.busy(room.lanes, each=EACH_CHANNEL, calls=self._pace.calls)
        rows = await sql.deliveries.claim.all(
            db,
            worker=room.worker,
            most=min(room.most, MOST_AT_ONCE),
            lease_seconds=lease_seconds(LONGEST_DEADLINE, self._pace.timeout),
            each=EACH_CHANNEL,
            channels=list(busy),
            counts=list(busy.values()),
        )
        return [Claimed(row, room.worker) for row in rows]

    async def _due_in(self, db: Db) -> float | None:
        due_at = await sql.deliveries.next_at.value(db)
        return None if due_at is None else max((due_at - datetime.now(UTC)).total_seconds(), 0.005)

    async def _deliver(self, claimed: Claimed) -> None:
        """One call; a fault before it gives the row back."""
        row = claimed.row
        try:
            connection = await self._connection(row)
        except UnknownUser:
            return
        except Exception as error:  # noqa: BLE001 the call was not begun
            log.warning("connection_not_read", error=kind_of(error))
            await self._give_back(claimed)
            return
        if connection is None:  # the channel was disconnected just now
            await self._give_back(claimed)
            async with self._database.acting_as(row["user_id"]) as db:
                about = {"user_id": row["user_id"], "channel_id": row["channel_id"]}
                await sql.connections.forget_deliveries.run(db, **about)
            return
        try:
            outcome = await call(self._reach, row, connection)
        except Exception as error:  # a fault of ours before or after the call: nobody knows which
            log.exception("delivery_failed", delivery_id=str(row["delivery_id"]), error=kind_of(error))
            outcome = Outcome("unknown_outcome", error=Error.of("outcome_unknown"))
        self._breaker.note(claimed.lane, outcome)
        await self._settle(claimed, outcome)

    async def _connection(self, row: Row) -> Connection | Unreadable | None:
        try:
            about = {"user_id": row["user_id"], "channel_id": row["channel_id"]}
            whole = await self._database.once(sql.connections.whole, **about)
            return connections.opened(self._vault, row["user_id"], whole)
        except (UnknownKey, DamagedSecret):
            return Unreadable()

    async def _give_back(self, claimed: Claimed) -> None:
        async with self._database.as_service() as db:
            await sql.deliveries.release.run(db, worker=claimed.worker, ids=[claimed.row["delivery_id"]])

    async def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        """Write down what came of it; it must not be lost, so it is tried again while PostgreSQL is away."""
        row, result = claimed.row, _result(outcome, claimed.row, self._pace.backoff)
        keys = {"user_id": row["user_id"], "delivery_id": row["delivery_id"], "worker": claimed.worker}
        for attempt in range(SETTLE_ATTEMPTS):
            try:
                state = await self._database.once(sql.deliveries.settle, **keys, result=result)
                break
            except UnknownUser:
                return
            except Exception as error:  # noqa: BLE001 told, and the lease is the last resort
                log.warning("delivery_not_settled", error=kind_of(error), attempt=attempt)
                await asyncio.sleep(0.2 * 2**attempt)
        else:
            return
        if state == "done" and outcome.handle and outcome.handle != row["handle"]:
            await self._note_identity(row, outcome.handle)
        if row["message_id"] is None and state == "dead":
            log.info("receipt_failed", kind=row["kind"], error=(result.get("error") or {}).get("code"))
        metrics.deliveries.labels(row["provider"], "ok" if outcome.error is None else outcome.error.code).inc()
        self.told(row["user_id"])

    async def _note_identity(self, row: Row, handle: str) -> None:
        """The messenger writes the customer's number in another way, by which it may also post."""
        if handle not in variants(row["handle"]):
            return
        try:
            async with self._database.acting_as(row["user_id"]) as db:
                about = {"user_id": row["user_id"], "conversation_id": row["conversation_id"]}
                await sql.deliveries.note_identity.run(db, **about, value=handle)
        except Exception as error:  # noqa: BLE001 the message is out, and the next one tells it again
            log.warning("identity_not_noted", error=kind_of(error))


def _result(outcome: Outcome, row: Row, backoff: Sequence[float]) -> Mapping[str, Any]:
    """The reply context may be what was refused: then the same at once without it."""
    if outcome.without_reply and row["payload"].get("reply_to"):
        payload = {name: value for name, value in row["payload"].items() if name != "reply_to"}
        return {"kind": "wait", "wait": 0, "counts": True, "payload": payload}
    return result_of(outcome, row, backoff)
