"""What is new in the log is read once for all consumers; of messages, only those that somebody may want."""

import asyncpg
import pytest
from uuid_utils.compat import uuid7

EVERYBODY = """
insert into users (user_id, name, email) select u, 'Ana', u || '@example.com' from unnest($1::uuid[]) u
"""
PLAIN = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at)
select u, app.uuid7(), u, u, 'inbound', 'received', now() from unnest($1::uuid[]) u, generate_series(1, $2)
"""
WITH_FILE = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at, attachments)
values ($1, $2, $3, $1, 'inbound', 'received', now(), '[{"type": "image"}]')
"""
SCHEDULED = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at, created_at,
                      scheduled_at, cancel_on_reply)
values ($1, app.uuid7(), $2, $1, 'outbound', 'scheduled', now(), now() - interval '1 hour', now(), true)
"""
RECEIVED = "insert into ai_events (user_id, type, conversation_id, message_id) values ($1, 'message.received', $2, $3)"
ALL_RECEIVED = """
insert into ai_events (user_id, type, conversation_id, message_id)
select user_id, 'message.received', conversation_id, message_id from messages where attachments = '[]'
"""
SKIP = """
select consumer from app.bus_skip(array['media', 'deliveries'], array_fill('{"message.received": {}}'::jsonb, array[2]),
                                  array_fill(null::text, array[2]), array(select generate_series(0, 15)::smallint))
"""
READ = """
select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::int from pg_stat_xact_user_tables where relname = $1
"""


@pytest.fixture
async def log(cluster):
    """A superuser without foreign keys, beside two consumers that have read all of the log."""
    db = await asyncpg.connect(cluster.superuser(cluster.copy()))
    await db.execute("set session_replication_role = replica")
    await db.execute("select app.bus_join('media'), app.bus_join('deliveries')")
    yield db
    await db.close()


async def waits(log):
    return [row["consumer"] for row in await log.fetch(SKIP)]


async def test_a_message_waits_for_who_fetches_its_file_or_calls_something_off(log):
    ana, with_file, talk, other = uuid7(), uuid7(), uuid7(), uuid7()
    await log.execute(EVERYBODY, [ana])
    await log.execute(WITH_FILE, ana, with_file, other)
    await log.execute(SCHEDULED, ana, talk)
    await log.execute(RECEIVED, ana, other, uuid7())
    assert await waits(log) == []
    await log.execute(RECEIVED, ana, other, with_file)
    assert await waits(log) == ["media"]
    await log.execute("update bus_cursors set seen = pg_current_snapshot()")
    await log.execute(RECEIVED, ana, talk, uuid7())
    assert await waits(log) == ["deliveries"]


async def test_somebody_elses_file_or_schedule_is_nobodys_concern(log):
    ana, bruno, message, talk = uuid7(), uuid7(), uuid7(), uuid7()
    await log.execute(EVERYBODY, [ana, bruno])
    await log.execute(WITH_FILE, bruno, message, talk)
    await log.execute(SCHEDULED, bruno, talk)
    await log.execute(RECEIVED, ana, talk, message)
    assert await waits(log) == []


async def test_a_cursor_is_never_far_behind_the_log(log):
    """It moves where only other buckets have news, and not at all where nobody has any."""
    ana = uuid7()
    await log.execute(EVERYBODY, [ana])
    await log.execute(RECEIVED, ana, uuid7(), uuid7())
    assert await waits(log) == []
    places = "select array_agg(distinct seen::text), array_agg(ctid::text order by consumer, bucket) from bus_cursors"
    before = await log.fetchrow(places)
    assert len(before[0]) == 1
    assert await waits(log) == []
    assert await log.fetchrow(places) == before


async def test_what_nobody_wants_is_read_once(log):
    """And none of its messages, though their table was all but empty when the plans were made."""
    users, each = [uuid7() for _ in range(5)], 100
    await log.execute(EVERYBODY, users)
    await log.execute(WITH_FILE, users[0], uuid7(), uuid7())
    await log.execute(RECEIVED, users[0], uuid7(), uuid7())
    assert await waits(log) == []
    await log.execute(PLAIN, users, each)
    await log.execute(ALL_RECEIVED)
    async with log.transaction():
        before = [await log.fetchval(READ, table) for table in ("ai_events", "messages")]
        assert await waits(log) == []
        after = [await log.fetchval(READ, table) for table in ("ai_events", "messages")]
    events, messages = (late - early for early, late in zip(before, after, strict=True))
    # Once more of the tenant who has a file at all, and one for each cursor that has news.
    assert (len(users) + 1) * each <= events <= (len(users) + 1) * each + 2 * 16
    assert messages <= 1
