"""The connection that listens falls silent without being closed: who waits for news gets them, and it is made anew.

python -m bench.chaos.silence

The process of PostgreSQL that serves it is stopped (SIGSTOP), which looks like a network that swallows everything.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable

import psycopg

from alfred.terms import BELL
from bench.chaos.posts import Told, customer_of, numbers, send
from bench.ground import service, show

MOST_SECONDS = 60.0
_LISTENING = "select pid from pg_stat_activity where application_name = %s and pid <> %s"


def main() -> int:
    """Stop it, wait, and print."""
    with service(rate_limit="100000000") as at, psycopg.connect(at.dsn("postgres"), autocommit=True) as root:
        user = customer_of(at)
        (silent,) = _listening(root, 0)
        told = Told()
        os.kill(silent, signal.SIGSTOP)
        began = time.monotonic()
        try:
            asyncio.run(send(at, user, numbers(20), told))
            read = _await(lambda: _told_of(root) >= len(told.acknowledged), began)
            anew = _await(lambda: bool(_listening(root, silent)), began)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(silent, signal.SIGCONT)
    rows = [("20 messages are acknowledged and read by the consumers", f"{read:.1f} s"),
            ("another connection listens", f"{anew:.1f} s")]  # fmt: skip
    show("After the listening connection fell silent", ("", "after"), rows)
    return int(max(read, anew) >= MOST_SECONDS)


def _listening(root: psycopg.Connection, but: int) -> list[int]:
    return [row[0] for row in root.execute(_LISTENING, [BELL, but])]


def _told_of(root: psycopg.Connection) -> int:
    row = root.execute("select count(*) from notifications").fetchone()
    return int(row[0]) if row else 0


def _await(done: Callable[[], bool], began: float) -> float:
    """How many seconds after the beginning."""
    while not done() and time.monotonic() - began < MOST_SECONDS:
        time.sleep(0.05)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
