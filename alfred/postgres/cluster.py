"""The server's process and its data: made whole or not at all, ended with its parent, never two on one."""

import contextlib
import os
import signal
import subprocess as sp
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from alfred.postgres.account import Account, Unavailable
from alfred.postgres.binaries import Binaries
from alfred.postgres.folders import data_folders, give

PATIENCE = 120.0  # seconds: recovery after a crash may take long, nothing may take for ever
LOG_LIMIT = 10_000_000  # bytes; looked at when a server starts
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_parallel_workers_per_gather": "0",  # parallel work needs more than a container's 64 MB of /dev/shm
    "max_parallel_maintenance_workers": "0",
    "jit": "off",
    "autovacuum_naptime": "15s",  # a plan that was made of empty tables is kept until they are analyzed
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # details hold values of rows,
    "log_min_error_statement": "panic",  # statements what people wrote
    "idle_in_transaction_session_timeout": "60s",
}
INITDB = ["-U", "postgres", "-E", "UTF8", "-k", "--no-instructions"]
INITDB += ["--auth-local=trust", "--auth-host=scram-sha-256"]  # the socket's folder is the door
# Runs apart, as Python in a mere fork of this process is unsafe beside threads, and becomes the program, in a
# clean environment. Dropping root clears the parent-death signal, so that comes after it.
LAUNCH = """
import ctypes, os, sys
parent, sign, uid, gid = map(int, sys.argv[1:5])
if os.geteuid() != uid:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, sign)
if os.getppid() == parent:
    locale = "C.UTF-8" if sys.platform == "linux" else "C"
    os.execve(sys.argv[5], sys.argv[5:], {"PATH": os.defpath, "LC_ALL": locale})
"""


class Inherited:
    """A child that the program which this process was before has started."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its status, once it has ended."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float) -> None:
        """As that of `Popen`."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise sp.TimeoutExpired("postgres", timeout)
            time.sleep(0.005)

    def send_signal(self, number: int) -> None:
        """Of a child that was not waited for, so that the pid is its own."""
        if self.poll() is None:
            os.kill(self.pid, number)


def launch(command: Sequence[str | Path], account: Account, log: Path, at_parents_death: int) -> sp.Popen[bytes]:
    """Main thread only: the signal comes when the *thread* ends that launched."""
    numbers = map(str, (os.getpid(), int(at_parents_death), account.uid, account.gid))
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        return sp.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCH, *numbers, *command],
            cwd="/",
            stdin=sp.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is for us: we end the server when its users are gone
        )
    finally:
        os.close(out)


def vacate(data: Path) -> Generator[None, None, None]:
    """Ends what a killed owner left at work in the data; yields while it waits."""
    pidfile, began, sent = data / "postmaster.pid", time.monotonic(), None
    while living := at_work(data):
        waited = time.monotonic() - began
        if waited > PATIENCE:
            raise Unavailable(f"an earlier PostgreSQL (process {min(living)}) is at work in {data} and does not end")
        sign = signal.SIGINT if waited < 5 else signal.SIGQUIT
        if (pid := lines(pidfile)[0]).isdigit() and int(pid) in living and sign != sent:
            sent = sign
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), sign)
        yield
    disown(pidfile)


def at_work(data: Path) -> set[int]:
    """Processes of PostgreSQL in this folder. A pid alone proves nothing: it may be anybody's by now."""
    if sys.platform != "linux":
        pid = lines(data / "postmaster.pid")[0]
        command = ["ps", "-o", "command=", "-p", pid or "0"]
        told = sp.run(command, capture_output=True, text=True, check=False)
        return {int(pid)} if f"-D {data}" in told.stdout else set()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            if (process / "comm").read_text() == "postgres\n" and (process / "cwd").readlink() == data:
                found.add(int(process.name))
    return found


def disown(pidfile: Path) -> None:
    """Puts our own pid first, which PostgreSQL, our child, knows to be stale.

    Else a living process with a recycled pid keeps it from starting. Never removed: the lines that follow
    protect the data from two servers."""
    with contextlib.suppress(FileNotFoundError):
        file = os.open(pidfile, os.O_RDWR | os.O_NOFOLLOW)
        try:
            rest = os.pread(file, 4096, 0).partition(b"\n")[2]
            os.ftruncate(file, os.pwrite(file, b"%d\n%b" % (os.getpid(), rest), 0))
        finally:
            os.close(file)


def initialise(data: Path, binaries: Binaries, account: Account, log: Path) -> Generator[None, None, None]:
    """Makes the cluster beside its place and moves it there when whole; yields while it waits."""
    import shutil  # which root's keeper does without
    import tempfile

    home = data.parent
    for halfway in home.glob(".init*"):
        shutil.rmtree(halfway, ignore_errors=True)
    if data.exists():
        return
    if others := data_folders(home):
        raise Unavailable(
            f"{others[-1]} is of another version than PostgreSQL {binaries.version}: "
            "name binaries of that version, or move the folder away to begin empty"
        )
    fresh = Path(tempfile.mkdtemp(prefix=".init", dir=home))
    give(fresh, account)
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:  # its order never changes with the system's libraries, so indexes stay right
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    initdb = launch([binaries.folder / "initdb", "-D", fresh, *INITDB, *locale], account, log, signal.SIGKILL)
    try:
        yield from until(lambda: initdb.poll() is not None, f"initdb takes too long, see {log}")
    finally:
        initdb.kill()
        initdb.wait()
    if initdb.returncode:
        raise Unavailable(f"initdb ended with status {initdb.returncode}: {last_words(log)}")
    fresh.rename(data)
    folder = os.open(home, os.O_RDONLY)
    os.fsync(folder)  # the new name must outlive a power cut as the data do
    os.close(folder)


def serve(data: Path, binaries: Binaries, account: Account, log: Path, *more: str | Path) -> sp.Popen[bytes]:
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return launch([binaries.folder / "postgres", "-D", data, *settings, *more], account, log, signal.SIGINT)


def await_ready(server: sp.Popen[bytes], data: Path, log: Path) -> Generator[None, None, None]:
    def settled() -> bool:
        told = [*lines(data / "postmaster.pid"), *[""] * 8]
        return server.poll() is not None or (told[0] == str(server.pid) and told[7].strip() == "ready")

    yield from until(settled, f"PostgreSQL is not ready after {PATIENCE:.0f} s, see {log}")
    if server.returncode is not None:
        raise Unavailable(f"PostgreSQL ended with status {server.returncode}: {last_words(log)}")


def until(done: Callable[[], bool], complaint: str) -> Generator[None, None, None]:
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise Unavailable(complaint)
        yield


def lines(pidfile: Path) -> list[str]:
    try:
        return pidfile.read_text().split("\n")
    except FileNotFoundError:
        return [""]


def last_words(log: Path) -> str:
    said = log.read_bytes()[-4000:].decode(errors="replace").splitlines() or [_why_silent(log)]
    telling = [line for line in said if "FATAL" in line or "rror: " in line] or said
    return f"{telling[-1]} (see {log})"


def _why_silent(log: Path) -> str:
    return "nothing" if os.statvfs(log.parent).f_bavail else "no space is left on this disk"
