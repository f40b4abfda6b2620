"""The application's connection to a database of its own, under a tenant's hat, with plans made for what is asked."""

import contextlib

import asyncpg

from alfred.db import prepare


@contextlib.asynccontextmanager
async def wearing(cluster, database, user_id):
    connection = await asyncpg.connect(cluster.app(database))
    await prepare(connection)
    await connection.execute("begin; set local plan_cache_mode = force_custom_plan")
    await connection.execute("select app.act_as($1)", user_id)
    yield connection
    await connection.close()
