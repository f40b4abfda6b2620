"""What is asked of a long log of one moment, one event or one person reads that part of it alone."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from alfred.queries import sql
from tests.sql.hats import wearing
from tests.sql.test_search_reads import CHANNEL, CONTACT, PERSON, READ

EVENTS = 6000  # one a minute; each contact has one of a hundred
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
LOG = f"""
insert into ai_events (user_id, type, event_id, contact_id, created_at)
select $1, 'contact.created',
       (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid,
       ('00000000-0000-7000-8000-' || lpad((n % 100)::text, 12, '0'))::uuid, at
  from generate_series(0, {EVENTS - 1}) n, lateral (select $2::timestamptz + make_interval(mins => n) as at) moment
"""
SUBSCRIPTION = """insert into subscriptions (user_id, subscription_id, url, events, secret)
                  values ($1, $1, 'https://example.com', '{*}', 'x')"""
BODIES = "insert into webhook_bodies (user_id, event_id, type, body) select $1, app.uuid7(), 'x', '{}' from ai_events"


@pytest.fixture(scope="module")
async def told(cluster):
    """The application's connection under the hat of somebody with a long log, whose it is, and its events' ids."""
    database, user_id = cluster.copy(), uuid7()
    root = await asyncpg.connect(cluster.superuser(database))
    await prepare(root)
    await root.execute("set session_replication_role = replica")
    for statement in (PERSON, CHANNEL, CONTACT, SUBSCRIPTION):
        await root.execute(statement, user_id)
    await root.execute(LOG, user_id, BEGAN)
    await root.execute(BODIES, user_id)
    await root.execute("vacuum (analyze)")
    ids = [row["event_id"] for row in await root.fetch("select event_id from ai_events order by number")]
    await root.close()
    async with wearing(cluster, database, user_id) as connection:
        yield connection, user_id, ids


async def reading(db, call):
    """What a call answers, and how many rows it read, in functions too."""
    before = await db.fetchval(READ)
    answer = await call
    return answer, await db.fetchval(READ) - before


@pytest.mark.parametrize("place", [0, 1, EVENTS // 2, EVENTS - 2, EVENTS - 1])
async def test_an_event_is_found_by_the_moment_in_its_id(told, place):
    db, user_id, ids = told
    found, read = await reading(db, sql.subscriptions.number_of.value(db, user_id=user_id, event_id=ids[place]))
    assert found == await db.fetchval("select number from ai_events where event_id = $1", ids[place])
    assert read < 100


async def test_an_event_of_another_moment_than_its_id_says_is_found_too(told):
    db, user_id, _ = told
    other = uuid7()
    number = await db.fetchval(
        """insert into ai_events (user_id, type, event_id, created_at) values ($1, 'x', $2, $3) returning number""",
        user_id, other, BEGAN + timedelta(minutes=EVENTS + 1),
    )  # fmt: skip
    assert await sql.subscriptions.number_of.value(db, user_id=user_id, event_id=other) == number
    assert await sql.subscriptions.number_of.value(db, user_id=user_id, event_id=uuid7()) is None
    await db.execute("delete from ai_events where event_id = $1", other)


@pytest.mark.parametrize("newest", [0, 1, 50])
async def test_what_happened_since_a_moment_is_read_from_there(told, newest):
    db, user_id, ids = told
    since = BEGAN + timedelta(minutes=EVENTS - newest)
    given = {"user_id": user_id, "subscription_id": user_id, "since": since, "after_number": 0}
    rows, read = await reading(db, sql.subscriptions.replayable.all(db, **given, limit=1000))
    assert [row["event_id"] for row in rows] == ids[EVENTS - newest :]
    assert read < 500
    count, read = await reading(db, sql.subscriptions.replayable_count.value(db, **given))
    assert (count, read < 500) == (newest, True)


async def test_a_person_is_forgotten_without_reading_what_is_told_of_others(told):
    db, user_id, _ = told
    contact_id = await db.fetchval("select contact_id from ai_events limit 1")
    about = {"user_id": user_id, "contact_id": contact_id}
    for query, given in ((sql.erasures.forget_attempts, {"conversations": []}), (sql.contacts.forget, {})):
        _, read = await reading(db, query.run(db, **about, **given))
        assert read < EVENTS / 10, query.name
    assert await db.fetchval("select count(*) from ai_events where contact_id = $1", contact_id) == 0
