"""Hooks: whose a posted key is, and what came by it, counted in memory and written once a second."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from alfred.crm.hook_keys import hash_of
from alfred.db import Database, UnknownUser, connection_lost, held_by_others
from alfred.events import record
from alfred.log import kind_of
from alfred.queries import sql

log = structlog.get_logger()

CACHE_SECONDS = 10.0
MOST_CACHED = 10_000
WRITE_SECONDS = 1.0
NOTED_IN_A_MINUTE = 60  # rejections; further ones are only counted
IN_A_ROW = 3  # rejections after which the seller is told
KEY_LENGTH = 43
CERTIFICATE_SECONDS = 86_400.0
MOST_CERTIFICATES = 100


@dataclass(frozen=True)
class Hook:
    """Where a key leads."""

    user_id: UUID
    channel_id: UUID
    provider: str
    key_id: UUID


@dataclass
class Count:
    """What came to a channel since it was written last."""

    user_id: UUID
    received: int = 0
    rejected: int = 0
    last_received_at: datetime | None = None
    last_rejected_at: datetime | None = None
    last_challenge_at: datetime | None = None
    last_error: dict[str, Any] | None = None
    told: bool = False  # the seller has to be told of last_error


@dataclass
class Streak:
    """Rejections in a row, and those of this minute."""

    in_a_row: int = 0
    minute: float = 0.0
    noted: int = 0


class Certificates:
    """Amazon's, by their URLs, each for a day."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, bytes]] = {}

    def get(self, url: str) -> bytes | None:
        """The certificate, if it was fetched today."""
        until, certificate = self._kept.get(url, (0.0, b""))
        return certificate if until > monotonic() else None

    def put(self, url: str, certificate: bytes) -> None:
        """Keep it."""
        if len(self._kept) >= MOST_CERTIFICATES:
            self._kept.clear()
        self._kept[url] = (monotonic() + CERTIFICATE_SECONDS, certificate)


@dataclass
class Hooks:
    """The hooks of this process."""

    database: Database
    auth: Database
    announce: Callable[[Iterable[UUID]], None]
    certificates: Certificates = field(default_factory=Certificates)
    _known: dict[bytes, tuple[float, Hook]] = field(default_factory=dict)
    _counts: dict[UUID, Count] = field(default_factory=dict)
    _streaks: dict[UUID, Streak] = field(default_factory=dict)
    _hook_only: dict[UUID, tuple[float, frozenset[tuple[str, str | None]]]] = field(default_factory=dict)

    async def find(self, key: str) -> Hook | None:
        """The hook of a key, if it is good now, or was ten seconds ago."""
        if len(key) != KEY_LENGTH or not key.isascii():
            return None
        key_hash = hash_of(key)
        if (known := self._known.get(key_hash)) and known[0] > monotonic():
            return known[1]
        row = await self.auth.find(sql.hooks.find, key_hash=key_hash)
        if row is None:
            return None
        hook = Hook(**dict(row))
        if len(self._known) >= MOST_CACHED:
            self._known.clear()
        self._known[key_hash] = (monotonic() + CACHE_SECONDS, hook)
        return hook

    def forget(self, user_id: UUID, channel_id: UUID) -> None:
        """A connection has changed: look again."""
        for key_hash in [found for found, (_, hook) in self._known.items() if hook.channel_id == channel_id]:
            del self._known[key_hash]
        self._hook_only.pop(user_id, None)

    async def is_hook_only(self, user_id: UUID, accounts: Iterable[tuple[str, str | None]]) -> bool:
        """Whether one of the accounts (type, external id) takes posts by its hook alone."""
        known = self._hook_only.get(user_id)
        if known is None or known[0] < monotonic():
            async with self.database.acting_as(user_id) as db:
                rows = await sql.hooks.hook_only.all(db, user_id=user_id)
            if len(self._hook_only) >= MOST_CACHED:
                self._hook_only.clear()
            known = (monotonic() + CACHE_SECONDS, frozenset((row["type"], row["account"]) for row in rows))
            self._hook_only[user_id] = known
        return bool(known[1]) and not known[1].isdisjoint(accounts)

    def received(self, hook: Hook, now: datetime) -> None:
        """A genuine post."""
        count = self._count(hook)
        count.received += 1
        count.last_received_at = now
        self._streaks.pop(hook.channel_id, None)

    def challenged(self, hook: Hook, now: datetime) -> None:
        """Meta has asked for its challenge, and knew the token."""
        self._count(hook).last_challenge_at = now

    def rejected(self, hook: Hook, code: str, detail: str, now: datetime) -> None:
        """A post that was not genuine, or could not be checked."""
        count, streak = self._count(hook), self._streaks.setdefault(hook.channel_id, Streak())
        count.rejected += 1
        count.last_rejected_at = now
        streak.in_a_row += 1
        if streak.minute < monotonic() - 60:
            streak.minute, streak.noted = monotonic(), 0
        streak.noted += 1
        if streak.noted > NOTED_IN_A_MINUTE:
            return
        self.failed(hook, code, detail, now, told=streak.in_a_row == IN_A_ROW)
        log.warning("hook_rejected", provider=hook.provider, channel_id=str(hook.channel_id), code=code)

    def failed(self, hook: Hook, code: str, detail: str, now: datetime, *, told: bool = False) -> None:
        """Note what is wrong, and what to do about it."""
        count = self._count(hook)
        count.last_error = {"code": code, "detail": detail, "at": now.isoformat()}
        count.told = count.told or told

    async def run(self) -> None:
        """Write what was counted until cancelled, and once more at the end."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self.write()
        finally:
            with suppress(Exception):
                await asyncio.wait_for(self.write(), 2)

    async def write(self) -> None:
        """Add the counts to the database; what cannot be written now is kept for later."""
        for channel_id, count in self._taken():
            try:
                await self._write(channel_id, count)
            except UnknownUser:
                continue
            except Exception as error:  # noqa: BLE001 counts are worth a second attempt, and no more
                if connection_lost(error) or held_by_others(error):
                    self._put_back(channel_id, count)
                else:
                    log.warning("hook_counts_lost", error=kind_of(error))

    async def _write(self, channel_id: UUID, count: Count) -> None:
        user_id = count.user_id
        async with self.database.acting_as(user_id) as db:
            await sql.hooks.count.run(
                db, user_id=user_id, channel_id=channel_id, received=count.received, rejected=count.rejected,
                last_received_at=count.last_received_at, last_rejected_at=count.last_rejected_at,
                last_challenge_at=count.last_challenge_at, last_error=count.last_error,
            )  # fmt: skip
            if count.told and count.last_error:
                error = {name: count.last_error[name] for name in ("code", "detail")}
                channel = await sql.channels.get.one(db, user_id=user_id, channel_id=channel_id)
                about = {"channel_id": str(channel_id), "channel": channel["name"] if channel else None}
                await record(db, user_id, "channel.error", {**about, "about": "hook", **error})
        if count.told:
            self.announce([user_id])

    def _taken(self) -> Iterator[tuple[UUID, Count]]:
        counts, self._counts = self._counts, {}
        yield from counts.items()

    def _put_back(self, channel_id: UUID, older: Count) -> None:
        newer = self._counts.setdefault(channel_id, Count(older.user_id))
        newer.received += older.received
        newer.rejected += older.rejected
        newer.told = newer.told or older.told
        for name in ("last_received_at", "last_rejected_at", "last_challenge_at", "last_error"):
            setattr(newer, name, getattr(newer, name) or getattr(older, name))

    def _count(self, hook: Hook) -> Count:
        return self._counts.setdefault(hook.channel_id, Count(hook.user_id))
