"""No value of anybody's is in the log, whoever writes the line; tried in a process of its own."""

import json
import subprocess
import sys

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
