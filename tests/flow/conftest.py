"""Services of their own: for what goes out (any process of a database sends what is due in it), and for scans."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from alfred import background
from alfred.channels.item import InboundItem, Sender
from alfred.crm.inbox import Inbox
from alfred.crm.scans import Scans
from alfred.db import Database
from bench.peers import peer
from tests.api.connecting import connected
from tests.conftest import serving
from tests.flow.commands import Process
from tests.flow.crowd import ROWS
from tests.flow.embedded_house import House, folder_for_everybody
from tests.flow.rules import NOTIFY, Clock, Shop, matches, rule, says
from tests.flow.subscribing import IMPATIENT
from tests.flow.taking_in import AT, NUMBER, identity
from tests.founding import data_folder
from tests.people import Person
from tests.receivers import receiving

ACCOUNT = "109900000000001"
FAST = {
    "private_targets": "127.0.0.0/8",
    "delivery_backoff": "0.05,0.05,0.05,0.05,0.05,0.05,0.05",
    "delivery_timeout": 20.0,
}


@pytest.fixture(scope="package")
def own_database(cluster):
    """Of these tests alone: any process of a database sends what is due in it."""
    return cluster.copy()


@pytest.fixture(scope="module")
async def loopback(cluster, own_database):
    async with serving(cluster.app(own_database), **FAST) as address:
        yield address


@pytest.fixture
async def rosa(http, loopback):
    return await Person.sign_up(http, loopback, "Rosa")


@pytest.fixture
async def meta():
    async with peer() as playing:
        yield playing


@pytest.fixture
async def root(cluster, own_database):
    connection = await asyncpg.connect(cluster.superuser(own_database))
    yield connection
    await connection.close()


def now():
    return int(datetime.now(UTC).timestamp())


class Chat:
    """A conversation of a connected channel, in which the customer has just written."""

    def __init__(self, person, channel_id, conversation_id, ask):
        self.person, self.channel_id, self.id, self._ask = person, channel_id, conversation_id, ask

    async def write(self, body="Olá!", **more):
        return await self.person.made(f"/conversations/{self.id}/messages", {"body": body, **more})

    async def message(self, message):
        return (await self.person.get(f"/messages/{message['id']}"))[1]

    async def becomes(self, message, status, seconds=30.0):
        found = await self._ask(lambda: self.message(message), lambda each: each["status"] == status, seconds)
        assert found["status"] == status, found
        return found

    async def delivery_is(self, message, state):
        found = await self._ask(
            lambda: self.message(message), lambda each: (each["delivery"] or {}).get("state") == state
        )
        assert (found["delivery"] or {}).get("state") == state, found
        return found

    async def connection(self):
        return (await self.person.get(f"/channels/{self.channel_id}/connection"))[1]


@pytest.fixture
def opened(rosa, meta, eventually):
    """Opens a chat on a connected WhatsApp channel."""

    async def open_chat(sender="+5511900000012", **options):
        channel_id, _ = await connected(rosa, base_url=meta.base_url, options={"rate_per_second": 80, **options})
        entry = await rosa.hears("Oi", sender, at=now())
        return Chat(rosa, channel_id, entry["conversation_id"], eventually)

    return open_chat


@pytest.fixture
def all_done(eventually):
    """Wait until everything said so far was acted upon: a last message's match comes behind all others."""

    async def wait(person):
        last = await rule(person, NOTIFY, when=says("ponto final"), name="last")
        await person.hears("Ponto final.", sender="+5511900009999")
        assert await eventually(lambda: matches(person, last["id"]))
        assert await person.delete(f"/rules/{last['id']}") == (204, None)

    return wait


@pytest.fixture
async def shop(cluster, http, monkeypatch):
    """Scans run only when a test says so."""
    monkeypatch.setattr(background, "_scans", lambda _: ())  # one looks at a time: here the test alone
    name = cluster.copy()
    database = Database(cluster.app(name), size=4)
    await database.open()
    clock = Clock()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        yield Shop(ana, Scans(database, lambda _: None, clock=clock, stalled_after=3 * 86_400), clock, superuser,
                   cluster.app(name))  # fmt: skip
    await superuser.close()
    await database.close()


@pytest.fixture(scope="module")
async def impatient(cluster):
    """A service that may call loopback, and is impatient."""
    async with serving(cluster.app(cluster.copy()), **IMPATIENT) as address:
        yield address


@pytest.fixture
async def olga(http, impatient):
    return await Person.sign_up(http, impatient, "Olga")


@pytest.fixture
async def receiver():
    async with receiving() as there:
        yield there


@pytest.fixture
def home():
    """Short enough for a socket, and reachable by the account that the server drops to."""
    with data_folder() as folder:
        yield f"{folder}/home"


@pytest.fixture
async def run():
    """Starts a command as an operator does."""
    async with ending(Process.start) as start:
        yield start


@pytest.fixture
async def fork():
    """Starts one that has its modules loaded: where it is not the start that is tried."""
    async with ending(Process.fork) as start:
        yield start


@contextlib.asynccontextmanager
async def ending(start):
    """What is started so is killed at the end."""
    started = []

    async def begin(*arguments, **settings):
        started.append(await start(*arguments, **settings))
        return started[-1]

    yield begin
    for each in started:
        each.signal(signal.SIGKILL)
        await each.ends()


folder = pytest.fixture(folder_for_everybody, name="folder")


@pytest.fixture
def own_house(folder: Path) -> Iterator[House]:
    """Of whoever runs the tests."""
    made = House(folder)
    yield made
    made.close()


@pytest.fixture(scope="module")
async def crowd(cluster):
    """A database with 7 users; a superuser's connection, and the application's."""
    name = cluster.copy()
    root = await asyncpg.connect(cluster.superuser(name))
    await root.execute(ROWS)
    database = Database(cluster.app(name), size=3)
    await database.open()
    yield root, database
    await database.close()
    await root.close()


@pytest.fixture(scope="module")
async def inbox(cluster, database):
    pool = Database(cluster.app(database), size=6)
    await pool.open()
    inbox = Inbox(pool, lambda *_: None)
    writing = asyncio.create_task(inbox.run())
    yield inbox
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await pool.close()


@pytest.fixture
def hears(inbox, ana):
    """A customer's item arrives for ana; what became of it."""

    async def hear(handle=NUMBER, *others, id, kind="message", text="oi", at=AT, **more):
        item = InboundItem(
            kind=kind, channel_type="whatsapp", provider="evolution", external_id=id, sender=Sender(handle=handle),
            identities=tuple(map(identity, others)), recipient="loja", sent_at=at, text=text, raw={"id": id}, **more,
        )  # fmt: skip
        (taken,) = await inbox.take_in(UUID(ana.id), [item])
        return taken

    return hear
