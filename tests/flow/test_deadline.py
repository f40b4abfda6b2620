"""A PostgreSQL that has stopped to answer is not waited for for ever."""

import asyncio
import os
import signal
import tempfile
import time
from pathlib import Path

from alfred import schema
from alfred.postgres import Embedded
from tests.conftest import CARELESS, serving
from tests.people import Person


async def test_a_frozen_database_is_a_503_and_then_serves_again(http, eventually):
    with tempfile.TemporaryDirectory(prefix="alfred-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = Embedded(Path(folder) / "home", options=CARELESS)
        server.start()
        try:
            schema.found(server.dsn("postgres", "postgres"), "frozen")
            schema.apply(server.dsn(schema.OWNER, "frozen"))
            async with serving(server.dsn(schema.APP, "frozen"), request_deadline=1) as address:
                ana = await Person.sign_up(http, address)
                group = _processes(server)
                for pid in group:
                    os.kill(pid, signal.SIGSTOP)
                try:
                    began = time.monotonic()
                    status, problem = await ana.get("/conversations")
                    assert (status, problem["code"]) == (503, "database_unavailable")
                    assert time.monotonic() - began < 10
                    assert (await ana.get("/health"))[0] == 200
                    assert (await ana.get("/health/ready"))[0] == 503
                finally:
                    for pid in group:
                        os.kill(pid, signal.SIGCONT)

                async def status():
                    await asyncio.sleep(0.1)
                    return (await ana.get("/conversations"))[0]

                assert await eventually(status, lambda found: found == 200, seconds=15) == 200
        finally:
            server.stop()


def _processes(server):
    """The server and its children."""
    main = server._server.pid
    children = [
        int(pid) for task in Path(f"/proc/{main}/task").iterdir() for pid in (task / "children").read_text().split()
    ]
    return [*children, main]
