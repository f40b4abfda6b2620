"""The commands, run as a new user runs them: real processes on an embedded PostgreSQL of their own."""

import asyncio
import contextlib
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from alfred import schema
from alfred.__main__ import main
from tests.conftest import LENT
from tests.founding import data_folder
from tests.people import Person, whatsapp

ROOT = Path(__file__).resolve().parents[2]
URGENT = "Preciso disso hoje, é urgente!"


class Process:
    """One of Alfred's commands; `lines` is what it has said so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments, **settings):
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")}
        environ |= {"PYTHONPATH": str(ROOT), "ALFRED_PORT": "0", "ALFRED_BCRYPT_COST": "4"}
        if "ALFRED_DATABASE_URL" in settings:
            environ["ALFRED_ACCOUNT"] = LENT
        environ |= settings
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "alfred",
                *arguments,
                env=environ,
                cwd="/",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )

    async def _read(self):
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())

    async def says(self, words, seconds=60):
        async with asyncio.timeout(seconds):
            while True:
                for line in self.lines:
                    if words in line:
                        return line
                assert self.process.returncode is None or not self._reading.done(), self.lines
                await asyncio.sleep(0.02)

    async def address(self):
        return (await self.says("listens on")).split()[-1]

    async def ends(self, seconds=30):
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
            await self._reading
        return code

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


@pytest.fixture
def home():
    """Short enough for a socket, and reachable by the account that the server drops to."""
    with data_folder() as folder:
        yield f"{folder}/home"


@pytest.fixture
async def run():
    started = []

    async def start(*arguments, **settings):
        started.append(await Process.start(*arguments, **settings))
        return started[-1]

    yield start
    for each in started:
        each.signal(signal.SIGKILL)
        await each.ends()


async def test_serves_seeds_and_stops_cleanly(run, home, http):
    service = await run("serve", ALFRED_HOME=home)
    address = await service.address()

    for _ in range(2):  # beside the live service; the second time finds everything there
        seed = await run("seed", ALFRED_HOME=home)
        assert await seed.ends(60) == 0, seed.lines
    stranger = Person(http, address)
    status, session = await stranger.post("/auth/login", {"email": "demo@alfred.ai", "password": "password"})
    assert status == 200
    demo = Person(http, address, session)
    pages = [await demo.get(path, limit=200) for path in ("/contacts", "/channels", "/conversations")]
    contacts, channels, conversations = (page["items"] for _, page in pages)
    assert len(contacts) == len(conversations) == 26
    assert {channel["type"] for channel in channels} == {"whatsapp", "instagram", "email"}
    messages = [message for each in conversations for message in await demo.messages(each["id"])]
    assert len(messages) >= 60
    assert {message["direction"] for message in messages} == {"inbound", "outbound"}
    assert len({message["external_id"] for message in messages}) == len(messages)
    assert {each["status"] for each in conversations} == {"open"}
    assert any(each["urgency"] == "high" for each in conversations)
    assert any(each["unread_count"] for each in conversations)
    assert len((await demo.get("/tasks", overdue=True))[1]["items"]) >= 2

    with psycopg.connect(f"postgresql://alfred_app@/alfred?host={home}/run&port=5432") as db:
        assert not db.execute("select has_function_privilege('app.bus_join(text)', 'execute')").fetchone()[0]

    secret = Path(home) / "jwt_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text() not in "\n".join(service.lines)
    assert "password" not in "\n".join(service.lines).replace("wrong_password", "")

    async with demo.listening() as frames:
        began = time.monotonic()
        service.signal(signal.SIGTERM)
        assert await frames.next() is None  # the stream ends, rather than being cut
    assert await service.ends() == 0
    assert time.monotonic() - began < 30


async def test_data_survive_a_kill_and_a_second_process_takes_over(run, grown, home, http):
    first = await run("serve", ALFRED_HOME=grown(home))
    ana = await Person.sign_up(http, await first.address())
    second = await run("serve", ALFRED_HOME=home)
    ana_there = Person(http, await second.address(), ana.session)
    await ana.hears(URGENT, sender="+5511900000001", id="wamid.before")

    first.signal(signal.SIGKILL)
    began = time.monotonic()
    while True:
        status, receipt = await ana_there.post("/webhooks/whatsapp", whatsapp("oi", "+5511900000002"))
        if status == 200:
            break
        assert status == 503, receipt
        assert time.monotonic() - began < 60
        await asyncio.sleep(0.1)
    found = await ana_there.conversations()
    assert {each["contact"]["handle"] for each in found} == {"+5511900000001", "+5511900000002"}
    again = await ana_there.hears(URGENT, sender="+5511900000001", id="wamid.before")
    assert again["duplicate"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ALFRED_PROT": "8000"}, "ALFRED_PROT: no such setting"),
        ({"ALFRED_PORT": "many"}, "ALFRED_PORT:"),
        ({"ALFRED_JWT_SECRET": "short"}, "ALFRED_JWT_SECRET:"),
        ({"ALFRED_STALLED_AFTER": "0"}, "ALFRED_STALLED_AFTER:"),
    ],
)
def test_a_bad_setting_is_a_clear_message(monkeypatch, capsys, settings, words):
    for name in [name for name in os.environ if name.startswith("ALFRED_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 2
    assert words in capsys.readouterr().err


async def test_a_provider_that_is_not_there_is_a_clear_message(run, cluster, database, home):
    service = await run(
        "serve", ALFRED_HOME=home, ALFRED_DATABASE_URL=cluster.app(database), ALFRED_AI_PROVIDER="nobody"
    )
    assert await service.ends() == 2
    assert any("nobody" in line for line in service.lines), service.lines
    assert not any("Traceback" in line for line in service.lines)


@pytest.mark.parametrize("login", ["superuser", "owner"])
async def test_refuses_to_serve_past_row_level_security(run, cluster, home, login):
    dsn = getattr(cluster, login)(cluster.copy())
    service = await run("serve", ALFRED_HOME=home, ALFRED_DATABASE_URL=dsn)
    assert await service.ends() == 2
    assert any("row level security" in line for line in service.lines), service.lines


@pytest.fixture(params=["the newest", "the oldest"])
def elsewhere(request):
    """A server that is not ours to start: PostgreSQL 18, and 15 where the machine has one."""
    if request.param == "the newest":
        return request.getfixturevalue("cluster").server
    return request.getfixturevalue("fifteen")


async def test_uses_an_existing_server(run, elsewhere, home, http, eventually):
    """The owner's URL migrates and lets the application's role log in; then the application's alone will do."""
    schema.found(elsewhere.dsn("postgres", "postgres"), "elsewhere")
    urls = {
        "ALFRED_DATABASE_URL": elsewhere.dsn(schema.APP, "elsewhere"),
        "ALFRED_OWNER_DATABASE_URL": elsewhere.dsn(schema.OWNER, "elsewhere"),
        "ALFRED_HOME": home,
    }
    migrate = await run("migrate", **urls)
    assert await migrate.ends(30) == 0, migrate.lines
    del urls["ALFRED_OWNER_DATABASE_URL"]
    service = await run("serve", **urls)
    ana = await Person.sign_up(http, await service.address())
    await ana.hears("oi")
    status, ready = await eventually(lambda: ana.get("/health/ready"), lambda answer: answer[0] == 200, seconds=10)
    assert (status, ready["checks"]) == (200, {"database": "ok", "migrations": "ok", "event_bus": "ok"})
    assert await service.says("one_login_for_everything")
    service.signal(signal.SIGINT)
    assert await service.ends() == 0


