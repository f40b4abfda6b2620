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


async def test_what_forbids_whole_reads_by_a_price_is_not_compiled(root):
    """PostgreSQL compiles dear statements where jit is on, which takes seconds."""
    rows = await root.fetch(
        """select proname, 'jit=off' = any (proconfig) as interpreted from pg_proc
            where pronamespace = 'app'::regnamespace and 'enable_seqscan=off' = any (proconfig)"""
    )
    assert len(rows) > 10
    assert [row["proname"] for row in rows if not row["interpreted"]] == []
