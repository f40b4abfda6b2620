"""From settings to a running service: its home and secrets, PostgreSQL, the schema, the server."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from alfred import schema
from alfred.ai import registry
from alfred.crm import ai_accounts, connections
from alfred.files import folder
from alfred.http.server import RESERVE, Bound, ConnectionLimits, bind, raise_descriptor_limit, served
from alfred.logins import Logins, sizes_beside
from alfred.postgres import Account, Embedded, default_home
from alfred.privileges import fork_apart, give_up_root, hand_over, open_way, web_account
from alfred.queries import sql
from alfred.settings import BadSetting, Settings
from alfred.vault import Vault

log = structlog.get_logger()

DATABASE = "alfred"
GRACE_SECONDS = 2.0
MOST_SHOWN = 1_000  # events that were given up
SECRETS = ("jwt_secret", "secret_key")  # made for a home where they are not settings


@dataclass(frozen=True)
class Provisioned:
    """Where a command finds its database; `embedded` is the server of our own, if that is used."""

    settings: Settings
    logins: Logins
    listen_dsn: str
    embedded: Embedded | None
    owner_dsn: str | None = None  # where it is known


@contextlib.contextmanager
def provisioned(
    settings: Settings, *, migrating: bool = False, down: int | None = None, untouched: bool = False
) -> Iterator[Provisioned]:
    """PostgreSQL with the schema of this version; an embedded server that we started ends with the block.

    `untouched`: with the schema that it has, and without secrets that are not there yet.
    """
    if settings.database_url is not None:
        yield _given(settings, migrating, down, untouched=untouched)
        return
    for name in ("owner_database_url", "auth_database_url", "bus_database_url", "listen_database_url"):
        if getattr(settings, name) is not None:
            raise BadSetting(f"ALFRED_{name.upper()} is set without ALFRED_DATABASE_URL: set both, or neither")
    home = settings.home or default_home(folder("sql").parent, settings.pg_account)
    embedded = Embedded(
        home, binaries=settings.pg_bin, account=settings.pg_account, guests=lambda server: _guests(settings, server)
    )
    if embedded.start():
        log.info("postgres_ready", home=str(home))
    try:
        schema.found(embedded.dsn("postgres", "postgres"), DATABASE)
        owner = embedded.dsn(schema.OWNER, DATABASE)
        logins = Logins(*(embedded.dsn(role, DATABASE) for role in (schema.APP, schema.AUTH, schema.BUS)))
        if not untouched:
            bring_up(owner, logins, down, asked=migrating)
        settings = _at_home(settings, home, untouched=untouched)
        yield Provisioned(settings, logins, embedded.dsn(schema.BUS, DATABASE), embedded, owner)
    finally:
        embedded.stop()


def _guests(settings: Settings, server: Account) -> dict[str, Sequence[str]]:
    """The roles that root's web process logs in as, when it has given up root."""
    return {web_account(settings.account, server).name: (schema.APP, schema.AUTH, schema.BUS)}


def _given(settings: Settings, migrating: bool, down: int | None, *, untouched: bool) -> Provisioned:
    logins = _logins_of(settings)
    listen = settings.listen_database_url
    listen_dsn = listen.get_secret_value() if listen else logins.bus or logins.app
    owner: str | None = None
    if settings.owner_database_url is not None:
        owner = settings.owner_database_url.get_secret_value().replace("postgres://", "postgresql://", 1)
        if not untouched:
            bring_up(owner, logins, down, asked=migrating, given=True)
    elif migrating:
        raise BadSetting("ALFRED_OWNER_DATABASE_URL is needed to migrate")
    home = settings.home or default_home(folder("sql").parent, settings.pg_account)
    return Provisioned(_at_home(settings, home, untouched=untouched), logins, listen_dsn, None, owner)


def bring_up(owner: str, logins: Logins, down: int | None, *, asked: bool = False, given: bool = False) -> None:
    """Migrate, and let the logins in and apart; those of a server that was `given` get their passwords."""
    _migrate(owner, down, asked=asked)
    if down is not None:
        return
    for dsn, role in ((logins.app, schema.APP), (logins.auth, schema.AUTH), (logins.bus, schema.BUS)):
        if given and dsn is not None:
            schema.ensure_login(owner, dsn, role)
    _separate(owner, logins)


def _logins_of(settings: Settings) -> Logins:
    assert settings.database_url is not None
    auth, bus = settings.auth_database_url, settings.bus_database_url
    if auth is None or bus is None:
        return Logins(settings.database_url.get_secret_value())
    return Logins(*(url.get_secret_value() for url in (settings.database_url, auth, bus)))


def _separate(owner_dsn: str, logins: Logins) -> None:
    """Let each login do what is its own, once no process needs one for everything."""
    if sessions := schema.separate_logins(owner_dsn, logins.are_separate):
        log.warning(
            "logins_not_separate", sessions_of_one_login=sessions, advice="run bin/migrate when they have ended"
        )


def _migrate(owner_dsn: str, down: int | None, *, asked: bool = False) -> None:
    """Bring the schema up or down, and say of which database; who `asked` is told of a schema in place too."""
    database = _name_of(owner_dsn)
    if down is not None:
        log.info("migrations_undone", database=database, names=schema.roll_back(owner_dsn, down))
    elif (applied := schema.apply(owner_dsn)) or asked:
        log.info("migrations_applied", database=database, names=applied, schema=schema.newest())


