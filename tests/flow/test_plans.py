"""What happens at every message is planned once for a connection, not at each call."""

import asyncio
import re

import asyncpg
import pytest

from tests.conftest import serving
from tests.people import Person

ALWAYS = {"field": "message.text", "op": "contains", "value": "urgente"}
MESSAGES = 40


# With rows to choose from, a plan for the values at hand looks cheaper than one for all.
_FILL = """
insert into contacts (user_id, contact_id, name, handle, channel_type)
select user_id, app.uuid7(), 'x', '+55119' || n, 'whatsapp' from users, generate_series(1, 2000) n;
insert into contact_identities (user_id, channel_type, value, contact_id)
select user_id, channel_type, handle, contact_id from contacts on conflict do nothing;
insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
select user_id, app.uuid7(), contact_id, channel_id, handle from contacts join channels using (user_id)
    on conflict do nothing;
analyze;
"""


@pytest.fixture
async def statements(cluster):
    """A database, and its statements as counted since they were last asked for: (text, calls, plans)."""
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await superuser.execute("create extension pg_stat_statements")
    for setting in ("pg_stat_statements.track = 'all'", "compute_query_id = on"):
        await superuser.execute(f"alter database {name} set {setting}")

    async def counted():
        rows = await superuser.fetch(
            """select query, calls, plans from pg_stat_statements
                where dbid = (select oid from pg_database where datname = current_database())"""
        )
        await superuser.execute("select pg_stat_statements_reset()")
        return [tuple(row) for row in rows]

    yield name, counted, superuser
    await superuser.close()


async def test_no_statement_of_the_way_in_or_of_the_bus_is_planned_at_each_call(cluster, http, statements, eventually):
    name, counted, superuser = statements
    async with serving(cluster.app(name), pool_size=3) as address:
        people = [await Person.sign_up(http, address, who) for who in ("Ana", "Bruno")]
        for person in people:
            await person.made("/rules", {"compiled": {"when": ALWAYS, "then": [{"action": "notify"}]}})

        async def talk():
            for number in range(MESSAGES):
                person = people[number % 2]
                await person.hears("É urgente!" if number % 8 == 0 else "oi", sender=f"+551190000000{number % 5}")

        for _ in range(2):
            await talk()
            await superuser.execute(_FILL)
        await talk()
        before = await scans(superuser, talk)
        await counted()
        await talk()
        counts = await counted()
        assert max(calls for _, calls, _ in counts) >= MESSAGES
        assert any(plans for _, _, plans in counts)
        planned = [
            (calls, plans, " ".join(text.split()))
            for text, calls, plans in counts
            if calls >= MESSAGES // 4 and plans > calls // 2 and re.search(r"\b(from|update|into)\b", text)
        ]
        assert planned == []
        assert await scans(superuser, talk) == before


async def scans(superuser, talk):
    """How often each table of the way in was read from one end to the other.

    A connection tells what it has read once a second at most, and only when it does something.
    """
    await superuser.execute("select pg_stat_force_next_flush()")  # _FILL reads whole tables
    await asyncio.sleep(1.1)
    await talk()
    tables = ["messages", "conversations", "contacts", "contact_identities", "channels", "message_updates", "ai_events"]
    rows = await superuser.fetch("select relname, seq_scan from pg_stat_user_tables where relname = any ($1)", tables)
    return dict(map(tuple, rows))
