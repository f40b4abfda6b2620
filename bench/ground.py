"""What the benchmarks stand on: a service on a durable PostgreSQL in processes of their own, its users, and tables.

Each benchmark is run from the checkout by `python -m bench.<name>` in Alfred's environment, ends within 40 seconds,
and compares only what one run has measured: other machines, and other moments of this one, differ.
"""

import contextlib
import json
import os
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg
from psycopg import sql as compose

from alfred.postgres import Embedded

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "alfred"
PATIENCE_SECONDS = 120.0
PASSWORD = "a good password"

# The command line of a service with something changed in it beforehand.
_LAUNCH = "import sys\n{change}\nfrom alfred.__main__ import main\nsys.exit(main(['serve']))"


@dataclass(frozen=True)
class Service:
    """A service that is ready; `seconds` is how long it took from its launch.

    `pid` is the process that answers; `launched` the one that was started, which keeps PostgreSQL where root starts it.
    """

    address: str
    pid: int
    launched: int
    home: Path
    seconds: float

    @property
    def api(self) -> str:
        """Where the paths of the API begin."""
        return f"{self.address}/api/v1"

    @property
    def server_pid(self) -> int:
        """The process of its PostgreSQL, of which all others are children."""
        return int(next(self.home.glob("data*/postmaster.pid")).read_text().split("\n", 1)[0])

    def dsn(self, role: str) -> str:
        """Its database, for `postgres` (to fill it), `alfred_owner` or `alfred_app`."""
        return Embedded(self.home).dsn(role, DATABASE)


@contextlib.contextmanager
def fresh_home() -> Iterator[Path]:
    """A folder that is not there yet, in one that the server's account can reach."""
    with tempfile.TemporaryDirectory(prefix="alfred-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@contextlib.contextmanager
def service(home: Path | None = None, *, change: str = "", **settings: str) -> Iterator[Service]:
    """A service with default settings but for those given; `change` is Python that runs before it starts."""
    with contextlib.ExitStack() as stack:
        if home is None:
            home = stack.enter_context(fresh_home())
        log = home.parent / f"service-{secrets.token_hex(4)}.log"
        own = {f"ALFRED_{name.upper()}": value for name, value in settings.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)  # which compiles all modules again at each start, a third of a second
        environment = {**kept, "PYTHONPATH": str(ROOT), "ALFRED_HOME": str(home), "ALFRED_PORT": "0", **own}
        began = time.perf_counter()
        with log.open("wb") as out:
            command = [sys.executable, "-c", _LAUNCH.format(change=change)]
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd="/")
        stack.callback(_end, process)
        address = _address(process, log)
        _await_ready(process, address)
        yield Service(address, _answering(process.pid), process.pid, home, time.perf_counter() - began)


def _answering(pid: int) -> int:
    """The process that gave up root, if there is one: a child that is no PostgreSQL."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    others = (int(child) for child in children if not Path(f"/proc/{child}/comm").read_text().startswith("postgres"))
    return next(others, pid)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("Alfred listens on "):
                return line.rsplit(" ", 1)[-1]
        time.sleep(0.005)
    raise SystemExit(f"The service did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _await_ready(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(HTTPError, OSError), urllib.request.urlopen(f"{address}/health/ready", timeout=5):
            return
        time.sleep(0.005)
    raise SystemExit("The service did not become ready.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


@dataclass(frozen=True)
class User:
    """Somebody who has just signed up."""

    user_id: str
    email: str
    headers: dict[str, str]


def sign_up(at: Service) -> User:
    """A new user, and the headers that say who asks."""
    email = f"{secrets.token_hex(8)}@example.com"
    session = post(at, "/auth/register", {"name": "Ana Prado", "email": email, "password": PASSWORD})
    headers = {"Authorization": f"Bearer {session['access_token']}", "Content-Type": "application/json"}
    return User(session["user"]["id"], email, headers)


def post(at: Service, path: str, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> Any:
    """A call outside of what is measured; the decoded answer."""
    headers = {"Content-Type": "application/json"} | (headers or {})
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(at.api + path, raw, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def whatsapp(text: str, sender: int, number: int) -> bytes:
    """One message as WhatsApp's Cloud API posts it; `number` makes its id unlike all others of a run."""
    digits = f"5511{sender:09d}"
    message = {
        "from": digits,
        "id": f"wamid.bench{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "109900000000001"},
        "contacts": [{"profile": {"name": f"Customer {sender}"}, "wa_id": digits}],
        "messages": [message],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def fill(at: Service, statements: Sequence[str], tables: Sequence[str], user: User) -> None:
    """Run statements as the superuser, past row level security, with the user's hat on; analyse the tables."""
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")  # the rows are made to fit: no key is looked up
        superuser.execute("set maintenance_work_mem = '512MB'")
        superuser.execute("select set_config('app.user_id', %s, false)", (user.user_id,))
        for statement in statements:
            superuser.execute(statement.encode())
        for table in tables:
            superuser.execute(compose.SQL("vacuum (analyze) {}").format(compose.Identifier(table)))


def resident(pid: int) -> int:
    """Memory of a process, in KB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def percentile(values: Sequence[float], part: float) -> float:
    """The value below which `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def spread(seconds: Sequence[float]) -> tuple[str, str, str]:
    """Median, 95th percentile and maximum, in milliseconds."""
    return milliseconds(statistics.median(seconds)), milliseconds(percentile(seconds, 0.95)), milliseconds(max(seconds))


def milliseconds(seconds: float) -> str:
    """As a table shows it."""
    return f"{seconds * 1000:.2f}"


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A small table, under a line that says on which machine and how busy it is."""
    busy = os.getloadavg()[0]
    print(f"\n{title}\n{os.cpu_count()} cores, load {busy:.1f}, Python {sys.version.split()[0]}\n")
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells))
    print()
