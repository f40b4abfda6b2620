"""The pool, and the hats that its transactions wear: acting_as(user_id) or as_service()."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import structlog

from alfred.json_text import json_text
from alfred.terms import REQUESTS_ALONE

if TYPE_CHECKING:
    from alfred.queries import Db, Query, Row

log = structlog.get_logger()

CONNECT_SECONDS = 3.0
WAIT_SECONDS = 5.0
# A row that somebody else holds is waited for this long; migrations/ have the same for the way in.
LOCK_MILLISECONDS = 3000
# A list whose filters are optional, and tenants of a hundred rows and of a million: no one plan is good for all.
_PLANNED = "set local plan_cache_mode = force_custom_plan"
_ENDED = frozenset({"COMMIT", "ROLLBACK"})
_LOST_STATES = ("08", "57P", "25006")


class Away(Exception):
    """PostgreSQL cannot be reached, or did not answer in time: try again later."""


class UnknownUser(Exception):
    """The user whose hat was asked for is not there (any more)."""


class UnsafeRole(Exception):
    """The login could see past row level security; the text is for the operator."""


def connection_lost(error: BaseException) -> bool:
    """Whether the connection is what failed, rather than the statement."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_LOST_STATES)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | asyncpg.InternalClientError | Away)


async def prepare(connection: Any) -> None:
    """Values of jsonb and json are Python values on both sides."""
    for name in ("jsonb", "json"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=json_text, decoder=json.loads)


async def _leave_as_is(_connection: Any) -> None:
    """Nothing here sets session state, so a connection comes back clean: no round-trip to reset it."""


@dataclass
class _Share:
    """A tenant's turns, and how many have one or wait for one."""

    turns: asyncio.Semaphore
    interested: int = 0


