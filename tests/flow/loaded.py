"""A command in a process that has the service's modules already: a fork of one that loaded them."""

import os
import sys

from alfred import app, backups, seed, serving, upkeep
from alfred.__main__ import main
from alfred.ai.builtin.provider import classify

LOADED = app, backups, seed, serving, upkeep, classify("Oi, tudo bem?")


def command(arguments, environ, output):
    """Run it with this environment; what it prints goes to `output`."""
    os.chdir("/")
    os.environ.clear()
    os.environ.update(environ)
    for standard in (1, 2):
        os.dup2(output.fileno(), standard)
    sys.exit(main(arguments))
