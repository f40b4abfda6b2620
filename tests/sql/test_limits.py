"""How far a statement looks at once: what lies at its bound counts, and what lies beyond it does not."""

import pytest
from uuid_utils.compat import uuid7

from tests.sql.conftest import SAID, TALK

LANES, LEASES, NEWEST, WALKED = 256, 500, 500, 100
CALL = "select count(*) from app.claim_webhooks($1, 100, interval '1 minute', '{}', '{}', '{}', '{}')"
LANES_THAT_WAIT = """
with made as (
    insert into subscriptions (user_id, subscription_id, url, events, secret)
    select $1, app.uuid7(), 'https://example.com', '{*}', 'x' from generate_series(1, $2::integer)
    returning subscription_id
)
insert into webhook_lanes (user_id, subscription_id, next_at)
select $1, subscription_id, now() - make_interval(secs => row_number() over ()) from made
"""
# Of the lane that came last.
DELIVERIES = """
insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, state, due_at,
                                lease_until)
select $1, app.uuid7(), l.subscription_id, case when n = 1 then $2 else app.uuid7() end, 'task.created', n, $3,
       now() - interval '1 minute', case when $3 = 'sending' then now() - interval '1 minute' end
  from (select subscription_id from webhook_lanes where user_id = $1 order by next_at desc limit 1) l,
       generate_series(1, $4::integer) n
"""


async def lanes(db, tenant, count):
    event = uuid7()
    await db.execute(LANES_THAT_WAIT, tenant, count)
    await db.execute(
        "insert into webhook_bodies (user_id, event_id, type, body) values ($1, $2, 'task.created', '{}')",
        tenant,
        event,
    )
    return event


@pytest.mark.parametrize(("count", "claimed"), [(LANES, [1, 0]), (LANES + 1, [0, 1])])
async def test_so_many_lanes_have_their_turn_at_once(db, tenant, count, claimed):
    event = await lanes(db, tenant, count)
    await db.execute(DELIVERIES, tenant, event, "waiting", 1)
    assert [await db.fetchval(CALL, tenant) for _ in claimed] == claimed


async def test_so_many_leases_run_out_at_once(db, tenant):
    event = await lanes(db, tenant, 1)
    await db.execute(DELIVERIES, tenant, event, "sending", LEASES + 1)
    assert [await db.fetchval("select app.expire_webhooks()") for _ in range(3)] == [LEASES, 1, 0]


@pytest.mark.parametrize(("asked", "since"), [(NEWEST, 1), (NEWEST + 1, 2)])
async def test_who_waits_is_told_from_the_newest_messages(db, tenant, asked, since):
    talk = uuid7()
    await db.execute(SAID, tenant, talk, "inbound", "oi", 1, asked)
    told = "select extract(epoch from app.first_unanswered($1, $2) - timestamptz '2026-05-01') / 60"
    assert await db.fetchval(told, tenant, talk) == since
    await db.execute(SAID, tenant, talk, "outbound", "oi", 0, 0)  # beyond the newest: nothing changes
    assert await db.fetchval(told, tenant, talk) == since


@pytest.mark.parametrize(("first", "is_common"), [(WALKED - 3, True), (WALKED - 2, False)])
async def test_a_text_is_common_among_the_next_hundred(db, tenant, first, is_common):
    """Where four of them have it: of four that stand together, the last is the hundredth or the one behind."""
    await db.execute(TALK, tenant, WALKED + 10)
    ids = [row[0] for row in await db.fetch("select conversation_id from conversations order by active_at desc")]
    for place in range(first, first + 4):
        await db.execute(SAID, tenant, ids[place - 1], "inbound", "zebra", 1, 1)
    assert await db.fetchval("select app.search_is_common('zebra', null, null)") is is_common
