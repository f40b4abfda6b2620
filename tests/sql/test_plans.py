"""One plan does not fit all tenants: a request's statements are planned for the tenant and the filters at hand."""

from uuid import UUID

from alfred.db import Database


async def test_a_request_is_planned_for_its_own_values(cluster, database, ana):
    pool = Database(cluster.app(database), size=2)
    await pool.open()
    try:
        async with pool.acting_as(UUID(ana.id)) as db:
            assert await db.fetchval("show plan_cache_mode") == "force_custom_plan"
        async with pool.as_service() as db:
            assert await db.fetchval("show plan_cache_mode") == "auto"
    finally:
        await pool.close()
