"""What the keys of a row hold: two tenants may share every id, and what belongs to a row goes with it."""

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.queries import sql
from tests.sql.conftest import SAID, TALK

CHANNEL = """
insert into channels (user_id, channel_id, type, name) values ($1, $2, 'whatsapp', $3)
"""
CONTACT = """
insert into contacts (user_id, contact_id, name, handle, channel_type) values ($1, $2, $3, $3, 'whatsapp')
"""
CONNECTION = """
insert into connections (user_id, channel_id, provider, config, options) values ($1, $2, 'waha', '{}', '{}')
"""
QUEUED = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, body, status, sent_at, queued_at)
values ($1, $2, $3, $4, 'outbound', 'oi', 'queued', now(), now())
"""
KEYED = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, dedupe_key, body, status, sent_at)
values ($1, $2, $1, $3, 'inbound', $4, 'oi', 'received', now())
"""
DELIVERY = """
insert into deliveries (user_id, conversation_id, message_id, channel_id, lane, kind, payload, state, due_at,
                        give_up_at)
values ($1, $2, $3, $2, $2, $4, '{}', $5, now(), now())
"""


@pytest.fixture
async def twin(db, tenant):
    """Somebody else, whose rows have the same ids."""
    return uuid7()


async def test_a_search_walks_through_ones_own_messages_and_contacts(db, tenant, twin):
    await db.execute(TALK, tenant, 10)
    ids = [row[0] for row in await db.fetch("select conversation_id from conversations order by active_at desc")]
    await db.execute(
        """insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at)
           select $2, conversation_id, contact_id, channel_id, handle, active_at
             from conversations where user_id = $1""",
        tenant,
        twin,
    )
    await db.execute(CONTACT, twin, tenant, "zebra")
    for place, conversation in enumerate(ids):
        await db.execute(SAID, tenant if place < 5 else twin, conversation, "inbound", "zebra", 1, 1)
    assert await db.fetchval("select app.search_is_common('zebra', null, null)")
    assert await db.fetchval("select ids from app.search_walk('zebra', null, null, 20, '1 min')") == ids[:5]


async def test_a_row_of_the_inbox_is_written_of_ones_own(db, tenant, twin):
    talk = uuid7()
    for user_id, word in ((tenant, "mine"), (twin, "theirs")):
        await db.execute(CHANNEL, user_id, tenant, word)
        await db.execute(CONTACT, user_id, tenant, word)
        await db.execute(
            """insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at, snippet)
               values ($1, $2, $3, $3, $4, now(), $4)""",
            user_id,
            talk,
            tenant,
            word,
        )
    without = await db.fetchval("select app.inbox_items_of(array[$1::uuid])", talk)
    assert (without.count("mine"), without.count("theirs"), without.count('"contact":')) == (4, 0, 1)
    await db.execute(CONNECTION, twin, tenant)
    assert await db.fetchval("select app.inbox_items_of(array[$1::uuid])", talk) == without
    await db.execute(CONNECTION, tenant, tenant)
    assert await db.fetchval("select app.inbox_items_of(array[$1::uuid])", talk) != without


async def test_a_connection_of_another_channel_or_tenant_keeps_no_message(db, tenant, twin):
    channel, other, message = uuid7(), uuid7(), uuid7()
    await db.execute(QUEUED, tenant, message, tenant, channel)
    await db.execute(CONNECTION, tenant, other)
    await db.execute(CONNECTION, twin, channel)
    asked = {"most": 20, "lease_seconds": 60, "max_age": 3600, "channel_id": None, "on_unknown": "hold"}
    given = await sql.outbox.claim.all(db, user_id=tenant, most_claims=3, **asked)
    assert [row["id"] for row in given] == [message]
    await db.execute("update messages set claim = null, due_at = null where user_id = $1", tenant)
    await db.execute(CONNECTION, tenant, channel)
    assert await sql.outbox.claim.all(db, user_id=tenant, most_claims=3, **asked) == []


async def test_a_message_is_known_by_its_key_on_its_channel(db, tenant, twin):
    """The index holds a digest of all three."""
    channels, keys, made = [uuid7(), uuid7()], ["a", r"\x61", r"a\b", "ação"], {}
    for user_id in (tenant, twin):
        for channel in channels:
            for key in keys:
                made[user_id, channel, key] = uuid7()
                await db.execute(KEYED, user_id, made[user_id, channel, key], channel, key)
    for user_id in (tenant, twin):
        await db.execute("select set_config('app.user_id', $1, true)", str(user_id))
        for channel in channels:
            for key in keys:
                found = await db.fetch("select app.messages_keyed(array[$1::uuid], array[$2])", channel, key)
                assert [row[0] for row in found] == [made[user_id, channel, key]]
    found = await db.fetch("select app.messages_keyed($1, array['a', null, 'other'])", channels)
    assert {row[0] for row in found} == {made[twin, channel, "a"] for channel in channels}
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        async with db.transaction():
            await db.execute(KEYED, tenant, uuid7(), channels[0], "a")
    assert refused.value.constraint_name == "messages_external_id_taken"


async def test_a_turn_is_what_was_said_since_the_answer_before_it(db, tenant):
    talk = uuid7()
    for side, first, last in (("inbound", 1, 2), ("outbound", 3, 3), ("inbound", 4, 5), ("outbound", 6, 6)):
        await db.execute(SAID, tenant, talk, side, "oi", first, last)
    rows = await sql.suggestions.turn.all(db, user_id=tenant, conversation_id=talk)
    assert [row["sent_at"].minute for row in rows] == [4, 5]


async def test_a_lane_has_one_head(db, tenant):
    """Which is under way or about to be; receipts go beside it."""
    talk, message = uuid7(), uuid7()
    for kind, state in (("text", "waiting"), ("read", "waiting"), ("typing", "sending"), ("text", "blocked")):
        await db.execute(DELIVERY, tenant, talk, message, kind, state)
    await db.execute(DELIVERY, tenant, uuid7(), message, "text", "waiting")
    for state in ("waiting", "sending"):
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            async with db.transaction():
                await db.execute(DELIVERY, tenant, talk, message, "attachment", state)
        assert refused.value.constraint_name == "deliveries_head"


async def test_the_parts_of_a_message_go_with_it(db, tenant, twin):
    talk, message, later = uuid7(), uuid7(), uuid7()
    for user_id, message_id in ((tenant, message), (twin, message), (tenant, later)):
        await db.execute(QUEUED, user_id, message_id, talk, talk)
        await db.execute(DELIVERY, user_id, talk, message_id, "text", "done")
    await db.execute("set local session_replication_role = origin")
    await db.execute("delete from messages where user_id = $1 and message_id = $2", tenant, message)
    left = await db.fetch("select user_id, message_id from deliveries")
    assert {tuple(row) for row in left} == {(twin, message), (tenant, later)}