class Database:
    """One login's connections to one PostgreSQL (or to whichever of several hosts is the primary)."""

    def __init__(self, dsn: str, *, size: int, service: "Database | None" = None) -> None:
        self._dsn = dsn
        self._service = service or self  # the login that may do what concerns all tenants
        self._size = size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._abandoned: set[asyncio.Task[None]] = set()
        # What one tenant waits for must not keep the others from the pool.
        self._share = max(1, size * 3 // 4)
        self._shares: dict[UUID, _Share] = {}

    def place(self) -> str:
        return urlsplit(self._dsn).netloc.rpartition("@")[2] or "its socket"

    async def open(self) -> None:
        """Connect, at least once."""
        self._pool = await asyncpg.create_pool(
            self._dsn,
            min_size=1,
            max_size=self._size,
            init=prepare,
            reset=_leave_as_is,
            timeout=CONNECT_SECONDS,
            server_settings={} if self._service is self else {"application_name": REQUESTS_ALONE},
            max_inactive_connection_lifetime=300,
        )

    async def close(self) -> None:
        """Let the last statements finish, then hang up."""
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=WAIT_SECONDS)
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 2)
            except TimeoutError:
                self._pool.terminate()

    def pool_state(self) -> dict[str, int]:
        """Connections in use, idle, and how many there may be."""
        if self._pool is None:
            return {"used": 0, "idle": 0, "most": self._size}
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        return {"used": size - idle, "idle": idle, "most": self._size}

    @asynccontextmanager
    async def acting_as(self, user_id: UUID) -> AsyncIterator["Db"]:
        """A transaction under one tenant's hat; commits at the end, rolls back on any exception.

        Raises:
            UnknownUser: there is no such user.
            Away: PostgreSQL did not answer; what was written may or may not be kept.
        """
        async with (
            self._share_of(user_id),
            self._transaction(f"{_begin(LOCK_MILLISECONDS)}; {_PLANNED}; select app.act_as('{user_id}')") as db,
        ):
            yield db

    def without_hat(self, lock_milliseconds: int) -> AbstractAsyncContextManager["Db"]:
        """The same of this very login."""
        return self._transaction(_begin(lock_milliseconds))

    @asynccontextmanager
    async def as_service(self, *, lock_milliseconds: int = LOCK_MILLISECONDS) -> AsyncIterator["Db"]:
        """A transaction without a tenant: sees no tenant's row except through the service functions."""
        async with self._service.without_hat(lock_milliseconds) as db:
            yield db

    @asynccontextmanager
    async def _share_of(self, user_id: UUID) -> AsyncIterator[None]:
        """One of the tenant's turns at the pool."""
        share = self._shares.setdefault(user_id, _Share(asyncio.Semaphore(self._share)))
        share.interested += 1
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await share.turns.acquire()
            except TimeoutError:
                raise Away("the tenant has too many transactions open") from None
            try:
                yield
            finally:
                share.turns.release()
        finally:
            share.interested -= 1
            if not share.interested:
                del self._shares[user_id]

    async def once(self, query: "Query", **given: Any) -> Any:
        """The value of one statement that is a transaction of its own: a single round-trip.

        Raises:
            Away: PostgreSQL did not answer in time; the statement may or may not have been kept.
        """
        row = await self.find(query, **given)
        return None if row is None else row[0]

    async def find(self, query: "Query", **given: Any) -> "Row | None":
        """The first row of such a statement."""
        row: Row | None = await self._alone(query.one, given)
        return row

    async def rows(self, query: "Query", **given: Any) -> "list[Row]":
        """Every row of such a statement."""
        rows: list[Row] = await self._alone(query.all, given)
        return rows

    async def service_rows(self, query: "Query", **given: Any) -> "list[Row]":
        """The same without a tenant, as `as_service` sees the database."""
        return await self._service.rows(query, **given)

    async def _alone(self, run: Callable[..., Coroutine[Any, Any, Any]], given: dict[str, Any]) -> Any:
        connection = await self._acquired()
        work = asyncio.create_task(run(connection, **given))
        try:
            done, _ = await asyncio.wait({work}, timeout=WAIT_SECONDS)
            if not done:
                raise Away("the statement took too long")
            try:
                return work.result()
            except Exception as error:
                raise _translated(error) from error
        finally:
            fault = work.exception() if work.done() else Away()
            if fault is None or not connection_lost(fault):
                await self._release(connection)
            else:
                self._abandon(connection, work)

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator["Db"]:
        connection = await self._acquired()
        ending: asyncio.Task[str] | None = None
        try:
            try:
                await connection.execute(begin, timeout=WAIT_SECONDS)
                yield connection
            except BaseException as error:
                ending = asyncio.create_task(self._roll_back(connection))
                await asyncio.wait({ending}, timeout=WAIT_SECONDS)
                raise _translated(error) from error
            ending = asyncio.create_task(connection.execute("commit"))
            # `wait` leaves the task alone when it times out or is cancelled: a cancelled COMMIT may be
            # visible on the primary and yet lost with it.
            done, _ = await asyncio.wait({ending}, timeout=WAIT_SECONDS)
            if not done:
                raise Away("the commit took too long")
            if ending.result() != "COMMIT":
                raise RuntimeError("the transaction had failed, and was rolled back")
        finally:
            if ending is not None and ending.done() and ending.exception() is None and ending.result() in _ENDED:
                await self._release(connection)
            else:
                self._abandon(connection, ending)

    async def _acquired(self) -> Any:
        """A connection of the pool. Asked for its timeout, the pool would make a task for each."""
        if self._pool is None:
            raise Away("the pool is not open")
        async with asyncio.timeout(WAIT_SECONDS):
            return await self._pool.acquire()

    async def _release(self, connection: Any) -> None:
        assert self._pool is not None
        await self._pool.release(connection, timeout=WAIT_SECONDS)

    def _abandon(self, connection: Any, ending: "asyncio.Task[Any] | None") -> None:
        """Terminate a connection whose transaction did not end cleanly, once its last statement has an answer."""
        task = asyncio.create_task(self._terminate(connection, ending))
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)

    async def _terminate(self, connection: Any, ending: "asyncio.Task[Any] | None") -> None:
        if ending is not None:
            await asyncio.wait({ending}, timeout=60)
            log.warning("connection_abandoned", error=repr(ending.exception()) if ending.done() else "no answer")
        with suppress(asyncpg.InterfaceError):  # the pool was closed meanwhile, and has ended it
            connection.terminate()
            await self._release(connection)

    @staticmethod
    async def _roll_back(connection: Any) -> str:
        try:
            return str(await connection.execute("rollback", timeout=2))
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ):
            return "LOST"


def held_by_others(error: BaseException) -> bool:
    """Whether the statement gave up because somebody else holds a lock that it needs."""
    return isinstance(error, asyncpg.LockNotAvailableError | asyncpg.DeadlockDetectedError)


def _begin(lock_milliseconds: int) -> str:
    """One message, and nothing of the session: it holds for the transaction only."""
    return f"begin; set local lock_timeout = {lock_milliseconds}"


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate == "AL401":
        return UnknownUser()
    return error


def refuse_unsafe(role: "Row") -> None:
    """Make sure that row level security binds a login, as `sql.health.login` tells of it.

    Raises:
        UnsafeRole: it is a superuser, bypasses row level security, or owns the tables.
    """
    for fault, words in (
        ("rolsuper", "is a superuser"),
        ("rolbypassrls", "has BYPASSRLS"),
        ("owns", "owns the tables"),
    ):
        if role[fault]:
            raise UnsafeRole(
                f"the login {role['name']} {words}: row level security would not bind it. "
                "Let ALFRED_DATABASE_URL name alfred_app, and ALFRED_OWNER_DATABASE_URL the owner."
            )
