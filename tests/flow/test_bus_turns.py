"""Tenants take turns: nobody's work holds up the others', and everybody's is done once and in its order."""

import asyncio
import time
from uuid import UUID

import asyncpg
import pytest

from alfred.bell import Bell
from alfred.events import record
from tests.conftest import serving
from tests.flow.bus_reading import ground, happen, join, reading
from tests.people import Person

__all__ = ["ground"]


@pytest.fixture
async def neighbour(ground, cluster, http):
    """Another tenant of the same bucket."""
    superuser = await asyncpg.connect(cluster.superuser(ground[1].split("@/")[1].split("?")[0]))
    user_id = UUID(bytes=bytes(15) + ground[2].bytes[15:])
    await superuser.execute("insert into users (user_id, name, email) values ($1, 'Nina', 'nina@example.com')", user_id)
    yield user_id
    await superuser.close()


async def test_a_slow_tenant_waits_for_its_turn_and_not_the_others_for_it(ground, neighbour, eventually):
    seen = []

    async def act(db, event):
        seen.append((event.user_id, event.payload["number"]))
        await asyncio.sleep(0.03 if event.user_id == ground[2] else 0)

    await join(ground)
    await happen(ground, *range(20))
    await happen(ground, 0, user_id=neighbour)
    async with reading(ground, act) as bus:
        await eventually(lambda: asyncio.sleep(0, (neighbour, 0) in seen))
        assert len(seen) < 8  # the first look gave the slow one its share
        await happen(ground, 20)
        bus.announce([ground[2]])
        await eventually(lambda: asyncio.sleep(0, len(seen) == 22))
        await asyncio.sleep(0.1)
    assert [number for user_id, number in seen if user_id == ground[2]] == list(range(21))


async def test_a_long_event_commits_part_by_part(ground, neighbour, eventually):
    """What it did is kept, what is left is done at the next turn, and what came later waits behind it."""
    parts = []

    async def act(db, event):
        if event.user_id == ground[2]:
            await record(db, event.user_id, "task.created", {"part": len(parts)})
        parts.append((event.user_id, event.payload["number"]))
        return event.payload["number"] == 0 and parts.count((ground[2], 0)) < 4

    await join(ground)
    await happen(ground, 0, 1)
    await happen(ground, 2, user_id=neighbour)
    async with reading(ground, act):
        await eventually(lambda: asyncio.sleep(0, (ground[2], 1) in parts))
        await asyncio.sleep(0.1)
    assert parts == [(ground[2], 0), (neighbour, 2), *[(ground[2], 0)] * 3, (ground[2], 1)]
    async with ground[0].acting_as(ground[2]) as db:
        assert await db.fetchval("select count(*) from ai_events where type = 'task.created'") == 5


async def test_a_backlog_is_finished_by_whoever_comes_next(ground, eventually):
    async def give_up(db, event):
        return True

    seen = []

    async def act(db, event):
        seen.append(event.payload["number"])

    await join(ground)
    await happen(ground, 0, 1, 2)
    async with reading(ground, give_up):
        await asyncio.sleep(0.3)
    async with reading(ground, act):
        await eventually(lambda: asyncio.sleep(0, len(seen) == 3))
    assert seen == [0, 1, 2]


async def test_what_is_being_erased_holds_up_nobody(ground, neighbour, cluster, eventually):
    async def give_up(db, event):
        return True

    seen = []

    async def act(db, event):
        seen.append(event.user_id)

    await join(ground)
    for user_id in (ground[2], neighbour):
        await happen(ground, 0, user_id=user_id)
    async with reading(ground, give_up):
        await asyncio.sleep(0.3)
    eraser = await asyncpg.connect(cluster.superuser(ground[1].split("@/")[1].split("?")[0]))
    erasure = eraser.transaction()
    await erasure.start()
    assert await eraser.execute("delete from event_backlog where user_id = $1", neighbour) == "DELETE 1"
    async with reading(ground, act):
        await eventually(lambda: asyncio.sleep(0, seen))
        await asyncio.sleep(0.3)
        assert seen == [ground[2]]
        await erasure.rollback()
        assert await eventually(lambda: asyncio.sleep(0, len(seen) == 2))
    await eraser.close()


async def test_a_lock_that_does_not_open_stops_the_reader_for_a_moment_only(ground, cluster, eventually, monkeypatch):
    monkeypatch.setattr("alfred.reader.SWEEP_SECONDS", 15.0)
    attempts = []

    async def act(db, event):
        attempts.append(event.number)
        raise RuntimeError("fails, and cannot be noted")

    await join(ground)
    holder = await asyncpg.connect(cluster.superuser(ground[1].split("@/")[1].split("?")[0]))
    async with holder.transaction():
        await holder.execute("lock table event_retries in exclusive mode")
        await happen(ground, 0)
        async with reading(ground, act):
            assert await eventually(lambda: asyncio.sleep(0, len(attempts) > 1), seconds=10)
    await holder.close()


async def test_two_readers_share_a_backlog_and_keep_its_order(ground, neighbour, eventually):
    seen = []

    async def act(db, event):
        seen.append((event.user_id, event.payload["number"]))
        await asyncio.sleep(0.02)

    await join(ground)
    for user_id in (ground[2], neighbour):
        await happen(ground, *range(20), user_id=user_id)
    async with reading(ground, act), reading(ground, act):
        await eventually(lambda: asyncio.sleep(0, len(seen) >= 40), seconds=10)
        await asyncio.sleep(0.1)
    for user_id in (ground[2], neighbour):
        assert [number for of, number in seen if of == user_id] == list(range(20))