async def test_uses_separate_logins_of_an_existing_server(run, elsewhere, home, http, eventually):
    """Migrating with all URLs makes the logins, and leaves to each what is its own."""
    schema.found(elsewhere.dsn("postgres", "postgres"), "apart")
    owner, app = elsewhere.dsn(schema.OWNER, "apart"), elsewhere.dsn(schema.APP, "apart")
    urls = {
        "ALFRED_DATABASE_URL": app,
        "ALFRED_AUTH_DATABASE_URL": elsewhere.dsn(schema.AUTH, "apart"),
        "ALFRED_BUS_DATABASE_URL": elsewhere.dsn(schema.BUS, "apart"),
        "ALFRED_HOME": home,
    }
    migrate = await run("migrate", **urls, ALFRED_OWNER_DATABASE_URL=owner)
    assert await migrate.ends(30) == 0, migrate.lines
    service = await run("serve", **urls)
    ana = await Person.sign_up(http, await service.address())
    await ana.hears(URGENT)
    assert await eventually(ana.notifications)
    with psycopg.connect(app) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("select * from app.judge_login('ana@example.com', '', interval '1 hour')")
    one = await run("serve", ALFRED_DATABASE_URL=app, ALFRED_HOME=home)
    assert await one.ends() == 2
    assert any("the logins of this database are separate" in line for line in one.lines), one.lines


