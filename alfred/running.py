"""From settings to what a command works with: its home and secrets, PostgreSQL, the schema."""

import contextlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import SecretStr

from alfred.files import folder, newest_migration
from alfred.logins import Logins
from alfred.module_process import ModuleProcess
from alfred.postgres import Account, Embedded, default_home
from alfred.privileges import web_account
from alfred.settings import BadSetting, Settings
from alfred.terms import APP, AUTH, BUS, OWNER

log = structlog.get_logger()

DATABASE = "alfred"
SCHEMA = "alfred.schema"  # in a process of its own: drivers and migrations are needed by no one afterwards
SECRETS = ("jwt_secret", "secret_key")  # made for a home where they are not settings


@dataclass(frozen=True)
class Provisioned:
    """Where a command finds its database; `embedded` is the server of our own, if that is used."""

    settings: Settings
    logins: Logins
    listen_dsn: str
    embedded: Embedded | None
    owner_dsn: str | None = None  # where it is known


@dataclass(frozen=True)
class _Wanted:
    """What a command wants of the schema."""

    migrating: bool = False  # it was asked for, and a schema in place is told of too
    down: int | None = None  # migrations to undo instead
    untouched: bool = False  # the schema and the secrets stay as they are


@contextlib.contextmanager
def provisioned(
    settings: Settings, *, migrating: bool = False, down: int | None = None, untouched: bool = False
) -> Iterator[Provisioned]:
    """PostgreSQL with the schema of this version; an embedded server that we started ends with the block.

    `untouched`: with the schema that it has, and without secrets that are not there yet.
    """
    wanted = _Wanted(migrating, down, untouched)
    with contextlib.ExitStack() as stack:
        with ModuleProcess(SCHEMA) as schema:
            if settings.database_url is not None:
                base = _given(settings, schema, wanted)
            else:
                embedded = _embedded(settings)
                stack.callback(embedded.stop)
                base = _started(embedded, settings, schema, wanted)
        yield base


def _embedded(settings: Settings) -> Embedded:
    for name in ("owner_database_url", "auth_database_url", "bus_database_url", "listen_database_url"):
        if getattr(settings, name) is not None:
            raise BadSetting(f"ALFRED_{name.upper()} is set without ALFRED_DATABASE_URL: set both, or neither")
    home = _home_of(settings)
    return Embedded(
        home, binaries=settings.pg_bin, account=settings.pg_account, guests=lambda server: guests_of(settings, server)
    )


def _home_of(settings: Settings) -> Path:
    return settings.home or default_home(folder("sql").parent, settings.pg_account)


def _started(embedded: Embedded, settings: Settings, schema: ModuleProcess, wanted: _Wanted) -> Provisioned:
    home = _home_of(settings)
    if embedded.start():
        log.info("postgres_ready", home=str(home))
    schema.call("found", embedded.dsn("postgres", "postgres"), DATABASE)
    owner = embedded.dsn(OWNER, DATABASE)
    logins = Logins(*(embedded.dsn(role, DATABASE) for role in (APP, AUTH, BUS)))
    _brought(schema, owner, logins, wanted, given=False)
    settings = _at_home(settings, home, untouched=wanted.untouched)
    return Provisioned(settings, logins, embedded.dsn(BUS, DATABASE), embedded, owner)


def guests_of(settings: Settings, server: Account) -> dict[str, Sequence[str]]:
    """The roles that root's web process logs in as, when it has given up root."""
    return {web_account(settings.account, server).name: (APP, AUTH, BUS)}


def _given(settings: Settings, schema: ModuleProcess, wanted: _Wanted) -> Provisioned:
    logins = _logins_of(settings)
    listen = settings.listen_database_url
    listen_dsn = listen.get_secret_value() if listen else logins.bus or logins.app
    owner: str | None = None
    if settings.owner_database_url is not None:
        owner = settings.owner_database_url.get_secret_value().replace("postgres://", "postgresql://", 1)
        _brought(schema, owner, logins, wanted, given=True)
    elif wanted.migrating:
        raise BadSetting("ALFRED_OWNER_DATABASE_URL is needed to migrate")
    settings = _at_home(settings, _home_of(settings), untouched=wanted.untouched)
    return Provisioned(settings, logins, listen_dsn, None, owner)


def _brought(schema: ModuleProcess, owner: str, logins: Logins, wanted: _Wanted, *, given: bool) -> None:
    """The schema as it is wanted."""
    if wanted.down is not None:
        undone = schema.call("roll_back", owner, wanted.down)
        log.info("migrations_undone", database=schema.call("name_of", owner), names=undone)
    elif not wanted.untouched:
        bring_up(schema, owner, logins, asked=wanted.migrating, given=given)


def bring_up(schema: ModuleProcess, owner: str, logins: Logins, *, asked: bool = False, given: bool = False) -> None:
    """Migrate, and let the logins in and apart; those of a server that was `given` get their passwords.

    Who `asked` is told of a schema in place too.
    """
    if (applied := schema.call("apply", owner)) or asked:
        where = schema.call("name_of", owner)
        log.info("migrations_applied", database=where, names=applied, schema=newest_migration())
    for dsn, role in ((logins.app, APP), (logins.auth, AUTH), (logins.bus, BUS)):
        if given and dsn is not None:
            schema.call("ensure_login", owner, dsn, role)
    # Each login does what is its own, once no process needs one for everything.
    if sessions := schema.call("separate_logins", owner, logins.are_separate):
        log.warning(
            "logins_not_separate", sessions_of_one_login=sessions, advice="run bin/migrate when they have ended"
        )


def _logins_of(settings: Settings) -> Logins:
    assert settings.database_url is not None
    auth, bus = settings.auth_database_url, settings.bus_database_url
    if auth is None or bus is None:
        return Logins(settings.database_url.get_secret_value())
    return Logins(*(url.get_secret_value() for url in (settings.database_url, auth, bus)))


def _at_home(settings: Settings, home: Path, *, untouched: bool) -> Settings:
    """Without ALFRED_JWT_SECRET or ALFRED_SECRET_KEY: one made once for this home, readable by its owner only."""
    missing = () if untouched else SECRETS
    made = {name: (_secret_of(home, name),) for name in missing if not getattr(settings, name)}
    return settings.model_copy(update={"home": home, **made})


def _secret_of(home: Path, name: str) -> SecretStr:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = home / name
    with contextlib.suppress(FileExistsError):
        fresh = home / f".{name}.{os.getpid()}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(48))
        try:
            file.hardlink_to(fresh)
        finally:
            fresh.unlink()
    return SecretStr(file.read_text().strip())
