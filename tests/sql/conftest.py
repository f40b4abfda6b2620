"""The tenant who has a row in every table, and tenants of whom there is nothing but what a test lays down."""

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare
from tests.rich import rich, root

__all__ = ["rich", "root"]

TALK = """
insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at)
select $1, app.uuid7(), $1, $1, 'x' || n, now() - make_interval(mins => n) from generate_series(1, $2::integer) n
"""
SAID = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, body, status, sent_at)
select $1, app.uuid7(), $2, $1, $3, $4, case $3 when 'inbound' then 'received' else 'sent' end,
       timestamptz '2026-05-01' + make_interval(mins => n)
  from generate_series($5::integer, $6::integer) n
"""


@pytest.fixture(scope="module")
async def db(cluster):
    """A superuser without foreign keys, in a database of its own."""
    connection = await asyncpg.connect(cluster.superuser(cluster.copy()))
    await prepare(connection)
    await connection.execute("set session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def tenant(db):
    """Rolled back at the end, so that the next test finds nothing of it."""
    whole, user_id = db.transaction(), uuid7()
    await whole.start()
    await db.execute("select set_config('app.user_id', $1, true)", str(user_id))
    yield user_id
    await whole.rollback()
