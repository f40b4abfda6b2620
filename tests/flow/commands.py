"""Alfred's commands as processes."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from tests.conftest import LENT

ROOT = Path(__file__).resolve().parents[2]
URGENT = "Preciso disso hoje, é urgente!"


class Process:
    """One of Alfred's commands; `lines` is what it has said so far."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments, **settings):
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")}
        environ |= {"PYTHONPATH": str(ROOT), "ALFRED_PORT": "0", "ALFRED_BCRYPT_COST": "4"}
        if "ALFRED_DATABASE_URL" in settings:
            environ["ALFRED_ACCOUNT"] = LENT
        environ |= settings
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "alfred",
                *arguments,
                env=environ,
                cwd="/",
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
        )

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