async def test_what_can_be_done_for_all_is_and_the_rest_one_by_one(ground, eventually):
    batches, alone = [], []

    async def act_on_all(db, events):
        batches.append([event.payload["number"] for event in events])
        return [event for event in events if event.payload["number"] % 2]

    async def act(db, event):
        alone.append(event.payload["number"])

    await join(ground)
    await happen(ground, *range(6))
    async with reading(ground, act, act_on_all=act_on_all):
        await eventually(lambda: asyncio.sleep(0, len(alone) == 3))
    assert (batches, alone) == ([[*range(6)]], [1, 3, 5])


async def test_a_batch_that_fails_is_done_one_by_one(ground, eventually):
    alone = []

    async def act_on_all(db, events):
        await record(db, events[0].user_id, "task.created", {})
        await db.execute("select 1 / 0")

    async def act(db, event):
        alone.append(event.payload["number"])

    await join(ground)
    await happen(ground, *range(3))
    async with reading(ground, act, act_on_all=act_on_all):
        await eventually(lambda: asyncio.sleep(0, len(alone) == 3))
    assert alone == [0, 1, 2]


async def test_is_handed_only_what_it_asks_for(ground, eventually):
    seen = []

    async def act(db, event):
        seen.append(event.payload["number"])

    await join(ground)
    await happen(ground, *range(5))
    async with reading(ground, act, only={"contact.created": {"number": 3}}):
        await eventually(lambda: asyncio.sleep(0, seen))
        await asyncio.sleep(0.05)
    assert seen == [3]


async def test_a_transaction_does_not_take_its_own_events_for_read(cluster, database):
    """While it runs, a later transaction commits: from then on its snapshot would count it as seen."""
    one, other = [await asyncpg.connect(cluster.app(database)) for _ in range(2)]
    try:
        async with one.transaction():
            await one.execute("select pg_current_xact_id()")
            await other.execute("select pg_current_xact_id()")
            own = "select pg_visible_in_snapshot(pg_current_xact_id(), {})"
            assert await one.fetchval(own.format("pg_current_snapshot()"))
            assert not await one.fetchval(own.format("app.bus_present()"))
            last = await one.fetchval(
                "select pg_snapshot_xmax(pg_current_snapshot()) = pg_snapshot_xmax(app.bus_present())"
            )
            assert last
    finally:
        await one.close()
        await other.close()


async def test_the_bell_is_not_heard_by_who_rings_it(cluster, database, eventually):
    heard = {"one": [], "other": []}
    bells = {name: Bell(cluster.app(database), heard[name].append) for name in heard}
    tasks = [asyncio.create_task(bell.run()) for bell in bells.values()]
    try:
        await eventually(lambda: asyncio.sleep(0, all(bell.listening for bell in bells.values())))
        bells["one"].ring([3])
        await eventually(lambda: asyncio.sleep(0, [3] in heard["other"]))
        await asyncio.sleep(0.05)
        assert [3] not in heard["one"]
    finally:
        for task in tasks:
            task.cancel()


async def test_hundreds_of_rules_hold_up_no_neighbour(cluster, http, eventually):
    """400 rules of 20 actions each, and 300 messages: another tenant is told of its own match soon.

    Within tenths of a second where nothing else runs; without turns it would be minutes.
    """
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    always = {"field": "conversation.unread_count", "op": "gte", "value": 0}
    async with serving(cluster.app(name)) as address:
        ana, bruno = [await Person.sign_up(http, address, who) for who in ("Ana", "Bruno")]
        entry = await ana.hears("oi")
        many = {"when": always, "then": [{"action": "create_task", "title": "x"}] * 20}
        rule = await ana.made("/rules", {"compiled": many, "enabled": True})
        await bruno.made("/rules", {"compiled": {"when": always, "then": [{"action": "notify"}]}})
        await superuser.execute(
            """insert into rules (user_id, rule_id, name, text, language, compiled, explanation)
               select user_id, app.uuid7(), name, text, language, compiled, explanation
                 from rules, generate_series(1, 399) where rule_id = $1""", rule["id"],
        )  # fmt: skip
        await superuser.execute(
            """insert into ai_events (user_id, type, contact_id, conversation_id, message_id)
               select user_id, 'message.received', contact_id, conversation_id, app.uuid7()
                 from conversations, generate_series(1, 300) where conversation_id = $1""", entry["conversation_id"],
        )  # fmt: skip
        await ana.hears("oi")
        waits = []
        for number in range(1, 6):
            await asyncio.sleep(0.1)
            began = time.monotonic()
            await bruno.hears(f"oi {number}")
            told = await eventually(bruno.notifications, lambda told, number=number: len(told) >= number, seconds=20)
            assert len(told) == number
            waits.append(time.monotonic() - began)
        assert sorted(waits)[2] < 4, waits
        assert await superuser.fetchval("select count(*) from event_backlog where user_id = $1", ana.id) > 250
        assert len(await ana.events("rule.matched", limit=200)) > 0
    await superuser.close()
