"""What a search reads: counted by the transaction, and told from the plans."""

import re

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from alfred.queries import sql
from tests.sql.conftest import SAID, TALK
from tests.sql.hats import wearing

LONG, CONVERSATIONS = 4000, 10
PERSON = "insert into users (user_id, name, email) values ($1, 'Ana', 'ana@example.com')"
CHANNEL = "insert into channels (user_id, channel_id, type, name) values ($1, $1, 'whatsapp', 'Loja')"
CONTACT = """insert into contacts (user_id, contact_id, name, handle, channel_type)
             values ($1, $1, 'Cliente', '+5511', 'whatsapp')"""
READ = "select sum(idx_tup_fetch + seq_tup_read)::int from pg_stat_xact_user_tables"


@pytest.fixture(scope="module")
async def talkative(cluster):
    """The application's connection under the hat of somebody with a long thread, whose oldest message is unlike."""
    database, user_id = cluster.copy(), uuid7()
    root = await asyncpg.connect(cluster.superuser(database))
    await prepare(root)
    for statement in (PERSON, CHANNEL, CONTACT):
        await root.execute(statement, user_id)
    await root.execute(TALK, user_id, CONVERSATIONS)
    ids = [row[0] for row in await root.fetch("select conversation_id from conversations order by active_at desc")]
    await root.execute(SAID, user_id, ids[-1], "inbound", "uma agulha de 3 kg\nno palheiro", 0, 0)
    await root.execute(SAID, user_id, ids[-1], "inbound", "bom dia", 1, LONG)
    await root.execute("vacuum (analyze) conversations, contacts, messages")
    await root.close()
    async with wearing(cluster, database, user_id) as connection:
        yield connection, ids[-1]


@pytest.mark.parametrize("q", ["agulha", "kg", "k", "no"])
async def test_what_is_rare_is_found_without_reading_its_thread(talkative, q):
    db, conversation = talkative
    for filters in (None, [conversation]):
        before = await db.fetchval(READ)
        if filters is None:
            row = await sql.conversations.found_items.one(db, q=q, before_at=None, before_id=None, limit=50)
            items = row["items"]
        else:
            items = await sql.conversations.found_items_of.value(db, q=q, is_common=False, ids=filters)
        assert b'"excerpt":"uma agulha de 3 kg no palheiro"' in items
        assert await db.fetchval(READ) - before < LONG / 10


@pytest.mark.parametrize("q", ["agulha", "kg", "k"])
async def test_a_text_is_one_condition_for_the_index(root, q):
    """Each of several would look through all that the tenant has."""
    plan = await root.fetch("explain select from messages where user_id = $1 and app.holds(norm, $2)", uuid7(), q)
    assert not [row[0] for row in plan if " OR " in row[0] or "app.holds(" in row[0]]


@pytest.mark.parametrize(
    ("q", "patterns"), [("agulha", {"%agulha%"}), ("kg", {r"(^|[ \n])kg"}), ("+55 11 9", {"%+55 11 9%", "%55119%"})]
)
async def test_of_a_contact_the_digits_are_a_condition_too(root, q, patterns):
    """Only of digits; the patterns are taken into the statement."""
    plan = await root.fetch("explain select from contacts where app.contact_holds(norm, $1)", q)
    text = "\n".join(row[0] for row in plan)
    assert "_holds(" not in text
    assert set(re.findall(r"norm ~~? '(.+?)'::text", text)) == patterns


async def test_no_function_is_called_for_each_match(root):
    plan = await root.fetch("explain (verbose, costs off) select app.excerpt(body, norm, 'x') from messages")
    assert not [row[0] for row in plan if "app.excerpt(" in row[0]]
