"""The logins of the database: one for requests, one for authentication, one for the work in the background."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from alfred.db import Database, UnsafeRole, refuse_unsafe
from alfred.queries import sql

log = structlog.get_logger()


@dataclass(frozen=True)
class Pools:
    """The connections of each login; with one login for everything, the same pool three times."""

    app: Database
    auth: Database
    bus: Database

    def by_login(self) -> dict[str, Database]:
        """Each pool once, by its name in the metrics and the log."""
        if self.auth is self.app:
            return {"app": self.app}
        return {"app": self.app, "auth": self.auth, "bus": self.bus}

    async def open(self) -> None:
        """Connect, and make sure of what each login may do.

        Raises:
            UnsafeRole: a login could see past row level security, or may not do its work.
            OSError: there is nothing to connect to; it says where.
        """
        for name, pool in self.by_login().items():
            await _open(pool)
            may = await _checked(pool)
            if name == "app" and may and self.auth is not self.app:
                log.warning("logins_not_separate", advice="run bin/migrate once every process has the three URLs")
            if name == "app" and not may and self.auth is self.app:
                raise UnsafeRole(
                    "the logins of this database are separate: set ALFRED_AUTH_DATABASE_URL and "
                    "ALFRED_BUS_DATABASE_URL, or run bin/migrate without them to use one login again"
                )

    async def close(self) -> None:
        """Let the last statements finish, then hang up."""
        for pool in self.by_login().values():
            await pool.close()


async def _open(pool: Database) -> None:
    try:
        await pool.open()
    except OSError as error:
        raise OSError(f"PostgreSQL at {pool.place()} cannot be reached: {str(error) or 'no answer'}") from error


async def _checked(pool: Database) -> bool:
    """Whether the login may judge passwords; row level security must bind it.

    Raises:
        UnsafeRole: it does not.
    """
    row = await pool.find(sql.health.login)
    assert row is not None
    refuse_unsafe(row)
    return bool(row["may_authenticate"])


@dataclass(frozen=True)
class Logins:
    """The URL of each login; without those of their own, `app` does all the work."""

    app: str
    auth: str | None = None
    bus: str | None = None

    @property
    def are_separate(self) -> bool:
        """Whether each has its own work."""
        return self.auth is not None

    def pools(self, size: int) -> Pools:
        """Pools that are not open yet; `size` is the most connections for requests."""
        if self.auth is None or self.bus is None:
            one = Database(self.app, size=size)
            return Pools(one, one, one)
        auth_size, bus_size = sizes_beside(size)
        bus = Database(self.bus, size=bus_size)
        return Pools(Database(self.app, size=size, service=bus), Database(self.auth, size=auth_size), bus)

    @asynccontextmanager
    async def opened(self, size: int = 2) -> AsyncIterator[Pools]:
        """Open pools, for a command."""
        pools = self.pools(size)
        await pools.open()
        try:
            yield pools
        finally:
            await pools.close()


def sizes_beside(size: int) -> tuple[int, int]:
    """How many connections authentication and the work in the background have at most, beside `size` for requests."""
    return max(2, size // 3), max(4, size // 2)
