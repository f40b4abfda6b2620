"""Days of load, compressed: memory, connections, descriptors and the tables that are purged do not grow.

python -m bench.chaos.days [--hours 48] [--posts 300]

Each hour is a burst of messages, pages and logins; then the clock of service and PostgreSQL steps by an hour. All that
can be purged is kept for a day, so that from the 25th hour on as much goes as comes.
"""

import argparse
import asyncio
import sys
import time
import urllib.request
from pathlib import Path

import psycopg

from bench.chaos.clocks import MISSING, PASSED_ON, Clock, stepped
from bench.chaos.posts import Told, customer_of, numbers, send
from bench.ground import PASSWORD, Service, User, post, service, show

DAY = "86400"
KEPT_A_DAY = {f"keep_{kind}": DAY for kind in ("payloads", "events", "notifications", "matches", "suggestions")}
PURGED = ("ai_events", "message_payloads", "idempotency_keys")
SETTLED, GROWTH = 30, 1.15  # the hour by which all is as it stays; how much more is growth


def main() -> int:
    """Let hours pass, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--hours", type=int, default=48)
    asked.add_argument("--posts", type=int, default=300)
    given = asked.parse_args()
    with stepped() as clock:
        if clock is None:
            print(MISSING)
            return 2
        measured = _hours(clock, given.hours, given.posts)
    names = list(next(iter(measured.values())))
    rows = [(f"hour {hour}", *(f"{values[name]:,}" for name in names)) for hour, values in measured.items()]
    show("Hour after hour", ("", *names), rows)
    grown = _grown(measured)
    print("grown since hour 30: " + (", ".join(grown) or "nothing"))
    return int(bool(grown))


def _hours(clock: Clock, hours: int, posts: int) -> dict[int, dict[str, int]]:
    measured = {}
    with service(None, change=PASSED_ON, **SETTINGS) as at:
        user = customer_of(at)
        for hour in range(1, hours + 1):
            _an_hour(at, user, posts)
            clock.step(3600)
            if hour % 6 == 0:
                time.sleep(3)  # the removal looks each second
                measured[hour] = _measure(at)
    return measured


SETTINGS = {"rate_limit": "100000000", "retention_interval": "1", **KEPT_A_DAY}


def _an_hour(at: Service, user: User, posts: int) -> None:
    asyncio.run(send(at, user, numbers(posts), Told()))
    for number in range(5):
        post(at, "/auth/login", {"email": user.email, "password": PASSWORD})
        headers = user.headers | {"Idempotency-Key": f"{time.monotonic()}-{number}"}
        post(at, "/tasks", {"title": "Ligar"}, headers)
        request = urllib.request.Request(f"{at.api}/conversations?limit=50", headers=user.headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
    seen = urllib.request.Request(f"{at.api}/notifications/seen", b'{"all": true}', user.headers, method="POST")
    with urllib.request.urlopen(seen, timeout=30) as answer:
        answer.read()


def _measure(at: Service) -> dict[str, int]:
    """Resident MB, descriptors, connections of the database, and rows."""
    status = Path(f"/proc/{at.pid}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) // 1024
    values = {"MB": resident, "descriptors": len(list(Path(f"/proc/{at.pid}/fd").iterdir()))}
    with psycopg.connect(at.dsn("postgres")) as root:
        values["connections"] = _count(root, "pg_stat_activity where backend_type = 'client backend'")
        return values | {table: _count(root, table) for table in (*PURGED, "notifications")}


def _count(root: psycopg.Connection, where: str) -> int:
    row = root.execute(f"select count(*) from {where}".encode()).fetchone()
    return int(row[0]) if row else 0


def _grown(measured: dict[int, dict[str, int]]) -> list[str]:
    """What was more at the end than once all was settled."""
    later = [values for hour, values in measured.items() if hour >= SETTLED]
    first, last = later[0], later[-1]
    return [name for name, value in last.items() if value > first[name] * GROWTH + 2]


if __name__ == "__main__":
    sys.exit(main())
