"""Brings a database to the schema of migrations/, and makes the logins that it needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from alfred.files import folder, known_migrations
from alfred.terms import APP, AUTH, BELL, BUS, OWNER, REQUESTS_ALONE

SERVICES = ("alfred_auth", "alfred_bus", "alfred_scan", "alfred_search", "alfred_deliver", "alfred_intake")
# What a superuser takes from everybody, in each database: large objects, which have no row level security, and the
# statements of other sessions, which hold the ids of their tenants. (docs/operations.md repeats it.)
CLOSED = """
do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid::regprocedure from pg_proc
         where pronamespace = 'pg_catalog'::regnamespace
           and proname ~ '^(lo_.*|loread|lowrite|pg_stat_get_activity|pg_stat_get_backend_activity)$'
           and has_function_privilege('alfred_app', oid, 'execute')
    loop
        execute format('revoke execute on function %s from public', v_function);
    end loop;
    grant execute on function pg_stat_get_activity(integer) to alfred_owner;
end $$;
"""
# Any number, the same for all: one process migrates at a time, and a killed one holds nothing.
_LOCK = 0x616C6672


def name_of(dsn: str) -> str:
    """Where a database is, without its password."""
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('dbname')} at {parts.get('host') or 'the local socket'}"


def applied(owner_dsn: str) -> list[str]:
    """The migrations that a database has, in their order."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        return _applied(owner)


def _applied(owner: psycopg.Connection[Any]) -> list[str]:
    if owner.execute("select to_regclass('public._yoyo_migration')").fetchone() == (None,):
        return []
    rows = owner.execute("select migration_id from public._yoyo_migration order by migration_id")
    return [name for (name,) in rows]


def bring_to(owner_dsn: str, names: Sequence[str]) -> None:
    """Bring an empty database to these migrations, which are the first ones of this version, up or down."""
    there = applied(owner_dsn)
    if surplus := [name for name in there if name not in names]:
        roll_back(owner_dsn, len(surplus))
    if missing := len(names) - (len(there) - len(surplus)):
        apply(owner_dsn, missing)


# As yoyo notes them.
_NOTED = """
with noted as (
    insert into public._yoyo_migration (migration_hash, migration_id, applied_at_utc)
    values (encode(sha256(convert_to(%(name)s, 'UTF8')), 'hex'), %(name)s, clock_timestamp() at time zone 'utc')
    returning *
)
insert into public._yoyo_log (id, migration_hash, migration_id, operation, username, created_at_utc)
select gen_random_uuid()::text, migration_hash, migration_id, 'apply', current_user, applied_at_utc from noted
"""
_CROSSED_OUT = """
with gone as (delete from public._yoyo_migration where migration_id = %(name)s returning *)
insert into public._yoyo_log (id, migration_hash, migration_id, operation, username, created_at_utc)
select gen_random_uuid()::text, migration_hash, migration_id, 'rollback', current_user,
       clock_timestamp() at time zone 'utc'
  from gone
"""


def apply(owner_dsn: str, most: int | None = None) -> list[str]:
    """Apply what is missing (at most so many), in their order; the names of what was applied."""
    with _alone(owner_dsn) as owner:
        there = _applied(owner)
        if not there:
            _note_from_now_on(owner_dsn)
        missing = [name for name in known_migrations() if name not in there][:most]
        with _in_service(owner), _soon_safe(owner):
            for name in missing:
                _step(owner, name)
            if missing and owner.execute("select to_regprocedure('app.close_functions()')").fetchone() != (None,):
                owner.execute("select app.close_functions()")
        owner.execute(compose.SQL("grant select on _yoyo_migration to {}").format(compose.Identifier(APP)))
    return missing


def roll_back(owner_dsn: str, count: int) -> list[str]:
    """Undo the last `count` migrations that this version knows; their names."""
    with _alone(owner_dsn) as owner:
        known = set(known_migrations())
        undone = [name for name in reversed(_applied(owner)) if name in known][:count]
        with _in_service(owner), _soon_safe(owner):
            for name in undone:
                _step(owner, name, down=True)
    return undone


