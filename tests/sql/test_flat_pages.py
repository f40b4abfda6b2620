"""A page of a long inbox reads no more rows than it shows, whatever the filter: counted in the plans as they ran."""

import json

import psycopg
import pytest
from uuid_utils.compat import uuid7

from alfred.queries import sql
from tests.sql.hats import wearing
from tests.sql.test_search_reads import READ

CONVERSATIONS = 12_000
LIMIT = 50

# What a filter shows lies at the old end of the inbox, where a walk from the newest would come last.
FILL = f"""
set session_replication_role = replica;
select set_config('app.user_id', %(user)s, false);
drop index contacts_search;
insert into users (user_id, name, email) values (app.current_user_id(), 'Rica', 'rica@example.com');
insert into channels (user_id, channel_id, type, name)
values (app.current_user_id(), app.current_user_id(), 'whatsapp', 'Loja');
insert into contacts (user_id, contact_id, name, handle, channel_type)
select app.current_user_id(), app.uuid7(), 'Cliente ' || n, '+5511' || lpad(n::text, 9, '0'), 'whatsapp'
  from generate_series(1, {CONVERSATIONS}) n;
insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at, last_message_at,
                           unread_count, waiting_since, urgency, sentiment, negotiation, status)
select user_id, app.uuid7(), contact_id, user_id, handle, at, at,
       rare, case when rare = 1 then at end, case when rare = 1 then 'high' else 'low' end,
       case when rare = 1 then 'negative' else 'neutral' end, rare = 1,
       case when rare = 1 then 'pending' else 'closed' end
  from (select c.*, now() - make_interval(mins => n) as at, (n > {CONVERSATIONS} - 1500)::int as rare
          from (select *, (row_number() over (order by contact_id))::int as n from contacts) c) c;
insert into conversation_tags (user_id, tag, conversation_id)
select user_id, unnest(case when n <= 40 then array['rare', 'vip'] else array['vip'] end), conversation_id
  from (select *, row_number() over (order by active_at) as n from conversations) c;
drop index messages_search;
insert into messages (user_id, message_id, conversation_id, channel_id, direction, body, status, sent_at)
select user_id, app.uuid7(), conversation_id, channel_id, 'inbound',
       'oi' || case when row_number() over (order by active_at desc) > 1000 then ' natal' else '' end, 'received',
       active_at
  from conversations;
analyze contacts, conversations, channels, messages, conversation_tags;
"""


@pytest.fixture(scope="module")
async def rich(cluster):
    """The application's connection under the hat of a tenant with a long inbox."""
    database, user_id = cluster.copy(), uuid7()
    with psycopg.connect(cluster.superuser(database), autocommit=True) as superuser:
        for statement in FILL.strip().removesuffix(";").split(";\n"):
            superuser.execute(statement, {"user": str(user_id)} if "%(user)s" in statement else None)
    async with wearing(cluster, database, user_id) as connection:
        yield connection, user_id


async def rows_read(db, query, **given):
    """How many rows the plan touched in tables and indexes, and the indexes that it used on conversations."""
    arguments = [given[name] for name in query.parameters]
    plan = await db.fetchval(f"explain (analyze, format json) {query.text}", *arguments)
    plan = json.loads(plan) if isinstance(plan, str) else plan
    read, indexes = 0, set()
    nodes = [plan[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Heap Scan":
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            read += (node["Actual Rows"] + removed) * node["Actual Loops"]
            indexes.add(node.get("Index Name", node["Node Type"]))
    return read, indexes


NO_FILTER = dict.fromkeys(
    ("status", "channel", "needs_reply", "negotiation", "sentiment", "urgency", "tag", "contact_id", "ids", "q")
) | {"unread_only": False}


NEWEST, WAITING = ("before_at", "before_id"), ("after_waiting", "after_at", "after_id")


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"status": "pending"},
        {"status": "open"},
        {"unread_only": True},
        {"urgency": "high"},
        {"urgency": "medium"},
        {"sentiment": "negative"},
        {"sentiment": "positive"},
        {"tag": "rare"},
        {"tag": "vip"},
        {"tag": "nobody"},
        {"negotiation": True},
        {"needs_reply": True},
        {"needs_reply": True, "urgency": "high"},
    ],
    ids=str,
)
async def test_a_page_reads_what_it_shows(rich, filters):
    db, user_id = rich
    given = NO_FILTER | filters | dict.fromkeys(NEWEST) | {"user_id": user_id, "limit": LIMIT + 1}
    read, indexes = await rows_read(db, sql.conversations.page, **given)
    assert read <= 4 * (LIMIT + 1), indexes


