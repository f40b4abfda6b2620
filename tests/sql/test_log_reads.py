"""Who reads the log of a tenant reads what is shown, in a log of many: counted as it ran."""

import psycopg
import pytest
from uuid_utils.compat import uuid7

from alfred.queries import sql
from tests.sql.hats import wearing
from tests.sql.test_flat_pages import rows_read

EVENTS, LIMIT = 12_000, 50
# Each transaction wrote two events: of a message of the tenant's, or of its neighbour's in the same bucket.
FILL = f"""
insert into ai_events (user_id, type, conversation_id, message_id, payload, number, xid)
select (array[%(user)s, %(other)s])[1 + n / 10 %% 2]::uuid,
       case n %% 2 when 0 then 'message.received' else 'message.classified' end,
       ('00000000-0000-7000-8000-' || lpad((n / 10 %% 100)::text, 12, '0'))::uuid, app.uuid7(), '{{}}', n,
       (n / 2 + 100)::text::xid8
  from generate_series(2, {EVENTS} + 1) n
"""


@pytest.fixture(scope="module")
async def logged(cluster):
    """The application's connection under the hat of a tenant, with a log of two."""
    database = cluster.copy()
    user_id, other = [str(uuid7())[:-1] + "0" for _ in range(2)]
    with psycopg.connect(cluster.superuser(database), autocommit=True) as superuser:
        superuser.execute("insert into users (user_id, name, email) values (%s, 'Rica', 'rica@example.com')", [user_id])
        superuser.execute(FILL, {"user": user_id, "other": other})
        superuser.execute("analyze ai_events")
    async with wearing(cluster, database, user_id) as connection:
        yield connection, user_id


def seen(number, *under_way):
    """A snapshot in which all events up to a number were visible, but for some."""
    low, high, *missing = [n // 2 + 100 for n in (min([*under_way, number + 2]), number + 2, *under_way)]
    return f"{low}:{high}:{','.join(map(str, missing))}"


async def following(logged, since):
    """What follows a position, and how many rows were read for it."""
    db, user_id = logged
    counted = """select sum(coalesce(idx_tup_fetch, 0) + seq_tup_read)::int from pg_stat_xact_user_tables
                  where relname = 'ai_events'"""
    given = {"user_id": user_id, "upto": seen(EVENTS), "after_number": 0, "types": None, "conversation_id": None}
    before = await db.fetchval(counted)
    rows = await sql.events.following.all(db, seen=since, limit=LIMIT, **given)
    return [row["number"] for row in rows], await db.fetchval(counted) - before


@pytest.mark.parametrize("number", [10, EVENTS // 2 + 1, EVENTS - 199])
async def test_a_poll_reads_what_it_tells(logged, number):
    """From wherever, in the order of the log; and to find the place, a row for each possible connection."""
    told, read = await following(logged, seen(number))
    own = [n for n in range(2, EVENTS + 2) if n // 10 % 2 == 0 and n > number // 2 * 2 + 1]
    assert told == own[:LIMIT]
    connections = int(await logged[0].fetchval("show max_connections"))
    assert read <= LIMIT + connections + 10


async def test_a_poll_that_finds_nothing_reads_next_to_nothing(logged):
    told, read = await following(logged, seen(EVENTS))
    assert (told, read <= 10) == ([], True)


async def test_who_is_silent_reads_nothing_of_a_busy_log(logged):
    db, _ = logged
    silent = str(uuid7())[:-1] + "5"
    await db.execute("savepoint before")
    await db.execute("select set_config('app.user_id', $1, true)", silent)
    told, read = await following((db, silent), seen(10))
    await db.execute("rollback to savepoint before")
    assert (told, read <= int(await db.fetchval("show max_connections")) + 10) == ([], True)


async def test_what_was_under_way_is_told_when_it_has_come(logged):
    late = EVENTS // 2 // 20 * 20  # the tenant's
    told, _ = await following(logged, seen(EVENTS, late, EVENTS - 40))
    assert told[:2] == [late, late + 1]


async def test_what_was_under_way_with_the_newest_id_is_told_too(logged):
    """A snapshot says of no transaction above the last that has ended whether it had begun."""
    db, user_id = logged
    given = {"user_id": user_id, "upto": seen(EVENTS), "after_number": 0, "types": None, "conversation_id": None}
    await db.execute("savepoint before")
    await db.execute("select app.act_as($1)", user_id)
    late = seen(EVENTS - 40).split(":")[1]
    event = "insert into ai_events (user_id, type, number, xid) values ($1, 'task.created', 1, $2::text::xid8)"
    await db.execute(event, user_id, late)
    rows = await sql.events.following.all(db, seen=seen(EVENTS - 40), limit=LIMIT, **given)
    await db.execute("rollback to savepoint before")
    assert [row["number"] for row in rows][:2] == [1, EVENTS - 38]


async def test_a_page_of_a_conversation_reads_what_it_shows(logged):
    db, user_id = logged
    given = {"user_id": user_id, "type": None, "before": None, "limit": LIMIT + 1}
    conversation_id = "00000000-0000-7000-8000-000000000042"
    read, indexes = await rows_read(db, sql.events.page, conversation_id=conversation_id, **given)
    assert read <= 2 * (LIMIT + 1)
    assert "ai_events_by_conversation" in indexes


async def test_a_transaction_has_its_id_before_it_draws_numbers(root):
    """On this stands where a poll begins to read."""
    drawn = await root.fetchval(
        """select pg_get_expr(adbin, adrelid) from pg_attrdef
            where adrelid = 'ai_events'::regclass and adnum = 1"""
    )
    assert 0 < drawn.index("pg_current_xact_id()") < drawn.index("nextval")
