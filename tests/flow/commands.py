"""Alfred's commands as processes."""

import asyncio
import contextlib
import multiprocessing
import os
import sys
from pathlib import Path

from tests.conftest import LENT
from tests.flow.loaded import command

ROOT = Path(__file__).resolve().parents[2]
URGENT = "Preciso disso hoje, é urgente!"
FORKS = multiprocessing.get_context("forkserver")  # from a process that has one thread, and what is preloaded
FORKS.set_forkserver_preload([command.__module__])


class Fork:
    """What `asyncio.subprocess.Process` is, of a process that was forked."""

    def __init__(self, process, stdout):
        self._process, self.stdout = process, stdout
        self.pid, self.kill = process.pid, process.kill

    @classmethod
    async def start(cls, arguments, environ):
        output, write = FORKS.Pipe(duplex=False)
        process = FORKS.Process(target=command, args=(arguments, environ, write), daemon=True)
        await asyncio.to_thread(process.start)  # the first one waits for what is loaded
        write.close()
        stdout = asyncio.StreamReader()
        file = os.fdopen(os.dup(output.fileno()), "rb")
        output.close()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdout), file)
        return cls(process, stdout)

    @property
    def returncode(self):
        return self._process.exitcode

    def send_signal(self, number):
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self):
        await asyncio.to_thread(self._process.join)
        return self.returncode


class Process:
    """One of Alfred's commands; `lines` is what it has said so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments, **settings):
        """As an operator starts it."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "alfred",
                *arguments,
                env=cls._environ(settings),
                cwd="/",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )

    @classmethod
    async def fork(cls, *arguments, **settings):
        """With its modules loaded: where the start is not what is tried. It costs a third of the processor's time."""
        return cls(await Fork.start(arguments, cls._environ(settings)))

    @staticmethod
    def _environ(settings):
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")}
        environ |= {"PYTHONPATH": str(ROOT), "ALFRED_PORT": "0", "ALFRED_BCRYPT_COST": "4"}
        if "ALFRED_DATABASE_URL" in settings:
            environ["ALFRED_ACCOUNT"] = LENT
        environ |= settings
        return environ

    async def _read(self):
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())

    async def says(self, words, seconds=60):
        async with asyncio.timeout(seconds):
            while True:
                for line in self.lines:
                    if words in line:
                        return line
                assert self.process.returncode is None or not self._reading.done(), self.lines
                await asyncio.sleep(0.02)

    async def address(self):
        return (await self.says("listens on")).split()[-1]

    async def ends(self, seconds=30):
        async with asyncio.timeout(seconds):
            code = await self.process.wait()
            await self._reading
        return code

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
