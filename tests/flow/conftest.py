"""A service of its own for what goes out: any process of a database sends what is due in it."""

from datetime import UTC, datetime

import asyncpg
import pytest

from bench.peers import peer
from tests.api.connecting import connected
from tests.conftest import serving
from tests.people import Person

ACCOUNT = "109900000000001"
FAST = {
    "private_targets": "127.0.0.0/8",
    "delivery_backoff": "0.05,0.05,0.05,0.05,0.05,0.05,0.05",
    "delivery_timeout": 20.0,
}


@pytest.fixture(scope="session")
def own_database(cluster):
    """Of these tests alone: any process of a database sends what is due in it."""
    return cluster.copy()


@pytest.fixture(scope="session")
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
