"""How fast replies reach the messengers: one at a time, many at once, beside a dead channel, and beside ingest."""

import asyncio
import contextlib
import os
import secrets
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bench.ground import Service, User, milliseconds, percentile, service, show, sign_up, whatsapp
from bench.peers import Peer, peer

ONE_BY_ONE = 100
MANY = 2_000
CHANNELS = 40
DEAD = 10_000
SECONDS_OF_INGEST = 4.0

_BACKOFF = "600,600,600,600,600,600,600"


def main() -> None:
    """Measure, and print."""
    with service(private_targets="127.0.0.0/8", delivery_backoff=_BACKOFF, delivery_calls="32") as running:
        asyncio.run(_measure(running))


async def _measure(running: Service) -> None:
    async with peer() as meta, aiohttp.ClientSession() as http:
        shop = Shop(running, http, sign_up(running), meta.base_url)
        await shop.open()
        idle = await shop.one_by_one(meta)
        before = _cpu_seconds(running.pid)
        rate = await shop.many_at_once(meta)
        cpu = (_cpu_seconds(running.pid) - before - shop.writing_cpu) / MANY
        claim = shop.claim_with_blocked()
        beside = await shop.beside_a_dead_channel(meta)
        alone, together = await shop.ingest_beside(meta)
    rows = [
        ("accepted to request at the peer, idle: p50", milliseconds(statistics.median(idle)) + " ms", "40 ms"),
        ("accepted to request at the peer, idle: p95", milliseconds(percentile(idle, 0.95)) + " ms", ""),
        (f"deliveries a second, {MANY} on {CHANNELS} channels", f"{rate:.0f}", "300"),
        ("of the service's CPU for each", milliseconds(cpu) + " ms", ""),
        ("a claim with 20,000 blocked rows", milliseconds(claim) + " ms", "5 ms"),
        (f"beside {DEAD} of a dead channel: p50", milliseconds(statistics.median(beside)) + " ms", ""),
        (f"beside {DEAD} of a dead channel: p99", milliseconds(percentile(beside, 0.99)) + " ms", "300 ms"),
        ("ingest beside 50 deliveries/s, of ingest alone", f"{together / alone:.2f}", "0.85"),
    ]
    show("Deliveries", ("what", "measured", "wanted"), rows)


