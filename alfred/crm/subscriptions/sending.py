"""Sends what waits: claims it, calls the URL with the signed body, and settles by what came back."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from alfred.crm.leases import SWEEP_SECONDS, Room, Work, Worker, lease_seconds
from alfred.crm.subscriptions.outcomes import MOST_RESPONSE_BYTES, Outcome, outcome_of
from alfred.crm.subscriptions.secrets import open_headers, open_secret
from alfred.db import Database
from alfred.http_calls import HttpCall
from alfred.outbound_http import OutboundHttp
from alfred.queries import Db, Row, sql
from alfred.vault import DamagedSecret, UnknownKey, Vault
from alfred.webhook_signing import signed

log = structlog.get_logger()

CALLS = 16  # at once in a process; of one endpoint 4, of one tenant 8: app.claim_webhooks()
DEADLINE_SECONDS = 15.0
NOTED_SECONDS = 1.0  # within which a transaction is committed; else a sweep finds what it has queued
USER_AGENT = "Alfred-Webhooks/1"
_SPREAD = 0.1  # waits differ by a tenth, so that what failed together does not come together again


@dataclass(frozen=True)
class Target:
    """Where a body goes, and how it is signed."""

    user_id: UUID
    subscription_id: UUID
    url: str
    secret: bytes = field(repr=False)
    previous_secret: bytes | None = field(repr=False)
    previous_expires_at: datetime | None
    headers: bytes | None = field(repr=False)

    @classmethod
    def of(cls, row: Row, **more: Any) -> "Target":
        """A row that has what is needed; `more` are what it lacks."""
        values = dict(row) | more
        return cls(**{name: values[name] for name in cls.__match_args__})


@dataclass(frozen=True)
class Delivery:
    """One that was claimed."""

    target: Target
    worker: UUID
    delivery_id: UUID
    event_id: UUID
    type: str
    attempts: int
    body: str = field(repr=False)

    @property
    def user_id(self) -> UUID:
        """The tenant."""
        return self.target.user_id

    @property
    def lane(self) -> UUID:
        """What shares an endpoint."""
        return self.target.subscription_id


@dataclass(frozen=True)
class Patience:
    """How long to go on; all in seconds."""

    backoff: Sequence[float]
    disable_after: float
    longest_call: float | None = None

    def wait_after(self, attempts: int) -> float | None:
        """Until the next attempt; None after the last one."""
        if attempts > len(self.backoff):
            return None
        return self.backoff[attempts - 1] * random.uniform(1 - _SPREAD, 1 + _SPREAD)  # noqa: S311 no secret


def host_of(url: str) -> str:
    """What may be told of a URL: its path and query may hold a secret."""
    return urlsplit(url).hostname or "?"


class Sender:
    """Calls subscriptions' URLs."""

    def __init__(self, database: Database, outbound: OutboundHttp, vault: Vault, patience: Patience) -> None:
        self._database, self._outbound, self._vault, self._patience = database, outbound, vault, patience
        self._lease_seconds = lease_seconds(DEADLINE_SECONDS, patience.longest_call)
        self._announce: Callable[[Sequence[UUID]], None] = lambda _: None
        work = Work("webhooks", claim=self._claim, work=self._send, due_in=self._due_in)
        self.worker: Worker[Delivery] = Worker(work, database, calls=CALLS)
        self._noted_at = self._expired_at = -NOTED_SECONDS

    def announces(self, announce: Callable[[Sequence[UUID]], None]) -> None:
        """Whom to tell that a user's events were committed."""
        self._announce = announce

    def note(self) -> None:
        """Something was queued, in a transaction that is not committed yet."""
        self._noted_at = time.monotonic()

    def poke(self, _buckets: object = None) -> None:
        """A transaction was committed: it may be one of those that were noted."""
        if time.monotonic() - self._noted_at < NOTED_SECONDS:
            self.worker.poke()

    async def call(self, target: Target, event_id: str, body: bytes, **headers: str) -> tuple[Outcome, int]:
        """One call, now; what came of it, and how many milliseconds it took."""
        began = time.perf_counter()
        try:
            sent = self._signed(target, event_id, body)
        except (UnknownKey, DamagedSecret):
            return Outcome(False, code="secret"), 0
        call = HttpCall(
            "POST", target.url, sent | headers, body,
            seconds=DEADLINE_SECONDS, most_bytes=MOST_RESPONSE_BYTES, own_host=True,
        )  # fmt: skip
        answer = await self._outbound.call(call)
        return outcome_of(answer, datetime.now(UTC)), round((time.perf_counter() - began) * 1000)

    def _signed(self, target: Target, event_id: str, body: bytes) -> dict[str, str]:
        now = datetime.now(UTC)
        about = (self._vault, target.user_id, target.subscription_id)
        keys = [open_secret(*about, target.secret)]
        if target.previous_secret is not None and target.previous_expires_at and target.previous_expires_at > now:
            keys.append(open_secret(*about, target.previous_secret))
        return {
            **open_headers(*about, target.headers),
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Connection": "close",
            **signed(keys, event_id, int(now.timestamp()), body),
        }

    async def _claim(self, db: Db, room: Room) -> list[Delivery]:
        if time.monotonic() - self._expired_at >= SWEEP_SECONDS:
            self._expired_at = time.monotonic()
            await sql.subscriptions.expire.run(db)
        rows = await sql.subscriptions.claim.all(
            db,
            worker=room.worker,
            most=room.most,
            lease_seconds=self._lease_seconds,
            lanes=list(room.lanes),
            lane_calls=list(room.lanes.values()),
            tenants=list(room.tenants),
            tenant_calls=list(room.tenants.values()),
        )
        return [
            Delivery(
                Target.of(row), room.worker, row["delivery_id"], row["event_id"], row["type"], row["attempts"],
                row["body"],
            )
            for row in rows
        ]  # fmt: skip

    async def _due_in(self, db: Db) -> float | None:
        due_in: float | None = await sql.subscriptions.due_in.value(db)
        return due_in

    async def _send(self, delivery: Delivery) -> None:
        headers = {"X-Alfred-Event": delivery.type, "X-Alfred-Attempt": str(delivery.attempts)}
        at = datetime.now(UTC)
        outcome, ms = await self.call(delivery.target, str(delivery.event_id), delivery.body.encode(), **headers)
        tried = {
            "at": at.isoformat().replace("+00:00", "Z"),
            "ms": ms,
            "status": outcome.status,
            "error": outcome.error,
            "response": outcome.response,
        }
        await self._settle(delivery, outcome, tried)

    async def _settle(self, delivery: Delivery, outcome: Outcome, tried: dict[str, Any]) -> None:
        wait = None if outcome.delivered else self._patience.wait_after(delivery.attempts)
        state = "delivered" if outcome.delivered else "dead" if wait is None else "waiting"
        row = await self._database.find(
            sql.subscriptions.settle,
            user_id=delivery.user_id,
            delivery_id=delivery.delivery_id,
            worker=delivery.worker,
            state=state,
            wait_seconds=wait or 0.0,
            tried=tried,
            pause=outcome.pause,
            retry_after=outcome.retry_after,
            gone=outcome.gone,
            disable_after=self._patience.disable_after,
            about={"subscription_id": str(delivery.lane), "host": host_of(delivery.target.url)},
        )
        result = row and row[0]
        if result in {"gone", "failing"}:
            log.warning("subscription_disabled", subscription_id=str(delivery.lane), reason=result)
            self._announce([delivery.user_id])
