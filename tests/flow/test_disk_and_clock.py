"""A full disk and a clock that steps: what was acknowledged is there once. The long forms are in bench/chaos."""

import asyncio
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from functools import partial
from operator import le
from pathlib import Path

import psycopg
import pytest

from bench.chaos.clocks import MISSING, PASSED_ON, stepped
from bench.chaos.posts import Told, customer_of, found, numbers, send
from bench.ground import service, whatsapp

MEGABYTES = 260


@pytest.fixture
def small_disk():
    """A folder on a disk of its own, which root alone can have."""
    folder = Path(tempfile.mkdtemp(prefix="alfred-disk-"))
    folder.chmod(0o755)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("a tmpfs cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=False)
    folder.rmdir()


def post(at, user, number):
    """A message of 300 KB that cannot be packed: the status, and what the answer says."""
    body = whatsapp(secrets.token_hex(150_000), number % 50, number)
    request = urllib.request.Request(f"{at.api}/webhooks/whatsapp", body, user.headers)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def test_a_full_disk_refuses_and_loses_nothing(small_disk, grown):
    with service(grown(small_disk / "home"), rate_limit="100000000") as at:
        user, acknowledged, ballast = customer_of(at), [], small_disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(small_disk).free - 2_000_000, 1))
        for number in numbers(100):
            status, headers, answer = post(at, user, number)
            if status != 200:
                break
            acknowledged.append(number)
        assert (status, answer["code"]) == (503, "database_unavailable")
        assert int(headers["Retry-After"]) >= 1
        with urllib.request.urlopen(f"{at.address}/health", timeout=5) as alive:
            assert alive.status == 200
        ballast.unlink()
        told = Told()
        todo = [number, *numbers(20)]  # the one that was refused too, as a messenger posts it again
        asyncio.run(send(at, user, todo, told))
        assert told.acknowledged == set(todo)
        assert found(at, user, [*acknowledged, *todo]) == (0, 0)


async def test_a_start_on_a_full_disk_says_so(small_disk, fork):
    with (small_disk / "ballast").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(small_disk).free)
    started = await fork("serve", ALFRED_HOME=str(small_disk / "home"))
    assert await started.ends() == 1
    assert any("no space is left on this disk" in line for line in started.lines), started.lines


def told_of(at):
    with psycopg.connect(at.dsn("postgres")) as root:
        return root.execute("select count(*) from notifications where type = 'urgent_message'").fetchone()[0]


async def test_a_clock_that_steps_loses_and_doubles_nothing(grown, home, eventually):
    with stepped() as clock:
        if clock is None:
            pytest.skip(MISSING)
        with service(Path(grown(home)), change=PASSED_ON, rate_limit="100000000") as at:
            user, told = customer_of(at), Told()
            for count, step in enumerate((0, 3_600, -4_200, 86_400), start=1):
                clock.step(step)
                todo = numbers(20)
                await send(at, user, todo, told)
                assert told.acknowledged.issuperset(todo)
                assert await eventually(partial(asyncio.to_thread, told_of, at), partial(le, 20 * count))
            assert (told_of(at), found(at, user, told.acknowledged)) == (80, (0, 0))
