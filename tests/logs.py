"""What services in the tests' own process write down: pytest's capture of a test begins too late to see it."""

import contextlib
import io
import sys
from collections import deque

from alfred.log import set_up


class Log(io.TextIOBase):
    """The last lines; those that warn also go to where standard error goes just then."""

    def __init__(self):
        self.lines = deque(maxlen=10_000)

    def write(self, text):
        self.lines.append(text)
        return len(text) if '"level":"info"' in text else sys.stderr.write(text)

    def __str__(self):
        return "".join(self.lines)


LOG = Log()


def log_to(stream):
    """Send every line there."""
    with contextlib.redirect_stderr(stream):
        set_up("info", "json")
