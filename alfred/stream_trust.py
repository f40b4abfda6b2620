"""Whether open streams may go on: one question a second for all of this process."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from alfred.db import Database, connection_lost
from alfred.queries import sql

log = structlog.get_logger()

ASK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Opener:
    """What opened a stream: the user's API token or session, and when it expires."""

    user_id: UUID
    token_id: UUID | None = None
    session_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(eq=False, slots=True)
class Trust:
    """One stream's right to go on, and what to do when it ends."""

    opener: Opener
    end: Callable[[], None]
    holds: bool = True


class StreamTrust:
    """The open streams, and what opened each."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._open: set[Trust] = set()

    @contextmanager
    def of(self, opener: Opener, end: Callable[[], None]) -> Iterator[Trust]:
        """Look after a stream while it is open; `end` is called when its opener is revoked or expires."""
        trust = Trust(opener, end)
        self._open.add(trust)
        try:
            yield trust
        finally:
            self._open.discard(trust)

    async def run(self) -> None:
        """Ask until cancelled; while PostgreSQL is away, streams stay: nothing is told on them either."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            try:
                await self.ask()
            except Exception as error:
                log.warning("stream_trust_waits", error=repr(error), exc_info=None if connection_lost(error) else error)

    async def ask(self) -> None:
        """End what may not go on."""
        now = self._clock()
        for trust in [*self._open]:
            if trust.opener.expires_at is not None and trust.opener.expires_at <= now:
                self._end(trust)
        openers = list({trust.opener for trust in self._open})
        if not openers:
            return
        async with self._database.as_service() as db:
            rows = await sql.streams.ended.all(
                db,
                users=[each.user_id for each in openers],
                tokens=[each.token_id for each in openers],
                sessions=[each.session_id for each in openers],
            )
        ended = {openers[row[0] - 1] for row in rows}
        for trust in [*self._open]:
            if trust.opener in ended:
                self._end(trust)

    def _end(self, trust: Trust) -> None:
        self._open.discard(trust)
        trust.holds = False
        trust.end()
