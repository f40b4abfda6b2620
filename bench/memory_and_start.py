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
            idle = ("the start, idle", *_memory(running.pid))
            user = sign_up(running)
            for number in range(100):
                message = whatsapp("Preciso disso hoje, é urgente!", number, number)
                post(running, "/webhooks/whatsapp", message, user.headers)
            time.sleep(SETTLE_SECONDS)
            used = ("100 messages, idle", *_memory(running.pid))
    middle = statistics.median(warm)
    rows = [("empty home (initdb, migrations)", f"{cold:.2f}"), (f"warm, median of {WARM_STARTS}", f"{middle:.2f}")]
    show("seconds from launch to ready", ("", "seconds"), rows)
    show("resident memory, PostgreSQL's without double counting", SCOPES, [idle, used])
    print(f"cold / warm: {cold / middle:.1f}")


def _memory(pid: int) -> tuple[str, str]:
    """Of the service its resident set, of the PostgreSQL below it the proportional one."""
    server = sum(_kilobytes(Path(f"/proc/{child}/smaps_rollup"), "Pss") for child in _below(pid))
    return f"{_kilobytes(Path(f'/proc/{pid}/status'), 'VmRSS') / 1024:.0f}", f"{server / 1024:.0f}"


def _below(pid: int) -> list[int]:
    """Every process below this one."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [far for child in children for far in _below(child)]


def _kilobytes(file: Path, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
