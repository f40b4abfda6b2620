"""The bell: one connection that listens for news of buckets, and tells other processes of ours.

It carries bucket numbers only and may be missed at any time: what is correct never depends on it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import asyncpg
import structlog

from alfred.terms import BELL

log = structlog.get_logger()

CHANNEL = "alfred_bus"
REST_SECONDS = 0.02  # between two notices: those of a busy process go out together
PING_SECONDS = 5.0
TIMEOUT_SECONDS = 3.0


class Bell:
    """Listens outside the pool, never inside a transaction; reconnects with backoff."""

    def __init__(self, dsn: str, heard: Callable[[Iterable[int] | None], None]) -> None:
        self._dsn = dsn
        self._heard = heard
        self._to_ring: set[int] = set()
        self._rung = asyncio.Event()
        self.listening = False

    def ring(self, buckets: Iterable[int]) -> None:
        """Tell the other processes, soon."""
        self._to_ring.update(buckets)
        self._rung.set()

    async def run(self) -> None:
        """Listen and ring until cancelled."""
        wait = 0.1
        while True:
            try:
                await self._session()
                wait = 0.1
            except Exception as error:  # noqa: BLE001 whatever it is, the service must hear again
                log.warning("bell_lost", error=repr(error), again_in=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)

    async def _session(self) -> None:
        named = {"application_name": BELL}
        connection = await asyncpg.connect(self._dsn, timeout=TIMEOUT_SECONDS, server_settings=named)
        try:
            connection.add_termination_listener(lambda _: self._rung.set())
            await connection.add_listener(CHANNEL, self._on_notify)
            self.listening = True
            log.info("bell_listening")
            self._heard(None)  # whatever was missed while nobody listened
            while True:
                await self._ring_or_ping(connection)
        finally:
            self.listening = False
            connection.terminate()

    async def _ring_or_ping(self, connection: Any) -> None:
        """Wait for something to tell; a long silence is checked by a ping, and a dead line raises."""
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()
        buckets, self._to_ring = self._to_ring, set()
        text = ",".join(map(str, sorted(buckets)))
        if text:
            await connection.execute("select pg_notify($1, $2)", CHANNEL, text, timeout=TIMEOUT_SECONDS)
            await asyncio.sleep(REST_SECONDS)
        else:
            await connection.execute("select 1", timeout=TIMEOUT_SECONDS)

    def _on_notify(self, connection: Any, pid: int, _channel: str, payload: Any) -> None:
        if pid == connection.get_server_pid():
            return  # rung by this process, which has looked already
        self._heard([int(part) for part in str(payload).split(",") if part.isdigit()])
