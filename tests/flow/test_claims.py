"""Workers of one queue: each takes rows of its own and waits for nobody; who has lost a row settles nothing."""

from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from tests.flow.crowd import DELIVERIES, WEBHOOKS

HALF = 3
MEDIA = "insert into media (user_id, channel_id, state) select user_id, user_id, 'pending' from users"
INBOUND = """insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at)
             select user_id, user_id, user_id, user_id, 'inbound', 'received', now() from users;
             insert into ai_refinements (user_id, message_id) select user_id, user_id from users"""
WAITING = """with numbered as (select delivery_id, row_number() over () as n from webhook_deliveries)
             update webhook_deliveries d set state = 'waiting', due_at = now(), number = n
               from numbered where numbered.delivery_id = d.delivery_id;
             update webhook_lanes set next_at = now()"""
# By queue: what puts rows there, and how a worker ($1) takes some of them.
QUEUES = {
    "deliveries": (
        DELIVERIES.format(state="waiting", updated="2030-01-01"),
        f"select delivery_id from app.claim_deliveries($1, {HALF}, interval '1 minute', 9, '{{}}', '{{}}')",
    ),
    "webhooks": (
        f"{WEBHOOKS}; {WAITING}",
        f"select delivery_id from app.claim_webhooks($1, {HALF}, interval '1 minute', '{{}}', '{{}}', '{{}}', '{{}}')",
    ),
    "files": (MEDIA, f"select media_id, $1::uuid from app.claim_media({HALF}, interval '1 minute', '{{}}')"),
    "readings": (
        INBOUND,
        f"select message_id, $1::uuid from app.claim_refinements({HALF}, interval '1 minute', '{{}}')",
    ),
}
SETTLE = """select app.settle_delivery($1, $2, $3, '{"kind": "dead", "error": {"code": "x"}}')"""
SETTLE_WEBHOOK = """select app.settle_webhook($1, $2, $3, 'delivered', interval '0', '{"status": 200}', false, null,
                                              false, interval '1 day')"""


@pytest.fixture(scope="module")
async def queued(crowd):
    """Rows in each queue; a superuser's connection, and the application's login."""
    root, database = crowd
    for rows, _ in QUEUES.values():
        await root.execute(rows)
    return root, database


@pytest.fixture
async def workers(queued):
    """Two connections of the application's, each in a transaction that waits for nobody for long."""
    _, database = queued
    both = [await asyncpg.connect(database._dsn) for _ in range(2)]
    for db in both:
        await prepare(db)
        await db.execute("begin; set local statement_timeout = 2000")
    yield both
    for db in both:
        await db.close()


@pytest.mark.parametrize("queue", QUEUES)
async def test_two_at_once_take_different_rows_and_do_not_wait(queue, workers):
    _, claim = QUEUES[queue]
    taken = [[row[0] for row in await db.fetch(claim, uuid7())] for db in workers]
    # Of deliveries the same are chosen, and those that somebody has are passed over; the next look takes others.
    assert [len(each) for each in taken] == [HALF, 0 if queue == "deliveries" else HALF]
    assert len({*taken[0], *taken[1]}) == len(taken[0]) + len(taken[1])


@pytest.mark.parametrize(("queue", "settle"), [("deliveries", SETTLE), ("webhooks", SETTLE_WEBHOOK)])
async def test_who_has_lost_a_row_settles_nothing(queue, settle, queued, workers):
    first, _ = workers
    worker, other = uuid7(), uuid7()
    table = "deliveries" if queue == "deliveries" else "webhook_deliveries"
    (row, *_) = await first.fetch(QUEUES[queue][1], worker)
    user_id = await queued[0].fetchval(f"select user_id from {table} where delivery_id = $1", row[0])
    await first.execute(f"select app.act_as('{user_id}')")

    async def settled(by):
        outcome = await first.fetchval(settle, user_id, row[0], by)
        return outcome, await first.fetchval(f"select state from {table} where delivery_id = $1", row[0])

    assert await settled(other) in {("late", "sending"), (None, "sending")}
    assert await settled(worker) in {("dead", "dead"), ("settled", "delivered")}


