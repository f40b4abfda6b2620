"""Work that calls other hosts: claimed under a lease, done outside any transaction, settled in a second one.

What calls are made of differs: webhooks, messages, files. What they share stands here: how many run at once, in all,
of one lane (a subscription, a channel) and of one tenant, so that a slow peer holds nobody else; how the worker wakes
up; how it ends.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from uuid import UUID, uuid4

import structlog

from alfred.db import Database, connection_lost
from alfred.queries import Db

log = structlog.get_logger()

# Where the loop is late by more than this, requests wait: the worker then waits so many times longer, up to a bound.
LATE_SECONDS = 0.01
PATIENCE = 8.0
MOST_PATIENCE_SECONDS = 0.15
PAUSE_SECONDS = 0.003  # between two looks: what ends or is queued meanwhile is claimed together
SWEEP_SECONDS = 1.0  # between two looks that nobody asked for
GOODBYE_SECONDS = 10.0  # for the calls under way when the process ends; then their leases tell


class Lease(Protocol):
    """What was claimed."""

    @property
    def user_id(self) -> UUID:
        """The tenant."""

    @property
    def lane(self) -> UUID:
        """What shares a peer."""


L = TypeVar("L", bound=Lease)


@dataclass(frozen=True)
class Room:
    """What a worker can take now: `most` in all, and what it has under way already."""

    worker: UUID
    most: int
    lanes: Mapping[UUID, int]
    tenants: Mapping[UUID, int]


@dataclass(frozen=True)
class Work(Generic[L]):
    """One kind of work. `work` makes the call and settles it; should it fail, the lease runs out.

    `due_in` tells in how many seconds there is more to claim, None where nothing waits.
    """

    name: str
    claim: Callable[[Db, Room], Awaitable[Sequence[L]]]
    work: Callable[[L], Awaitable[None]]
    due_in: Callable[[Db], Awaitable[float | None]]


def lease_seconds(deadline: float, longest: float | None) -> float:
    """Three times the deadline of a call, and at least 90 s unless a setting shortens the deadlines."""
    return max(3 * deadline, 90.0) if longest is None else 3 * min(deadline, longest)


class Worker(Generic[L]):
    """Claims what is due and works on it, so many at once."""

    def __init__(self, work: Work[L], database: Database, *, calls: int) -> None:
        self._work = work
        self._database = database
        self._calls = calls
        self._id = uuid4()
        self._under_way: dict[asyncio.Task[None], L] = {}
        self._wake = asyncio.Event()
        self._due_in: float | None = None
        self._expected = False

    def poke(self) -> None:
        """There may be something due."""
        self._wake.set()

    def expect(self) -> None:
        """A transaction of this process is about to add rows."""
        self._expected = True

    def heard(self) -> None:
        """A transaction of this process was committed: perhaps that one."""
        if self._expected:
            self._expected = False
            self.poke()

    async def run(self) -> None:
        """Claim and begin until cancelled; while PostgreSQL is away, wait for it."""
        while True:
            try:
                async with asyncio.timeout(min(SWEEP_SECONDS, self._due_in or SWEEP_SECONDS)):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                if await self._claim():
                    self._wake.set()
            except Exception as error:
                log.warning(
                    "worker_waits",
                    work=self._work.name,
                    error=repr(error),
                    exc_info=None if connection_lost(error) else error,
                )
                await asyncio.sleep(SWEEP_SECONDS)
            await _let_others_go_first()

    async def close(self) -> None:
        """Give the calls under way some time; call it when nothing is claimed any more."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=GOODBYE_SECONDS)
            for task in late:
                task.cancel()

    async def _claim(self) -> bool:
        """Claim what there is room for, and begin; whether to claim again at once."""
        most = self._calls - len(self._under_way)
        if most <= 0:
            return False  # the first that ends wakes this up
        leases = self._under_way.values()
        lanes, tenants = Counter(each.lane for each in leases), Counter(each.user_id for each in leases)
        async with self._database.as_service() as db:
            claimed = await self._work.claim(db, Room(self._id, most, lanes, tenants))
            self._due_in = None if claimed else await self._work.due_in(db)
        for lease in claimed:
            task = asyncio.create_task(self._do(lease))
            self._under_way[task] = lease
            task.add_done_callback(self._ended)
        return bool(claimed)

    async def _do(self, lease: L) -> None:
        try:
            await self._work.work(lease)
        except Exception as error:
            log.warning(
                "work_failed",
                work=self._work.name,
                error=repr(error),
                exc_info=None if connection_lost(error) else error,
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._wake.set()


async def _let_others_go_first() -> None:
    """A moment; a longer one while the process is busy with requests: what is sent may lag, what comes in may not."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(PAUSE_SECONDS)
    late = loop.time() - began - PAUSE_SECONDS
    if late > LATE_SECONDS:
        await asyncio.sleep(min(late * PATIENCE, MOST_PATIENCE_SECONDS))
