"""The machine's clock steps, forward and back: messages are taken in, told of and shown once, as before.

python -m bench.chaos.clock [--posts 200]

Service and PostgreSQL run on a clock that the trial steps. An API token is used, which has no end.
"""

import argparse
import asyncio
import sys
import time

import psycopg

from bench.chaos.clocks import MISSING, PASSED_ON, Clock, stepped
from bench.chaos.posts import Told, customer_of, found, numbers, send
from bench.ground import Service, User, service, show

STEPS = {
    "one hour on": 3600,
    "one hour back": -3600,
    "ten minutes back": -600,
    "a day on": 86_400,
    "a day back": -86_400,
}
MOST_SECONDS = 30.0


def main() -> int:
    """Step, post, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--posts", type=int, default=200)
    given = asked.parse_args()
    with stepped() as clock:
        if clock is None:
            print(MISSING)
            return 2
        return _tried(clock, given.posts)


def _tried(clock: Clock, posts: int) -> int:
    with service(change=PASSED_ON, rate_limit="100000000") as at:
        user, told = customer_of(at), Told()
        rows = [_step((at, user, told), clock, name, posts) for name in ("as it is", *STEPS)]
        lost, doubled = found(at, user, told.acknowledged)
    show(
        "Messages around steps of the clock",
        ("", "seconds ahead", "posted", "acknowledged", "told of", "read after"),
        rows,
    )
    print(f"lost {lost}, doubled {doubled}")
    late = [row for row in rows if row[2] != row[3] or row[2] != row[4]]
    return int(lost > 0 or doubled > 0 or bool(late))


def _step(trial: tuple[Service, User, Told], clock: Clock, name: str, posts: int) -> tuple[str, ...]:
    at, user, told = trial
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as root:
        before, acknowledged = _told_of(root), len(told.acknowledged)
        clock.step(STEPS.get(name, 0))
        asyncio.run(send(at, user, numbers(posts), told))
        began = time.monotonic()
        while _told_of(root) < before + posts and time.monotonic() - began < MOST_SECONDS:
            time.sleep(0.05)
        moved = root.execute("select extract(epoch from now())").fetchone()
        counts = (
            round(float(moved[0]) - time.time()) if moved else 0,
            posts,
            len(told.acknowledged) - acknowledged,
            _told_of(root) - before,
        )
        return (name, *(f"{count:,}" for count in counts), f"{time.monotonic() - began:.1f} s")


def _told_of(root: psycopg.Connection) -> int:
    row = root.execute("select count(*) from notifications where type = 'urgent_message'").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