async def test_a_delivery_is_settled_when_nobody_holds_its_conversation(queued, workers):
    """As everywhere, the conversation is locked before what is in it."""
    root, _ = queued
    first, _ = workers
    worker = uuid7()
    row = (await first.fetch(QUEUES["deliveries"][1], worker))[0]
    user_id: UUID = await root.fetchval("select user_id from deliveries where delivery_id = $1", row[0])
    async with root.transaction():
        await root.execute("select from conversations where user_id = $1 for no key update", user_id)
        await first.execute("set local statement_timeout = 300")
        with pytest.raises(asyncpg.QueryCanceledError):
            await first.fetchval(SETTLE, user_id, row[0], worker)


CROWDED = "select user_id from users where email = '1@example.com'"
MORE_LANES = f"""with made as (
                     insert into subscriptions (user_id, subscription_id, url, events, secret)
                     select user_id, app.uuid7(), 'https://example.com', '{{*}}', 'x'
                       from ({CROWDED}) u, generate_series(1, 3) returning user_id, subscription_id
                 ), laned as (
                     insert into webhook_lanes (user_id, subscription_id, next_at)
                     select user_id, subscription_id, now() from made
                 )
                 insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, due_at)
                 select user_id, app.uuid7(), subscription_id, event_id, 'task.created', 1, now()
                   from made join webhook_bodies using (user_id)"""
ALL_WEBHOOKS = "select * from app.claim_webhooks($1, 100, interval '1 minute', $2, $3, '{}', '{}')"
ALL_DELIVERIES = "select * from app.claim_deliveries($1, 100, interval '1 minute', $2, $3, $4)"


async def taken_by(db, user_id, statement, *arguments):
    """How many rows of a tenant a worker takes."""
    return [row["user_id"] for row in await db.fetch(statement, uuid7(), *arguments)].count(user_id)


@pytest.mark.parametrize(
    ("change", "busy", "calls"),
    [
        ("select", 0, 4),
        ("select", 3, 1),
        ("update subscriptions set consecutive_failures = 4", 0, 1),
        ("update subscriptions set ordered = true", 0, 1),
        ("update webhook_lanes set paused_until = now() + interval '1 minute'", 0, 0),
        (MORE_LANES, 0, 8),
    ],
    ids=["a lane", "a busy lane", "a failing lane", "an ordered lane", "a pausing lane", "all lanes of a tenant"],
)
async def test_so_many_calls_go_to_a_subscription_at_once(queued, change, busy, calls):
    root, _ = queued
    user_id = await root.fetchval(CROWDED)
    transaction = root.transaction()
    await transaction.start()
    try:
        await root.execute(change)
        assert await taken_by(root, user_id, ALL_WEBHOOKS, [user_id], [busy]) == calls
    finally:
        await transaction.rollback()


@pytest.mark.parametrize(("each", "busy", "calls"), [(2, 0, 2), (2, 1, 1), (2, 2, 0), (9, 0, 7)])
async def test_so_many_calls_go_to_a_channel_at_once(queued, workers, each, busy, calls):
    root, _ = queued
    user_id = await root.fetchval(CROWDED)
    assert await taken_by(workers[0], user_id, ALL_DELIVERIES, each, [user_id], [busy]) == calls


async def test_what_nobody_knows_is_waited_for_a_day(queued, workers):
    root, _ = queued
    first, worker = workers[0], uuid7()
    row = (await first.fetch(QUEUES["deliveries"][1], worker))[0]
    user_id = await root.fetchval("select user_id from deliveries where delivery_id = $1", row[0])
    assert await first.fetchval(SETTLE.replace("dead", "unknown"), user_id, row[0], worker) == "unknown"
    left = await first.fetchval("select give_up_at - now() from deliveries where delivery_id = $1", row[0])
    assert 23.9 < left.total_seconds() / 3600 < 24.1


async def test_an_ordered_lane_waits_for_what_is_under_way(queued):
    root, _ = queued
    user_id = await root.fetchval(CROWDED)
    transaction = root.transaction()
    await transaction.start()
    try:
        await root.execute("update subscriptions set ordered = true")
        assert await taken_by(root, user_id, ALL_WEBHOOKS, [], []) == 1
        await root.execute("update webhook_lanes set next_at = now()")
        assert await taken_by(root, user_id, ALL_WEBHOOKS, [], []) == 0
    finally:
        await transaction.rollback()
