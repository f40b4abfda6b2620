"""Claims due rows, calls their messengers side by side, and settles each; whether it ends cleanly or not."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import structlog

from alfred import metrics
from alfred.channels.phones import variants
from alfred.crm import connections
from alfred.crm.connections import Connection
from alfred.crm.deliveries.calls import Reach, Unreadable, call
from alfred.crm.deliveries.results import result_of
from alfred.db import Database, UnknownUser, connection_lost
from alfred.log import kind_of
from alfred.queries import Row, sql
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome
from alfred.vault import DamagedSecret, UnknownKey, Vault

log = structlog.get_logger()

MOST_AT_ONCE = 16  # rows of one claim
EACH_CHANNEL = 4  # calls of one channel at once, in a process
LONGEST_DEADLINE = 35.0  # of a chat's call; the database gives mails more
SHORTEST_LEASE = 90.0
GRACE_SECONDS = 10.0
GATHER_SECONDS = 0.004  # while calls are under way: several that end soon are followed by one claim
SETTLE_ATTEMPTS = 5


@dataclass(frozen=True)
class Pace:
    """How many calls run at once, and how long things may take; `timeout` caps every deadline (tests)."""

    calls: int = 16
    backoff: tuple[float, ...] = (5, 30, 120, 600, 1800, 3600, 7200)
    timeout: float | None = None

    @property
    def lease_seconds(self) -> float:
        """Three times the longest deadline; with a cap, three times that."""
        return max(SHORTEST_LEASE, 3 * LONGEST_DEADLINE) if self.timeout is None else 3 * self.timeout


class DeliveryWorker:
    """The worker of this process."""

    def __init__(self, database: Database, reach: Reach, vault: Vault, pace: Pace) -> None:
        self.id = uuid4()
        self.told: Callable[[UUID], None] = lambda _: None  # the bus, that a user's events were committed
        self._database, self._reach, self._vault, self._pace = database, reach, vault, pace
        self._wake = asyncio.Event()
        self._expected = False
        self._ending = False
        self._calls: Counter[UUID] = Counter()  # under way, by channel
        self._running: set[asyncio.Task[None]] = set()
        self._unbegun: dict[UUID, Row] = {}

    def expect(self) -> None:
        """A transaction of this process is about to add rows."""
        self._expected = True

    def heard(self) -> None:
        """A transaction of this process was committed: perhaps that one."""
        if self._expected:
            self._expected = False
            self._wake.set()

    async def run(self) -> None:
        """Claim and call until cancelled; while PostgreSQL is away, wait for it."""
        while not self._ending:
            try:
                self._wake.clear()
                if not await self._claim():
                    await self._sleep()
            except Exception as error:
                log.warning("delivery_worker_stopped", error=kind_of(error),
                            exc_info=None if connection_lost(error) else error)  # fmt: skip
                await asyncio.sleep(1.0)

    async def stop(self) -> None:
        """Claim no more, let calls under way end, give back what was not begun."""
        self._ending = True
        self._wake.set()
        unbegun = list(self._unbegun)
        if unbegun:
            self._unbegun.clear()
            async with self._database.as_service() as db:
                await sql.deliveries.release.run(db, worker=self.id, ids=unbegun)
        if self._running:
            await asyncio.wait(self._running, timeout=GRACE_SECONDS)

    async def _claim(self) -> bool:
        """Take what is due and begin its calls; whether there was any."""
        free = min(self._pace.calls - len(self._running), MOST_AT_ONCE)
        if free <= 0:
            return False
        rows = await self._database.rows(
            sql.deliveries.claim,
            worker=self.id,
            most=free,
            lease_seconds=self._pace.lease_seconds,
            each=EACH_CHANNEL,
            channels=list(self._calls),
            counts=list(self._calls.values()),
        )
        self._unbegun |= {row["delivery_id"]: row for row in rows}
        self._calls.update(row["channel_id"] for row in rows)
        by_channel: dict[tuple[UUID, UUID], list[Row]] = {}
        for row in rows:
            by_channel.setdefault((row["user_id"], row["channel_id"]), []).append(row)
        for group in by_channel.values():
            task = asyncio.create_task(self._begin(group))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return bool(rows)

    async def _sleep(self) -> None:
        """Until somebody pokes, a call ends, the next row is due, or a second has gone."""
        due_at = await self._database.once(sql.deliveries.next_at)
        seconds = 1.0 if due_at is None else (due_at - datetime.now(UTC)).total_seconds()
        try:
            async with asyncio.timeout(min(max(seconds, 0.005), 1.0)):
                await self._wake.wait()
        except TimeoutError:
            pass
        if self._running:
            await asyncio.sleep(GATHER_SECONDS)

    async def _begin(self, rows: Sequence[Row]) -> None:
        """The calls of one channel; its secrets live no longer than they do."""
        try:
            connection: Connection | Unreadable | None = await self._connection(rows[0])
        except UnknownUser:
            connection = None
        except Exception as error:  # noqa: BLE001 nothing was begun: the rows go back
            log.warning("connection_not_read", error=kind_of(error))
            await self._give_back(rows)
            return
        if connection is None:
            await self._give_back(rows)
            await self._forget(rows[0])
            return
        await asyncio.gather(*(self._deliver(row, connection) for row in rows))

    async def _forget(self, row: Row) -> None:
        """The channel was disconnected just now: what waits is queued as if it never had been connected."""
        try:
            async with self._database.acting_as(row["user_id"]) as db:
                about = {"user_id": row["user_id"], "channel_id": row["channel_id"]}
                await sql.connections.forget_deliveries.run(db, **about)
        except UnknownUser:
            return

    async def _connection(self, row: Row) -> Connection | Unreadable | None:
        try:
            about = {"user_id": row["user_id"], "channel_id": row["channel_id"]}
            whole = await self._database.once(sql.connections.whole, **about)
            return connections.opened(self._vault, row["user_id"], whole)
        except (UnknownKey, DamagedSecret):
            return Unreadable()

    async def _give_back(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._end(row)
        try:
            async with self._database.as_service() as db:
                await sql.deliveries.release.run(db, worker=self.id, ids=[row["delivery_id"] for row in rows])
        except Exception as error:  # noqa: BLE001 their leases will tell
            log.warning("deliveries_not_released", error=kind_of(error))

    async def _deliver(self, row: Row, connection: Connection | Unreadable) -> None:
        if self._unbegun.pop(row["delivery_id"], None) is None:
            return  # the process ends, and has given it back
        try:
            outcome = await call(self._reach, row, connection)
        except Exception as error:  # a fault of ours before or after the call: nobody knows which
            log.exception("delivery_failed", delivery_id=str(row["delivery_id"]), error=kind_of(error))
            outcome = Outcome("unknown_outcome", error=Error.of("outcome_unknown"))
        try:
            await self._settle(row, outcome)
        finally:
            self._end(row)

    async def _settle(self, row: Row, outcome: Outcome) -> None:
        """Write down what came of it; it must not be lost, so it is tried again while PostgreSQL is away."""
        result = _result(outcome, row, self._pace.backoff)
        for attempt in range(SETTLE_ATTEMPTS):
            try:
                state = await self._database.once(
                    sql.deliveries.settle,
                    user_id=row["user_id"],
                    delivery_id=row["delivery_id"],
                    worker=self.id,
                    result=result,
                )
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

    def _end(self, row: Row) -> None:
        self._unbegun.pop(row["delivery_id"], None)
        self._calls[row["channel_id"]] -= 1
        if self._calls[row["channel_id"]] <= 0:
            del self._calls[row["channel_id"]]
        self._wake.set()


def _result(outcome: Outcome, row: Row, backoff: Sequence[float]) -> Mapping[str, Any]:
    """The reply context may be what was refused: then the same at once without it."""
    if outcome.without_reply and row["payload"].get("reply_to"):
        payload = {name: value for name, value in row["payload"].items() if name != "reply_to"}
        return {"kind": "wait", "wait": 0, "counts": True, "payload": payload}
    return result_of(outcome, row, backoff)
