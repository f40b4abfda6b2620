"""The embedded PostgreSQL with real servers: started, joined, killed, taken over, as root and as a user."""

import asyncio
import os
import pwd
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest

from alfred.postgres import Embedded
from alfred.postgres.cluster import at_work
from tests.flow.embedded_house import IS_ROOT, NOBODY, House, door, eventually, folder_for_everybody, root_only

SYSTEM = next(iter(sorted(Path("/usr/lib/postgresql").glob("1[5-8]/bin/initdb"), reverse=True)), None)


needs_system = pytest.mark.skipif(SYSTEM is None, reason="this machine has no PostgreSQL of its own")


@pytest.fixture(scope="module", params=[pytest.param("root", marks=root_only), "user"])
def user(request: pytest.FixtureRequest) -> pwd.struct_passwd | None:
    """Whom to become; None is whoever runs the tests."""
    return NOBODY if IS_ROOT and request.param == "user" else None


shared_folder = pytest.fixture(folder_for_everybody, name="shared_folder", scope="module")


@pytest.fixture
def empty_house(folder: Path, user: pwd.struct_passwd | None) -> Iterator[House]:
    made = House(folder, user)
    yield made
    made.close()


def shared(folder: Path, name: str, user: pwd.struct_passwd | None) -> Iterator[House]:
    """One home for one test after another, as a first start is slow; each remembers in a table of its own."""
    (place := folder / name).mkdir(exist_ok=True)
    made = House(place, user)
    yield made
    made.close()


@pytest.fixture
def either_house(shared_folder: Path, user: pwd.struct_passwd | None) -> Iterator[House]:
    yield from shared(shared_folder, "user" if user else "root", user)


@pytest.fixture
def house(shared_folder: Path) -> Iterator[House]:
    """Of whoever runs the tests: who takes over from whom is the same for root and for a user."""
    yield from shared(shared_folder, "root", None)


@pytest.fixture
def neighbour(user: pwd.struct_passwd | None) -> Iterator[int]:
    """A process of the very account that the server has."""
    account = user or pwd.getpwnam("postgres" if "postgres" in {a.pw_name for a in pwd.getpwall()} else "nobody")
    with subprocess.Popen(["/bin/sleep", "60"], **({"user": account.pw_uid} if IS_ROOT else {})) as process:
        yield process.pid
        assert process.poll() is None
        process.kill()


def test_starts_cold_and_then_warm_with_the_same_data(empty_house: House):
    process, cold = empty_house.start()
    assert cold["owner"]
    assert not cold["imported"]
    empty_house.remember(1)
    empty_house.end(process)
    assert not at_work(empty_house.data)
    _, warm = empty_house.start()
    assert warm["owner"]
    assert warm["dsn"] == cold["dsn"]
    assert empty_house.remembered() == [1]


@needs_system
def test_runs_the_systems_postgresql_too(own_house: House):
    process, _ = own_house.start("--binaries", SYSTEM.parent)
    major = SYSTEM.parent.parent.name
    assert own_house.data.name == f"data{major}"
    assert own_house.ask("show server_version_num").startswith(major)
    own_house.remember(1)
    own_house.end(process)
    own_house.start("--binaries", SYSTEM.parent)
    assert own_house.remembered() == [1]


async def test_is_durable_checked_utf8_and_off_the_network_until_options_say_otherwise(own_house: House):
    process, told = own_house.start()
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
    assert stat.S_IMODE((own_house.home / "run").stat().st_mode) == door(own_house)
    own_house.end(process)
    own_house.start("--set", "fsync=off", "--set", "max_connections=20")
    assert (own_house.ask("show fsync"), own_house.ask("show max_connections")) == ("off", "20")


def test_a_second_process_joins_and_leaves_without_harm(house: House):
    _, owner = house.start()
    house.remember(1)
    second, joiner = house.start()
    assert not joiner["owner"]
    assert joiner["dsn"] == owner["dsn"]
    assert house.remembered() == [1]
    house.end(second)
    assert house.remembered() == [1]


def test_of_many_that_start_at_once_one_owns(own_house: House):
    told = [own_house.told(process) for process in [own_house.run() for _ in range(3)]]
    assert sorted(one["owner"] for one in told) == [False, False, True]
    assert len({one["dsn"] for one in told}) == 1


def test_kill_9_of_the_owner_leaves_no_orphan(either_house: House):
    process, _ = either_house.start()
    either_house.kill(process)
    eventually(lambda: not at_work(either_house.data))


def test_what_was_committed_survives_kill_9_of_owner_and_server(house: House):
    process, told = house.start()
    for number in range(50):
        house.remember(number)
    house.kill_with_server(process)
    _, told = house.start()
    assert told["owner"]
    assert house.remembered() == list(range(50))