class Shop:
    """A user with connected channels, and a conversation on each."""

    def __init__(self, running: Service, http: aiohttp.ClientSession, user: User, base_url: str) -> None:
        self._at, self._http, self._user, self._base_url = running, http, user, base_url
        self.chats: list[str] = []
        self.writing_cpu = 0.0  # of the service, while the messages were taken

    async def open(self) -> None:
        """Connect channels that are fast enough not to be what is measured."""
        for _ in range(CHANNELS):
            channel, chat = await self._chat(self._base_url)
            self.chats.append(chat)
            assert channel

    async def one_by_one(self, meta: Peer) -> list[float]:
        """Seconds from the API's answer to the request at the peer."""
        taken = []
        for number in range(ONE_BY_ONE):
            await asyncio.sleep(0.03)
            text = f"one {number}"
            await self._write(self.chats[number % CHANNELS], text)
            answered = asyncio.get_running_loop().time()
            taken.append(await _arrival(meta, text) - answered)
        return taken[10:]

    async def many_at_once(self, meta: Peer) -> float:
        """Deliveries a second, from the moment at which all are queued: the channels are off until then."""
        started = _cpu_seconds(self._at.pid)
        self._sql("update connections set paused_until = now() + interval '1 hour' where user_id = %s")
        gate = asyncio.Semaphore(32)

        async def write(number: int) -> None:
            async with gate:
                await self._write(self.chats[number % CHANNELS], f"many {number}")

        before = len(meta.seen)
        await asyncio.gather(*(write(number) for number in range(MANY)))
        while self._count("state = 'blocked'") < MANY - CHANNELS:  # noqa: ASYNC110 only the database knows
            await asyncio.sleep(0.05)
        self._sql("update connections set paused_until = null where user_id = %s")
        self._sql("update deliveries set due_at = now() where user_id = %s and state in ('waiting', 'blocked')")
        self.writing_cpu = _cpu_seconds(self._at.pid) - started
        began = time.perf_counter()
        while len(meta.seen) < before + MANY:  # noqa: ASYNC110 a list that another task fills
            await asyncio.sleep(0.01)
        seconds = time.perf_counter() - began
        assert max(Counter(meta.texts).values()) == 1
        return MANY / seconds

    def claim_with_blocked(self) -> float:
        """Seconds of a claim of 16 while 20,000 rows are blocked behind one head; rolled back."""
        with psycopg.connect(self._at.dsn("postgres")) as root:
            root.execute(
                """insert into deliveries (user_id, conversation_id, channel_id, lane, kind, payload, state, due_at,
                                           give_up_at)
                   select c.user_id, c.conversation_id, c.channel_id, c.conversation_id, 'text', '{"kind": "text"}',
                          'blocked', now(), now() + interval '1 day'
                     from conversations c, generate_series(1, 20000)
                    where c.user_id = %s and c.conversation_id = %s""",
                (self._user.user_id, self.chats[0]),
            )
            for chat in self.chats[:16]:
                root.execute("select app.promote(%s::uuid, %s::uuid)", (self._user.user_id, chat))
            root.execute("analyze deliveries")
            taken = []
            for _ in range(5):
                root.execute("savepoint before")
                began = time.perf_counter()
                root.execute(
                    "select count(*) from app.claim_deliveries(gen_random_uuid(), 16, interval '90 s', 4, '{}', '{}')"
                ).fetchall()
                taken.append(time.perf_counter() - began)
                root.execute("rollback to savepoint before")
            root.rollback()
        return statistics.median(taken)

    async def beside_a_dead_channel(self, meta: Peer) -> list[float]:
        """Seconds of single replies while a channel whose peer never answers has a great many waiting."""
        _, chat = await self._chat("http://127.0.0.1:9/dead")
        with psycopg.connect(self._at.dsn("postgres"), autocommit=True) as root:
            root.execute("set session_replication_role = replica")
            root.execute(
                """insert into deliveries (user_id, conversation_id, channel_id, lane, kind, payload, state, due_at,
                                           give_up_at)
                   select c.user_id, c.conversation_id, c.channel_id, gen_random_uuid(), 'text',
                          '{"kind": "text", "text": "dead"}', 'waiting', now(), now() + interval '1 day'
                     from conversations c, generate_series(1, %s)
                    where c.user_id = %s and c.conversation_id = %s""",
                (DEAD, self._user.user_id, chat),
            )
        taken = []
        for number in range(100):
            await asyncio.sleep(0.02)
            text = f"beside {number}"
            await self._write(self.chats[number % CHANNELS], text)
            answered = asyncio.get_running_loop().time()
            taken.append(await _arrival(meta, text) - answered)
        self._sql("delete from deliveries where user_id = %s and state in ('waiting', 'blocked')")
        return taken

    async def ingest_beside(self, meta: Peer) -> tuple[float, float]:
        """Messages taken in a second: alone, and while 50 replies a second go out."""
        alone = [await self._ingest()]
        writing = asyncio.create_task(self._write_steadily())
        together = [await self._ingest()]
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        alone.append(await self._ingest())
        assert meta.seen
        return statistics.mean(alone), statistics.mean(together)

    async def _write_steadily(self) -> None:
        for number in range(100_000):
            began = asyncio.get_running_loop().time()
            await self._write(self.chats[number % CHANNELS], f"steady {number}")
            await asyncio.sleep(max(0.0, began + 0.02 - asyncio.get_running_loop().time()))

    async def _ingest(self) -> float:
        ends, taken = time.perf_counter() + SECONDS_OF_INGEST, 0

        async def post() -> None:
            nonlocal taken
            while time.perf_counter() < ends:
                taken += 1
                data = whatsapp(f"Oi {taken}", taken % 500, secrets.randbelow(1 << 60))
                async with self._http.post(
                    f"{self._at.api}/webhooks/whatsapp", data=data, headers=self._user.headers
                ) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(16)))
        return taken / (time.perf_counter() - began)

    async def _chat(self, base_url: str) -> tuple[str, str]:
        """A connected channel and a conversation on it, in which the customer has just written."""
        number = secrets.randbelow(10**8)
        channel = await self._call("POST", "/channels", {"type": "whatsapp", "name": "Loja"})
        body = {"provider": "waha", "base_url": base_url, "api_key": "key", "options": {"rate_per_second": 80}}
        await self._call("PUT", f"/channels/{channel['id']}/connection", body)
        contact = await self._call("POST", "/contacts", {"handle": f"+55119{number:08}", "channel_type": "whatsapp"})
        where = {"contact_id": contact["id"], "channel_id": channel["id"]}
        return channel["id"], (await self._call("POST", "/conversations", where))["id"]

    async def _write(self, chat: str, text: str) -> None:
        await self._call("POST", f"/conversations/{chat}/messages", {"body": text})

    async def _call(self, method: str, path: str, body: Any) -> Any:
        url = self._at.api + path
        async with self._http.request(method, url, json=body, headers=self._user.headers) as answer:
            if answer.status >= 300:
                raise SystemExit(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self._at.dsn("postgres"), autocommit=True) as root:
            root.execute(statement.encode(), (self._user.user_id,))

    def _count(self, condition: str) -> int:
        with psycopg.connect(self._at.dsn("postgres")) as root:
            row = root.execute(f"select count(*) from deliveries where {condition}".encode()).fetchone()
            return int(row[0]) if row else 0


def _cpu_seconds(pid: int) -> float:
    """What a process has used so far, both in user mode and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _arrival(meta: Peer, text: str, seconds: float = 10.0) -> float:
    """When the text came to the peer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                for seen in reversed(meta.seen):
                    if seen.text == text:
                        return seen.at
                await asyncio.sleep(0.001)
    raise SystemExit(f"{text!r} did not arrive")


if __name__ == "__main__":
    main()
