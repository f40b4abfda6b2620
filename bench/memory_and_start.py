"""How long `serve` takes to be ready, with an empty home and with one that is there, and its memory when idle."""

import re
import statistics
import time
from pathlib import Path

from bench.ground import fresh_home, post, service, show, sign_up, whatsapp

WARM_STARTS = 4
SETTLE_SECONDS = 3.0
SCOPES = ("MB after", "service", "its PostgreSQL")


def main() -> None:
    """Measure, and print."""
    with fresh_home() as home:
        with service(home) as running:
            cold = running.seconds
        warm = []
        for _ in range(WARM_STARTS):
            with service(home) as running:
                warm.append(running.seconds)
        with service(home) as running:
            time.sleep(SETTLE_SECONDS)
            idle = ("the start, idle", *_memory(running.launched))
            user = sign_up(running)
            for number in range(100):
                message = whatsapp("Preciso disso hoje, é urgente!", number, number)
                post(running, "/webhooks/whatsapp", message, user.headers)
            time.sleep(SETTLE_SECONDS)
            used = ("100 messages, idle", *_memory(running.launched))
    middle = statistics.median(warm)
    rows = [("empty home (initdb, migrations)", f"{cold:.2f}"), (f"warm, median of {WARM_STARTS}", f"{middle:.2f}")]
    show("seconds from launch to ready", ("", "seconds"), rows)
    show("resident memory, without double counting", SCOPES, [idle, used])
    print(f"cold / warm: {cold / middle:.1f}")


def _memory(pid: int) -> tuple[str, str]:
    """Of the service (as root two processes) and of the PostgreSQL below it, pages that are shared counted once."""
    sums = {True: 0, False: 0}
    for each in (pid, *_below(pid)):
        is_server = Path(f"/proc/{each}/comm").read_text().startswith("postgres")
        sums[is_server] += _kilobytes(Path(f"/proc/{each}/smaps_rollup"), "Pss")
    return f"{sums[False] / 1024:.0f}", f"{sums[True] / 1024:.0f}"


def _below(pid: int) -> list[int]:
    """Every process below this one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [far for child in children for far in _below(child)]


def _kilobytes(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
