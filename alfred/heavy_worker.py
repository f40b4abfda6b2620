"""The process that does heavy work: a job in, its result out, until its parent is gone."""

import gc
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

from alfred import pipes
from alfred.pipes import framed, receive, send

PATIENT_AFTER = 0.5  # seconds of a processor
MOST_MEMORY = 3 << 30


def work(jobs: BinaryIO, results: BinaryIO) -> None:
    """Do one job after the other."""
    while True:
        gc.disable()  # the first job imports what it needs: looking through that again and again is a fifth of its time
        try:
            job, given = receive(jobs)
        except EOFError:
            return
        gc.enable()
        send(results, _answer(job, given))


def _answer(job: Any, given: Any) -> bytes:
    try:
        return framed((True, job(*given)))
    except Exception as error:  # noqa: BLE001 handed to whoever waits for it
        try:
            return framed((False, error))
        except Exception:  # noqa: BLE001 an error that cannot travel
            return framed((False, RuntimeError(type(error).__name__)))


def _step_back(*_: object) -> None:
    """From now on others go first; what the start and a short job take does not wait for them."""
    os.nice(5)


def main() -> None:
    """What is printed by mistake goes to standard error."""
    signal.signal(signal.SIGPROF, _step_back)
    signal.setitimer(signal.ITIMER_PROF, PATIENT_AFTER)
    gc.set_threshold(10_000, 20, 50)
    results = pipes.results()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    work(sys.stdin.buffer, results)


if __name__ == "__main__":
    main()
