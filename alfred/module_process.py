"""The functions of one module in a process of its own: what the module imports never stays in this one."""

import importlib
import os
import subprocess as sp
import sys
import traceback
from types import TracebackType
from typing import Any, BinaryIO, Self

from alfred import pipes
from alfred.pipes import framed, receive, send


class ModuleProcess:
    """Imports its module at once, beside whatever its starter does; ends with the block."""

    def __init__(self, module: str) -> None:
        self._module = module

    def __enter__(self) -> Self:
        path = os.pathsep.join(folder for folder in sys.path if folder)
        program = [sys.executable, "-P", "-m", __name__, self._module]
        environment = {**os.environ, "PYTHONPATH": path}
        # In a group of its own: Ctrl-C is for the starter, which ends this one.
        self._process = sp.Popen(program, stdin=sp.PIPE, stdout=sp.PIPE, env=environment, process_group=0)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._results = self._process.stdin, self._process.stdout
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        self._process.communicate()

    def call(self, function: str, *given: Any) -> Any:
        """Call a function of the module there; what it raises is raised here."""
        try:
            send(self._jobs, framed((function, given)))
            succeeded, result = receive(self._results)
        except (EOFError, BrokenPipeError):
            raise ChildProcessError(f"the process for {self._module} ended with {self._process.wait()}") from None
        if not succeeded:
            raise result
        return result


def _work(module: Any, jobs: BinaryIO, results: BinaryIO) -> None:
    """One call after the other, until the starter is gone."""
    while True:
        try:
            function, given = receive(jobs)
        except EOFError:
            return
        try:
            answer = True, getattr(module, function)(*given)
        except Exception as error:  # noqa: BLE001 handed to whoever waits for it
            error.add_note(traceback.format_exc())
            answer = False, error
        send(results, framed(answer))


def main() -> None:
    """What is printed by mistake goes to standard error."""
    try:
        _work(importlib.import_module(sys.argv[1]), sys.stdin.buffer, pipes.results())
    except BrokenPipeError:  # nobody waits for it any more
        os._exit(1)


if __name__ == "__main__":
    main()
