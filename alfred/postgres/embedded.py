"""Owns the server, joins another process's, or takes it over when that is gone."""

import contextlib
import fcntl
import os
import signal
import subprocess as sp
import threading
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from alfred.postgres import cluster
from alfred.postgres.account import Account, Unavailable
from alfred.postgres.binaries import find, reachable
from alfred.postgres.folders import admit, check_private, make_private, open_home, resident, sockets_of

TICK = 0.02  # seconds between two looks while something starts
LOOK = 0.5  # seconds between two looks at a server that runs
RETRY = 5.0  # seconds between two tries to start it, at most


def tell(level: str, event: str, **fields: Any) -> None:
    """A line of the log, which most processes that keep a server never write."""
    import structlog

    getattr(structlog.get_logger(__name__), level)(event, **fields)


class Embedded:
    """One server per home. A kernel's lock, freed even by kill -9, says which process owns it."""

    def __init__(
        self,
        home: Path,
        *,
        binaries: Path | None = None,
        options: Sequence[str] = (),
        account: str | None = None,
        guests: Callable[[Account], dict[str, Sequence[str]]] | None = None,
    ) -> None:
        self.home = home.resolve()
        self.owner = False
        self.binaries, self.wanted_account = binaries, account
        self._options, self.tell = tuple(options), tell
        self._guests = guests  # whom root's server lets in besides root and its own account
        self._sockets = sockets_of(self.home)
        self._log = self.home / "postgres.log"
        self._lock: int | None = None
        self._server: sp.Popen[bytes] | cluster.Inherited | None = None
        self._stopped = False

    def dsn(self, user: str, database: str) -> str:
        """For asyncpg and libpq; says the port, else PGPORT in the environment would."""
        from urllib.parse import quote  # which root's keeper does without

        host = quote(str(self._sockets), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}&port=5432"

    def start(self) -> bool:
        """Blocks until the server accepts connections; True if this process owns it. Main thread only."""
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("the server ends with the thread that starts it: call this in the main thread")
        self._stopped = False
        try:
            with contextlib.closing(self._explained(self._enter())) as steps:
                for _ in steps:
                    time.sleep(TICK)
        except BaseException:
            self.stop()
            raise
        return self.owner

    async def keep(self) -> None:
        """`watch`, on an event loop."""
        import asyncio  # which root's keeper does without

        with contextlib.closing(self.watch()) as looks:
            for seconds in looks:
                await asyncio.sleep(seconds)

    def watch(self) -> Generator[float, None, None]:
        """Takes the server over when its owner is gone, starts it again when it died; ends after `stop`.

        Yields for how many seconds to wait.
        """
        pause = LOOK
        while True:
            yield pause
            if self._stopped:
                return
            well = self._is_well() or (yield from self._revive())
            pause = LOOK if well else min(2 * pause, RETRY)

    def stop(self) -> None:
        """Ends the server if this process owns it; a joiner only lets go."""
        self._stopped = True
        self._end()

    @property
    def account(self) -> Account:
        """Whom the server runs as."""
        return resident(self.home, self.wanted_account)

    def disown(self) -> None:
        """In a fork of the owner: the server is not this process's."""
        self._server, self.owner = None, False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def leave(self) -> tuple[int | None, int | None]:
        """The lock's descriptor and the server's pid, for the program that this process becomes: it takes them up."""
        if self._lock is not None:
            os.set_inheritable(self._lock, True)
        return self._lock, self._server.pid if self._server else None

    def take_up(self, lock: int | None, server: int | None) -> None:
        """What the program before this one has left."""
        if lock is not None:
            os.set_inheritable(lock, False)
        self._lock, self.owner = lock, lock is not None
        self._server = None if server is None else cluster.Inherited(server)

    def _end(self) -> None:
        if self._server and self._server.poll() is None:
            # A "fast" shutdown, and should that hang an "immediate" one, which the next start mends.
            for sign in (signal.SIGINT, signal.SIGQUIT):
                self._server.send_signal(sign)
                with contextlib.suppress(sp.TimeoutExpired):
                    self._server.wait(8)
                    break
            else:
                self.tell("error", "postgres_not_stopped", pid=self._server.pid, log=str(self._log))
        self._server, self.owner = None, False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _is_well(self) -> bool:
        """Also while another process owns it."""
        try:
            if self._server is None:
                return not self._claim()
        except OSError as error:  # no file descriptor left, say: look again later
            self.tell("warning", "postgres_lock_not_tried", reason=str(error))
            return True
        if self._server.poll() is None:
            return True
        self.tell("error", "postgres_died", status=self._server.returncode, log=str(self._log))
        return False

    def _revive(self) -> Generator[float, None, bool]:
        began = time.monotonic()
        try:
            with contextlib.closing(self._explained(self._bring_up())) as steps:
                for _ in steps:
                    yield TICK
                    if self._stopped:
                        return True
        except Unavailable as error:
            self.tell("error", "postgres_not_started", reason=str(error))
            self._end()  # lets go: another process may have more luck
            return False
        self.tell("warning", "postgres_started", home=str(self.home), seconds=round(time.monotonic() - began, 2))
        return True

    def _enter(self) -> Generator[None, None, None]:
        """Yields while it waits, as all its steps do: a blocking caller and a loop can both drive it."""
        open_home(self.home, self.wanted_account)
        deadline = time.monotonic() + cluster.PATIENCE
        while not self._claim():
            if self._accepts():
                return
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"another process owns PostgreSQL in {self.home}, but it does not answer, see {self._log}"
                )
            yield
        yield from self._bring_up()

    def _bring_up(self) -> Generator[None, None, None]:
        account = resident(self.home, self.wanted_account)
        binaries = reachable(find(self.binaries), account, self.home)
        data = self.home / f"data{binaries.major}"
        yield from cluster.vacate(data)
        yield from cluster.initialise(data, binaries, account, self._log)
        make_private(self._sockets, account)
        for left in self._sockets.glob(".s.PGSQL.*"):
            left.unlink()
        guests = self._guests(account) if self._guests and not os.geteuid() else {}
        door = admit(self.home, account, guests, any_role=binaries.major >= 16)
        place = ("-k", self._sockets, "-p", "5432")
        self._server = cluster.serve(data, binaries, account, self._log, *self._options, *place, *door)
        yield from cluster.await_ready(self._server, data, self._log)

    def _explained(self, steps: Generator[None, None, None]) -> Generator[None, None, None]:
        try:
            yield from steps
        except (OSError, sp.SubprocessError) as error:
            raise Unavailable(f"PostgreSQL cannot run in {self.home}: {error}") from error

    def _claim(self) -> bool:
        lock = os.open(self.home / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock, self.owner = lock, True
        return True

    def _accepts(self) -> bool:
        import psycopg  # only who joins needs it

        try:
            check_private(self._sockets, resident(self.home, self.wanted_account))
            psycopg.connect(self.dsn("postgres", "postgres"), connect_timeout=3).close()
        except (FileNotFoundError, psycopg.OperationalError):
            return False
        return True
