"""kill -9 of the service, of PostgreSQL and of both while messages come in: how many are lost, and how many doubled.

python -m bench.chaos.kills [--rounds 10] [--posts 2000] [--kinds service,postgres,both]

Each round posts side by side, kills at a moment drawn by lot, starts again what is gone, posts what was not
acknowledged again, and some of what was, as messengers do. About eight seconds a round.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench.chaos.posts import Manner, Told, customer_of, found, numbers, send
from bench.ground import Service, User, fresh_home, service, show

AGAIN = 100  # of those that were acknowledged


def main() -> int:
    """Kill, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=10)
    asked.add_argument("--posts", type=int, default=2000)
    asked.add_argument("--kinds", default=",".join(KILLS))
    given = asked.parse_args()
    rows, bad = [], 0
    for kind in given.kinds.split(","):
        told, before, (lost, doubled) = asyncio.run(_rounds(kind, given.rounds, given.posts))
        bad += lost + doubled
        counts = (len(told.posted), before, len(told.acknowledged), lost, doubled)
        rows.append((f"{given.rounds} x kill -9 of {kind}", *(f"{count:,}" for count in counts)))
    show("Messages", ("", "posted", "acknowledged at the kill", "in the end", "lost", "doubled"), rows)
    return int(bad > 0)


async def _rounds(kind: str, rounds: int, posts: int) -> tuple[Told, int, tuple[int, int]]:
    told, before, user = Told(), 0, None
    with fresh_home() as home:
        for _ in range(rounds):
            todo = numbers(posts)
            with service(home, rate_limit="100000000") as at:
                user = user or customer_of(at)
                before += await _killed(at, user, todo, told, kind)
                if kind == "postgres":
                    await _again(at, user, todo, told)
            if kind != "postgres":
                with service(home, rate_limit="100000000") as at:
                    await _again(at, user, todo, told)
        with service(home) as at:
            assert user is not None
            return told, before, found(at, user, told.acknowledged)


async def _killed(at: Service, user: User, todo: list[int], told: Told, kind: str) -> int:
    """Until all is answered, or the service is gone; how many were acknowledged when it was killed."""
    due = at_kill = random.randint(len(todo) // 10, len(todo) * 3 // 4)

    def count() -> None:
        nonlocal due
        due -= 1
        if due == 0:
            KILLS[kind](at)

    await send(at, user, todo, told, Manner(until_gone=True, on_success=count))
    return at_kill


async def _again(at: Service, user: User, todo: list[int], told: Told) -> None:
    known = told.acknowledged.intersection(todo)
    await send(at, user, [*(set(todo) - known), *list(known)[:AGAIN]], told)


def _server(home: Path) -> int:
    """The pid of its PostgreSQL."""
    (file,) = home.glob("data[0-9]*/postmaster.pid")
    return int(file.read_text().split("\n", 1)[0])


def kill_service(at: Service) -> None:
    """Its PostgreSQL ends with it."""
    os.kill(at.pid, signal.SIGKILL)


def kill_postgres(at: Service) -> None:
    """The service starts it again."""
    os.kill(_server(at.home), signal.SIGKILL)


def kill_both(at: Service) -> None:
    """PostgreSQL first; the service cannot look after it."""
    os.kill(at.pid, signal.SIGSTOP)
    os.kill(_server(at.home), signal.SIGKILL)
    os.kill(at.pid, signal.SIGKILL)


KILLS: dict[str, Callable[[Service], None]] = {
    "service": kill_service,
    "postgres": kill_postgres,
    "both": kill_both,
}

if __name__ == "__main__":
    sys.exit(main())
