"""How long `serve` takes to be ready, with an empty home and with one that is there, and its memory when idle.

Beside them what they must not exceed: on this repository's machine in seconds and MB, elsewhere as multiples of what
the same run measures alone, the imports of its largest parts and `initdb`.
"""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from alfred.postgres.account import server_account
from alfred.postgres.binaries import find, reachable
from alfred.postgres.cluster import initialise
from alfred.postgres.folders import open_home
from bench.ground import fresh_home, post, service, show, sign_up, whatsapp

COLD_STARTS, WARM_STARTS = 3, 4
ALONE = 3  # times that each other thing is measured
SETTLE_SECONDS = 3.0
SCOPES = ("MB after", "service", "must", "its PostgreSQL", "must")
COLD, WARM, SERVICE, POSTGRESQL = 1.9, 1.0, 88, 55  # seconds, MB
COLD_RATIO, WARM_RATIO = 2.4, 4.3


def main() -> None:
    """Measure, and print."""
    with fresh_home() as home, service(home):
        pass  # now everything is compiled, and the disk's cache warm
    cold, warm = [_cold() for _ in range(COLD_STARTS)], []
    with fresh_home() as home:
        with service(home):
            pass
        for _ in range(WARM_STARTS):
            with service(home) as running:
                warm.append(running.seconds)
        with service(home) as running:
            time.sleep(SETTLE_SECONDS)
            idle = _memory(running.launched)
            user = sign_up(running)
            for number in range(100):
                message = whatsapp("Preciso disso hoje, é urgente!", number, number)
                post(running, "/webhooks/whatsapp", message, user.headers)
            time.sleep(SETTLE_SECONDS)
            used = _memory(running.launched)
    _show_seconds(statistics.median(cold), statistics.median(warm), _imports(), _initdb())
    rows = [("the start, idle", idle, (SERVICE, POSTGRESQL)), ("100 messages, idle", used, ("", ""))]
    show("resident memory, without double counting", SCOPES, [_of(*row) for row in rows])


def _cold() -> float:
    with fresh_home() as home, service(home) as running:
        return running.seconds


def _show_seconds(cold: float, warm: float, imports: float, founding: float) -> None:
    both = imports + founding
    rows = [
        (
            f"empty home (initdb, migrations), median of {COLD_STARTS}",
            f"{cold:.2f}",
            f"{COLD}",
            f"{cold / both:.1f}",
            f"{COLD_RATIO}",
        ),
        (f"warm, median of {WARM_STARTS}", f"{warm:.2f}", f"{WARM}", f"{warm / imports:.1f}", f"{WARM_RATIO}"),
        ("imports of aiohttp, asyncpg, pydantic alone", f"{imports:.2f}", "", "", ""),
        ("initdb alone", f"{founding:.2f}", "", "", ""),
    ]
    header = ("", "seconds", "must", "times what is measured alone", "must")
    show("seconds from launch to ready", header, rows)


def _of(name: str, megabytes: tuple[float, float], must: tuple[object, object]) -> tuple[str, ...]:
    return name, f"{megabytes[0]:.0f}", f"{must[0]}", f"{megabytes[1]:.0f}", f"{must[1]}"


def _imports() -> float:
    """The smallest of some, of a process that does nothing else."""
    program = [sys.executable, "-c", "import aiohttp.web, asyncpg, pydantic; pydantic.BaseModel"]
    return min(_seconds_of(program) for _ in range(ALONE))


def _seconds_of(program: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(program, check=True)
    return time.perf_counter() - began


def _initdb() -> float:
    """As the service runs it; the smallest of some."""
    taken = []
    for _ in range(ALONE):
        with fresh_home() as home:
            open_home(home, None)
            account = server_account(None)
            binaries = reachable(find(None), account, home)
            began = time.perf_counter()
            for _ in initialise(home / f"data{binaries.major}", binaries, account, home / "log"):
                time.sleep(0.005)
            taken.append(time.perf_counter() - began)
    return min(taken)


def _memory(pid: int) -> tuple[float, float]:
    """Of the service (as root two processes) and of the PostgreSQL below it, pages that are shared counted once."""
    sums = {True: 0, False: 0}
    for each in (pid, *_below(pid)):
        is_server = Path(f"/proc/{each}/comm").read_text().startswith("postgres")
        sums[is_server] += _kilobytes(Path(f"/proc/{each}/smaps_rollup"), "Pss")
    return sums[False] / 1024, sums[True] / 1024


def _below(pid: int) -> list[int]:
    """Every process below this one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [far for child in children for far in _below(child)]


def _kilobytes(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
