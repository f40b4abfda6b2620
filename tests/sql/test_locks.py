"""Who changes what was read first holds it: a second one with the same query waits for the first."""

import asyncio
import json

import asyncpg
import pytest

from alfred.db import prepare
from alfred.identity import digest
from tests.people import delivery, whatsapp
from tests.sql.test_every_query import QUERIES

# By whom the rows of a query are locked until the end of its transaction.
HOLDING = [
    "connections.all_keys",
    "connections.all_secrets",
    "connections.channel_to_connect",
    "contact_files.alone",
    "contact_files.hold_known",
    "contact_merges.alone",
    "contact_merges.hold",
    "contacts.hold",
    "contacts.hold_number",
    "conversations.change_many",
    "conversations.hold",
    "outbox.echo",
    "outbox.hold",
    "outbox.hold_conversation",
    "outbox.hold_id",
    "outbox.hold_id_of",
    "outbox.line",
    "quotas.hold",
    "subscriptions.hold",
    "subscriptions.hold_tenant",
    "tasks.hold",
    "tasks.hold_conversations",
    "tokens.kept_answer",
]
# They wait for nobody: what others hold is passed over; or hold nothing.
PASSED_OVER = {"scans.alone", "outbox.hold_back", "sessions.holds"}
ELSEWHERE = {"deliveries.called_off", "refinements.reclassify"}  # tests/flow/test_event_order.py
NUMBER = "+5511900000012"


@pytest.fixture(scope="module")
async def known(rich, root):
    """What queries may be asked about: a row of each of Rica's tables."""

    async def first(table, condition="true"):
        row = await root.fetchval(
            f"select row_to_json(t)::text from {table} t where user_id = $1 and {condition} order by t limit 1", rich.id
        )
        return json.loads(row)

    message = await first("messages", "direction = 'outbound'")
    echo = await root.fetchval(
        """update messages set source = 'native_app', dedupe_key = 'locked', external_id = 'locked'
            where user_id = $1 and message_id = $2 returning dedupe_key""",
        rich.id,
        message["message_id"],
    )
    conversation = await first("conversations")
    key = await first("idempotency_keys")
    return {
        "user_id": rich.id, "kind": "rules",
        "external_id": echo, "path": key["path"], "key": key["key"], "ways": [NUMBER],
        "channel_type": "whatsapp", "types": ["whatsapp"], "values": [NUMBER], "limit": 10, "most": 10, "unread": False,
        "conversation_id": conversation["conversation_id"], "channel_id": conversation["channel_id"],
        "contact_id": conversation["contact_id"], "contact_ids": [conversation["contact_id"]],
        "message_id": message["message_id"], "task_id": (await first("tasks"))["task_id"],
        "subscription_id": (await first("subscriptions"))["subscription_id"], "unread_only": False,
        "add_tags": ["held"], "remove_tags": [], "set_snoozed": False, "payload": {}, "is_told": False,
    }  # fmt: skip


@pytest.fixture
async def two(cluster, database, rich):
    """Two transactions of Rica's; they wait for each other only for a moment."""
    both = [await asyncpg.connect(cluster.app(database)) for _ in range(2)]
    for db in both:
        await prepare(db)
        await db.execute(f"begin; set local lock_timeout = 80; select app.act_as('{rich.id}')")
    yield both
    for db in both:
        await db.close()


def test_whatever_is_named_holding_is_tried():
    named = {name for name in QUERIES if name.partition(".")[2].startswith(("hold", "alone"))}
    locking = {name for name, query in QUERIES.items() if "for no key update" in query.text}
    assert (named | locking) - {*HOLDING} - PASSED_OVER - ELSEWHERE == set()


@pytest.mark.parametrize("name", HOLDING)
async def test_the_second_waits_for_the_first(name, two, known):
    query, (first, second) = QUERIES[name], two
    arguments = {parameter: known.get(parameter) for parameter in query.parameters}
    assert await query.all(first, **arguments), "nothing is there to be held"
    with pytest.raises(asyncpg.LockNotAvailableError):
        await query.all(second, **arguments)


async def test_a_scan_runs_once_at_a_time(two):
    scan = QUERIES["scans.alone"]
    assert [await scan.value(db, scan="stalled") for db in two] == [True, False]


LOCKED = {
    "a message, its conversation": (
        "select from conversations where conversation_id = $1 for no key update",
        "message",
    ),
    "a message, the people": ("select pg_advisory_xact_lock(app.people_lock($2)), $1::uuid", "message"),
    "a message, its id": (
        "select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', $2::uuid, 'whatsapp', 'locked1'), 0)), $1::uuid",
        "message",
    ),
    "a status, its id": (
        "select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', $2::uuid, 'whatsapp', 'locked'), 0)), $1::uuid",
        "status",
    ),
    "a status, the conversation": ("select from conversations where conversation_id = $1 for no key update", "status"),
}


@pytest.mark.parametrize("case", LOCKED)
async def test_what_comes_in_waits(case, rich, root, cluster, database, known, eventually):
    """The way in, while a console holds what it must wait for."""
    statement, kind = LOCKED[case]
    post = whatsapp("oi", id="locked1") if kind == "message" else delivery("locked", "delivered")
    console = await asyncpg.connect(cluster.superuser(database))
    waiting = """select count(*) from pg_locks l join pg_stat_activity a using (pid)
                  where not l.granted and $1 = any (pg_blocking_pids(pid))"""
    await console.execute("begin")
    pid = await console.fetchval("select pg_backend_pid()")
    arguments = (known["conversation_id"], rich.id)
    await console.execute(statement, *arguments[: 2 if "$2" in statement else 1])
    posted = asyncio.create_task(rich.post("/webhooks/whatsapp", post))
    assert await eventually(lambda: root.fetchval(waiting, pid)) > 0
    await console.execute("rollback")
    await console.close()
    assert (await posted)[0] == 200
    await root.execute("delete from message_updates where external_id = 'locked'")
    await root.execute("delete from messages where external_id = 'locked1'")


RENEW = "select outcome from app.renew_session($1, $2, interval '1 day', interval '1 day', false, interval '0')"


async def test_of_two_renewals_at_once_the_second_knows_of_the_first(ana, root, cluster, database, eventually):
    """A stolen refresh token is noticed, also when its owner renews it at the same moment."""
    old = digest(ana.session["refresh_token"])
    second = await asyncpg.connect(cluster.superuser(database))
    pid = await root.fetchval("select pg_backend_pid()")
    waiting = "select count(*) from pg_stat_activity where $1 = any (pg_blocking_pids(pid))"
    try:
        async with root.transaction():
            assert await root.fetchval(RENEW, old, b"new one") == "renewed"
            thief = asyncio.create_task(second.fetchval(RENEW, old, b"new two"))
            assert await eventually(lambda: root.fetchval(waiting, pid))
        assert await thief == "reused"
    finally:
        await second.close()
