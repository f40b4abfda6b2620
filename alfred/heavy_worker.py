"""The process that does heavy work: a job in, its result out, until its parent is gone."""

import os
import pickle
import resource
import sys
from typing import Any, BinaryIO

SIZE = 8
MOST_MEMORY = 3 << 30


def work(jobs: BinaryIO, results: BinaryIO) -> None:
    """Do one job after the other."""
    while size := jobs.read(SIZE):
        job, given = pickle.loads(jobs.read(int.from_bytes(size)))  # noqa: S301 it comes from our own parent
        answer = _answer(job, given)
        results.write(len(answer).to_bytes(SIZE) + answer)
        results.flush()


def _answer(job: Any, given: Any) -> bytes:
    try:
        return pickle.dumps((True, job(*given)))
    except Exception as error:  # noqa: BLE001 handed to whoever waits for it
        try:
            return pickle.dumps((False, error))
        except Exception:  # noqa: BLE001 an error that cannot travel
            return pickle.dumps((False, RuntimeError(type(error).__name__)))


def main() -> None:
    """What is printed by mistake goes to standard error."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    work(sys.stdin.buffer, results)


if __name__ == "__main__":
    main()