@contextmanager
def _alone(owner_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """The owner, while nobody else migrates."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("select pg_advisory_lock(%s)", [_LOCK])
        yield owner


@contextmanager
def _soon_safe(owner: psycopg.Connection[Any]) -> Iterator[None]:
    """Commits do not wait for the disk; the next one after these does, which what they wrote goes before."""
    owner.execute("set synchronous_commit = off")
    try:
        yield
    finally:
        owner.execute("reset synchronous_commit")


def _step(owner: psycopg.Connection[Any], name: str, *, down: bool = False) -> None:
    """Apply or undo one migration: one message, and a transaction with what is noted of it."""
    file, noted = (f"{name}.rollback.sql", _CROSSED_OUT) if down else (f"{name}.sql", _NOTED)
    with owner.transaction():
        owner.execute((folder("migrations") / file).read_bytes())
        owner.execute(noted, {"name": name})


def _note_from_now_on(owner_dsn: str) -> None:
    """Make yoyo's tables, which say what was applied."""
    from yoyo import get_backend  # a start that finds all in place needs none of it

    with get_backend(owner_dsn.replace("postgresql:", "postgresql+psycopg:", 1)) as backend:
        backend.ensure_internal_schema_updated()


@contextmanager
def _in_service(owner: psycopg.Connection[Any]) -> Iterator[None]:
    """The owner hands functions to the service roles, and must be one of them for that; afterwards it is not, since
    their policies would let it see every tenant.
    """
    try:
        _service_roles(owner, "grant {} to current_user")
        yield
    finally:
        _service_roles(owner, "revoke {} from current_user")


def _service_roles(owner: psycopg.Connection[Any], statement: LiteralString) -> None:
    there = owner.execute("select rolname from pg_roles where rolname = any (%s)", [list(SERVICES)]).fetchall()
    for (role,) in there:
        owner.execute(compose.SQL(statement).format(compose.Identifier(role)))


def ensure_login(owner_dsn: str, dsn: str, role: str = APP) -> None:
    """Let a role of the application log in with the password of its URL, where it cannot log in yet."""
    wanted = conninfo_to_dict(dsn)
    name, password = str(wanted.get("user") or role), wanted.get("password")
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        row = owner.execute("select rolcanlogin from pg_roles where rolname = %s", [name]).fetchone()
        if row is None or not row[0]:
            verb = compose.SQL("create" if row is None else "alter")
            owner.execute(
                compose.SQL("{} role {} login password {}").format(
                    verb, compose.Identifier(name), compose.Literal(password)
                )
            )
        if name != role:
            owner.execute(compose.SQL("grant {} to {}").format(compose.Identifier(role), compose.Identifier(name)))


# Sessions with all rights of the one login, of processes that do not know of the others.
_STILL_ONE = """
select count(*) from pg_stat_activity
 where datname = current_database() and application_name <> all (%s)
   and usename in (select rolname from pg_roles
                    where pg_has_role(oid, %s, 'usage') and not pg_has_role(oid, %s, 'usage') and not rolsuper)
"""


def separate_logins(owner_dsn: str, separate: bool) -> int:
    """Leave to the logins of authentication and of the bus what is theirs, or let one login do everything again.

    Returns how many sessions of processes with one login keep it from that: then nothing is changed.
    """
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute("select pg_advisory_lock(%s)", [_LOCK])
        (others,) = owner.execute(_STILL_ONE, [[REQUESTS_ALONE, BELL], APP, BUS]).fetchone() or (0,)
        if separate and others:
            return int(others)
        with _in_service(owner):
            owner.execute("select app.separate_logins(%s)", [separate])
    return 0


def found(superuser_dsn: str, database: str) -> None:
    """In a cluster of our own: the logins, and the database, closed to what none of them needs."""
    with psycopg.connect(superuser_dsn, autocommit=True) as superuser:
        superuser.execute("select pg_advisory_lock(%s)", [_LOCK])
        for role, rights in ((OWNER, "login createrole"), (APP, "login"), (AUTH, "login"), (BUS, "login")):
            if superuser.execute("select from pg_roles where rolname = %s", [role]).fetchone() is None:
                superuser.execute(compose.SQL("create role {} " + rights).format(compose.Identifier(role)))
            elif role in (AUTH, BUS):  # made by a migration, which lets nobody log in
                superuser.execute(compose.SQL("alter role {} login").format(compose.Identifier(role)))
        superuser.execute(compose.SQL("grant {} to {}").format(compose.Identifier(APP), compose.Identifier(BUS)))
        if superuser.execute("select from pg_database where datname = %s", [database]).fetchone() is None:
            superuser.execute(
                compose.SQL("create database {} owner {}").format(
                    compose.Identifier(database), compose.Identifier(OWNER)
                )
            )
    with psycopg.connect(make_conninfo(superuser_dsn, dbname=database), autocommit=True) as superuser:
        superuser.execute("select pg_advisory_lock(%s)", [_LOCK])
        superuser.execute(CLOSED)
