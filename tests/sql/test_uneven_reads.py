"""What nearly all rows of a tenant belong to is read once, and what has none of them reads none."""

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from alfred.queries import sql
from tests.sql.hats import wearing
from tests.sql.test_flat_pages import rows_read

MANY, RULES, EVENTS = 4000, 20, 100
FILL = (
    "insert into users (user_id, name, email) values ($1, 'Ana', 'ana@example.com')",
    "insert into channels (user_id, channel_id, type, name) values ($1, $1, 'whatsapp', 'Loja')",
    f"""insert into contacts (user_id, contact_id, name, handle, channel_type)
        select $1, app.uuid7(), 'Cliente', 'x' || n, 'whatsapp' from generate_series(1, {MANY}) n""",
    """insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
       select $1, app.uuid7(), contact_id, $1, handle from contacts where user_id = $1 limit 10""",
    f"""insert into rules (user_id, rule_id, name, language, compiled, explanation, enabled)
        select $1, case when n = 1 then $1 else app.uuid7() end, 'x', 'pt', '{{}}', 'x', true
          from generate_series(1, {RULES}) n""",
    f"insert into rule_matches (user_id, rule_id, subject) select $1, $1, 'x' || n from generate_series(1, {MANY}) n",
    """insert into subscriptions (user_id, subscription_id, url, events, secret)
       values ($1, $1, 'https://example.com', '{*}', 'x')""",
    f"""insert into ai_events (user_id, type, payload)
        select $1, 'contact.created', '{{}}' from generate_series(1, {EVENTS})""",
    f"""insert into webhook_bodies (user_id, event_id, type, body)
        select $1, app.uuid7(), 'contact.created', '{{}}' from generate_series(1, {MANY})""",
    "insert into webhook_bodies (user_id, event_id, type, body) select $1, event_id, type, '{}' from ai_events",
)


@pytest.fixture(scope="module")
async def uneven(cluster):
    """The application's connection under a hat, and whose it is."""
    database, user_id = cluster.copy(), uuid7()
    root = await asyncpg.connect(cluster.superuser(database))
    await prepare(root)
    await root.execute("set session_replication_role = replica")
    for statement in FILL:
        await root.execute(statement, user_id)
    await root.execute("vacuum (analyze)")
    await root.close()
    async with wearing(cluster, database, user_id) as connection:
        yield connection, user_id


async def test_rules_read_their_own_matches_once(uneven):
    db, user_id = uneven
    rows = await sql.rules.page.all(db, user_id=user_id, before_at=None, before_id=None, limit=50)
    assert sorted(row["match_count"] for row in rows) == [0] * (RULES - 1) + [MANY]
    for query, given in ((sql.rules.page, {"before_at": None, "before_id": None, "limit": 50}),
                         (sql.rules.get, {"rule_id": user_id})):  # fmt: skip
        read, indexes = await rows_read(db, query, user_id=user_id, **given)
        assert read <= MANY + 2 * RULES, (query.name, indexes)


async def test_a_suggestion_reads_one_contact(uneven):
    db, user_id = uneven
    conversation_id, contact_id = await db.fetchrow("select conversation_id, contact_id from conversations limit 1")
    for named in ((conversation_id, None), (None, contact_id), (conversation_id, contact_id)):
        given = dict(zip(("conversation_id", "contact_id"), named, strict=True))
        row = await sql.suggestions.whom.one(db, user_id=user_id, **given)
        assert row["contact_id"] == contact_id
        read, indexes = await rows_read(db, sql.suggestions.whom, user_id=user_id, **given)
        assert read <= 5, indexes


async def test_what_is_replayed_reads_its_own_bodies(uneven):
    db, user_id = uneven
    given = {"user_id": user_id, "subscription_id": user_id, "since": None, "after_number": 0, "limit": EVENTS + 1}
    rows = await sql.subscriptions.replayable.all(db, **given)
    assert [row["has_body"] for row in rows] == [True] * EVENTS
    read, indexes = await rows_read(db, sql.subscriptions.replayable, **given)
    assert read <= 3 * EVENTS, indexes
