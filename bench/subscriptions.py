"""What telling others costs: ingest with webhooks out against without, and how long an event takes to each tap."""

import asyncio
import contextlib
import itertools
import json
import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import psycopg
from aiohttp import web

from bench.ground import Service, User, milliseconds, percentile, post, resident, service, show, sign_up, whatsapp

TENANTS = 20
CLIENTS = 16
SECONDS = 3.0
TURNS = 2
SINGLES = 60
STREAMS = 2000
STREAMS_OF_ONE = 20

_numbers = itertools.count()


class Receiver:
    """A URL on loopback: when each event came; one path hangs."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        self.base = ""

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        if request.path == "/hangs":
            await asyncio.sleep(20)
        text = json.loads(raw)["data"].get("message", {}).get("body", "")
        self.came.setdefault(text, time.perf_counter())
        return web.Response()


def main() -> None:
    """Measure, and print."""
    with service(private_targets="127.0.0.0/8") as at:
        asyncio.run(_measured(at))


async def _measured(at: Service) -> None:
    async with _receiving() as receiver:
        quiet, loud = [sign_up(at) for _ in range(TENANTS)], [sign_up(at) for _ in range(TENANTS)]
        for user in loud:
            post(at, "/subscriptions", {"url": f"{receiver.base}/all", "events": ["*"]}, user.headers)
        await _rate(at, quiet, 1.0)
        await _ingest(at, quiet, loud)
        single = sign_up(at)
        post(at, "/subscriptions", {"url": f"{receiver.base}/one", "events": ["message.received"]}, single.headers)
        rows = [("webhook in to webhook out", *await _singles(at, single, receiver))]
        slow = sign_up(at)
        post(at, "/subscriptions", {"url": f"{receiver.base}/hangs", "events": ["*"]}, slow.headers)
        await _rate(at, [slow], 1.0)
        rows.append(("the same beside one that hangs", *await _singles(at, single, receiver)))
        rows.append(("webhook in to frame of /events/stream", *await _frames(at, single)))
        load = asyncio.create_task(_rate(at, quiet, 60.0, pause=CLIENTS / 200))
        await asyncio.sleep(0.5)
        rows.append(("the same beside 200 messages/s", *await _frames(at, single)))
        load.cancel()
        show("from a message's post, in milliseconds", ("", "median", "p99"), rows)
        await _streams(at)


async def _ingest(at: Service, quiet: Sequence[User], loud: Sequence[User]) -> None:
    """By turns, without and with a subscription of `*` for each tenant; then until all is delivered."""
    rates: dict[bool, list[float]] = {False: [], True: []}
    behind = []
    for _ in range(TURNS):
        rates[False].append(await _rate(at, quiet, SECONDS))
        rates[True].append(await _rate(at, loud, SECONDS))
        behind.append(await _until_all_is_delivered(at))
    without, with_all = statistics.mean(rates[False]), statistics.mean(rates[True])
    rows = [("messages/s", f"{without:.0f}", f"{with_all:.0f}", f"{with_all / without:.2f}")]
    show(f"{CLIENTS} clients, {TENANTS} tenants", ("", "no subscription", "one of * each", "ratio"), rows)
    print(f"all delivered after the load, in seconds: {', '.join(f'{each:.1f}' for each in behind)}")


async def _until_all_is_delivered(at: Service) -> float:
    """Seconds."""
    began = time.perf_counter()
    for _ in range(600):
        if not _waiting(at):
            break
        await asyncio.sleep(0.1)
    return time.perf_counter() - began


def _waiting(at: Service) -> int:
    with psycopg.connect(at.dsn("postgres")) as db:
        row = db.execute(
            """select (select count(*) from webhook_deliveries where state in ('waiting', 'sending'))
                    + (select count(*) from event_backlog where consumer = 'subscriptions')
                    + (select count(*) from ai_events e where e.created_at > now() - interval '1 second'
                          and exists (select from subscriptions s where s.user_id = e.user_id))"""
        ).fetchone()
    return int(row[0]) if row else 0


async def _rate(at: Service, users: Sequence[User], seconds: float, pause: float = 0.0) -> float:
    """Messages answered in a second; each client posts one after the other, perhaps with a pause."""
    deadline = time.perf_counter() + seconds
    async with aiohttp.ClientSession() as http:

        async def client(user: User) -> int:
            done = 0
            while time.perf_counter() < deadline:
                number = next(_numbers)
                payload = whatsapp(f"load {number}", number % 200, number)
                async with http.post(f"{at.api}/webhooks/whatsapp", data=payload, headers=user.headers) as answer:
                    if answer.status != 200:
                        raise SystemExit(await answer.text())
                    await answer.read()
                done += 1
                await asyncio.sleep(pause)
            return done

        began = time.perf_counter()
        done = await asyncio.gather(*(client(users[number % len(users)]) for number in range(CLIENTS)))
        return sum(done) / (time.perf_counter() - began)


async def _singles(at: Service, user: User, receiver: Receiver) -> tuple[str, str]:
    return await _delays(at, user, receiver.came.get)


async def _frames(at: Service, user: User) -> tuple[str, str]:
    came: dict[str, float] = {}
    timeout = aiohttp.ClientTimeout(total=None)
    url = f"{at.api}/events/stream?types=message.received"
    async with aiohttp.ClientSession(headers=user.headers) as http, http.get(url, timeout=timeout) as stream:

        async def read() -> None:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    came[json.loads(line[6:])["data"]["message"]["body"]] = time.perf_counter()

        reading = asyncio.create_task(read())
        try:
            return await _delays(at, user, came.get)
        finally:
            reading.cancel()


async def _delays(at: Service, user: User, came: Callable[[str], float | None]) -> tuple[str, str]:
    """Median and p99 from the post of a message to when it is told, one message at a time."""
    delays = []
    async with aiohttp.ClientSession(headers=user.headers) as http:
        for number in range(SINGLES + 5):
            text = f"single {next(_numbers)}"
            began = time.perf_counter()
            payload = whatsapp(text, number % 20, next(_numbers))
            async with http.post(f"{at.api}/webhooks/whatsapp", data=payload) as answer:
                await answer.read()
            arrived = None
            while arrived is None and time.perf_counter() < began + 20:
                await asyncio.sleep(0.001)
                arrived = came(text)
            if number >= 5:
                delays.append((arrived or time.perf_counter()) - began)
            await asyncio.sleep(0.02)
    return milliseconds(statistics.median(delays)), milliseconds(percentile(delays, 0.99))


async def _streams(at: Service) -> None:
    """Memory of open streams."""
    users = [sign_up(at) for _ in range(STREAMS // STREAMS_OF_ONE)]
    before = resident(at.pid)
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    session = aiohttp.ClientSession(connector=connector, timeout=timeout)
    async with session as http, contextlib.AsyncExitStack() as stack:
        for user in users:
            for _ in range(STREAMS_OF_ONE):
                opened = http.get(f"{at.api}/events/stream", headers=user.headers)
                await (await stack.enter_async_context(opened)).content.readline()
        await asyncio.sleep(1)
        each = (resident(at.pid) - before) / STREAMS
    print(f"{STREAMS} open event streams: {each:.1f} KB each")


@contextlib.asynccontextmanager
async def _receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{name}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    main()
