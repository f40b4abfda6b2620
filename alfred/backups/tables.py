"""Every row of every table, out of one snapshot and back in one transaction; the owner's login is enough for both."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import groupby
from typing import Any

import psycopg
from psycopg import sql
from psycopg.sql import Identifier

from alfred.backups.archive import PIECE, BadBackup, Reader, Writer

READER = "alfred_backup"  # a role that nobody can log in as: its policies let it read every tenant
Connection = psycopg.Connection[tuple[Any, ...]]
Columns = dict[str, list[str]]  # those that can be written, by table

# Tables and sequences are the owner's own, in `public`; which migrations were applied is told apart.
_TABLES = """
select c.relname, array_agg(a.attname::text order by a.attnum)
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
 where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and pg_has_role(session_user, c.relowner, 'usage')
   and c.relname !~ '^_?yoyo'
 group by c.relname
 order by c.relname
"""
_SEQUENCES = """
select relname from pg_class
 where relkind = 'S' and relnamespace = 'public'::regnamespace and pg_has_role(session_user, relowner, 'usage')
 order by relname
"""
_CLOSED = """
select relname from pg_class c
 where relkind = 'r' and relnamespace = 'public'::regnamespace and relrowsecurity
   and pg_has_role(session_user, relowner, 'usage')
   and not exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'backup_read')
"""
_FORCED = """
select relname from pg_class
 where relkind = 'r' and relnamespace = 'public'::regnamespace and relforcerowsecurity
   and pg_has_role(session_user, relowner, 'usage')
"""
_REFERENCES = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
 where contype = 'f' and connamespace = 'public'::regnamespace order by 1, 2
"""


def tables_of(owner: Connection) -> Columns:
    """The tables that are backed up, with their columns."""
    return dict(owner.execute(_TABLES).fetchall())


@contextmanager
def snapshot(owner_dsn: str) -> Iterator[Connection]:
    """A transaction that reads all rows as of one moment, beside a running service.

    Raises:
        BadBackup: a table is held by somebody else for long.
    """
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        try:
            _let_reader_read(owner)
            owner.execute(_each("grant {} to current_user", READER))
            owner.isolation_level, owner.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            with owner.transaction():
                _be_patient(owner)
                names = sql.SQL(", ").join(map(Identifier, tables_of(owner)))
                owner.execute(_each("set local role {}", READER))
                owner.execute(sql.SQL("lock table {} in access share mode").format(names))
                yield owner
        except psycopg.errors.LockNotAvailable as error:
            raise BadBackup("a table is in use by a migration: try again when it is done") from error
        finally:
            owner.read_only = False
            owner.execute(_each("revoke {} from current_user", READER))


def _let_reader_read(owner: Connection) -> None:
    """Once for each table; a policy needs the table for a moment, and is waited for 3 s.

    One table at a time: who waits for a table while it holds another meets a service in a deadlock.
    """
    owner.execute(f"""do $$ begin
        if not exists (select from pg_roles where rolname = '{READER}') then create role {READER} nologin; end if;
        exception when duplicate_object or unique_violation then null;
    end $$""")
    for (table,) in owner.execute(_CLOSED).fetchall():
        with owner.transaction():
            owner.execute("set local lock_timeout = '3s'")
            owner.execute(_each("create policy backup_read on {} for select to {} using (true)", table, READER))
    with owner.transaction():
        for name in [*tables_of(owner), *sequences_of(owner)]:
            owner.execute(_each("grant select on {} to {}", name, READER))


def sequences_of(owner: Connection) -> list[str]:
    """The names of all sequences."""
    return [name for (name,) in owner.execute(_SEQUENCES).fetchall()]


def dump(owner: Connection, columns: Columns, archive: Writer) -> dict[str, int]:
    """Write the tables as members `tables/<table>/<n>` of COPY's text; how many rows each has."""
    return {table: _dump_table(owner, table, names, archive) for table, names in columns.items()}


def _dump_table(owner: Connection, table: str, columns: list[str], archive: Writer) -> int:
    rows, number, piece = 0, 0, bytearray()
    statement = sql.SQL("copy {} ({}) to stdout").format(Identifier(table), _list(columns))
    with owner.cursor().copy(statement) as lines:
        for line in lines:
            rows += 1
            piece += line
            if len(piece) >= PIECE:
                archive.add_text(f"tables/{table}/{number}", bytes(piece))
                number += 1
                piece.clear()
    if piece:
        archive.add_text(f"tables/{table}/{number}", bytes(piece))
    return rows


