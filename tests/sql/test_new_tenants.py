"""Who has brought thousands of contacts since the tables were last analysed is looked up by keys all the same."""

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from alfred.queries import sql
from tests.sql.hats import wearing

MANY = 9000  # as a file may hold: with fewer rows the planner joins by keys anyhow
OTHERS = """
insert into users (user_id, name, email)
select app.uuid7(), 'Bia', n || '@b.example' from generate_series(1, 300) n
"""
THEIRS = """
insert into contacts (user_id, contact_id, name, handle, channel_type)
select user_id, app.uuid7(), 'Cliente', 'x' || n, 'whatsapp' from users, generate_series(1, 3) n
"""
MINE = """
insert into contacts (user_id, contact_id, name, handle, channel_type)
select $1, app.uuid7(), 'Cliente', 'y' || n, 'whatsapp' from generate_series(1, $2::integer) n
"""
KNOWN_BY = """
insert into contact_identities (user_id, contact_id, channel_type, value)
select user_id, contact_id, channel_type, handle from contacts
 where not exists (select from contact_identities i where i.user_id = contacts.user_id)
"""


@pytest.fixture(scope="module")
async def newcomer(cluster):
    """The application's connection under a hat, and whose it is."""
    database, user_id = cluster.copy(), uuid7()
    root = await asyncpg.connect(cluster.superuser(database))
    await prepare(root)
    await root.execute("set session_replication_role = replica")
    for statement in (OTHERS, THEIRS, KNOWN_BY, "vacuum (analyze)"):
        await root.execute(statement)
    await root.execute("insert into users (user_id, name, email) values ($1, 'Ana', 'ana@example.com')", user_id)
    await root.execute(MINE, user_id, MANY)
    await root.execute(KNOWN_BY)
    await root.close()
    async with wearing(cluster, database, user_id) as connection:
        yield connection, user_id


def compared(node):
    """How many pairs of rows were compared in vain, by this node of a plan and those below it."""
    below = sum(map(compared, node.get("Plans", [])))
    return below + node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"]


@pytest.mark.parametrize("query", [sql.contact_files.hold_known, sql.contact_files.known], ids=lambda query: query.name)
async def test_the_people_of_a_file_are_found_by_their_keys(newcomer, query):
    db, user_id = newcomer
    given = {"user_id": user_id, "types": ["whatsapp"] * MANY, "values": [f"y{n}" for n in range(1, MANY + 1)]}
    assert len(await query.all(db, **given)) == MANY
    plan = await db.fetchval(
        f"explain (analyze, format json) {query.text}", *[given[each] for each in query.parameters]
    )
    assert compared(plan[0]["Plan"]) <= MANY, plan
