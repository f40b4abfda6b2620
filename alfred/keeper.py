"""Keeps root's PostgreSQL while another process serves: a small program, which the one that started both becomes."""

import contextlib
import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from alfred.postgres import Embedded

STOPS = (signal.SIGTERM, signal.SIGINT)


def become(server: Embedded, child: int, guests: dict[str, Any], log: tuple[str, str | None]) -> NoReturn:
    """Turn this process into the keeper, for good; signals to stop, which are held back, wait for it."""
    lock, pid = server.leave()
    told = {
        "home": str(server.home),
        "binaries": str(server.binaries) if server.binaries else None,
        "account": server.wanted_account,
        "guests": guests,
        "lock": lock,
        "server": pid,
        "child": child,
        "log": log,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")}
    kept["PYTHONPATH"] = os.pathsep.join(folder for folder in sys.path if folder)
    sys.stderr.flush()
    program = [sys.executable, "-S", "-P", "-m", __name__, json.dumps(told)]
    os.execve(sys.executable, program, kept)  # noqa: S606


def main() -> int:
    """Keep the server until the web process has ended; its status."""
    told = json.loads(sys.argv[1])

    def tell(level: str, event: str, **fields: Any) -> None:
        import structlog

        from alfred import log

        log.set_up(*told["log"])
        getattr(structlog.get_logger(), level)(event, **fields)

    server = Embedded(
        Path(told["home"]),
        binaries=Path(told["binaries"]) if told["binaries"] else None,
        account=told["account"],
        guests=lambda _: told["guests"],
    )
    server.tell = tell
    server.take_up(told["lock"], told["server"])
    try:
        return _keep(server, told["child"])
    finally:
        server.stop()


def _keep(server: Embedded, child: int) -> int:
    awake = _signals_for(child)
    with contextlib.closing(server.watch()) as looks:
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                for number in STOPS:  # the server is being stopped already
                    signal.signal(number, signal.SIG_IGN)
                return _status(server, os.waitstatus_to_exitcode(status))
            if select.select([awake], [], [], next(looks))[0]:
                os.read(awake, 64)


def _status(server: Embedded, code: int) -> int:
    """As a shell tells it; one that was ended from outside has said nothing itself."""
    if code >= 0:
        return code
    name = signal.Signals(-code).name
    if -code not in STOPS:
        server.tell("error", "service_killed", signal=name)
    return 128 - code


def _signals_for(child: int) -> int:
    """Hand on what asks us to stop; where to read that a signal came."""
    awake, wakes = os.pipe()
    for end in (awake, wakes):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in STOPS:
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    return awake


if __name__ == "__main__":
    sys.exit(main())
