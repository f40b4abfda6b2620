"""Heavy reading in processes of its own, so that the event loop never waits for what a stranger wrote."""

import asyncio
import math
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

from alfred.pipes import SIZE, framed
from alfred.turns import Turns

T = TypeVar("T")

PROCESSES = 2
MOST_WAITING = 32  # jobs; after them a first one of each of as many other tenants
MOST_OF_ONE = 8  # jobs of one tenant, of which one runs
LIGHT_SECONDS = 5.0  # who has used less lately goes first; half of it is forgotten in a minute
HALF_LIFE_SECONDS = 60.0
MOST_REMEMBERED = 10_000  # tenants
JOB_SECONDS = 15.0
REST_SECONDS = 60.0  # without work; then the processes end, and their memory is free
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")  # of the environment, which holds secrets


class WorkersBusy(Exception):
    """Too much heavy work waits already, of this tenant or of all."""


class TookTooLong(Exception):
    """The work was not done in time; its process was ended."""


class HeavyWork:
    """At most two processes, started when there is work; one job of a tenant at a time, light users first.

    What is run is a function of a module and values that can be pickled, and so is its result.
    """

    def __init__(self, seconds: float = JOB_SECONDS) -> None:
        self._seconds = seconds
        self._seats: list[Process | None] = [None] * PROCESSES
        self._processes = Turns(PROCESSES, 2 * MOST_WAITING)
        self._used: dict[UUID, tuple[float, float]] = {}  # seconds, and when they were counted
        self._waiting: Counter[UUID] = Counter()
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._rest: asyncio.TimerHandle | None = None
        self._thread = asyncio.Lock()

    async def run(self, user_id: UUID, work: Callable[..., T], *given: Any) -> T:
        """Do it elsewhere; what the work raises is raised here.

        Raises:
            WorkersBusy, TookTooLong.
        """
        with self._counted(user_id):
            async with (
                self._turns.setdefault(user_id, asyncio.Lock()),
                self._processes.turn(user_id, known=self._used_by(user_id) < LIGHT_SECONDS),
                self._seat() as process,
            ):
                began = monotonic()
                try:
                    async with asyncio.timeout(self._seconds):
                        succeeded, result = await _ask(process, (work, given))
                except TimeoutError:
                    raise TookTooLong from None
                finally:
                    self._use(user_id, monotonic() - began)
        if not succeeded:
            raise result
        done: T = result
        return done

    async def in_thread(self, work: Callable[..., T], *given: Any) -> T:
        """Do it in a thread, where too much would have to go to another process and back; one at a time.

        A thread that computes keeps the event loop waiting for some milliseconds each time, several do for much longer.
        """
        async with self._thread:
            return await asyncio.to_thread(work, *given)

    def close(self) -> None:
        """End the processes."""
        for place, process in enumerate(self._seats):
            if process is not None:
                _end(process)
            self._seats[place] = None

    def _counted(self, user_id: UUID) -> "_Counted":
        own, all_of_them = self._waiting[user_id], self._waiting.total()
        if own >= MOST_OF_ONE or all_of_them >= (MOST_WAITING if own else 2 * MOST_WAITING):
            raise WorkersBusy
        return _Counted(self._waiting, user_id)

    def _used_by(self, user_id: UUID) -> float:
        """Seconds of the processes that a tenant has had lately."""
        seconds, at = self._used.get(user_id, (0.0, 0.0))
        return seconds * math.pow(0.5, (monotonic() - at) / HALF_LIFE_SECONDS)

    def _use(self, user_id: UUID, seconds: float) -> None:
        self._used[user_id] = (self._used_by(user_id) + seconds, monotonic())
        if len(self._used) > MOST_REMEMBERED:
            self._used.clear()

    @asynccontextmanager
    async def _seat(self) -> AsyncIterator[Process]:
        """A process that has nothing to do; one whose work was not finished is ended, and started anew later."""
        process = self._taken() or await _started()
        try:
            yield process
        except BaseException:
            _end(process)
            raise
        self._seats[self._seats.index(None)] = process
        self._rest_later()

    def _taken(self) -> Process | None:
        for place, process in enumerate(self._seats):
            if process is not None:
                self._seats[place] = None
                if process.returncode is None:
                    return process
        return None

    def _rest_later(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, self.close)


class _Counted:
    """A job that waits or runs."""

    def __init__(self, counts: Counter[UUID], user_id: UUID) -> None:
        self._counts, self._user_id = counts, user_id

    def __enter__(self) -> None:
        self._counts[self._user_id] += 1

    def __exit__(self, *_: object) -> None:
        self._counts[self._user_id] -= 1
        if not self._counts[self._user_id]:
            del self._counts[self._user_id]


async def _started() -> Process:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(folder for folder in sys.path if folder)
    program = (sys.executable, "-S", "-P", "-m", "alfred.heavy_worker")  # no .pth files, nothing of the current folder
    # In a session of its own: after Ctrl-C the service finishes its requests, which may need this one.
    return await asyncio.create_subprocess_exec(
        *program, stdin=PIPE, stdout=PIPE, env=environment, limit=1 << 20, start_new_session=True
    )


async def _ask(process: Process, job: Any) -> Any:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(framed(job))
    await process.stdin.drain()
    size = int.from_bytes(await process.stdout.readexactly(SIZE))
    return pickle.loads(await process.stdout.readexactly(size))  # noqa: S301 it comes from our own process


def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
