"""How long from a webhook's post to its frame on the live stream, beside the time of the post itself."""

import asyncio
import contextlib
import json
import random
import statistics
import time
from collections.abc import AsyncIterator

import aiohttp

from bench.ground import Service, User, service, show, sign_up, spread, whatsapp

MESSAGES = 200
WARM_UP = 10
PAUSE_SECONDS = 0.05


def main() -> None:
    """Measure, and print."""
    with service() as running:
        taken = asyncio.run(_measure(running, sign_up(running)))
    posts, frames, after = zip(*taken, strict=True)
    rows = [
        ("webhook post, sent to answered", *spread(posts)),
        ("webhook post, sent to frame", *spread(frames)),
        ("webhook answered to frame", *spread(after)),
    ]
    show(f"{len(taken)} urgent messages, one at a time", ("milliseconds", "median", "p95", "max"), rows)
    print(f"frame / post (medians): {statistics.median(frames) / statistics.median(posts):.2f}")


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