@pytest.mark.parametrize("filters", [{}, {"needs_reply": True}, {"tag": "rare"}, {"tag": "nobody"}], ids=str)
async def test_so_does_a_page_of_who_waits_longest(rich, filters):
    db, user_id = rich
    given = NO_FILTER | filters | dict.fromkeys(WAITING) | {"user_id": user_id, "limit": LIMIT + 1}
    read, indexes = await rows_read(db, sql.conversations.page_by_waiting, **given)
    assert read <= 4 * (LIMIT + 1), indexes


@pytest.mark.parametrize("q", ["oi", "natal", "???"])
async def test_what_is_not_rare_is_told_from_a_few_messages(rich, q):
    """Also where it stands in none of the newest conversations."""
    db, _ = rich
    before = await db.fetchval(READ)
    assert await sql.conversations.containing_rare.value(db, q=q) is None
    assert await db.fetchval(READ) - before < CONVERSATIONS / 10


async def test_what_is_looked_for_in_threads_reads_those_alone(rich):
    db, user_id = rich
    given = NO_FILTER | dict.fromkeys(NEWEST) | {"user_id": user_id, "limit": LIMIT, "status": "pending"}
    ids = [row["id"] for row in await sql.conversations.page.all(db, **given)]
    for q, found in (("oi", ids), ("natal", ids), ("???", [])):
        about = {"user_id": user_id, "ids": ids, "q": q}
        assert {row[0] for row in await sql.conversations.containing.all(db, **about)} == set(found)
        read, indexes = await rows_read(db, sql.conversations.containing, **about)
        assert read <= 4 * LIMIT, indexes


@pytest.mark.parametrize("q", ["natal", "???"])
async def test_a_walk_without_patience_goes_on_from_page_to_page(rich, q):
    db, _ = rich
    expected = await db.fetch(
        """select conversation_id from conversations c
            where exists (select from messages m where m.conversation_id = c.conversation_id and app.holds(m.norm, $1))
            order by active_at desc""",
        q,
    )
    found, at, last = [], None, None
    while True:
        before = await db.fetchval(READ)
        row = await db.fetchrow("select * from app.search_found($1, $2, $3, 1000, '0')", q, at, last)
        assert await db.fetchval(READ) - before < CONVERSATIONS / 10
        found += row["ids"]
        at, last = row["last_at"], row["last_id"]
        if last is None:
            break
    assert found == [row["conversation_id"] for row in expected]


@pytest.mark.parametrize("q", ["+55 11 0", "(11) 00", "5511000"])
async def test_a_number_that_most_have_is_found_without_its_signs(rich, q):
    """Nobody wrote it, and the index would find it too often."""
    db, user_id = rich
    assert await sql.conversations.containing_rare.value(db, q=q) is None
    given = NO_FILTER | dict.fromkeys(NEWEST) | {"user_id": user_id, "limit": LIMIT}
    ids = [row["id"] for row in await sql.conversations.page.all(db, **given)]
    about = {"user_id": user_id, "ids": ids, "q": q}
    assert {row[0] for row in await sql.conversations.containing.all(db, **about)} == set(ids)
    assert (await rows_read(db, sql.conversations.containing, **about))[0] <= 4 * LIMIT
    assert await db.fetchval("select ids from app.search_found($1, null, null, $2, '1 min')", q, LIMIT) == ids


@pytest.mark.parametrize("q", ["zz", "z", "oi", "cl"])
async def test_short_words_are_looked_up_where_words_begin(rich, q):
    """By an index, also of what nobody wrote; the patterns are taken into the statement."""
    db, _ = rich
    plan = await db.fetch("explain select from contacts where app.holds(norm, $1)", q)
    assert not [row[0] for row in plan if "app.holds" in row[0]]
    found = await db.fetchval("select count(*) from app.search_conversations($1)", q)
    assert found == {"zz": 0, "z": 0, "oi": CONVERSATIONS, "cl": CONVERSATIONS}[q]


