"""A PostgreSQL that has stopped to answer is not waited for for ever."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from alfred import schema
from alfred.postgres import Embedded
from alfred.running import DATABASE
from tests.conftest import serving
from tests.founding import CARELESS, data_folder
from tests.people import Person


@pytest.fixture
def own_server(grown):
    """A server that nobody else uses."""
    with data_folder() as folder:
        server = Embedded(grown(folder / "home"), options=CARELESS)
        server.start()
        yield server
        server.stop()


async def test_a_frozen_database_is_a_503_and_then_serves_again(own_server, http, eventually):
    async with serving(own_server.dsn(schema.APP, DATABASE), request_deadline=1) as address:
        ana = await Person.sign_up(http, address)
        group = _processes(own_server)
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

        async def status_now():
            await asyncio.sleep(0.1)
            return (await ana.get("/conversations"))[0]

        assert await eventually(status_now, lambda found: found == 200, seconds=15) == 200


def _processes(server):
    """The server and its children."""
    main = server._server.pid
    lists = [(task / "children").read_text() for task in Path(f"/proc/{main}/task").iterdir()]
    return [*(int(pid) for listed in lists for pid in listed.split()), main]
