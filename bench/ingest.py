"""Messages taken in a second over HTTP, at several concurrencies: the micro-batch against one at a time."""

import asyncio
import itertools
import time
from collections import defaultdict

import aiohttp

from bench.ground import Service, User, service, show, sign_up, whatsapp

SECONDS = 1.5
TURNS = 2
CONCURRENCIES = (1, 8, 64)
SENDERS = 500
ONE_AT_A_TIME = "from alfred.crm import inbox\ninbox.MOST_IN_BATCH = 1"

_numbers = itertools.count()


def main() -> None:
    """Measure both by turns, and print."""
    rates: dict[tuple[int, bool], float] = defaultdict(float)
    with service() as batching, service(change=ONE_AT_A_TIME) as single:
        services = {True: (batching, sign_up(batching)), False: (single, sign_up(single))}
        for at, user in services.values():
            asyncio.run(_rate(at, user, 8, 1.0))
        for concurrency, _, batched in itertools.product(CONCURRENCIES, range(TURNS), services):
            rates[concurrency, batched] += asyncio.run(_rate(*services[batched], concurrency, SECONDS)) / TURNS
    ratios = [rates[concurrency, True] / rates[concurrency, False] for concurrency in CONCURRENCIES]
    rows = [
        (str(concurrency), f"{rates[concurrency, True]:.0f}", f"{rates[concurrency, False]:.0f}", f"{ratio:.2f}")
        for concurrency, ratio in zip(CONCURRENCIES, ratios, strict=True)
    ]
    show("messages/s, one a post; client, service and PostgreSQL share the cores",
         ("at once", "batch", "one by one", "ratio"), rows)  # fmt: skip
    print(f"batch / one by one at {CONCURRENCIES[-1]}: {ratios[-1]:.2f}")


async def _rate(at: Service, user: User, concurrency: int, seconds: float) -> float:
    """Messages answered in a second by so many clients that post one after the other."""
    deadline = time.perf_counter() + seconds
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(headers=user.headers, connector=connector) as http:

        async def client() -> int:
            done = 0
            while time.perf_counter() < deadline:
                number = next(_numbers)
                payload = whatsapp(f"Bom dia, a mesa {number} ainda está à venda?", number % SENDERS, number)
                async with http.post(f"{at.api}/webhooks/whatsapp", data=payload) as answer:
                    if answer.status != 200:
                        raise SystemExit(await answer.text())
                    await answer.read()
                done += 1
            return done

        began = time.perf_counter()
        done = await asyncio.gather(*(client() for _ in range(concurrency)))
        return sum(done) / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
