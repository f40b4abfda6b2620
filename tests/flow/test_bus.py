"""The event bus: nothing lost, nothing twice, poison set aside."""

import asyncio

import asyncpg

from alfred.events import bucket_of, record
from alfred.queries import sql
from tests.flow.bus_reading import ground, happen, join, reading

__all__ = ["ground"]


async def test_reads_late_commits_too_and_each_event_once(ground, eventually):
    """Numbers are given before commit: a cursor by number would step over the slow ones."""
    seen = []

    async def handle(db, event):
        seen.append(event.payload["number"])

    await join(ground)
    async with reading(ground, handle) as one, reading(ground, handle):
        for start in range(0, 60, 6):
            await asyncio.gather(*(happen(ground, start + n, delay=0.03 * (n % 3)) for n in range(6)))
            one.announce([ground[2]])
        await eventually(lambda: asyncio.sleep(0, len(seen) >= 60))
    assert sorted(seen) == list(range(60))


async def test_reads_a_long_log_page_by_page(ground, eventually, monkeypatch):
    """Pages follow each other by number, though later ones look no further than they must."""
    monkeypatch.setattr("alfred.reader.READ_LIMIT", 2)
    seen = []

    async def handle(db, event):
        seen.append(event.payload["number"])

    await join(ground)
    await happen(ground, *range(100))
    for number in range(100, 120):
        await happen(ground, number)
    async with reading(ground, handle):
        await eventually(lambda: asyncio.sleep(0, len(seen) >= 120))
    assert seen == list(range(120))


async def test_media_and_deliveries_are_told_only_of_what_concerns_them(ground, eventually):
    """A message that brings no file and calls nothing off costs them nothing; what others want is theirs."""
    seen = []

    def noting(name):
        async def handle(db, event):
            seen.append(name)

        return handle

    for name in ("media", "deliveries", "test"):
        await join(ground, name)
    async with ground[0].acting_as(ground[2]) as db:
        await record(db, ground[2], "message.received", {})
    types = ("message.received",)
    async with (
        reading(ground, noting("media"), name="media", types=types),
        reading(ground, noting("deliveries"), name="deliveries", types=types),
    ):
        await asyncio.sleep(0.2)
        async with reading(ground, noting("test"), types=types):
            await eventually(lambda: asyncio.sleep(0, seen))
    assert seen == ["test"]


async def test_nothing_is_due_where_nothing_waits(ground):
    """A wait of no time at all would ask again at once, for ever."""
    async with ground[0].as_service() as db:
        for due in (sql.subscriptions.due_in, sql.media.due_in, sql.refinements.due_in):
            assert await due.value(db) is None


async def test_effects_and_cursor_move_together(ground, eventually):
    """A consumer that dies in the middle of a batch leaves no effect, and begins again."""
    fail = True
    seen = []

    async def handle(db, event):
        seen.append(event.payload["number"])
        await record(db, event.user_id, "contact.created" if False else "task.created", event.payload)
        if fail and event.payload["number"] == 2:
            raise ConnectionError("the line breaks")

    await join(ground)
    for number in range(4):
        await happen(ground, number)
    async with reading(ground, handle):
        await eventually(lambda: asyncio.sleep(0, 2 in seen))
        fail = False
        await eventually(lambda: asyncio.sleep(0, 3 in seen))

        async def effects():
            async with ground[0].acting_as(ground[2]) as db:
                return await db.fetchval("select count(*) from ai_events where type = 'task.created'")

        assert await eventually(effects, lambda count: count == 4) == 4


async def test_a_poisonous_event_is_set_aside_and_tried_again(ground, eventually, monkeypatch):
    monkeypatch.setattr("alfred.dispatch.FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr("alfred.reader.SWEEP_SECONDS", 0.1)
    attempts = 0
    healthy = []

    async def handle(db, event):
        nonlocal attempts
        if event.payload["number"] == 1:
            attempts += 1
            await db.execute("select 1 / 0")
        healthy.append(event.payload["number"])

    await join(ground)
    for number in range(3):
        await happen(ground, number)
    async with reading(ground, handle):
        assert await eventually(lambda: asyncio.sleep(0, sorted(healthy)), lambda seen: seen == [0, 2]) == [0, 2]

        async def dead():
            async with ground[0].as_service() as db:
                await db.execute("select 1")
                return [dict(row) for row in await sql.events.dead.all(db, limit=100)]

        buried = await eventually(dead, seconds=20)
        assert [(row["consumer"], row["attempts"]) for row in buried] == [("test", 8)]
        assert attempts == 8
        assert "DivisionByZero" in buried[0]["error"]


async def test_a_consumer_that_joins_later_starts_then(ground, eventually):
    seen = []

    async def handle(db, event):
        seen.append(event.payload["number"])

    await happen(ground, 1)
    await join(ground)
    await happen(ground, 2)
    async with reading(ground, handle):
        await eventually(lambda: asyncio.sleep(0, seen))
    assert seen == [2]


async def test_handlers_wear_their_tenants_hat(ground, eventually, http):
    rows = []

    async def handle(db, event):
        rows.append(await db.fetch("select user_id from users"))

    await join(ground)
    await happen(ground, 1)
    async with reading(ground, handle):
        await eventually(lambda: asyncio.sleep(0, rows))
    assert [[row["user_id"] for row in each] for each in rows] == [[ground[2]]]


async def test_python_and_sql_agree_on_buckets(app_db):
    for _ in range(50):
        user = await app_db.fetchval("select app.uuid7()")
        assert await app_db.fetchval("select app.bucket($1)", user) == bucket_of(user)


async def test_cursors_of_another_cluster_are_set_to_the_present(ground, eventually, cluster):
    """As after a dump was restored where transaction numbers are lower: old events stay old when those reach theirs."""
    seen = []

    async def handle(db, event):
        seen.append(event.payload["number"])

    await join(ground)
    await happen(ground, 1)
    superuser = await asyncpg.connect(cluster.superuser(ground[1].split("@/")[1].split("?")[0]))
    now = int(await superuser.fetchval("select pg_current_xact_id()::text"))
    await superuser.execute(f"update bus_cursors set seen = '{now + 2000}:{now + 2000}:'")
    await superuser.execute(f"update ai_events set xid = '{now + 1000}' where type = 'contact.created'")
    async with reading(ground, handle) as bus:
        await eventually(lambda: asyncio.sleep(0, not bus.reader.behind))
        while int(await superuser.fetchval("select pg_current_xact_id()::text")) < now + 1500:
            pass
        await superuser.close()
        await happen(ground, 2)
        bus.announce([ground[2]])
        await eventually(lambda: asyncio.sleep(0, seen))
    assert seen == [2]
