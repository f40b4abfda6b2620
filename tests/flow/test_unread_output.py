"""What a command prints may be more than its reader wants: it ends quietly when that one has gone."""

import os
import subprocess
import sys

import pytest

from tests.conftest import SECRET
from tests.flow.commands import ROOT


@pytest.mark.parametrize("words", ["--help", "openapi", "events", "scan overdue", "secrets rotate", "backup -"])
def test_nobody_reads_what_a_command_prints(words, cluster, own_database, tmp_path):
    unread, output = os.pipe()
    os.close(unread)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ALFRED_")} | {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "",  # as usual
        "ALFRED_HOME": str(tmp_path),
        "ALFRED_SECRET_KEY": SECRET,
        "ALFRED_DATABASE_URL": cluster.app(own_database),
        "ALFRED_OWNER_DATABASE_URL": cluster.owner(own_database),
    }
    command = [sys.executable, "-m", "alfred", *words.split()]
    ended = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, env=environ, text=True, check=False)
    os.close(output)
    assert ended.returncode == 141, ended.stderr
    assert "pipe" not in ended.stderr.lower()
    assert "Traceback" not in ended.stderr