@pytest.mark.parametrize("channel", ["whatsapp", "email", "instagram"])
async def test_so_does_a_page_of_a_type_of_channel(rich, channel):
    db, user_id = rich
    given = NO_FILTER | dict.fromkeys(NEWEST) | {"user_id": user_id, "limit": LIMIT + 1, "channel": channel}
    read, indexes = await rows_read(db, sql.conversations.page_of_channel, **given)
    assert read <= 4 * (LIMIT + 1), indexes


async def test_a_deep_page_reads_no_more(rich):
    db, user_id = rich
    at = await db.fetchrow("select active_at, conversation_id from conversations order by active_at offset 20 limit 1")
    given = NO_FILTER | {"user_id": user_id, "limit": LIMIT + 1, "before_at": at[0], "before_id": at[1]}
    assert (await rows_read(db, sql.conversations.page, **given))[0] <= 4 * (LIMIT + 1)


@pytest.mark.parametrize("depth", [0, CONVERSATIONS // 2, CONVERSATIONS - LIMIT])
async def test_the_usual_page_reads_no_more_however_deep(rich, depth):
    """It is a function, whose plan does not show: the transaction's own counts do."""
    db, user_id = rich
    at = await db.fetchrow("select active_at, conversation_id from conversations order by 1 desc, 2 offset $1", depth)
    counted = "select sum(idx_tup_fetch + seq_tup_read)::int from pg_stat_xact_user_tables"
    before = await db.fetchval(counted)
    row = await sql.conversations.inbox.one(
        db, user_id=user_id, before_at=at["active_at"], before_id=at["conversation_id"], limit=LIMIT
    )
    assert (row["last_id"] is None) == (depth > CONVERSATIONS // 2)
    assert await db.fetchval(counted) - before <= 4 * (LIMIT + 1)


async def test_counting_stops_at_a_thousand(rich):
    db, user_id = rich
    read, indexes = await rows_read(db, sql.conversations.counts, user_id=user_id, most=1000)
    row = await sql.conversations.counts.one(db, user_id=user_id, most=1000)
    assert set(row.values()) == {0, 1000}
    assert read <= 9 * 1000
    assert {"conversations_by_status", "conversations_unread", "conversations_urgent"} <= indexes


async def test_the_newest_messages_of_all_are_found_by_their_time(rich):
    db, user_id = rich
    since = await db.fetchval("select now() - interval '1 year'")
    read, indexes = await rows_read(
        db, sql.rules.situations, user_id=user_id, since=since, limit=LIMIT, before_at=None, before_id=None
    )
    assert read <= 6 * LIMIT, indexes
    assert "messages_by_time" in indexes


async def test_a_report_reads_its_span(rich):
    db, user_id = rich
    since, until = await db.fetchrow("select now() - interval '3 hours', now() - interval '1 hour'")
    span = {"since": since, "until": until, "zone": "UTC", "interval": "day", "channel": None, "user_id": user_id}
    for report in (sql.reports.messages, sql.reports.response_times, sql.reports.sentiment):
        read, indexes = await rows_read(db, report, **span)
        assert read <= 150, (report.name, indexes)


async def test_a_timeline_reads_its_page(rich):
    db, user_id = rich
    contact_id = await db.fetchval("select contact_id from contacts limit 1")
    given = {"user_id": user_id, "contact_id": contact_id, "before_at": None, "before_id": None, "limit": LIMIT}
    read, indexes = await rows_read(db, sql.contact_history.timeline, **given)
    assert read <= LIMIT, indexes


async def test_the_last_use_of_a_channel_is_one_look(rich):
    db, user_id = rich
    given = {"user_id": user_id, "before_at": None, "before_id": None, "limit": LIMIT}
    read, indexes = await rows_read(db, sql.channels.page, **given)
    assert read <= LIMIT, indexes


async def test_tags_are_read_from_their_index(rich):
    db, user_id = rich
    read, indexes = await rows_read(db, sql.tags.counts, user_id=user_id, most=1000, most_counted=1000)
    assert read <= 1100, indexes
    assert await sql.tags.counts.value(db, user_id=user_id, most=1000, most_counted=1000) == "rare"