def _name_of(dsn: str) -> str:
    """Where a database is, without its password."""
    parts = conninfo_to_dict(dsn)
    return f"{parts.get('dbname')} at {parts.get('host') or 'the local socket'}"


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


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C; 0 after a clean end. Root's web process is another account's."""
    registry.check(settings.ai_provider)
    with provisioned(settings) as base:
        if os.geteuid():
            return _run(base, (settings.host, settings.port))
        with contextlib.ExitStack() as stack:
            bound = [stack.enter_context(each) for each in bind(settings.host, settings.port)]
            if base.embedded is None:
                return _run(_become(base), bound)
            child = fork_apart(lambda: _run(_become(base), bound))
        return asyncio.run(_watch(base.embedded, child))


def _become(base: Provisioned) -> Provisioned:
    """Give up root, for the account that serves; what that needs of the home is handed to it before."""
    settings, server = base.settings, base.embedded
    assert settings.home is not None
    account = web_account(settings.account, server.account if server else None)
    groups = [server.account.gid] if server else []  # as which it passes through the home to the server's socket
    if server is not None:
        server.disown()
    open_way(settings.home, account, groups)
    if settings.media_url is None:
        hand_over(settings.home / "media", account)
    needed = [Path(__file__), Path(sys.executable), settings.home]
    give_up_root(account, groups, needed, at_parents_death=signal.SIGTERM if server else 0)
    log.info("root_given_up", account=account.name)
    return replace(base, embedded=None)


async def _watch(server: Embedded, child: int) -> int:
    """Keep the server until the web process has ended; its status."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, os.kill, child, signal.SIGTERM)
    keeper = asyncio.create_task(server.keep())
    try:
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
    finally:
        keeper.cancel()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _run(base: Provisioned, where: tuple[str, int] | Bound) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_serve(base, where))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed: a message costs the service a tenth less."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(base: Provisioned, where: tuple[str, int] | Bound) -> int:
    gc.disable()  # until all is loaded
    from alfred.app import build  # takes half the time of a start: other commands do without

    settings = base.settings
    if not base.logins.are_separate:
        log.warning("one_login_for_everything", advice="set ALFRED_AUTH_DATABASE_URL and ALFRED_BUS_DATABASE_URL")
    app = build(settings, base.logins, base.listen_dsn)
    _spare_the_collector()
    connections = settings.pool_size + sum(sizes_beside(settings.pool_size))
    limits = ConnectionLimits(raise_descriptor_limit(connections + RESERVE), settings.trusted_proxies)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    keeper = asyncio.create_task(base.embedded.keep()) if base.embedded else None
    try:
        async with served(app, where, limits, grace=GRACE_SECONDS) as address:
            _welcome(address)
            await stop.wait()
            log.info("service_stopping")
    finally:
        if keeper:
            keeper.cancel()
    return 0


def _spare_the_collector() -> None:
    """What is loaded at the start stays: looking through all of it took 90 ms now and then, a fifteenth of the time.

    Nor is it looked through now: among it are 2,000 objects to let go, which is not worth a tenth of a second.
    """
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
    gc.enable()


def _welcome(address: str) -> None:
    lines = (
        f"Alfred listens on {address}",
        f"  inbox          {address}/",
        f"  documentation  {address}/api/v1/docs",
        "  demo data      bin/seed",
    )
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201
    log.info("service_started", address=address)


async def scan_once(base: Provisioned, scan: str) -> int:
    """Run one scan by hand; how much it told."""
    from alfred.assembly import scans_of  # as above

    async with base.logins.opened() as pools:
        scans = scans_of(pools.app, lambda _: None, base.settings)
        return await (scans.overdue() if scan == "overdue" else scans.stalled())


async def rotate_secrets(base: Provisioned) -> str:
    """Encrypt every stored secret with the first key of ALFRED_SECRET_KEY; says how many were changed, and how many
    cannot be read."""
    vault = Vault([key.get_secret_value() for key in base.settings.secret_key])
    changed = lost = 0
    async with base.logins.opened() as pools:
        database = pools.app
        async with database.as_service() as db:
            users = [row["user_id"] for row in await sql.connections.users_with_secrets.all(db)]
        for user_id in users:
            async with database.acting_as(user_id) as db:
                resealed = await connections.reseal(db, vault, user_id)
                changed, lost = changed + resealed.changed, lost + resealed.lost
        async with database.as_service() as db:
            users = [row["user_id"] for row in await sql.ai_providers.users_with_keys.all(db)]
        for user_id in users:
            async with database.acting_as(user_id) as db:
                renewed, unread = await ai_accounts.reseal(db, vault, user_id)
                changed, lost = changed + renewed, lost + unread
    return f"{changed} secrets are encrypted anew" + (f"; {lost} cannot be read: their key is missing" if lost else "")


async def dead_events(base: Provisioned, *, retry: bool) -> str:
    """What consumers gave up, one a line, the latest first; or how many were set to be tried again."""
    async with base.logins.opened() as pools, pools.bus.as_service() as db:
        if retry:
            return f"{await sql.events.revive.value(db)} events will be tried again"
        rows = await sql.events.dead.all(db, limit=MOST_SHOWN)
    lines = [f"{row['created_at']:%F %T} {row['consumer']} event {row['number']}: {row['error']}" for row in rows]
    return "\n".join(lines) or "none"
