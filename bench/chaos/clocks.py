"""A machine's clock in the hands of a trial: a small library below the service and its PostgreSQL.

libfaketime 0.9.10 cannot be used: below it `time.sleep` of Python 3.11 and later fails.
"""

import contextlib
import os
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).with_name("offset_clock.c")
# PostgreSQL is started with an environment of its own: these two go along.
PASSED_ON = """
import alfred.postgres.cluster as cluster
own = '**{name: os.environ[name] for name in ("LD_PRELOAD", "CHAOS_CLOCK") if name in os.environ}, '
cluster.LAUNCH = cluster.LAUNCH.replace('{"PATH"', '{' + own + '"PATH"')
"""
MISSING = "There is no C compiler here (apt-get install gcc libc6-dev), or this is not Linux: nothing was tried."


class Clock:
    """Steps the wall clock of what is started while it is entered; durations are not affected."""

    def __init__(self, file: Path) -> None:
        self._file, self.offset = file, 0
        file.write_bytes(struct.pack("l", 0))
        file.chmod(0o644)

    def step(self, seconds: int) -> None:
        """Forward or back, for all processes at once."""
        self.offset += seconds
        with self._file.open("r+b") as shared:  # they have it mapped
            shared.write(struct.pack("l", self.offset))


@contextlib.contextmanager
def stepped() -> Iterator[Clock | None]:
    """A clock for the processes that are started meanwhile; None where it cannot be had."""
    with tempfile.TemporaryDirectory(prefix="alfred-clock-") as folder:
        Path(folder).chmod(0o755)
        library, file = Path(folder) / "offset_clock.so", Path(folder) / "offset"
        if not _compiled(library):
            yield None
            return
        clock, own = Clock(file), {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(file)}
        with _environment(own):
            yield clock


def _compiled(library: Path) -> bool:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or os.uname().sysname != "Linux":
        return False
    done = subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=False)
    return done.returncode == 0


@contextlib.contextmanager
def _environment(own: dict[str, str]) -> Iterator[None]:
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)
