"""What takes the bus several pages to read: everything is told once, whatever happens between two pages."""

import contextlib

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.db import prepare

HAPPENED = "insert into ai_events (user_id, type, payload) values ($1, 'contact.created', '{}') returning number"
PAGE = """select number from app.bus_look(array['test'], array['{"contact.created": {}}'::jsonb], array[$1],
                                          $2::smallint[], $3)"""
RULE = """insert into rules (user_id, rule_id, name, language, compiled, explanation, enabled)
          values ($1, $1, 'x', 'pt', '{}', 'x', true)"""
EVERYWHERE = list(range(16))  # the buckets


class Log:
    """A log with one consumer that has read all of it."""

    def __init__(self, db, dsn):
        self.db, self.dsn = db, dsn

    async def somebody(self, *others):
        """Somebody new, in another bucket than the others."""
        taken = {await self.bucket(user_id) for user_id in others}
        while await self.bucket(user_id := uuid7()) in taken:
            pass
        email = f"{user_id}@example.com"
        await self.db.execute("insert into users (user_id, name, email) values ($1, 'Ana', $2)", user_id, email)
        return user_id

    async def bucket(self, user_id):
        return await self.db.fetchval("select app.bucket($1)", user_id)

    async def happens(self, *users):
        """Their numbers."""
        return [await self.db.fetchval(HAPPENED, user_id) for user_id in users]

    @contextlib.asynccontextmanager
    async def happening(self, user_id):
        """In a transaction that is under way; its number."""
        other = await asyncpg.connect(self.dsn)
        try:
            async with other.transaction():
                yield await other.fetchval(HAPPENED, user_id)
        finally:
            await other.close()

    async def page(self, limit, buckets=EVERYWHERE, users=None):
        return [row["number"] for row in await self.db.fetch(PAGE, users, buckets, limit)]


@pytest.fixture
async def log(cluster):
    dsn = cluster.superuser(cluster.copy())
    db = await asyncpg.connect(dsn)
    await prepare(db)
    await db.execute("select app.bus_join('test')")
    yield Log(db, dsn)
    await db.close()


async def test_what_is_committed_between_two_pages_is_read_behind_them(log):
    ana = await log.somebody()
    async with log.happening(ana) as late:
        early = await log.happens(ana, ana)
        assert await log.page(1) == early[:1]
    after = await log.happens(ana)
    assert late < early[0]
    assert [await log.page(1) for _ in range(5)] == [early[1:], [], [late], after, []]


async def test_a_bucket_that_has_got_further_is_not_told_again(log):
    ana = await log.somebody()
    bruno = await log.somebody(ana)
    numbers = await log.happens(bruno, ana, ana, ana)
    assert await log.page(2, [await log.bucket(ana)]) == numbers[1:3]
    assert [await log.page(1) for _ in range(4)] == [numbers[:1], numbers[3:], [], []]


async def test_only_those_are_told_of_for_whom_there_is_something_to_do(log):
    ana, bruno = await log.somebody(), await log.somebody()
    await log.db.execute(RULE, ana)
    numbers = await log.happens(bruno, ana, bruno, ana)
    assert [await log.page(1, users="users_with_rules") for _ in range(3)] == [numbers[1:2], numbers[3:], []]
    assert await log.page(1) == []
