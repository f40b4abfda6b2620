"""Who holds what others need (a long transaction, a console left open) is not waited for without end."""

import asyncio
import contextlib
from uuid import uuid4

import asyncpg
import pytest

from alfred import db, reader
from alfred.channels import normalise
from alfred.crm import inbox
from alfred.crm.inbox import Inbox
from alfred.db import Away, Database
from tests.conftest import serving
from tests.people import Person, cloud, whatsapp


@pytest.fixture
async def house(cluster, http):
    """A service of its own with a small pool, and its database."""
    name = cluster.copy()
    async with serving(cluster.app(name), pool_size=4) as address:
        yield address, name


@contextlib.asynccontextmanager
async def held(cluster, name, conversation_id):
    """The row of a conversation, locked by somebody at a console."""
    console = await asyncpg.connect(cluster.superuser(name))
    transaction = console.transaction()
    await transaction.start()
    await console.execute("select from conversations where conversation_id = $1 for update", conversation_id)
    try:
        yield
    finally:
        await transaction.rollback()
        await console.close()


async def test_a_locked_row_stops_neither_others_nor_the_service(cluster, house, http, monkeypatch):
    monkeypatch.setattr(db, "LOCK_MILLISECONDS", 1500)
    address, name = house
    ana, bruno = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno")]
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    async with held(cluster, name, entry["conversation_id"]):
        changes = [asyncio.create_task(ana.patch(path, {"tags": [str(number)]})) for number in range(6)]
        await asyncio.sleep(0.2)
        assert len(await bruno.conversations()) == 0  # while ana's wait, one connection is left
        assert not any(change.done() for change in changes)
        answers = await asyncio.gather(*changes)
        assert {(status, problem["code"]) for status, problem in answers} == {(503, "busy")}
    assert (await ana.patch(path, {"tags": ["livre"]}))[0] == 200


async def test_messages_to_a_locked_conversation_hold_up_nobody_else(cluster, house, http, monkeypatch):
    monkeypatch.setattr(db, "LOCK_MILLISECONDS", 500)
    address, name = house
    ana, bruno = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno")]
    entry = await ana.hears("oi")
    async with held(cluster, name, entry["conversation_id"]):
        posts = [whatsapp(str(number), id=f"stuck{number}") for number in range(2 * inbox.ROW_WRITERS)]
        stuck = [asyncio.create_task(ana.post("/webhooks/whatsapp", post)) for post in posts]
        await asyncio.sleep(0.1)
        async with asyncio.timeout(30):
            await asyncio.gather(*(bruno.hears(f"oi {number}") for number in range(12)))
        assert {status for status, _ in await asyncio.gather(*stuck)} == {503}
    for post in posts:
        status, receipt = await ana.post("/webhooks/whatsapp", post)
        assert (status, receipt["duplicates"]) == (200, 0)


def large(message, number):
    """A post of more messages than a batch has, one of them from a known customer."""
    one = message | {"text": {"body": "oi"}}
    messages = [one | {"id": f"large{number}.{n}", "from": f"55119876{n:05d}"} for n in range(inbox.MOST_IN_BATCH)]
    return cloud({"messages": [*messages, one | {"id": f"large{number}"}]})


async def test_large_posts_hold_up_nobody_else(cluster, house, http, monkeypatch):
    monkeypatch.setattr(db, "LOCK_MILLISECONDS", 8000)
    address, name = house
    ana, bruno = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno")]
    entry = await ana.hears("oi")
    (message,) = whatsapp("oi")["entry"][0]["changes"][0]["value"]["messages"]
    async with held(cluster, name, entry["conversation_id"]):
        stuck = [
            asyncio.create_task(ana.post("/webhooks/whatsapp", large(message, number)))
            for number in range(inbox.ROW_WRITERS + 1)
        ]
        await asyncio.sleep(0.1)
        assert (await bruno.hears("oi"))["kind"] == "message"  # of a new customer, which goes row by row
        assert not any(post.done() for post in stuck)
    assert {status for status, _ in await asyncio.gather(*stuck)} == {200}


async def test_a_rule_that_cannot_have_its_row_does_not_stop_the_rules_of_others(cluster, house, http, eventually):
    address, name = house
    ana, bruno = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno")]
    entry = await ana.hears("oi")
    always = {"field": "conversation.unread_count", "op": "gte", "value": 0}
    for person in (ana, bruno):
        await person.made("/rules", {"compiled": {"when": always, "then": [{"action": "add_tag", "tag": "x"}]}})

    async def tags(person):
        return (await person.conversations())[0]["tags"]

    async with held(cluster, name, entry["conversation_id"]):
        console = await asyncpg.connect(cluster.superuser(name))
        await console.execute(
            """insert into ai_events (user_id, type, contact_id, conversation_id, message_id)
               select user_id, 'message.received', contact_id, conversation_id, app.uuid7()
                 from conversations, generate_series(1, 20)"""
        )
        await console.close()
        await bruno.hears("oi")
        assert await eventually(lambda: tags(bruno), seconds=5) == ["x"]


async def test_what_waits_to_be_written_is_bounded(monkeypatch):
    """Nobody writes here: the queue only fills. One tenant fills the half of it."""
    monkeypatch.setattr(inbox, "MOST_WAITING", 10)
    monkeypatch.setattr(inbox, "WAIT_SECONDS", 0.2)
    waiting = Inbox(Database("", size=2), lambda *_: None)
    items = normalise(whatsapp("oi"), "whatsapp").items

    async def outcome(user):
        try:
            await waiting.take_in(user, items)
        except Away as away:
            return str(away)

    ana, bruno = uuid4(), uuid4()
    first = asyncio.gather(*(outcome(ana) for _ in range(7)))
    second = await asyncio.gather(*(outcome(bruno) for _ in range(7)))
    found = [await first, second]
    for outcomes in found:
        assert outcomes.count("too many messages wait to be written") == 2
        assert outcomes.count("the message could not be written in time") == 5


def test_the_bus_is_less_patient_than_a_request():
    assert reader.LOCK_MILLISECONDS < db.LOCK_MILLISECONDS
