"""One real PostgreSQL for the run, one service on it, and people who use it."""

import gc

gc.disable()  # until the tests are collected: what is loaded stays, and to look through it took a sixth of the time

import asyncio
import contextlib
import importlib
import logging
import os
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from _pytest.runner import runtestprotocol

from alfred import schema
from alfred.app import build
from alfred.db import prepare
from alfred.http.server import ConnectionLimits, served
from alfred.logins import Logins
from alfred.postgres import Embedded
from alfred.postgres.account import server_account
from alfred.settings import Settings
from tests.founding import CARELESS, COUNTING, Cluster, data_folder, grow
from tests.logs import LOG, log_to
from tests.people import Person

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")
# Whom root lends the run's server: its private socket lets nobody else in.
LENT = "" if os.geteuid() else server_account(None).name
SECRET = "a secret for tests of more than 32 bytes"


# What takes long, and what starts much, comes first: the end is shared out in small files.
FOLDERS = ("browser", "migrations", "flow", "sql", "api", "pure")
# One process opens a browser: the first page of each takes Chromium five seconds, and beside it others wait or work.
TOGETHER = "tests/browser/"


def pytest_xdist_auto_num_workers():
    """One more than there are processors: much of the time something else is waited for."""
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_configure(config):
    """What the processes of the run share."""
    if not hasattr(config, "workerinput"):
        stack = contextlib.ExitStack()
        config.add_cleanup(stack.close)
        config.shared = stack.enter_context(data_folder())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file are one process's."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return TOGETHER if nodeid.startswith(TOGETHER) else super()._split_scope(nodeid)

    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["shared"] = str(node.config.shared)


def pytest_collection(session):
    """In a fresh checkout each process of a run first compiles a part of the files, rather than all of them each."""
    worker, folder = getattr(session.config, "workerinput", None), Path(__file__).parent
    if worker and [Path(each).resolve() for each in session.config.args] == [folder]:
        for file in sorted(folder.glob("*/test_*.py"))[int(worker["workerid"][2:]) :: worker["workercount"]]:
            with contextlib.suppress(Exception):  # which is told when it is collected
                importlib.import_module(f"tests.{file.parent.name}.{file.stem}")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: FOLDERS.index(item.path.parent.name) if item.path.parent.name in FOLDERS else 9)


def pytest_collection_finish():
    """Looking for what nobody holds any more is a seventh of the time, else; what was collected stays.

    Hypothesis asks the collector for holders when it is loaded, which its plugin does at the end at the latest.
    """
    importlib.import_module("hypothesis")
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


# Of a test's three reports two say that its fixtures came and went.
WORTH_TELLING_SECONDS = 0.005  # from which on pytest lists a fixture's time


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """A process of the run tells what a test did, and of its fixtures what failed or took long: each report costs as
    much as a small test.
    """
    if not hasattr(item.config, "workerinput"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed or report.duration > WORTH_TELLING_SECONDS:
            item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_report_teststatus(report):
    """Quiet when green: no letter for what passes or does not apply, one line of counts at the end."""
    if report.skipped and not hasattr(report, "wasxfail"):
        return "skipped", "", "SKIPPED"
    return ("passed", "", "PASSED") if report.passed and report.when == "call" else None


@pytest.fixture(scope="session")
def grown(request):
    """Makes homes that have their data already: no cluster is made and nothing migrated."""
    shared = getattr(request.config, "workerinput", {}).get("shared") or request.config.shared

    def make(home):
        grow(Path(shared), Path(home))
        return home

    return make


@pytest.fixture
def log():
    """What the services of this process write down from now on."""
    log_to(LOG)
    LOG.lines.clear()
    return LOG


@pytest.fixture(scope="session")
def cluster(grown):
    log_to(LOG)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with data_folder() as folder:
        server = Embedded(grown(folder / "home"), options=CARELESS + COUNTING)
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
    with data_folder() as folder:
        server = Embedded(folder / "home", binaries=POSTGRES_15, options=CARELESS)
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
        "stalled_after": 10**9,  # the scan at the start would tell of messages of the examples, which are old
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
    deadline, pause = asyncio.get_running_loop().time() + seconds, 0.02
    while True:
        answer = await question()
        if wanted(answer) or asyncio.get_running_loop().time() > deadline:
            return answer
        await asyncio.sleep(pause)
        pause = min(1.3 * pause, 0.2)  # who asks more often slows down what is waited for
