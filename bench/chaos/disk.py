"""A full disk: messages are refused rather than lost, and go in again once there is room.

python -m bench.chaos.disk [--megabytes 260]

The home lies on a tmpfs of that size, which root alone can mount; a file takes the room that is left.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.chaos.posts import Manner, Told, customer_of, found, numbers, send
from bench.ground import Service, User, service, show

LEFT = 12_000_000  # bytes for what is posted before it is full
LONG = "A mesa ainda está à venda? " * 700
MOST_SECONDS = 40.0


def main() -> int:
    """Fill, make room, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--megabytes", type=int, default=260)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="alfred-disk-") as folder:
        Path(folder).chmod(0o755)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={given.megabytes}m,mode=755", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            print("A tmpfs cannot be mounted here (root alone may): nothing was tried.")
            return 2
        try:
            return _tried(Path(folder))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def _tried(folder: Path) -> int:
    with service(folder / "home", rate_limit="100000000") as at:
        user, told, ballast = customer_of(at), Told(), folder / "ballast"
        asyncio.run(send(at, user, numbers(100), told, Manner(text=LONG)))
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(folder).free - LEFT, 1))
        todo = numbers(3000)
        asyncio.run(send(at, user, todo, told, Manner(MOST_SECONDS / 2, text=LONG)))
        refused = len(told.posted) - len(told.acknowledged)
        alive = _health(at)
        ballast.unlink()
        seconds = _accepts_again(at, user, told)
        lost, doubled = found(at, user, told.acknowledged)
    rows = [("posted", f"{len(told.posted):,}"), ("acknowledged", f"{len(told.acknowledged):,}"),
            ("not taken while it was full", f"{refused:,}"), ("/health while it was full", str(alive)),
            ("takes messages again after", f"{seconds:.1f} s"), ("lost", f"{lost}"),
            ("doubled", f"{doubled}")]  # fmt: skip
    show("A full disk", ("", ""), rows)
    return int(lost > 0 or doubled > 0 or refused == 0 or seconds >= MOST_SECONDS)


def _health(at: Service) -> int:
    try:
        with urllib.request.urlopen(f"{at.address}/health", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _accepts_again(at: Service, user: User, told: Told) -> float:
    began, fresh = time.monotonic(), numbers(50)
    asyncio.run(send(at, user, fresh, told, Manner(MOST_SECONDS)))
    return time.monotonic() - began if told.acknowledged.issuperset(fresh) else MOST_SECONDS


if __name__ == "__main__":
    sys.exit(main())
