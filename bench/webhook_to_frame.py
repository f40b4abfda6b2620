"""How long from a webhook's post to its frame on the live stream, beside the time of the post itself.

Once with nothing else to do, and once beside half of the posts that 16 clients of other tenants get answered at most.
"""

import asyncio
import contextlib
import json
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable

import aiohttp

from bench.ground import Service, User, service, show, sign_up, whatsapp
from bench.load import rate, webhooks

MESSAGES = 300
WARM_UP = 10
PAUSE_SECONDS = 0.05
TENANTS, CONTACTS, CLIENTS = 16, 100, 16
SECONDS = 4.0


def main() -> None:
    """Measure, and print."""
    with service(rate_limit="100000000") as running:
        others = [sign_up(running) for _ in range(TENANTS)]
        make = webhooks([other.headers["Authorization"].removeprefix("Bearer ") for other in others], CONTACTS)
        asyncio.run(rate([running.address], make, CLIENTS, SECONDS))
        most = asyncio.run(rate([running.address], make, CLIENTS, SECONDS)).per_second
        _tell("one at a time", asyncio.run(_measure(running, sign_up(running))))
        taken = asyncio.run(_beside(running, sign_up(running), make, most / 2))
        _tell(f"beside {most / 2:.0f} posts a second (must: 15 to the frame at the median, 60 at p99)", taken)


def _tell(how: str, taken: list[tuple[float, float, float]]) -> None:
    posts, frames, after = zip(*taken, strict=True)
    rows = [
        ("webhook post, sent to answered", *_spread(posts)),
        ("webhook post, sent to frame", *_spread(frames)),
        ("webhook answered to frame", *_spread(after)),
    ]
    show(f"{len(taken)} urgent messages, {how}", ("milliseconds", "median", "p99", "max"), rows)
    print(f"frame / post (medians): {statistics.median(frames) / statistics.median(posts):.2f}")


def _spread(seconds: tuple[float, ...]) -> tuple[str, str, str]:
    ordered = sorted(1000 * each for each in seconds)
    chosen = (ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1])
    return tuple(f"{each:.1f}" for each in chosen)  # type: ignore[return-value]


async def _beside(
    running: Service, user: User, make: Callable[[], bytes], pace: float
) -> list[tuple[float, float, float]]:
    load = asyncio.create_task(rate([running.address], make, CLIENTS, MESSAGES * PAUSE_SECONDS * 2, pace=pace))
    await asyncio.sleep(1)
    taken = await _measure(running, user)
    await load
    return taken


async def _measure(running: Service, user: User) -> list[tuple[float, float, float]]:
    """Seconds of the post, to the frame, and from answer to frame, of each message."""
    taken: list[tuple[float, float, float]] = []
    async with aiohttp.ClientSession(headers=user.headers) as http, _frames(http, running) as frames:
        for number in range(MESSAGES + WARM_UP):
            text = f"Preciso disso hoje, é urgente! {number}"
            payload = whatsapp(text, number % 20, number)
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
            began = time.perf_counter()
            async with http.post(f"{running.api}/webhooks/whatsapp", data=payload) as answer:
                await answer.read()
            answered = time.perf_counter()
            arrived, body = await asyncio.wait_for(frames.get(), 5)
            if answer.status != 200 or body != text:
                raise SystemExit(f"{answer.status}: {body!r} came for {text!r}")
            if number >= WARM_UP:
                taken.append((answered - began, arrived - began, arrived - answered))
    return taken


@contextlib.asynccontextmanager
async def _frames(http: aiohttp.ClientSession, running: Service) -> AsyncIterator["asyncio.Queue[tuple[float, str]]"]:
    """The stream's notifications as they arrive: when, and their body."""
    queue: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
    timeout = aiohttp.ClientTimeout(total=None)

    async with http.get(f"{running.api}/notifications/stream", timeout=timeout) as stream:

        async def read() -> None:
            async for line in stream.content:
                if line.startswith(b"data: "):
                    queue.put_nowait((time.perf_counter(), json.loads(line[6:])["body"]))

        reading = asyncio.create_task(read())
        try:
            yield queue
        finally:
            reading.cancel()


if __name__ == "__main__":
    main()
