"""Backup and restore, for real: a whole service is saved, and comes back on another server, row by row."""

import asyncio
import json
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import asyncpg
import psycopg
import pytest

from alfred import schema
from alfred.backups import BadBackup, restore, tables
from alfred.logins import Logins
from alfred.postgres import Embedded
from alfred.settings import Settings
from alfred.vault import Vault, place
from tests.api.connecting import SECRET, connected
from tests.conftest import serving
from tests.flow.commands import Process
from tests.flow.spoilt_backups import SPOILT
from tests.founding import CARELESS, data_folder
from tests.migrations.test_stairway import catalog
from tests.people import Person
from tests.rich import rich, root, rows_of, transplant

__all__ = ["rich", "root"]
FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3000  # more than one piece
SHAPE = ("column ", "constraint ", "index ", "policy ", "trigger ")
KEYS = {"jwt_secret": "j" * 40, "secret_key": "k" * 40}


async def alfred(*words, **environ):
    """What a command ends with, and the lines that it says."""
    process = await Process.fork(*map(str, words), **{name: str(value) for name, value in environ.items()})
    return await process.ends(90), process.lines


def content(superuser):
    """Every row of every table, as text; each sequence; what holds the tables together."""
    with psycopg.connect(superuser) as db:
        names = [name for (name,) in db.execute(tables._SEQUENCES)]
        found = {name: db.execute(f"select last_value, is_called from {name}").fetchone() for name in names}
        for name, columns in db.execute(tables._TABLES).fetchall():
            listed = ", ".join(f'"{column}"' for column in columns)
            found[name] = db.execute(f"select t::text from (select {listed} from {name}) t order by 1").fetchall()
        shape = [line for line in catalog(db) if line.startswith(SHAPE)]
        shape += db.execute("select relname, relrowsecurity, relforcerowsecurity from pg_class order by 1").fetchall()
    assert len(found) > 50
    return found, [line for line in shape if "backup_read" not in str(line) and "pg_" not in str(line)]


def alike(shape):
    """Without what PostgreSQL 15 says in other words."""
    return [line for line in shape if not str(line).startswith("column") and " NOT NULL " not in str(line)]


@pytest.fixture(scope="module")
def place_to_be():
    """A folder that the embedded server's account can reach."""
    with data_folder() as folder:
        yield folder


class Saved:
    """A backup, what was in it, and who used the service."""

    def __init__(self, archive, database, content, ana, channel):
        self.archive, self.database, self.content, self.ana, self.channel = archive, database, content, ana, channel


@pytest.fixture(scope="module")
async def saved(cluster, place_to_be, http, rich, root):
    database, home = cluster.copy(), place_to_be / "home"
    home.mkdir()
    for name, value in KEYS.items():
        (home / name).write_text(value)
    hers = await rows_of(root, rich.id)
    superuser = await asyncpg.connect(cluster.superuser(database))
    await transplant(superuser, hers)
    await superuser.close()
    urls = {"ALFRED_DATABASE_URL": cluster.app(database), "ALFRED_OWNER_DATABASE_URL": cluster.owner(database)}
    async with serving(
        cluster.app(database), home=home, private_targets="127.0.0.0/8", public_url="https://crm.example.org", **KEYS
    ) as address:
        ana = await Person.sign_up(http, address)
        await ana.hears("Preciso disso hoje, é urgente!\tA aba e a \\ barra\nficam")
        channel, _ = await connected(ana, "zapi")
        form = aiohttp.FormData()
        form.add_field("file", FILE, filename="mesa.png", content_type="image/png")
        status, _, answer = await ana.call("POST", "/media", data=form)
        assert status == 201, answer
        ana.media = json.loads(answer)
        beside, lines = await alfred("backup", place_to_be, ALFRED_HOME=home, **urls)
        assert beside == 0, lines
    archive = place_to_be / "backup.tar.gz"
    status, lines = await alfred("backup", archive, ALFRED_HOME=home, **urls)
    assert status == 0, lines
    assert any("holds the key of stored credentials" in line for line in lines)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert [file for file in place_to_be.iterdir() if file.name.endswith("Z.tar.gz")]
    return Saved(archive, database, await asyncio.to_thread(content, cluster.superuser(database)), ana, channel)


async def used(dsn, superuser, home, saved, http):
    """Somebody goes on with what was restored."""
    keys = {name: (home / name).read_text() for name in KEYS}
    assert keys == KEYS
    assert {stat.S_IMODE((home / name).stat().st_mode) for name in KEYS} == {0o600}
    with psycopg.connect(superuser) as db:
        sealed = db.execute("select name, sealed from connection_secrets where user_id = %s", [saved.ana.id]).fetchall()
    vault = Vault([keys["secret_key"]])
    plain = {name: vault.decrypt(value, place(saved.ana.id, saved.channel, name)) for name, value in sealed}
    assert SECRET in plain["client_token"]
    async with serving(dsn, home=home, **keys) as address:
        stranger = Person(http, address)
        login = {"email": saved.ana.email, "password": "a good password"}
        status, session = await stranger.post("/auth/login", login)
        assert status == 200, session
        ana = Person(http, address, session)
        status, _, file = await ana.call("GET", f"/media/{saved.ana.media['id']}")
        assert (status, file) == (200, FILE)
        assert len(await ana.conversations()) == 1
        async with ana.listening() as frames:
            await ana.hears("Preciso de outra hoje, é urgente!", sender="+5511900000099")
            frame = await frames.next()
        assert frame["data"]
        assert len(await ana.conversations()) == 2
        bruno = await Person.sign_up(http, address, "Bruno")
        assert await bruno.conversations() == []


