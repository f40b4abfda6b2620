"""How long GET /health takes while 50 people log in at once, against an idle service."""

import asyncio
import contextlib
import http.client
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from urllib.parse import urlsplit

import aiohttp

from bench.ground import PASSWORD, User, milliseconds, percentile, service, show, sign_up

LOGINS = 50
IDLE_SECONDS = 4.0
PAUSE_SECONDS = 0.005
MOST_SECONDS = 22.0
MUST_MS = 4.5


def main() -> None:
    """Measure, and print."""
    with service() as running, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        user = sign_up(running)
        pool.submit(_log_in, running.api, user, 1).result()
        began = time.monotonic()
        idle = _look(running.address, lambda: time.monotonic() > began + IDLE_SECONDS)
        storm: Future[tuple[int, float]] = pool.submit(_log_in, running.api, user, LOGINS)
        busy = _look(running.address, storm.done)
        done, seconds = storm.result()
    rows = [(name, str(len(taken)), *_spread(taken)) for name, taken in (("idle", idle), (f"{LOGINS} logins", busy))]
    title = f"GET /health, milliseconds; {done} of {LOGINS} logins took {seconds:.1f} s"
    show(title, ("", "looks", "p50", "p99", "max"), rows)
    print(f"must: {MUST_MS} at the median beside {LOGINS} logins")
    print(f"storm / idle (medians): {statistics.median(busy) / statistics.median(idle):.2f}")


def _log_in(api: str, user: User, count: int) -> tuple[int, float]:
    """So many logins at once, from a process of their own; how many were answered in time, and how long that took."""

    async def run() -> tuple[int, float]:
        body = {"email": user.email, "password": PASSWORD}
        done = 0
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=count)) as http:

            async def log_in() -> None:
                nonlocal done
                async with http.post(f"{api}/auth/login", json=body) as answer:
                    if answer.status != 200:
                        raise RuntimeError(await answer.text())
                done += 1

            began = time.perf_counter()
            with contextlib.suppress(TimeoutError):  # a machine with other work: what was measured until then counts
                async with asyncio.timeout(MOST_SECONDS):
                    await asyncio.gather(*(log_in() for _ in range(count)))
            return done, time.perf_counter() - began

    return asyncio.run(run())


def _look(address: str, done: Callable[[], bool]) -> list[float]:
    """Ask for the health over one connection again and again until `done`; the seconds of each."""
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    taken = []
    while not done():
        time.sleep(PAUSE_SECONDS)
        began = time.perf_counter()
        connection.request("GET", "/health")
        connection.getresponse().read()
        taken.append(time.perf_counter() - began)
    connection.close()
    return taken


def _spread(taken: list[float]) -> tuple[str, str, str]:
    return milliseconds(statistics.median(taken)), milliseconds(percentile(taken, 0.99)), milliseconds(max(taken))


if __name__ == "__main__":
    main()