def test_starts_over_a_stale_pid_file_and_spares_whoever_has_the_pid(either_house: House, neighbour: int):
    process, _ = either_house.start()
    either_house.remember(1)
    for pid in (process.pid, os.getpid(), neighbour, None):
        pidfile = either_house.data / "postmaster.pid"
        rest = pidfile.read_text().partition("\n")[2]
        either_house.kill_with_server(process)
        pidfile.write_text(f"{pid}\n{rest}" if pid else "")
        process, told = either_house.start()
        assert told["owner"]
        assert either_house.remembered() == [1]
    os.kill(neighbour, 0)


def test_one_of_the_joiners_takes_over_after_kill_9_of_the_owner(house: House):
    process, _ = house.start()
    joiners = [house.start() for _ in range(2)]
    assert [joiner[1]["owner"] for joiner in joiners] == [False, False]
    house.remember(1)
    server = house.server
    house.kill(process)

    def answers() -> bool:
        try:
            return house.server != server and house.remembered() == [1]
        except (psycopg.OperationalError, FileNotFoundError):
            return False

    eventually(answers)
    parent = int(Path(f"/proc/{house.server}/stat").read_text().rsplit(")", 1)[1].split()[1])
    assert parent in {joiner[0].pid for joiner in joiners}


def test_a_joiner_takes_over_after_the_owner_left_in_order(house: House):
    process, _ = house.start()
    house.start()
    house.end(process)
    eventually(house.accepts)


def test_the_owner_starts_a_server_again_that_died(house: House):
    house.start()
    house.remember(1)
    died = house.server
    os.kill(died, signal.SIGKILL)
    eventually(lambda: (house.data / "postmaster.pid").exists() and house.server != died)
    eventually(house.accepts)
    assert house.remembered() == [1]


def test_initdb_killed_halfway_leaves_nothing_broken(own_house: House):
    process = own_house.run()
    eventually(lambda: [*own_house.home.glob(".init*/base")])
    own_house.kill(process)
    assert not [*own_house.home.glob("data*")]
    own_house.start()
    assert own_house.ask("select 1") == 1
    assert not [*own_house.home.glob(".init*")]


def test_waits_for_an_earlier_server_that_ends_slowly(house: House):
    process, _ = house.start()
    house.remember(1)
    slow = house.server
    os.kill(slow, signal.SIGSTOP)
    try:
        house.kill(process)
        _, refusal = house.start("--patience", "1")
        assert f"process {slow}" in refusal["unavailable"]
        patient = house.run()
        time.sleep(0.5)
    finally:
        os.kill(slow, signal.SIGCONT)
    assert house.told(patient)["owner"]
    assert house.remembered() == [1]


def test_a_home_too_deep_for_a_socket_works_and_is_joined(own_house: House):
    deep = own_house.home / ("d" * 60) / ("e" * 60)
    process, told = own_house.start(home=deep)
    assert own_house.ask("select 1") == 1
    _, joiner = own_house.start(home=deep)
    assert (joiner["owner"], joiner["dsn"]) == (False, told["dsn"])
    own_house.end(process)
    sockets = Path(told["dsn"].partition("host=")[2].partition("&")[0].replace("%2F", "/"))
    assert stat.S_IMODE(sockets.stat().st_mode) == door(own_house)
    eventually(own_house.accepts)
    for process in own_house.processes:
        own_house.end(process)
    sockets.chmod(0o777)  # somebody else might pose as the server there
    _, told = own_house.start(home=deep)
    assert str(sockets) in told["unavailable"]
    sockets.rmdir()


def test_says_what_is_missing_in_one_sentence(own_house: House):
    own_house.home.mkdir()
    own_house.home.chmod(0o777)
    (empty := own_house.home.parent / "empty").mkdir()
    (old := own_house.home.parent / "old").mkdir()
    (old / "postgres").write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
    (old / "postgres").chmod(0o755)
    assert str(empty) in own_house.start("--binaries", empty)[1]["unavailable"]
    assert "14.9" in own_house.start("--binaries", old)[1]["unavailable"]
    (own_house.home / "data9").mkdir()
    assert "data9 is of another version" in own_house.start()[1]["unavailable"]


async def test_keeping_ends_with_a_stop(folder: Path):
    embedded = Embedded(folder / "home")
    assert embedded.start()
    keeping = asyncio.create_task(embedded.keep())
    await asyncio.sleep(0)
    embedded.stop()
    await asyncio.wait_for(keeping, 5)
    assert not embedded.owner


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
