"""Open notification streams: memory and processor while nothing happens, and how soon a notification reaches all.

python -m bench.streams [--streams 5000] [--seconds 20]
"""

import argparse
import asyncio
import resource
import time
from urllib.parse import urlsplit

import psycopg
import uvloop

from bench.ground import Service, User, resident, service, show, sign_up
from bench.load import cpu_seconds, noise

USERS = 250
_TELL = """
insert into ai_events (user_id, type, message_id, payload)
select user_id, 'message.classified', app.uuid7(), '{"urgency": "high"}' from users where user_id = any (%s)
"""


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--streams", type=int, default=5000)
    asked.add_argument("--seconds", type=float, default=20)
    given = asked.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"other processes use {noise():.1f} cores")
    with service(bcrypt_cost="4", rate_limit="100000000") as at:
        users = [sign_up(at) for _ in range(USERS)]
        rows = uvloop.run(_measure(at, users, given.streams, given.seconds))
    show(f"{given.streams} streams of {USERS} users", ("", ""), rows)


async def _measure(at: Service, users: list[User], streams: int, seconds: float) -> list[tuple[str, str]]:
    roots = ([at.pid], [at.server_pid])
    memory, began = resident(at.pid), time.perf_counter()
    open_streams = [await _open(at, users[number % USERS]) for number in range(streams)]
    opened = time.perf_counter() - began
    await asyncio.sleep(2)
    each = (resident(at.pid) - memory) / streams
    before = [cpu_seconds(root) for root in roots]
    await asyncio.sleep(seconds)
    idle = [(cpu_seconds(root) - first) / seconds for root, first in zip(roots, before, strict=True)]
    first, last = await _tell(at, users, [reader for reader, _ in open_streams])
    return [
        ("opened in", f"{opened:.1f} s"),
        ("memory of each", f"{each:.1f} KB"),
        ("idle: service, of a core", f"{100 * idle[0]:.1f} %"),
        ("idle: PostgreSQL, of a core", f"{100 * idle[1]:.1f} %"),
        (f"a notification to each of {USERS} users: first, last of {streams} frames", f"{first:.2f}, {last:.2f} s"),
    ]


async def _open(at: Service, user: User) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The writer is kept: one that nobody has closes the connection."""
    place = urlsplit(at.api)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=4096)
    token = user.headers["Authorization"]
    head = f"GET {place.path}/notifications/stream HTTP/1.1\r\nHost: bench\r\nAuthorization: {token}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(answer.decode())
    return reader, writer


async def _tell(at: Service, users: list[User], readers: list[asyncio.StreamReader]) -> tuple[float, float]:
    """Seconds from the commit of the events until the first stream, and the last, has its notification."""
    waits = [asyncio.create_task(_hear(reader)) for reader in readers]
    await asyncio.sleep(1)
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(_TELL.encode(), ([user.user_id for user in users],))
        began = time.perf_counter()
        superuser.execute("select pg_notify('alfred_bus', '0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15')")
    heard = await asyncio.wait_for(asyncio.gather(*waits), 60)
    return min(heard) - began, max(heard) - began


async def _hear(reader: asyncio.StreamReader) -> float:
    """When a notification came."""
    while b"event: notification" not in (line := await reader.readline()):
        if not line:
            raise SystemExit("A stream ended.")
    return time.perf_counter()


if __name__ == "__main__":
    main()