def positions(owner: Connection) -> dict[str, tuple[int, bool]]:
    """Where each sequence stands: its last value, and whether that was given out."""
    found = {}
    for name in sequences_of(owner):
        row = owner.execute(_each("select last_value, is_called from {}", name)).fetchone()
        assert row is not None
        found[name] = (row[0], row[1])
    return found


def is_empty(owner_dsn: str) -> bool:
    """Whether nobody has an account there; the owner looks past row level security in a transaction that is undone."""
    with psycopg.connect(owner_dsn) as owner:
        owner.execute("set local lock_timeout = '3s'")
        if owner.execute("select to_regclass('public.users')").fetchone() == (None,):
            return True
        owner.execute("alter table users no force row level security")
        row = owner.execute("select exists (select from users)").fetchone()
        owner.rollback()
        return row == (False,)


def others_connected(owner_dsn: str) -> int:
    """How many connections somebody else has to that database; none where the owner may not know."""
    with psycopg.connect(owner_dsn, autocommit=True) as owner, suppress(psycopg.errors.InsufficientPrivilege):
        row = owner.execute(
            """select count(*) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and usename is not null"""
        ).fetchone()
        return int(row[0]) if row else 0
    return 0


@contextmanager
def loading(owner_dsn: str) -> Iterator[Connection]:
    """A transaction in which tables are emptied and can be filled in any order; as they were when it is committed."""
    with psycopg.connect(owner_dsn) as owner:
        _be_patient(owner)
        tables = list(tables_of(owner))
        forced = [name for (name,) in owner.execute(_FORCED).fetchall()]
        references = owner.execute(_REFERENCES).fetchall()
        for table, name, _ in references:
            owner.execute(_each(f"alter table {table} drop constraint {{}}", name))
        for table in tables:
            owner.execute(_each("alter table {} no force row level security, disable trigger user", table))
        owner.execute(sql.SQL("truncate {}").format(_list(tables)))
        yield owner
        for table, name, definition in references:
            owner.execute(_each(f"alter table {table} add constraint {{}} {definition}", name))
        for table in tables:
            owner.execute(_each("alter table {} enable trigger user", table))
        for table in forced:
            owner.execute(_each("alter table {} force row level security", table))
    with psycopg.connect(owner_dsn, autocommit=True) as owner:
        owner.execute(sql.SQL("analyze {}").format(_list(tables)))


def load(owner: Connection, columns: Columns, archive: Reader) -> dict[str, int]:
    """Read the members `tables/...` into the tables; how many rows each got.

    Raises:
        BadBackup: there is no such table or column, or a row does not fit.
    """
    known, rows = tables_of(owner), dict.fromkeys(columns, 0)
    for table, members in groupby(archive.members("tables/"), lambda name: name.partition("/")[0]):
        if table not in columns or not set(columns[table]) <= set(known.get(table, ())):
            raise BadBackup(f"the backup has a table {table!r} that this schema does not have")
        statement = sql.SQL("copy {} ({}) from stdin").format(Identifier(table), _list(columns[table]))
        cursor = owner.cursor()
        try:
            with cursor.copy(statement) as lines:
                for _ in members:
                    for piece in archive.pieces():
                        lines.write(piece)
        except psycopg.DataError as error:
            raise BadBackup(f"the rows of {table} do not fit: {type(error).__name__}") from error
        rows[table] = cursor.rowcount
    return rows


def set_positions(owner: Connection, sequences: dict[str, Any]) -> None:
    """Put each sequence where it stood."""
    for name in sequences_of(owner):
        if name in sequences:
            last, given_out = sequences[name]
            owner.execute("select setval(quote_ident(%s)::regclass, %s, %s)", [name, int(last), bool(given_out)])


def _be_patient(owner: Connection) -> None:
    for name in ("idle_in_transaction_session_timeout", "statement_timeout"):
        owner.execute(f"set local {name} = 0")
    owner.execute("set local lock_timeout = '10s'")


def _list(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(Identifier, names))


def _each(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(Identifier, names))
