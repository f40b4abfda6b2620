"""What nobody wants is passed over in one statement; what somebody wants stays where it is until it is read."""

import pytest

from alfred.consumers import Consumer, asked
from alfred.events import bucket_of, record
from alfred.queries import sql
from tests.flow.bus_reading import ground, join

__all__ = ["ground"]


async def nothing(_db, _event):
    return None


def wants(name, *types, **more):
    return Consumer(name, types, nothing, **more)


@pytest.fixture
async def skip(ground):
    """What waits, and for whom: as the reader asks; then what a look reads of it."""
    database, _, user_id = ground

    async def ask(*consumers, limit=10):
        given = asked(consumers) | {"buckets": [bucket_of(user_id)]}
        found = await database.service_rows(sql.events.skip, **given)
        async with database.as_service() as db:
            read = await sql.events.read.all(db, **given, limit=limit)
        return [row["consumer"] for row in found], [(row["consumer"], row["type"]) for row in read]

    return ask


async def happen(ground, *types, **payload):
    database, _, user_id = ground
    async with database.acting_as(user_id) as db:
        for kind in types:
            await record(db, user_id, kind, payload)


async def test_only_who_wants_it_has_something_waiting(ground, skip):
    consumers = [wants("people", "contact.created"), wants("work", "task.created")]
    for each in consumers:
        await join(ground, each.name)
    await happen(ground, "contact.created")
    assert await skip(*consumers) == (["people"], [("people", "contact.created")])
    assert await skip(*consumers) == ([], [])


async def test_what_is_passed_over_is_not_read_later(ground, skip):
    await join(ground)
    await happen(ground, "contact.created")
    assert await skip(wants("test", "task.created")) == ([], [])
    assert await skip(wants("test", "task.created", "contact.created")) == ([], [])


async def test_a_payload_that_is_not_wanted_is_passed_over(ground, skip):
    consumer = wants("test", "task.created", only={"task.created": {"urgent": True}})
    await join(ground)
    await happen(ground, "task.created", urgent=False)
    assert await skip(consumer) == ([], [])
    await happen(ground, "task.created", urgent=True)
    assert await skip(consumer) == (["test"], [("test", "task.created")])


async def test_a_tenant_for_whom_there_is_nothing_to_do_is_passed_over(ground, skip):
    consumers = [wants("test", "message.received", users="users_with_rules"), wants("other", "message.received")]
    for each in consumers:
        await join(ground, each.name)
    await happen(ground, "message.received")
    assert await skip(*consumers) == (["other"], [("other", "message.received")])


async def test_amid_a_long_read_the_rest_waits(ground, skip):
    """A page holds one event here; the next are told of until the last is read."""
    consumer = wants("test", "contact.created")
    await join(ground)
    await happen(ground, "contact.created", "contact.created")
    for _ in range(2):
        assert await skip(consumer, limit=1) == (["test"], [("test", "contact.created")])
    assert await skip(consumer, limit=1) == (["test"], [])
    assert await skip(consumer, limit=1) == ([], [])


async def test_who_has_read_further_is_not_told_again(ground, skip):
    early, late = wants("early", "contact.created"), wants("late", "contact.created")
    for each in (early, late):
        await join(ground, each.name)
    await happen(ground, "contact.created")
    assert await skip(early) == (["early"], [("early", "contact.created")])
    await happen(ground, "task.created")
    assert await skip(early, late) == (["late"], [("late", "contact.created")])
