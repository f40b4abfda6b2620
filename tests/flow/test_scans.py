"""Overdue tasks and stalled leads are told of once, whoever scans and however often."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alfred import background
from alfred.crm import scans
from alfred.crm.scans import Scans
from alfred.db import Database
from alfred.queries import sql
from tests.conftest import serving
from tests.people import Person

NOW = datetime(2030, 5, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
async def shop(cluster, http, monkeypatch):
    """A database of its own, a user in it, four scanners with one clock."""
    monkeypatch.setattr(background, "_scans", lambda _: ())  # one looks at a time: here the test alone
    dsn = cluster.app(cluster.copy())
    clock = Clock()
    databases = [Database(dsn, size=4) for _ in range(4)]
    for database in databases:
        await database.open()
    scanners = [Scans(each, lambda _: None, clock=clock, stalled_after=3 * 86400) for each in databases]
    async with serving(dsn) as address:
        ana = await Person.sign_up(http, address)
        yield ana, scanners, clock, databases[0]
    for database in databases:
        await database.close()


async def test_four_replicas_tell_each_lapse_once(shop, eventually):
    ana, scanners, clock, _ = shop
    for number in range(20):
        await ana.made("/tasks", {"title": f"task {number}", "due_date": "2030-05-07"})
    counts = await asyncio.gather(*(scanner.overdue() for scanner in scanners for _ in range(3)))
    assert sum(counts) == 20
    told = await eventually(lambda: ana.notifications(type="overdue_task"), lambda found: len(found) >= 20)
    assert len(told) == 20
    assert len({each["task_id"] for each in told}) == 20
    assert {(each["count"], each["ids"]) for each in told} == {(None, None)}

    clock.now += DAY
    assert [await scanner.overdue() for scanner in scanners] == [0, 0, 0, 0]


async def test_what_somebody_holds_for_a_moment_is_told_by_the_same_scan(shop, monkeypatch):
    ana, (scanner, *_), _, database = shop
    entry = await ana.hears("oi")
    task = {"title": "Ligar", "due_date": "2030-05-07", "conversation_id": entry["conversation_id"]}
    await ana.made("/tasks", task)
    looked = asyncio.Event()
    monkeypatch.setattr(scanner, "_announce", lambda _: looked.set())
    monkeypatch.setattr(scans, "REST_SECONDS", 1)
    async with database.acting_as(UUID(ana.id)) as db:
        conversation = {"user_id": UUID(ana.id), "conversation_id": UUID(entry["conversation_id"])}
        assert await sql.conversations.hold.one(db, **conversation)
        scan = asyncio.create_task(scanner.overdue())
        await looked.wait()
    assert await scan == 1


async def test_a_rescheduled_task_may_lapse_again(shop, eventually):
    ana, scanners, clock, _ = shop
    task = await ana.made("/tasks", {"title": "Ligar", "due_date": "2030-05-08T11:00:00Z"})
    assert await scanners[0].overdue() == 1
    await ana.patch(f"/tasks/{task['id']}", {"title": "Ligar já"})
    assert await scanners[0].overdue() == 0
    await ana.patch(f"/tasks/{task['id']}", {"due_date": "2030-05-09T11:00:00Z"})
    assert await scanners[0].overdue() == 0
    clock.now += DAY
    assert await scanners[1].overdue() == 1
    told = await eventually(lambda: ana.notifications(type="overdue_task"), lambda found: len(found) == 2)
    assert [each["title"] for each in told] == ["Tarefa atrasada: Ligar já", "Tarefa atrasada: Ligar"]


async def test_what_is_done_does_not_lapse(shop):
    ana, scanners, _, _ = shop
    task = await ana.made("/tasks", {"title": "x", "due_date": "2030-05-07"})
    await ana.post(f"/tasks/{task['id']}/complete")
    await ana.made("/tasks", {"title": "y", "due_date": "2030-05-09"})
    assert await scanners[0].overdue() == 0


async def test_a_silence_is_told_once_and_a_new_one_again(shop, eventually):
    ana, scanners, clock, _ = shop
    last = NOW - 4 * DAY
    clock.now = NOW - 5 * DAY
    # The database will not believe a message from the future: these are of the past, the clock is moved instead.
    base = datetime(2024, 5, 1, 12, tzinfo=UTC)
    clock.now = base + 2 * DAY
    entry = await ana.hears("oi", at=int(base.timestamp()))
    assert await scanners[0].stalled() == 0
    clock.now = base + 4 * DAY
    assert sum(await asyncio.gather(*(scanner.stalled() for scanner in scanners))) == 1
    assert await scanners[0].stalled() == 0

    await ana.hears("alguém?", at=int((base + 4 * DAY).timestamp()))
    assert await scanners[0].stalled() == 0
    clock.now = base + 8 * DAY
    assert await scanners[0].stalled() == 1
    told = await eventually(lambda: ana.notifications(type="stalled_lead"), lambda found: len(found) == 2)
    assert {each["conversation_id"] for each in told} == {entry["conversation_id"]}
    assert last < NOW


async def test_a_closed_conversation_is_not_stalled(shop):
    ana, scanners, clock, _ = shop
    entry = await ana.hears("oi")
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"status": "closed"})
    clock.now = datetime(2025, 1, 1, tzinfo=UTC)
    assert await scanners[0].stalled() == 0


async def test_one_replica_runs_a_slot(shop):
    ana, scanners, clock, database = shop
    jobs = [scanner.in_turn("overdue", 3600) for scanner in scanners]
    await asyncio.gather(*(job() for job in jobs))  # at the start each looks
    await ana.made("/tasks", {"title": "x", "due_date": "2030-05-07"})
    await asyncio.gather(*(job() for job in jobs))  # the slot is taken: nobody looks
    assert await ana.events("task.overdue") == []
    clock.now += timedelta(hours=1)
    await asyncio.gather(*(job() for job in jobs))
    assert len(await ana.events("task.overdue")) == 1
    assert UUID(ana.id)
    async with database.as_service() as db:
        assert await db.fetchval("select app.claim_scan('overdue', $1)", clock.now.replace(minute=0)) is None


async def test_a_snoozed_conversation_wakes_by_itself(shop):
    ana, scanners, clock, _ = shop
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    await ana.patch(path, {"status": "snoozed", "snoozed_until": "2030-05-08T13:00:00Z"})
    assert await scanners[0].snoozed() == 0
    clock.now += timedelta(hours=2)
    assert sum(await asyncio.gather(*(scanner.snoozed() for scanner in scanners))) == 1
    _, woken = await ana.get(path)
    assert (woken["status"], woken["snoozed_until"]) == ("open", None)
    assert (await ana.events("conversation.updated"))[0]["payload"] == {"status": "open", "was": "snoozed"}


async def test_more_than_twenty_at_once_are_one_notification(shop, eventually):
    ana, scanners, _, _ = shop
    rule = await ana.made("/rules", {"compiled": LAPSE | {"then": [{"action": "notify"}]}, "name": "Atrasos"})
    tasks = [await ana.made("/tasks", {"title": f"task {n}", "due_date": "2030-05-07"}) for n in range(23)]
    assert sum(await asyncio.gather(*(scanner.overdue() for scanner in scanners))) == 23
    (told,) = await eventually(lambda: ana.notifications(type="overdue_task"))
    ids = {task["id"] for task in tasks}
    assert (told["count"], len(told["ids"]), set(told["ids"]) <= ids) == (23, 20, True)
    assert "23" in told["title"]
    assert (told["task_id"], told["conversation_id"]) == (None, None)
    assert len(await ana.events("task.overdue", limit=200)) == 23, "events one by one"

    matches = await eventually(
        lambda: ana.notifications(type="rule_match"), lambda found: found and found[0]["count"] >= 23
    )
    assert [(each["rule_id"], each["count"], len(each["ids"])) for each in matches] == [(rule["id"], 23, 20)]
    assert len(await ana.events("rule.matched", limit=200)) == 23

    # The next scan finds few, and tells of each.
    late = await ana.made("/tasks", {"title": "Ligar", "due_date": "2030-05-07"})
    assert await scanners[0].overdue() == 1
    newest = (await eventually(lambda: ana.notifications(type="overdue_task"), lambda found: len(found) == 2))[0]
    assert (newest["task_id"], newest["count"]) == (late["id"], None)


async def test_what_batches_of_scan_and_bus_cut_is_still_one_notification(shop, eventually, monkeypatch):
    ana, scanners, _, _ = shop
    monkeypatch.setattr("alfred.crm.scans.BATCH", 5)
    monkeypatch.setattr("alfred.reader.READ_LIMIT", 4)
    rule = await ana.made("/rules", {"compiled": LAPSE | {"then": [{"action": "notify"}]}, "name": "Atrasos"})
    tasks = [await ana.made("/tasks", {"title": f"task {n}", "due_date": "2030-05-07"}) for n in range(23)]
    assert await scanners[0].overdue() == 23
    ids = {task["id"] for task in tasks}

    async def told(kind):
        found = await ana.notifications(type=kind)
        return [(each["count"], len(set(each["ids"]) & ids), each["rule_id"]) for each in found]

    assert await eventually(lambda: ana.events("rule.matched", limit=200), lambda found: len(found) == 23)
    whole = [(23, 20, rule["id"])]
    assert await eventually(lambda: told("rule_match"), lambda found: found == whole) == whole
    assert await told("overdue_task") == [(23, 20, None)]


async def test_many_silent_conversations_are_told_together(shop, eventually):
    ana, scanners, _, _ = shop
    heard = [await ana.hears("oi", f"+55113333{n:04}") for n in range(21)]
    assert await scanners[0].stalled() == 21
    (told,) = await eventually(lambda: ana.notifications(type="stalled_lead"))
    assert (told["count"], set(told["ids"]) <= {each["conversation_id"] for each in heard}) == (21, True)


ALWAYS = {"field": "conversation.unread_count", "op": "gte", "value": 0}
LAPSE = {"version": 1, "trigger": "task.overdue", "when": ALWAYS}