def test_the_commands_run_their_own_code_from_any_folder(tmp_path):
    """Also from one that holds another package of this name."""
    (tmp_path / "alfred").mkdir()
    (tmp_path / "alfred" / "__init__.py").write_text("raise SystemExit('the wrong house')")
    run = subprocess.run([ROOT / "bin" / "alfred", "openapi"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["info"]["title"] == "Alfred"


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")


def told_of(pid):
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def web_process(parent):
    """The process that serves: its pid and what the kernel says of it."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            told = told_of(status.parent.name)
            if told["PPid"] == str(parent) and "alfred" in (status.parent / "cmdline").read_text():
                return int(told["Pid"]), told
    raise AssertionError("there is no web process")


def low_port():
    """A free one that only root may bind."""
    for port in range(700, 1000):
        with contextlib.suppress(OSError), socket.socket() as one:
            one.bind(("127.0.0.1", port))
            return str(port)
    raise AssertionError


@root_only
async def test_root_gives_up_root_also_in_a_home_of_before(run, grown, home, http):
    """Secrets, data and files that an earlier version left to root go on; later files are the account's."""
    folder = Path(grown(home))
    seed = await run("seed", ALFRED_HOME=home)
    assert await seed.ends(60) == 0, seed.lines
    (media := folder / "media" / str(uuid4()) / "ab").mkdir(parents=True)
    (media / "old").write_text("left to root")
    (folder / "run").chmod(0o700)
    secrets = {name: (folder / name).read_text() for name in ("jwt_secret", "secret_key")}
    service = await run("serve", ALFRED_HOME=home, ALFRED_ACCOUNT="daemon", ALFRED_PORT=low_port())
    address = await service.address()
    pid, told = web_process(service.process.pid)
    daemon = pwd.getpwnam("daemon")
    assert set(told["Uid"].split()) == {str(daemon.pw_uid)}
    assert set(told["Gid"].split()) == {str(daemon.pw_gid)}
    assert told["Groups"].split() == [str((folder / "data18").stat().st_gid)]
    assert int(told["CapEff"], 16) in {0, 4}  # 4: reading, where the checkout is closed to others
    assert int(told["CapPrm"], 16) == int(told["CapEff"], 16)
    assert told["NoNewPrivs"] == "1"
    stranger = Person(http, address)
    status, session = await stranger.post("/auth/login", {"email": "demo@alfred.ai", "password": "password"})
    assert status == 200, service.lines
    demo = Person(http, address, session)
    assert len(await demo.conversations(limit=100)) == 26
    assert (media / "old").stat().st_uid == daemon.pw_uid
    assert {name: (folder / name).read_text() for name in secrets} == secrets
    assert {(folder / name).stat().st_uid for name in secrets} == {0}
    again = await run("seed", ALFRED_HOME=home)  # commands go on as root, beside it
    assert await again.ends(60) == 0, again.lines

    os.kill(pid, signal.SIGKILL)  # whoever started us hears of it
    assert await service.ends(20) == 128 + signal.SIGKILL
    again = await run("serve", ALFRED_HOME=home, ALFRED_ACCOUNT="nobody-knows-it")
    assert await again.ends(20) == 1
    assert any("there is no account nobody-knows-it" in line for line in again.lines), again.lines


@root_only
async def test_root_gives_up_root_with_an_existing_server(run, cluster, home, http):
    database = cluster.copy()
    urls = {"ALFRED_DATABASE_URL": cluster.app(database), "ALFRED_OWNER_DATABASE_URL": cluster.owner(database)}
    service = await run("serve", ALFRED_HOME=home, **urls)
    ana = await Person.sign_up(http, await service.address())
    assert set(told_of(service.process.pid)["Uid"].split()) == {str(pwd.getpwnam(LENT).pw_uid)}
    assert await ana.conversations() == []
    service.signal(signal.SIGTERM)
    assert await service.ends() == 0
