"""Brings a database to the schema of migrations/, and makes the logins that it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql as compose
from psycopg.conninfo import conninfo_to_dict
from yoyo import get_backend, read_migrations

from alfred.files import folder

APP, OWNER = "alfred_app", "alfred_owner"
SERVICES = ("alfred_auth", "alfred_bus", "alfred_scan", "alfred_search", "alfred_deliver", "alfred_intake")
# Any number, the same for all: one process migrates at a time, and a killed one holds nothing.
_LOCK = 0x616C6672


def newest() -> str:
    """The last migration that this version knows."""
    return max(file.stem for file in folder("migrations").glob("*.sql") if ".rollback" not in file.name)


def apply(owner_dsn: str, most: int | None = None) -> list[str]:
    """Apply what is missing (at most so many), one transaction each; the names of what was applied."""
    with psycopg.connect(owner_dsn, autocommit=True) as lock:
        lock.execute("select pg_advisory_lock(%s)", [_LOCK])
        with _in_service(lock), get_backend(owner_dsn.replace("postgresql:", "postgresql+psycopg:", 1)) as backend:
            missing = backend.to_apply(read_migrations(str(folder("migrations"))))[:most]
            backend.apply_migrations(missing)
        lock.execute(compose.SQL("grant select on _yoyo_migration to {}").format(compose.Identifier(APP)))
    return [migration.id for migration in missing]


def roll_back(owner_dsn: str, count: int) -> list[str]:
    """Undo the last `count` migrations; their names."""
    with psycopg.connect(owner_dsn, autocommit=True) as lock:
        lock.execute("select pg_advisory_lock(%s)", [_LOCK])
        with _in_service(lock), get_backend(owner_dsn.replace("postgresql:", "postgresql+psycopg:", 1)) as backend:
            applied = backend.to_rollback(read_migrations(str(folder("migrations"))))[:count]
            backend.rollback_migrations(applied)
    return [migration.id for migration in applied]


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


def ensure_login(owner_dsn: str, app_dsn: str) -> None:
    """Let the application's role log in with the password of its URL, where it cannot log in yet."""
    wanted = conninfo_to_dict(app_dsn)
    name, password = str(wanted.get("user") or APP), wanted.get("password")
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        row = owner.execute("select rolcanlogin from pg_roles where rolname = %s", [name]).fetchone()
        if row is None or not row[0]:
            verb = compose.SQL("create" if row is None else "alter")
            owner.execute(
                compose.SQL("{} role {} login password {}").format(
                    verb, compose.Identifier(name), compose.Literal(password)
                )
            )
        if name != APP:
            owner.execute(compose.SQL("grant {} to {}").format(compose.Identifier(APP), compose.Identifier(name)))


def found(superuser_dsn: str, database: str) -> None:
    """In a new cluster of our own: the owner's and the application's logins, and the database."""
    with psycopg.connect(superuser_dsn, autocommit=True) as superuser:
        superuser.execute("select pg_advisory_lock(%s)", [_LOCK])
        for role, rights in ((OWNER, "login createrole"), (APP, "login")):
            if superuser.execute("select from pg_roles where rolname = %s", [role]).fetchone() is None:
                superuser.execute(compose.SQL("create role {} " + rights).format(compose.Identifier(role)))
        if superuser.execute("select from pg_database where datname = %s", [database]).fetchone() is None:
            superuser.execute(
                compose.SQL("create database {} owner {}").format(
                    compose.Identifier(database), compose.Identifier(OWNER)
                )
            )
