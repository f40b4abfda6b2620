"""A database of its own, with one consumer of a test's making on its bus."""

import asyncio
import contextlib

import asyncpg
import pytest

from alfred.bus import Bus, Consumer
from alfred.db import Database
from alfred.events import record
from alfred.hub import Hub
from alfred.queries import sql


@pytest.fixture
async def ground(cluster):
    """A database of its own with a user and no running consumer; and the user's id."""
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    user_id = await superuser.fetchval(
        "insert into users (user_id, name, email) values (app.uuid7(), 'Ana', 'ana@example.com') returning user_id"
    )
    await superuser.close()
    database = Database(cluster.app(name), size=10)
    await database.open()
    yield database, cluster.app(name), user_id
    await database.close()


@contextlib.asynccontextmanager
async def reading(ground, act, *, name="test", types=("contact.created",), **more):
    """A bus with one consumer."""
    database, dsn, _ = ground
    bus = Bus(database, dsn, Hub(database))
    bus.subscribe(Consumer(name, types, act, **more))
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def join(ground, name="test"):
    async with ground[0].as_service() as db:
        await sql.events.join_bus.run(db, consumer=name)


async def happen(ground, *numbers, delay=0.0, user_id=None):
    """Events whose transaction stays open for a while."""
    database, _, own_id = ground
    user_id = user_id or own_id
    async with database.acting_as(user_id) as db:
        for number in numbers:
            await record(db, user_id, "contact.created", {"number": number})
        await asyncio.sleep(delay)
