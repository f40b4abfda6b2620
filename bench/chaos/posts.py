"""Messages that are posted while something breaks, and what has become of them."""

import asyncio
import itertools
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psycopg

from bench.ground import Service, User, post, sign_up, whatsapp

CLIENTS = 16
TEXT = "Preciso disso hoje, é urgente!"
_COUNTS = """
select dedupe_key, count(*) from messages where user_id = %s and direction = 'inbound' group by 1
"""
_numbers = itertools.count(secrets.randbelow(1 << 40) << 20)


@dataclass
class Told:
    """What the clients know: the numbers that were posted, and those that were answered with a success."""

    posted: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)


def numbers(many: int) -> list[int]:
    """Of messages that were never posted before."""
    return list(itertools.islice(_numbers, many))


def customer_of(at: Service) -> User:
    """A new user, whose token neither ends nor looks at the clock."""
    user = sign_up(at)
    token = post(at, "/tokens", {"name": "chaos", "scopes": ["read", "write"]}, user.headers)["token"]
    return User(user.user_id, user.email, user.headers | {"Authorization": f"Bearer {token}"})


@dataclass(frozen=True)
class Manner:
    """How messages are posted: for how long, whether until the service is gone, and what follows a success."""

    seconds: float = 60
    until_gone: bool = False
    text: str = TEXT
    on_success: Callable[[], None] = lambda: None


async def send(at: Service, user: User, todo: Iterable[int], told: Told, manner: Manner = Manner()) -> None:
    """Post all, side by side, and each again until it is answered."""
    waiting = iter(list(todo))
    deadline = asyncio.get_running_loop().time() + manner.seconds
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:

        async def client() -> None:
            for number in waiting:
                told.posted.add(number)
                body = whatsapp(manner.text, number % 50, number)
                if await _insists(session, (at, user, body), deadline, manner):
                    told.acknowledged.add(number)
                    manner.on_success()

        await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _insists(
    session: aiohttp.ClientSession, what: tuple[Service, User, bytes], deadline: float, manner: Manner
) -> bool:
    at, user, body = what
    while asyncio.get_running_loop().time() < deadline:
        if await _accepted(session, at, user, body):
            return True
        if manner.until_gone and not _runs(at.pid):
            break
        await asyncio.sleep(0.1)
    return False


async def _accepted(session: aiohttp.ClientSession, at: Service, user: User, body: bytes) -> bool:
    try:
        async with session.post(f"{at.api}/webhooks/whatsapp", data=body, headers=user.headers) as answer:
            await answer.read()
            return answer.status < 300
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _runs(pid: int) -> bool:
    """Not a process that has ended and waits to be looked at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def found(at: Service, user: User, wanted: Collection[int]) -> tuple[int, int]:
    """How many of them are not there, and how many are there twice."""
    with psycopg.connect(at.dsn("postgres")) as root:
        counts: dict[str, int] = dict(root.execute(_COUNTS, [user.user_id]).fetchall())
    keys = {number: f"wamid.bench{number}" for number in wanted}
    lost = [number for number, key in keys.items() if key not in counts]
    return len(lost), sum(count > 1 for count in counts.values())
