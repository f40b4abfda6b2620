"""What takes a batch at a time leaves nothing behind, and does nothing twice."""

import asyncio
from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

import pytest

from alfred.crm.deliveries import DeliverySweep
from alfred.crm.outbox import Sweep
from alfred.crm.scans import Scans
from alfred.crm.subscriptions import sweeping
from alfred.hub import Hub
from alfred.media_store import MediaStore
from alfred.tail import Tail
from tests.flow.crowd import COUNT, DELIVERIES, WEBHOOKS
from tests.people import whatsapp

NOW = datetime(2030, 5, 8, 12, tzinfo=UTC)
TASKS = """insert into tasks (user_id, task_id, title, due_at)
           select user_id, app.uuid7(), 'Ligar', '2030-05-07' from places"""
CONVERSATIONS = """insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, {columns})
                   select user_id, app.uuid7(), user_id, user_id, app.uuid7(), {values} from places"""
MESSAGES = """insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at,
                                    created_at, scheduled_at, due_at)
              select user_id, app.uuid7(), user_id, user_id, 'outbound', 'scheduled', now(), now(), now(), now()
                from places"""
NOTIFICATIONS = f"""insert into notifications (user_id, type, dedupe_key, title)
                    select $1, 'rule_match', 'x' || n, n from generate_series(1, {COUNT}) n"""
EVENTS = f"""insert into ai_events (user_id, type, payload)
             select $1, 'task.created', jsonb_build_object('n', n) from generate_series(1, {COUNT}) n"""
FAILING = """insert into connections (user_id, channel_id, provider, state, config, options, failing_since)
             select user_id, user_id, 'waha', 'failing', '{}', '{}', '2024-01-01' from users"""
ALL = 2 * COUNT - 1


async def events(root, type):
    """How many there are of a type, and of how many things."""
    row = await root.fetchrow(
        """select count(*), count(distinct coalesce(message_id, task_id, conversation_id)) from ai_events
            where type = $1""",
        type,
    )
    return tuple(row)


@pytest.mark.parametrize("batch", [1, 3, ALL])
@pytest.mark.parametrize("scan", ["overdue", "stalled", "snoozed"])
async def test_a_scan(scan, batch, crowd, monkeypatch):
    root, database = crowd
    monkeypatch.setattr("alfred.crm.scans.BATCH", batch)
    silent = ("last_message_at, last_inbound_at, status", "'2030-01-01', '2030-01-01', 'pending'")
    asleep = ("status, snoozed_until", "'snoozed', '2030-05-08 11:00Z'")
    columns, values = silent if scan == "stalled" else asleep
    told = {"overdue": "task.overdue", "stalled": "lead.stalled", "snoozed": "conversation.updated"}[scan]
    await root.execute("truncate ai_events, tasks cascade; delete from conversations where conversation_id <> user_id")
    await root.execute(TASKS if scan == "overdue" else CONVERSATIONS.format(columns=columns, values=values))
    announced = []
    scans = Scans(database, announced.extend, clock=lambda: NOW, stalled_after=86_400)
    assert await getattr(scans, scan)() == ALL
    assert await events(root, told) == (ALL, ALL)
    buckets = {row[0] for row in await root.fetch("select app.bucket(user_id) from users")}
    assert set(announced) == buckets
    assert await getattr(scans, scan)() == 0
    assert await events(root, told) == (ALL, ALL)


async def test_the_sweep_of_the_outbox(crowd, monkeypatch):
    root, database = crowd
    monkeypatch.setattr("alfred.crm.outbox.releasing.MOST_DUE", 3)
    await root.execute(MESSAGES)
    told = []
    sweep = Sweep(database, told.extend)
    for looks in range(1, 7):
        await sweep()
        assert await events(root, "message.sent") == (min(3 * looks, ALL),) * 2
    assert {str(each) for each in told} == {str(row[0]) for row in await root.fetch("select user_id from users")}


async def test_the_sweep_of_deliveries(crowd, monkeypatch):
    root, database = crowd
    monkeypatch.setattr("alfred.crm.deliveries.sweep.MOST", 3)
    await root.execute(DELIVERIES.format(state="waiting", updated="2030-01-01"))
    await root.execute(DELIVERIES.format(state="done", updated="2020-01-01"))
    sweep = DeliverySweep(database, lambda _: None, (1.0,), 86_400)
    for looks in range(1, 7):
        await sweep()
        rows = await root.fetch("select state, count(*) from deliveries group by 1")
        wanted = {"waiting": ALL - 3 * looks, "dead": min(3 * looks, ALL), "done": ALL - 3 * looks}
        assert dict(map(tuple, rows)) == {state: count for state, count in wanted.items() if count > 0}


