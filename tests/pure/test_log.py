"""No value of anybody's is in the log, whoever writes the line; tried in a process of its own."""

import json
import subprocess
import sys
from operator import itemgetter

SECRET = "alf_0_secret-of-somebody"
LIBRARIES = ("aiohttp.server", "asyncio", "asyncpg.pool")
PROGRAM = f"""
import logging, structlog
from alfred.log import set_up
set_up("warning", "json")
for name in {LIBRARIES!r}:
    try:
        raise ValueError("Bad status line: {SECRET}")
    except ValueError:
        logging.getLogger(name).exception("Error handling request from %s\\n%s", "{SECRET}", "{SECRET}")
structlog.get_logger().warning("lockout", address="203.0.113.9")
"""


def logged(program):
    """The lines that a program writes to its log."""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    return [json.loads(line) for line in run.stderr.splitlines()]


def test_a_librarys_line_keeps_its_kind_only_and_ours_is_as_it_is():
    *theirs, ours = logged(PROGRAM)
    assert SECRET not in json.dumps(theirs)
    assert [line["library"] for line in theirs] == list(LIBRARIES)
    assert {(line["complaint"], line["error"]) for line in theirs} == {("Error handling request from ", "ValueError")}
    assert all("<string>" in line["traceback"] for line in theirs)
    assert (ours["event"], ours["address"]) == ("lockout", "203.0.113.9")


FIELDS = """
import asyncio, structlog
from alfred.log import add_fields, begin_fields, set_up
set_up("info", "json")
log = structlog.get_logger()

async def request(name, arrived):
    begin_fields(request_id=name)
    await arrived.wait()
    add_fields(user_id="u" + name)
    log.info("answered", status=200)

async def main():
    begin_fields(of_nobody="x")
    arrived = asyncio.Barrier(2)
    await asyncio.gather(request("1", arrived), request("2", arrived))
    log.info("ended")

asyncio.run(main())
"""


def test_the_fields_of_a_request_are_on_its_own_lines_only():
    lines = [{name: line.get(name) for name in ("event", "request_id", "user_id", "status", "of_nobody")}
             for line in logged(FIELDS)]  # fmt: skip
    *answered, last = lines
    assert sorted(answered, key=itemgetter("request_id")) == [
        {"event": "answered", "request_id": each, "user_id": f"u{each}", "status": 200, "of_nobody": None}
        for each in "12"
    ]
    assert last == {"event": "ended", "request_id": None, "user_id": None, "status": None, "of_nobody": "x"}
