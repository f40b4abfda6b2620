"""A PostgreSQL that is founded and migrated once for a run; servers begin with a copy of its data."""

import contextlib
import fcntl
import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from alfred import schema
from alfred.logins import Logins
from alfred.postgres import Embedded
from alfred.running import DATABASE

# What a crash may lose does not matter here: nobody reads it after the run. And of a hundred small databases each would
# be looked after every few seconds.
CARELESS = (
    *("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"),
    *("-c", "autovacuum=off", "-c", "wal_compression=off", "-c", "checkpoint_timeout=1h"),
)
# Counts how often each statement was planned, in the databases that ask for it.
COUNTING = (
    *("-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on"),
    *("-c", "pg_stat_statements.track=none", "-c", "compute_query_id=off", "-c", "io_method=sync"),
)
# Bytes that must be free for the data to lie in memory.
MUCH_MEMORY = 6 << 30


class Cluster:
    """The server, and databases copied from one migrated template."""

    def __init__(self, server: Embedded) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self.newest = 0

    def superuser(self, database: str) -> str:
        return self.server.dsn("postgres", database)

    def owner(self, database: str) -> str:
        return self.server.dsn(schema.OWNER, database)

    def app(self, database: str) -> str:
        return self.server.dsn(schema.APP, database)

    def logins(self, database: str) -> Logins:
        """One for each kind of work, which `separate` makes them keep to."""
        return Logins(*(self.server.dsn(role, database) for role in (schema.APP, schema.AUTH, schema.BUS)))

    def copy(self) -> str:
        """A fresh migrated database; its name."""
        self.newest = next(self._numbers)
        name = f"copy{self.newest}"
        with psycopg.connect(self.superuser("postgres"), autocommit=True) as superuser:
            superuser.execute(f"create database {name} owner {schema.OWNER} template template strategy file_copy")
        return name


@contextlib.contextmanager
def data_folder():
    """For what nobody needs after the run: in memory, where there is much. On a disk whose ext4 has no journal each new
    file looks through all that were deleted in the last minutes."""
    with tempfile.TemporaryDirectory(prefix="alf-", dir=memory(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def memory():
    """A folder in memory that holds the data of a whole run and may hold programs, or None."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/mounts").read_text().splitlines():
            _, folder, kind, options, *_ = line.split()
            if (folder, kind) == ("/dev/shm", "tmpfs") and "noexec" not in options.split(","):
                return folder if shutil.disk_usage(folder).free > MUCH_MEMORY else None
    return None


def grow(shared: Path, home: Path):
    """Give a home its data: a migrated database for a service, and the template that others are copied from.

    `shared`: where the run's processes keep what the first of them has founded.
    """
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "founded").exists():
            found(shared / "founding")
            (shared / "founding").rename(shared / "founded")
    home.mkdir(mode=0o710)
    (data,) = (shared / "founded").glob("data[0-9]*")
    os.chown(home, -1, data.stat().st_gid)
    subprocess.run(["cp", "-a", data, home], check=True)


def found(home: Path):
    server = Embedded(home, options=CARELESS)
    server.start()
    try:
        schema.found(server.dsn("postgres", "postgres"), "template")
        schema.apply(server.dsn(schema.OWNER, "template"))
        with psycopg.connect(server.dsn("postgres", "postgres"), autocommit=True) as superuser:
            superuser.execute(f"create database {DATABASE} owner {schema.OWNER} template template")
    finally:
        server.stop()
