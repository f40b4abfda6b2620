"""Each migration goes up, down and up again over rows, and leaves the same schema and the rows of older tables."""

import asyncio
import contextlib
from functools import partial
from hashlib import md5

import asyncpg
import psycopg
from yoyo import get_backend, read_migrations

from alfred import schema
from alfred.files import folder
from tests.rich import rows_of, transplant
from tests.sql.test_every_query import TENANT_TABLES

READ = read_migrations(str(folder("migrations")))
MIGRATIONS = [migration.id for migration in READ]
# The way back of a table may hand what waits in it to another.
MOVES = {"event_backlog": "event_retries"}

# Everything that a migration can make, one line each, in an order of its own.
# Materialized: else each line is written twice, the first time to look for a word in it.
CATALOG = """
with rights as (
    select 'pg_class'::regclass::oid as kind, oid, relacl as acl
      from pg_class where relnamespace = 'public'::regnamespace
    union all select 'pg_proc'::regclass, oid, coalesce(proacl, acldefault('f', proowner))
      from pg_proc where pronamespace = to_regnamespace('app')
    union all select 'pg_namespace'::regclass, oid, nspacl from pg_namespace where nspname = 'app'
), granted as (
    select kind, oid, (select string_agg(a::text, ',' order by a::text) from unnest(acl) a) as acl from rights
), tables as (
    select c.*, acl from pg_class c join granted using (oid)
     where kind = 'pg_class'::regclass and relnamespace = 'public'::regnamespace and relkind in ('r', 'S', 'v')
), named as materialized (
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


def catalog(db):
    return [line for (line,) in db.execute(CATALOG)]


def is_at(db, lines):
    """Whether the catalog reads so; it is brought over only where it does not."""
    (found,) = db.execute(f"select md5(coalesce(string_agg(line, e'\\n'), '')) from ({CATALOG}) found").fetchone()
    return found == md5("\n".join(lines).encode()).hexdigest() or catalog(db) == lines


def founded(server, name):
    """An empty database of the owner's; its owner's address."""
    schema.found(server.dsn("postgres", "postgres"), name)
    return server.dsn(schema.OWNER, name)


@contextlib.contextmanager
def steps(owner):
    """What applies and undoes one migration: what schema.py does for many."""
    with schema._alone(owner) as one, schema._in_service(one):
        yield partial(schema._step, one), partial(schema._step, one, down=True)


def noted(owner):
    """The migrations of which yoyo finds that they were applied."""
    with get_backend(owner.replace("postgresql:", "postgresql+psycopg:", 1)) as backend:
        return [migration.id for migration in backend.to_rollback(READ)]


def counts(db):
    """How many rows each tenant table has, of those that are there."""
    there = db.execute("select name from unnest(%s::text[]) name where to_regclass(name) is not null", [TENANT_TABLES])
    asked = " union all ".join(f"select '{table}', count(*) from {table}" for (table,) in there)
    return dict(db.execute(asked).fetchall()) if asked else {}


def left_of(before, after):
    """What the way back must leave of these rows: those of every table that stays, and what moves into one."""
    expected = {table: before[table] for table in after}
    for gone, into in MOVES.items():
        if gone in before and gone not in after:
            expected[into] += before[gone]
    return expected


def ascend(owner, db):
    """What the schema is at the foot and on each step of the first way up."""
    with steps(owner) as (up, _):
        seen = [catalog(db)]
        for migration in MIGRATIONS:
            up(migration)
            seen.append(catalog(db))
    return seen


def descend(owner, db, seen):
    """Over rows: each step down, up and down again leaves the schema as it was, and the rows of the older tables."""
    with steps(owner) as (up, down):
        for migration, below, top in reversed(list(zip(MIGRATIONS, seen, seen[1:], strict=False))):
            before = counts(db)
            down(migration)
            kept = counts(db)
            assert is_at(db, below), f"{migration} leaves something behind"
            assert kept == left_of(before, kept), f"the way back of {migration} changes how many rows there are"
            up(migration)
            assert is_at(db, top), f"{migration} is another the second time"
            assert counts(db).items() >= kept.items(), f"{migration} loses rows"
            down(migration)
            assert is_at(db, below), f"{migration} leaves something behind the second time"
            assert counts(db) == kept, f"the way back of {migration} loses rows"


def nothing_is_left(db):
    left = db.execute("select relname from pg_class where relnamespace = 'public'::regnamespace").fetchall()
    return {name.lstrip("_").partition("_")[0] for (name,) in left} <= {"yoyo"} and db.execute(
        "select to_regnamespace('app')"
    ).fetchone() == (None,)


async def planted(superuser, rich, root):
    """Rows in every tenant table; only such wait for the bus as are not in the table that they would move into."""
    rows = await rows_of(root, rich.id)
    rows["event_backlog"] = [row | {"number": -9} for row in rows["event_backlog"] if row["consumer"] == "nobody"]
    db = await asyncpg.connect(superuser)
    await transplant(db, rows)
    await db.close()
    return {table: len(each) for table, each in rows.items()}


async def test_every_migration_can_be_undone_over_rows(cluster, rich, root):
    owner, superuser = founded(cluster.server, "stairs"), cluster.superuser("stairs")
    schema.apply(owner, 0)  # the table of what was applied
    with psycopg.connect(superuser, autocommit=True) as db:
        seen = await asyncio.to_thread(ascend, owner, db)
        assert len(seen[-1]) > 300
        assert schema.apply(owner) == []
        assert await planted(superuser, rich, root) == counts(db)
        await asyncio.to_thread(descend, owner, db, seen)
        assert nothing_is_left(db)


async def test_the_oldest_postgresql_goes_the_whole_way_over_rows(fifteen, rich, root):
    owner, superuser = founded(fifteen, "stairs"), fifteen.dsn("postgres", "stairs")
    assert schema.apply(owner) == MIGRATIONS
    with psycopg.connect(superuser, autocommit=True) as db:
        assert db.execute("show server_version_num").fetchone()[0].startswith("15")
        top = catalog(db)
        assert await planted(superuser, rich, root) == counts(db)
        assert schema.roll_back(owner, len(MIGRATIONS)) == MIGRATIONS[::-1]
        assert nothing_is_left(db)
        schema.apply(owner)
        assert catalog(db) == top


def test_every_migration_has_its_way_back():
    files = {path.name for path in folder("migrations").glob("*.sql")}
    ups = {name for name in files if ".rollback" not in name}
    assert files - ups == {name.replace(".sql", ".rollback.sql") for name in ups}
    assert sorted(ups) == [f"{migration}.sql" for migration in MIGRATIONS]
    assert len({name[:4] for name in ups}) == len(ups), "two migrations have one number"


def test_migrations_are_one_line():
    """They are applied in the order of their names, and undone by what each says it depends on."""
    before = {one.id: {other.id for other in one.depends} for one in READ}
    assert before == {name: set(MIGRATIONS[at - 1 : at]) if at else set() for at, name in enumerate(MIGRATIONS)}


async def test_those_who_migrate_at_once_do_it_once_and_leave_a_neighbour_alone(cluster):
    """The roles are there already; a database of theirs that is rolled back leaves them to the others."""
    owner = founded(cluster.server, "together")
    done = await asyncio.gather(*(asyncio.to_thread(schema.apply, owner) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(MIGRATIONS)]
    assert noted(owner) == MIGRATIONS[::-1]
    schema.roll_back(owner, len(MIGRATIONS))
    assert noted(owner) == []
    with psycopg.connect(cluster.superuser(cluster.copy())) as neighbour:
        assert any(line.startswith("policy messages") for line in catalog(neighbour))