async def test_the_sweep_of_failing_channels(crowd, monkeypatch):
    root, database = crowd
    monkeypatch.setattr("alfred.crm.deliveries.sweep.MOST", 3)
    await root.execute(FAILING)
    sweep = DeliverySweep(database, lambda _: None, (1.0,), 86_400)
    for looks in range(1, 5):
        await sweep()
        told = await root.fetchval("select array_agg(distinct user_id) from ai_events where type = 'channel.error'")
        assert len(told) == min(3 * looks, COUNT)


async def test_the_sweep_of_webhooks(crowd, monkeypatch):
    root, database = crowd
    monkeypatch.setattr(sweeping, "BATCH", 3)
    await root.execute(WEBHOOKS)
    await root.execute("update webhook_deliveries set state = 'waiting', created_at = '2020-01-01', updated_at = now()")
    sweep = sweeping.sweeper(database, 86_400 * 365)
    await sweep()  # what has waited for months is given up
    assert dict(await root.fetch("select state, count(*) from webhook_deliveries group by 1")) == {"dead": ALL}
    await root.execute("update webhook_deliveries set updated_at = '2020-01-01'")
    await sweep()
    for table in ("webhook_deliveries", "webhook_bodies"):
        assert await root.fetchval(f"select count(*) from {table}") == 0


@pytest.fixture
def seldom(monkeypatch):
    """Streams look when they are woken, and not again by themselves."""
    for part in ("hub", "tail"):
        monkeypatch.setattr(f"alfred.{part}.SWEEP_SECONDS", 600)


async def test_one_look_for_notifications(crowd, monkeypatch, seldom):
    root, database = crowd
    monkeypatch.setattr("alfred.hub.READ_LIMIT", 3)
    user_id = await root.fetchval("select user_id from users limit 1")
    hub = Hub(database)
    running = asyncio.create_task(hub.run())
    async with hub.seat(user_id) as (seat, _), asyncio.timeout(10):
        await root.execute(NOTIFICATIONS, user_id)
        hub.poke(None)
        assert [(await seat.next())["title"] for _ in range(COUNT)] == [str(number + 1) for number in range(COUNT)]
    running.cancel()


async def test_one_look_at_the_log(crowd, monkeypatch, seldom):
    root, database = crowd
    monkeypatch.setattr("alfred.tail.LOOK_LIMIT", 3)
    user_id = await root.fetchval("select user_id from users limit 1")
    tail = Tail(database)
    running = asyncio.create_task(tail.run())
    async with tail.seat(user_id, lambda: False) as seat, asyncio.timeout(10):
        await root.execute(EVENTS, user_id)
        tail.poke(None)
        seen = []
        while len(seen) < COUNT:
            seen += [event.payload["n"] for event in (await seat.next()).events]
        assert seen == [number + 1 for number in range(COUNT)]
    running.cancel()


async def test_the_texts_of_a_post(ana, monkeypatch):
    monkeypatch.setattr("alfred.crm.inbox.MOST_IN_BATCH", 2)
    monkeypatch.setattr("alfred.crm.inbox.MOST_READ_HERE", 10)
    texts = ["oi", "Preciso disso hoje, é urgente!", "oi", "oi", "É urgente, preciso agora!"]
    payload = whatsapp("")
    messages = payload["entry"][0]["changes"][0]["value"]["messages"]
    messages[:] = [messages[0] | {"id": f"wamid.text{n}", "text": {"body": text}} for n, text in enumerate(texts)]
    status, receipt = await ana.post("/webhooks/whatsapp", payload)
    assert status == 200, receipt
    readings = [each["classification"]["urgency"] for each in receipt["messages"]]
    assert readings == ["low", "high", "low", "low", "high"]


async def test_a_listing_of_files(tmp_path, monkeypatch):
    monkeypatch.setattr("alfred.media_store.LISTED_AT_ONCE", 2)
    store, user_id = MediaStore(tmp_path, None), UUID(int=1)
    kept = []
    for number in range(COUNT):
        file = store.incoming()
        file.write(bytes([number]))
        kept.append(await store.put(user_id, file))
        file.close()
    batches = [[each.sha256 for each in batch] async for batch in store.listed()]
    assert sorted(chain(*batches)) == sorted(kept)
    assert max(map(len, batches)) <= 2