async def test_comes_back_on_an_embedded_server_of_its_own(saved, place_to_be, http):
    home = place_to_be / "restored"
    status, lines = await alfred("restore", saved.archive, ALFRED_HOME=home)
    assert status == 0, lines
    lines = [*lines, *(home / "postgres.log").read_text().splitlines()]
    assert [line for line in lines if "error" in line.lower() and "yoyo" not in line] == []  # which tries what is there
    server = Embedded(home, options=CARELESS)
    server.start()
    try:
        superuser = server.dsn("postgres", "alfred")
        assert content(superuser) == saved.content
        logins = Logins(*(server.dsn(role, "alfred") for role in (schema.APP, schema.AUTH, schema.BUS)))
        await used(logins, superuser, home, saved, http)
    finally:
        server.stop()
    status, lines = await alfred("restore", saved.archive, ALFRED_HOME=home)
    assert (status, lines[-1]) == (
        1,
        "alfred: there are accounts in the database: a backup is restored into an empty one only",
    )


async def test_comes_back_on_an_existing_server(saved, fifteen, place_to_be, http):
    schema.found(fifteen.dsn("postgres", "postgres"), "restored")
    superuser, home = fifteen.dsn("postgres", "restored"), place_to_be / "elsewhere"
    settings = Settings(
        database_url=fifteen.dsn(schema.APP, "restored"), owner_database_url=fifteen.dsn(schema.OWNER, "restored"),
        home=home,
    )  # fmt: skip
    await asyncio.to_thread(restore, settings, str(saved.archive))
    found, shape = await asyncio.to_thread(content, superuser)
    assert found == saved.content[0]
    assert alike(shape) == alike(saved.content[1])
    await used(fifteen.dsn(schema.APP, "restored"), superuser, home, saved, http)


@pytest.fixture(scope="module")
def empty(cluster, place_to_be):
    """A database to restore into, that nobody uses."""
    schema.found(cluster.superuser("postgres"), "spoilt")
    return Settings(
        database_url=cluster.app("spoilt"), owner_database_url=cluster.owner("spoilt"), home=place_to_be / "spoilt"
    )


@pytest.mark.parametrize("fault", SPOILT)
async def test_a_spoilt_backup_leaves_nothing_behind(saved, empty, place_to_be, cluster, fault):
    spoil, words = SPOILT[fault]
    archive = spoil(saved.archive, place_to_be / f"{fault}.tar.gz")
    with pytest.raises(BadBackup, match=words):
        await asyncio.to_thread(restore, empty, str(archive))
    assert not [name for name in KEYS if (empty.home / name).exists()]
    assert tables.is_empty(cluster.owner("spoilt"))


async def test_a_key_that_is_there_is_not_replaced(saved, empty):
    empty.home.mkdir(exist_ok=True)
    (key := empty.home / "secret_key").write_text("another")
    with pytest.raises(BadBackup, match="secret_key is another than the backup's"):
        await asyncio.to_thread(restore, empty, str(saved.archive))
    assert key.read_text() == "another"
    key.unlink()


def test_the_first_backup_of_a_busy_service_meets_it_in_no_deadlock(cluster):
    """It waits for a table that a service reads, which then reads one that was closed before."""
    name = cluster.copy()
    with (
        psycopg.connect(cluster.owner(name), autocommit=True) as owner,
        psycopg.connect(cluster.superuser(name), autocommit=True) as watching,
        psycopg.connect(cluster.superuser(name)) as service,
        ThreadPoolExecutor(1) as thread,
    ):
        first, *_, last = [table for (table,) in owner.execute(tables._CLOSED)]
        service.execute(f"lock table {last} in access share mode")
        saving = thread.submit(tables._let_reader_read, owner)
        waiting = "select exists (select from pg_locks where not granted and relation = %s::regclass)"
        while not saving.done() and not watching.execute(waiting, [last]).fetchone()[0]:
            time.sleep(0.01)
        service.execute(f"select from {first}")
        service.commit()
        saving.result(20)
        assert owner.execute(tables._CLOSED).fetchall() == []


async def test_a_database_in_use_is_left_alone(saved, empty, cluster, monkeypatch):
    monkeypatch.setattr("alfred.backups.commands.LEAVE_SECONDS", 0.3)
    async with serving(cluster.app(saved.database)):
        urls = {"database_url": cluster.app(saved.database), "owner_database_url": cluster.owner(saved.database)}
        with pytest.raises(BadBackup, match="stop the service first"):
            await asyncio.to_thread(restore, Settings(**urls, home=empty.home), str(saved.archive))


def test_the_reader_of_backups_is_nobodys(saved, cluster):
    """No login may become it; the owner is one for a backup only, and else sees no tenant's rows."""
    with psycopg.connect(cluster.superuser(saved.database)) as db:
        members = db.execute(
            """select count(*) from pg_auth_members
                where roleid = 'alfred_backup'::regrole and (set_option or inherit_option)"""
        ).fetchone()
    assert members == (0,)
    for login in (cluster.owner, cluster.app):
        with psycopg.connect(login(saved.database)) as db:
            assert db.execute("select count(*) from contacts").fetchone() == (0,)


async def test_what_is_there_is_not_overwritten(saved, cluster, place_to_be):
    urls = {
        "ALFRED_DATABASE_URL": cluster.app(saved.database),
        "ALFRED_OWNER_DATABASE_URL": cluster.owner(saved.database),
    }
    before = saved.archive.read_bytes()
    status, lines = await alfred("backup", saved.archive, ALFRED_HOME=place_to_be / "home", **urls)
    assert (status, lines[-1]) == (1, f"alfred: {saved.archive} is there already")
    assert saved.archive.read_bytes() == before
