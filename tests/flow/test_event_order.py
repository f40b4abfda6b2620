"""Within a conversation events come in the order of the log, whoever writes them: who records one holds it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.ai.llm.reading import Refinement
from alfred.crm import tasks
from alfred.crm.deliveries import making
from alfred.crm.notifications import notify, notify_of
from alfred.crm.refining import Claimed, _reclassify
from alfred.db import Database
from alfred.events import Event, record
from alfred.queries import sql

NOW = datetime(2030, 5, 8, tzinfo=UTC)
READING = Refinement(
    sentiment="negative", sentiment_score=-0.9, urgency="high", negotiation=True, should_create_task=True,
    intent="complaint", confidence=0.9,
)  # fmt: skip


class Talk:
    """A conversation of Ana's with a task that has lapsed and a message for later."""

    def __init__(self, ana, entry, task):
        self.ana, self.user_id, self.id = ana, UUID(ana.id), UUID(entry["conversation_id"])
        self.message_id, self.task_id = UUID(entry["message_id"]), UUID(task["id"])

    def event(self, type, **payload):
        about = {"contact_id": None, "conversation_id": self.id, "message_id": self.message_id, "task_id": None}
        return Event(1, self.user_id, uuid7(), type, *about.values(), payload, NOW)


async def announce(db, talk):
    left = await notify(db, [talk.event("message.classified", urgency="high")])
    await db.execute(f"select app.act_as('{talk.user_id}')")
    for event in left:
        await notify_of(db, event)


async def match_flow(db, talk):
    await db.execute(f"select app.act_as('{talk.user_id}')")
    await record(db, talk.user_id, "flow.matched", {}, conversation_id=talk.id)


async def add_task(db, talk):
    await db.execute(f"select app.act_as('{talk.user_id}')")
    await tasks.add(db, talk.user_id, tasks.TaskDraft(title="Ligar", conversation_id=talk.id))


async def change_task(db, talk):
    await db.execute(f"select app.act_as('{talk.user_id}')")
    before = await tasks.hold(db, talk.user_id, talk.task_id)
    await tasks.change(db, talk.user_id, talk.task_id, before, before.model_copy(update={"title": "Outro"}))


async def scan(db, talk):
    await sql.scans.overdue.all(db, now=NOW, limit=10, scan_id=uuid7())


async def call_off(db, talk):
    await db.execute(f"select app.act_as('{talk.user_id}')")
    await making._call_off(db, talk.event("message.received"))


async def reclassify(db, talk):
    await db.execute(f"select app.act_as('{talk.user_id}')")
    about = {"user_id": talk.user_id, "message_id": talk.message_id}
    row = await sql.refinements.to_read.one(db, **about)
    await _reclassify(db, Claimed(**about), row, READING, "anthropic")


# What records events without having held the conversation before, by the type of its event.
WRITERS = {
    "notification.created": announce,
    "flow.matched": match_flow,
    "task.created": add_task,
    "task.updated": change_task,
    "task.overdue": scan,
    "message.cancelled": call_off,
    "message.reclassified": reclassify,
}


@pytest.fixture
async def talk(shop):
    entry = await shop.ana.hears("Bom dia")
    conversation_id = entry["conversation_id"]
    task = {"title": "Ligar", "conversation_id": conversation_id, "due_date": "2030-05-01T00:00:00Z"}
    made = await shop.ana.made("/tasks", task)
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    path = f"/conversations/{conversation_id}/messages"
    await shop.ana.made(path, {"body": "Viu?", "scheduled_at": later, "cancel_on_reply": True})
    return Talk(shop.ana, entry, made)


@pytest.fixture
async def database(shop):
    opened = Database(shop.dsn, size=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def blocked(shop, eventually):
    """Wait until somebody waits for this connection, or this work is done."""

    async def wait(pid, work):
        waiting = "select count(*) from pg_stat_activity where $1 = any (pg_blocking_pids(pid))"

        async def asked():
            return work.done() or await shop.superuser.fetchval(waiting, pid)

        assert await eventually(asked)

    return wait


@pytest.mark.parametrize("kind", WRITERS)
async def test_what_is_committed_later_is_told_later(kind, talk, database, blocked, eventually):
    """A customer writes while an event of the conversation is recorded, and not yet committed."""
    ana, about = talk.ana, {"conversation_id": str(talk.id)}
    start = (await ana.get("/events", after="now"))[1]["after"]

    async def poll():
        return (await ana.get("/events", after=start, **about))[1]

    async with ana.following(types="*", **about) as frames:
        async with database.as_service() as db:
            await WRITERS[kind](db, talk)
            posted = asyncio.create_task(ana.hears("Oi?"))
            await blocked(db.get_server_pid(), posted)
            told = await poll()
            items, start = told["items"], told["after"]
        await posted
        wanted = {kind, "message.received"}
        while wanted - {each["type"] for each in items}:
            told = await eventually(poll, lambda page: page["items"])
            assert told["items"]
            items, start = items + told["items"], told["after"]
        streamed = []
        while wanted - {each["type"] for each in streamed}:
            streamed.append((await frames.next())["data"])
    for each in (items, streamed):
        assert [event["sequence"] for event in each] == sorted(event["sequence"] for event in each)


@pytest.mark.parametrize("kind", WRITERS)
async def test_who_waits_for_a_conversation_holds_nothing_of_it(kind, talk, shop, database, blocked):
    """The other way round, whoever has the conversation would wait for them."""

    async def write():
        async with database.as_service() as db:
            await WRITERS[kind](db, talk)

    console = await asyncpg.connect(shop.dsn)
    await console.execute(f"begin; select app.act_as('{talk.user_id}')")
    await console.execute("select from conversations where conversation_id = $1 for no key update", talk.id)
    writing = asyncio.create_task(write())
    await blocked(console.get_server_pid(), writing)
    for table in ("tasks", "messages"):
        held = f"select from {table} where conversation_id = $1 for no key update nowait"
        assert await console.fetch(held, talk.id)
    await console.execute("commit")
    await console.close()
    await writing
    await sql.scans.overdue.all(shop.superuser, now=NOW, limit=10, scan_id=uuid7())  # it was passed over
    assert kind in {each["type"] for each in await talk.ana.events(conversation_id=str(talk.id))}
