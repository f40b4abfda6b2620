"""One real PostgreSQL for the run, one service on it, and people who use it."""

import asyncio
import contextlib
import itertools
import logging
import os
import tempfile
from pathlib import Path

import aiohttp
import asyncpg
import psycopg
import pytest

from alfred import schema
from alfred.app import build
from alfred.db import prepare
from alfred.http.server import ConnectionLimits, served
from alfred.log import set_up
from alfred.logins import Logins
from alfred.postgres import Embedded
from alfred.postgres.account import server_account
from alfred.settings import Settings
from tests.people import Person

# What a crash may lose does not matter here: nobody reads it after the run. And of a hundred small databases each would
# be looked after every few seconds.
CARELESS = (
    *("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"),
    *("-c", "autovacuum=off"),
)
# Counts how often each statement was planned.
COUNTING = (
    *("-c", "shared_preload_libraries=pg_stat_statements"),
    *("-c", "pg_stat_statements.track=all", "-c", "pg_stat_statements.track_planning=on"),
)
POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
# Whom root lends the run's server: its private socket lets nobody else in.
LENT = "" if os.geteuid() else server_account(None).name
SECRET = "a secret for tests of more than 32 bytes"


# What takes long, and what starts much, comes first: the end is shared out in small files.
FOLDERS = ("migrations", "browser", "flow", "api", "pure", "sql")


def pytest_xdist_auto_num_workers():
    """Two more than there are processors: much of the time something else is waited for."""
    return min(4, (os.cpu_count() or 1) + 2)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: FOLDERS.index(item.path.parent.name) if item.path.parent.name in FOLDERS else 9)


def pytest_report_teststatus(report):
    """Quiet when green: no letter for what passes or does not apply, one line of counts at the end."""
    if report.skipped and not hasattr(report, "wasxfail"):
        return "skipped", "", "SKIPPED"
    return ("passed", "", "PASSED") if report.passed and report.when == "call" else None


class Cluster:
    """The server, and databases copied from one migrated template."""

    def __init__(self, server: Embedded) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self.newest = 0
        schema.found(self.superuser("postgres"), "template")
        schema.apply(self.owner("template"))

    def superuser(self, database: str) -> str:
        return self.server.dsn("postgres", database)

    def owner(self, database: str) -> str:
        return self.server.dsn(schema.OWNER, database)

    def app(self, database: str) -> str:
        return self.server.dsn(schema.APP, database)

    def logins(self, database: str) -> Logins:
        """One for each kind of work, which `separate` makes them keep to."""
        return Logins(*(self.server.dsn(role, database) for role in (schema.APP, schema.AUTH, schema.BUS)))

    def copy(self) -> str:
        """A fresh migrated database; its name."""
        self.newest = next(self._numbers)
        name = f"copy{self.newest}"
        with psycopg.connect(self.superuser("postgres"), autocommit=True) as superuser:
            superuser.execute(f"create database {name} owner {schema.OWNER} template template strategy file_copy")
        return name


@pytest.fixture(scope="session")
def cluster():
    set_up("warning", "console")
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="alfred-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Embedded(Path(folder) / "home", options=CARELESS + COUNTING)
        server.start()
        try:
            yield Cluster(server)
        finally:
            server.stop()


@pytest.fixture(scope="session")
def database(cluster):
    """The database that the tests share: each signs up its own users. Its logins are separate."""
    name = cluster.copy()
    schema.separate_logins(cluster.owner(name), True)
    return name


@pytest.fixture(scope="session")
def fifteen():
    """A PostgreSQL 15, the oldest that is served."""
    if not POSTGRES_15.is_dir():
        pytest.skip("no PostgreSQL 15 here")
    with tempfile.TemporaryDirectory(prefix="alfred-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = Embedded(Path(home) / "home", binaries=POSTGRES_15, options=CARELESS)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.asynccontextmanager
async def serving(dsn: str, port: int = 0, limits: ConnectionLimits | None = None, **settings):
    """A service on a port of its own, or on this one; its address."""
    chosen = {
        "jwt_secret": SECRET,
        "secret_key": SECRET,
        "bcrypt_cost": 4,
        "login_attempts": 1000,
        "pool_size": 8,
    } | settings
    logins = dsn if isinstance(dsn, Logins) else Logins(dsn)
    app = build(Settings(**chosen), logins, logins.bus or logins.app)
    async with served(app, ("127.0.0.1", port), limits or ConnectionLimits(10_000), grace=1) as address:
        yield address


@pytest.fixture(scope="session")
async def address(cluster, database):
    async with serving(cluster.logins(database)) as address:
        yield address


@pytest.fixture(scope="session")
async def http():
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        yield session


@pytest.fixture
async def ana(http, address):
    return await Person.sign_up(http, address, "Ana")


@pytest.fixture
async def bruno(http, address):
    return await Person.sign_up(http, address, "Bruno")


@pytest.fixture
async def stranger(http, address):
    """Somebody without a token."""
    return Person(http, address)


@pytest.fixture
async def owner_db(cluster, database):
    """The owner's own connection: row level security binds it too, since it is forced."""
    connection = await asyncpg.connect(cluster.owner(database))
    yield connection
    await connection.close()


@pytest.fixture
async def app_db(cluster, database):
    """The application's login, without any tenant's hat."""
    connection = await asyncpg.connect(cluster.app(database))
    await prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
def eventually():
    """Ask until the answer is as wanted: what the bus does is seen soon, not at once."""
    return ask_until


@pytest.fixture(scope="module")
def soon():
    """The same, for what a module makes once."""
    return ask_until


async def ask_until(question, wanted=bool, seconds=30.0):
    """Ask until the answer is as wanted, or the time is over; the last answer."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        answer = await question()
        if wanted(answer) or asyncio.get_running_loop().time() > deadline:
            return answer
        await asyncio.sleep(0.02)
