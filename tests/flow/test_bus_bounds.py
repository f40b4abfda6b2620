"""The bus beyond one batch, and what becomes of events that fail, that are given up, or whose tenant is erased."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from alfred.queries import sql
from tests.conftest import ask_until
from tests.flow.bus_reading import ground, happen, join, reading

__all__ = ["ground", "root"]

COUNT = 7


@pytest.fixture
async def root(ground, cluster):
    db = await asyncpg.connect(cluster.superuser(ground[1].split("@/")[1].split("?")[0]))
    yield db
    await db.close()


@pytest.fixture
async def people(ground, root):
    """Six tenants: two in each of three buckets."""
    ids = [UUID(int=(n << 8) + n % 3) for n in range(1, 7)]
    for user_id in ids:
        await root.execute("insert into users (user_id, name, email) values ($1, 'X', $2)", user_id, f"{user_id}@x.com")
    return ids


class Seen(list):
    """What a consumer was told: (tenant, number), in order."""

    async def act(self, _, event):
        self.append((event.user_id, event.payload["number"]))

    async def reach(self, count, seconds=30.0):
        await ask_until(lambda: asyncio.sleep(0, len(self)), lambda found: found >= count, seconds)
        await asyncio.sleep(0.05)

    def of(self, user_id):
        return [number for each, number in self if each == user_id]


@pytest.fixture
def no_sweep(monkeypatch):
    """Whoever is poked once must see all: the next sweep comes too late."""
    monkeypatch.setattr("alfred.reader.SWEEP_SECONDS", 60)


async def test_who_may_wait_is_told_without_another_poke(ground, no_sweep):
    """What comes just after a look for all is looked at by the others at once, and by these a little later."""
    seen = Seen()
    await join(ground)
    async with reading(ground, seen.act, may_wait=True) as bus:
        for number in range(3):
            await happen(ground, number)
            bus.announce([ground[2]])
            await asyncio.sleep(0.02)
        await seen.reach(3)
    assert seen == [(ground[2], number) for number in range(3)]


@pytest.mark.parametrize("batch", [1, 2, COUNT])
async def test_more_than_a_batch_of_several_tenants(batch, ground, people, no_sweep, monkeypatch):
    monkeypatch.setattr("alfred.reader.READ_LIMIT", batch)
    seen = Seen()
    await join(ground)
    async with reading(ground, seen.act) as bus:
        await asyncio.sleep(0.1)
        for user_id in people:
            await happen(ground, *range(COUNT), user_id=user_id)
        bus.announce(people)
        await seen.reach(COUNT * len(people))
    assert {user_id: seen.of(user_id) for user_id in people} == {user_id: [*range(COUNT)] for user_id in people}


async def test_more_than_a_turn_of_a_backlog(ground, people, no_sweep, monkeypatch):
    monkeypatch.setattr("alfred.reader.TURN_LIMIT", 2)
    await join(ground)
    for user_id in people[:3]:
        await happen(ground, *range(COUNT), user_id=user_id)

    async def too_long(db, event):
        return True

    async with reading(ground, too_long):
        await asyncio.sleep(0.2)
    seen = Seen()
    async with reading(ground, seen.act):
        await seen.reach(3 * COUNT)
    assert {each: seen.of(each) for each in people[:3]} == {each: [*range(COUNT)] for each in people[:3]}


async def test_all_that_failed_is_tried_again_by_one_sweep(ground, root, no_sweep, eventually):
    await join(ground)
    await happen(ground, *range(COUNT))

    async def fail(db, event):
        raise ValueError

    async with reading(ground, fail):
        await eventually(lambda: root.fetchval("select count(*) from event_retries"), lambda count: count == COUNT)
    assert await root.execute("update event_retries set next_at = now()") == f"UPDATE {COUNT}"
    seen = Seen()
    async with reading(ground, seen.act):
        await seen.reach(COUNT)
    assert sorted(seen.of(ground[2])) == [*range(COUNT)]
    assert await root.fetchval("select count(*) from event_retries") == 0


async def test_each_attempt_waits_twice_as_long_and_a_revived_event_has_all_of_them_again(ground, root):
    await happen(ground, 1)
    number = await root.fetchval("select number from ai_events")

    async def attempts():
        waits = []
        for _ in range(14):
            async with ground[0].as_service() as db:
                state = await sql.events.failed.value(
                    db, consumer="test", number=number, user_id=ground[2], error="x", wait_seconds=2.0, most=14
                )
            row = await root.fetchrow("select next_at - now() as wait, attempts from event_retries")
            waits.append(row["wait"].total_seconds())
            if state == "dead":
                break
        return waits, row["attempts"]

    waits, count = await attempts()
    assert count == 14
    assert waits == pytest.approx([min(2 * 2**n, 3600) for n in range(14)], abs=1.5)
    async with ground[0].as_service() as db:
        assert await sql.events.revive.value(db) == 1
    waits, count = await attempts()
    assert (len(waits), count) == (14, 14)


async def test_an_erased_tenants_events_fail_nobody(ground, people, root):
    """It is erased between the reading of a batch and its turn in it."""
    erased, other = people[0], people[3]  # of the same bucket
    seen = Seen()

    async def act(db, event):
        if not seen:
            await root.execute("delete from users where user_id = $1", erased)
        await seen.act(db, event)

    await join(ground)
    for user_id in (other, erased, other):
        await happen(ground, 1, user_id=user_id)
    async with reading(ground, act):
        await seen.reach(2)
    assert seen == [(other, 1), (other, 1)]
    assert await root.fetchval("select count(*) from event_retries") == 0


async def test_a_stream_goes_on_after_what_it_has_shown(ground, root):
    """Also where the notification that it showed last was erased."""
    numbers = []
    for n in range(4):
        numbers.append(
            await root.fetchrow(
                """insert into notifications (user_id, notification_id, type, dedupe_key, title)
                   values ($1, $3, 'rule_match', $2, 'x') returning notification_id, number""",
                ground[2], str(n), UUID(int=n + 1),
            )
        )  # fmt: skip
    (first, second, third, last) = numbers
    await root.execute("delete from notifications where notification_id = $1", third["notification_id"])
    async with ground[0].as_service() as db:
        rows = await sql.notifications.after.all(db, users=[ground[2]], numbers=[second["number"]], limit=10)
    assert [row["number"] for row in rows] == [last["number"]]
    async with ground[0].acting_as(ground[2]) as db:
        asked = [
            await sql.notifications.number_of.value(db, user_id=ground[2], notification_id=each["notification_id"])
            for each in (first, third, last)
        ]
    assert asked == [first["number"], second["number"], last["number"]]
