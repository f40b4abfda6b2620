"""Started by root, the service gives up root, and what it had before goes on."""

import asyncio
import contextlib
import os
import pwd
import signal
import socket
from pathlib import Path
from uuid import uuid4

import pytest

from tests.conftest import LENT
from tests.people import Person

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
async def test_root_gives_up_root_also_in_a_home_of_before(run, fork, grown, home, http):
    """Secrets, data and files that an earlier version left to root go on; later files are the account's."""
    folder = Path(grown(home))
    seed = await fork("seed", ALFRED_HOME=home)
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
    beside = await fork("events", ALFRED_HOME=home)  # commands go on as root, beside it
    assert await beside.ends(60) == 0, beside.lines

    os.kill(pid, signal.SIGKILL)  # whoever started us hears of it
    assert await service.ends(20) == 128 + signal.SIGKILL
    assert any("service_killed" in line and "SIGKILL" in line for line in service.lines), service.lines
    again = await fork("serve", ALFRED_HOME=home, ALFRED_ACCOUNT="nobody-knows-it")
    assert await again.ends(20) == 1
    assert any("there is no account nobody-knows-it" in line for line in again.lines), again.lines


@root_only
async def test_root_gives_up_root_with_an_existing_server(fork, cluster, home, http):
    database = cluster.copy()
    urls = {"ALFRED_DATABASE_URL": cluster.app(database), "ALFRED_OWNER_DATABASE_URL": cluster.owner(database)}
    service = await fork("serve", ALFRED_HOME=home, **urls)
    ana = await Person.sign_up(http, await service.address())
    assert set(told_of(service.process.pid)["Uid"].split()) == {str(pwd.getpwnam(LENT).pw_uid)}
    assert await ana.conversations() == []
    service.signal(signal.SIGTERM)
    assert await service.ends() == 0


def loaded_by(pid):
    """The compiled modules that a process holds."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {
        name
        for name in ("pydantic_core", "asyncpg", "uvloop", "psycopg", "_obstore", "_asyncio", "_ssl")
        if name in maps
    }


@root_only
async def test_roots_own_process_holds_nothing_of_the_service_and_starts_a_server_that_died(run, grown, home, http):
    service = await run("serve", ALFRED_HOME=grown(home))
    ana = await Person.sign_up(http, await service.address())
    pid, _ = web_process(service.process.pid)
    assert loaded_by(service.process.pid) == set()
    # Neither what migrates, nor what keeps files where there are none.
    assert loaded_by(pid) == {"pydantic_core", "asyncpg", "uvloop", "_asyncio", "_ssl"}
    pidfile = Path(home) / "data18" / "postmaster.pid"

    os.kill(int(pidfile.read_text().split()[0]), signal.SIGKILL)
    assert '"postgres_died"' in await service.says("postgres_died")
    await service.says("postgres_started")
    async with asyncio.timeout(30):
        while True:
            if (await ana.get("/tasks"))[0] == 200:
                break
            await asyncio.sleep(0.1)
    service.signal(signal.SIGINT)
    assert await service.ends() == 0
    assert not pidfile.exists()
