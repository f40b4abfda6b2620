"""Each migration goes up, down and up again over rows, and leaves the same schema and the rows of older tables."""

import asyncio
import contextlib
import secrets

import asyncpg
import psycopg
from yoyo import get_backend, read_migrations

from alfred import schema
from alfred.files import folder
from tests.rich import rows_of, transplant
from tests.sql.test_every_query import TENANT_TABLES

READ = read_migrations(str(folder("migrations")))
MIGRATIONS = [migration.id for migration in READ]

# Everything that a migration can make, one line each, in an order of its own.
CATALOG = """
with rights as (
    select 'pg_class'::regclass::oid as kind, oid, relacl as acl from pg_class
    union all select 'pg_proc'::regclass, oid, coalesce(proacl, acldefault('f', proowner)) from pg_proc
    union all select 'pg_namespace'::regclass, oid, nspacl from pg_namespace
), granted as (
    select kind, oid, (select string_agg(a::text, ',' order by a::text) from unnest(acl) a) as acl from rights
), tables as (
    select c.*, acl from pg_class c join granted using (oid)
     where kind = 'pg_class'::regclass and relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
), named as (
    select concat_ws(' ', 'table', oid::regclass, relkind, relrowsecurity, relforcerowsecurity, reloptions,
                     pg_get_userbyid(relowner), acl, obj_description(oid, 'pg_class')) as line
      from tables
    union all
    select concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                     attgenerated, pg_get_expr(adbin, adrelid), attacl, col_description(attrelid, attnum))
      from tables t join pg_attribute a on attrelid = t.oid
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
     where relkind = 'r' and attnum > 0 and not attisdropped
    union all
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
      from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select concat_ws(' ', 'index', pg_get_indexdef(indexrelid), reloptions)
      from pg_index join pg_class c on c.oid = indexrelid where relnamespace = 'public'::regnamespace
    union all
    select concat_ws(' ', 'policy', tablename, policyname, roles, cmd, qual, with_check) from pg_policies
    union all
    select concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
    union all
    select concat_ws(' ', 'function', p.oid::regprocedure, pg_get_userbyid(proowner), acl, pg_get_functiondef(p.oid))
      from pg_proc p join granted using (oid)
     where kind = 'pg_proc'::regclass and pronamespace = to_regnamespace('app')
    union all
    select concat_ws(' ', 'schema', nspname, acl) from pg_namespace join granted using (oid)
     where kind = 'pg_namespace'::regclass and nspname = 'app'
    union all
    select concat_ws(' ', 'extension', extname) from pg_extension
)
select line from named where line not like '%yoyo%' order by line collate "C"
"""


def catalog(dsn):
    with psycopg.connect(dsn) as db:
        return [line for (line,) in db.execute(CATALOG)]


def founded(server, name):
    """An empty database of the owner's; its owner's address."""
    schema.found(server.dsn("postgres", "postgres"), name)
    return server.dsn(schema.OWNER, name)


@contextlib.contextmanager
def steps(owner):
    """The migrations in their order, and what applies and undoes one: what schema.py does for many."""
    with (
        psycopg.connect(owner, autocommit=True) as lock,
        schema._in_service(lock),
        get_backend(owner.replace("postgresql:", "postgresql+psycopg:", 1)) as backend,
    ):
        yield backend.to_rollback(READ)[::-1], backend


def counts(superuser):
    """How many rows each tenant table has, of those that are there."""
    there = [table for table in TENANT_TABLES if superuser.execute("select to_regclass(%s)", [table]).fetchone()[0]]
    return {table: superuser.execute(f"select count(*) from {table}").fetchone()[0] for table in there}


def descend(owner, superuser):
    """Over rows: each step down, up and down again leaves the schema as it was, and the rows of the older tables."""
    seen = []
    with steps(owner) as (order, backend), psycopg.connect(superuser, autocommit=True) as db:
        for migration in reversed(order):
            seen.append(top := catalog(owner))
            before = counts(db)
            backend.rollback_one(migration)
            below, kept = catalog(owner), counts(db)
            lost = {table for table, count in kept.items() if count < before[table]}
            assert not lost, f"the way back of {migration.id} loses rows of {lost}"
            backend.apply_one(migration)
            assert catalog(owner) == top, f"{migration.id} is another the second time"
            assert counts(db).items() >= kept.items(), f"{migration.id} loses rows"
            backend.rollback_one(migration)
            assert catalog(owner) == below, f"{migration.id} leaves something behind"
            assert counts(db) == kept, f"the way back of {migration.id} loses rows"
        seen.append(below)
        for migration, before, after in zip(order, seen[::-1], seen[-2::-1], strict=False):
            assert catalog(owner) == before, f"what comes after {migration.id} leaves something behind"
            backend.apply_one(migration)
            assert catalog(owner) == after, migration.id


async def whole(server, rows):
    name = f"stairs{secrets.token_hex(4)}"
    owner, superuser = founded(server, name), server.dsn("postgres", name)
    assert sorted(schema.apply(owner)) == MIGRATIONS
    assert schema.apply(owner) == []
    assert len(catalog(owner)) > 300
    db = await asyncpg.connect(superuser)
    await transplant(db, rows)
    await db.close()
    with psycopg.connect(superuser, autocommit=True) as db:
        assert counts(db) == {table: len(each) for table, each in rows.items()}
    await asyncio.to_thread(descend, owner, superuser)
    assert len(schema.roll_back(owner, len(MIGRATIONS))) == len(MIGRATIONS)
    with psycopg.connect(owner) as db:
        left = db.execute("select relname from pg_class where relnamespace = 'public'::regnamespace").fetchall()
        assert {name.lstrip("_").partition("_")[0] for (name,) in left} == {"yoyo"}
        assert db.execute("select to_regnamespace('app')").fetchone() == (None,)


async def test_every_migration_can_be_undone_over_rows(cluster, rich, root):
    await whole(cluster.server, await rows_of(root, rich.id))


async def test_every_migration_can_be_undone_over_rows_on_the_oldest_postgresql(fifteen, rich, root):
    await whole(fifteen, await rows_of(root, rich.id))
    with psycopg.connect(fifteen.dsn("postgres", "postgres")) as db:
        assert db.execute("show server_version_num").fetchone()[0].startswith("15")


def test_every_migration_has_its_way_back():
    files = {path.name for path in folder("migrations").glob("*.sql")}
    ups = {name for name in files if ".rollback" not in name}
    assert files - ups == {name.replace(".sql", ".rollback.sql") for name in ups}
    assert sorted(ups) == [f"{migration}.sql" for migration in MIGRATIONS]
    assert len({name[:4] for name in ups}) == len(ups), "two migrations have one number"


async def test_two_who_migrate_at_once_do_it_once(cluster):
    owner = founded(cluster.server, "together")
    done = await asyncio.gather(*(asyncio.to_thread(schema.apply, owner) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(MIGRATIONS)]


def test_a_second_database_of_the_cluster_can_be_migrated(cluster):
    """The roles are there already, and a rolled back neighbour keeps them."""
    one, two = founded(cluster.server, "neighbour1"), founded(cluster.server, "neighbour2")
    schema.apply(one)
    schema.apply(two)
    schema.roll_back(one, len(MIGRATIONS))
    assert any(line.startswith("policy messages") for line in catalog(two))
