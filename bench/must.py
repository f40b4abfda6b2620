"""What has to be reached, as ratios of two things measured by turns in one run: see bench/README.md.

python -m bench.must [--rival FOLDER --rival-python PYTHON] [--seconds 3] [--rounds 2] [--only ingest,page,...]
"""

import argparse
import asyncio
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import bus_drain, yardstick
from bench.ground import Service, post, service, show, sign_up
from bench.load import CHANNELS, Rate, noise, page, rate, webhooks
from bench.rival import Rival, rival

TENANTS, CONTACTS = 16, 100
NO_CONSUMERS = "from alfred.bus import Bus\nBus.subscribe = lambda self, consumer: None"
RULE = {"name": "x", "compiled": {"version": 1, "trigger": "message.received", "then": [{"action": "notify"}],
        "when": {"field": "message.text", "op": "contains", "value": "xylophone"}}}  # fmt: skip
Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Plan:
    """How long and how often is measured."""

    seconds: float
    rounds: int


def main() -> None:
    """Measure what was asked for, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rival", type=Path)
    asked.add_argument("--rival-python", default=sys.executable)
    asked.add_argument("--seconds", type=float, default=3)
    asked.add_argument("--rounds", type=int, default=2)
    asked.add_argument("--only", default="ingest,two,yardstick,consumers,page,drain,told")
    given = asked.parse_args()
    print(f"other processes use {noise():.1f} cores")
    rows = uvloop.run(_measure(given, Plan(given.seconds, given.rounds)))
    show("What must be reached", ("", "Alfred", "the other", "ratio", "must"), rows)
    print(f"other processes use {noise():.1f} cores")


async def _measure(given: argparse.Namespace, plan: Plan) -> list[tuple[str, ...]]:
    only = given.only.split(",")
    rows: list[tuple[str, ...]] = []
    with ExitStack() as stack:
        at = stack.enter_context(service(rate_limit="100000000"))
        users = [sign_up(at) for _ in range(TENANTS)]
        tokens = [user.headers["Authorization"].removeprefix("Bearer ") for user in users]
        make = webhooks(tokens, CONTACTS)
        await _meet(at.address, make)
        if given.rival is not None:
            with rival(given.rival, given.rival_python, at) as other:
                rows += await _beside(only, plan, (at, make, tokens[0]), other)
            if "two" in only:
                with (
                    service(at.home, rate_limit="100000000") as second,
                    rival(given.rival, given.rival_python, at, workers=2) as other,
                ):
                    theirs = webhooks([other.token() for _ in range(TENANTS)], CONTACTS)
                    both = [at.address, second.address]
                    pair = (_rates(both, make, 64, plan), _rates([other.address], theirs, 64, plan))
                    rows.append(await _ratio("ingest, 2 processes each, 64 clients", pair, plan, "2.5"))
        if "yardstick" in only:
            yardstick.lay(at)
            ids = [user.user_id for user in users]

            async def of_before() -> float:
                return await asyncio.to_thread(yardstick.per_second, at, ids, 16, int(plan.seconds))

            pair = (_rates([at.address], make, 16, plan), of_before)
            rows.append(
                await _ratio("ingest, 16 clients, against pgbench with the way in of before", pair, plan, "0.8")
            )
        if "drain" in only:
            rows += await bus_drain.drained(at)
        if "told" in only:
            rows.append(await bus_drain.told(at))
    if "consumers" in only:
        rows.append(await _consumers(plan))
    return rows


async def _beside(
    only: Sequence[str], plan: Plan, own: tuple[Service, Callable[[], bytes], str], other: Rival
) -> list[tuple[str, ...]]:
    """One process each."""
    at, make, token = own
    rows = []
    theirs = [other.token() for _ in range(TENANTS)]
    their_make = webhooks(theirs, CONTACTS)
    await _meet(other.address, their_make)
    if "ingest" in only:
        for clients, must in ((16, "2.0"), (64, "2.4")):
            pair = (_rates([at.address], make, clients, plan), _rates([other.address], their_make, clients, plan))
            rows.append(await _ratio(f"ingest, {clients} clients", pair, plan, must))
    if "page" in only:
        path = "/conversations?limit=50"
        for clients in (1, 8):
            pair = (
                _rates([at.address], page(token, path), clients, plan),
                _rates([other.address], page(theirs[0], path), clients, plan),
            )
            rows.append(await _ratio(f"inbox page of 50, {clients} clients", pair, plan, "2.0"))
    return rows


async def _consumers(plan: Plan) -> tuple[str, ...]:
    """A rule for each tenant, which is looked at for every message, against no consumer at all."""
    with service(rate_limit="100000000") as all_at_work, service(rate_limit="100000000", change=NO_CONSUMERS) as none:
        pair = []
        for at in (all_at_work, none):
            users = [sign_up(at) for _ in range(TENANTS)]
            for user in users:
                post(at, "/rules", RULE, user.headers)
            make = webhooks([user.headers["Authorization"].removeprefix("Bearer ") for user in users], CONTACTS)
            await _meet(at.address, make)
            pair.append(_rates([at.address], make, 16, plan))
        return await _ratio("ingest with all consumers and a rule each, against none", (pair[0], pair[1]), plan, "0.75")


async def _meet(address: str, make: Callable[[], bytes]) -> None:
    """Until every contact of every tenant has written on each of its channels: what is measured is known people."""
    left = float(TENANTS * CONTACTS * len(CHANNELS))
    while left > 0:
        left -= (await rate([address], make, 16, 1)).per_second


def _rates(addresses: Sequence[str], make: Callable[[], bytes], clients: int, plan: Plan) -> Measure:
    async def measure() -> float:
        found: Rate = await rate(addresses, make, clients, plan.seconds)
        return found.per_second

    return measure


async def _ratio(what: str, pair: tuple[Measure, Measure], plan: Plan, must: str) -> tuple[str, ...]:
    """By turns; the median of the rounds' ratios."""
    rounds = [(await pair[0](), await pair[1]()) for _ in range(plan.rounds)]
    own, other = (statistics.median(values) for values in zip(*rounds, strict=True))
    ratio = statistics.median(first / second for first, second in rounds)
    row = (what, f"{own:.0f}/s", f"{other:.0f}/s", f"{ratio:.2f}", must)
    print(*row, sep="  ", file=sys.stderr, flush=True)  # what is known stays known if the run is ended
    return row


if __name__ == "__main__":
    main()
