"""What bin/ does before there is a service: the environment, and which database a command changes."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alfred.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def run(command, **environ):
    """Run a command of bin/ with these variables and no other ALFRED_ ones."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("ALFRED_", "PYTHON"))}
    return subprocess.run([*command], env=clean | environ, capture_output=True, text=True, timeout=60)


def test_a_python_without_venv_is_told_and_leaves_nothing_behind(tmp_path):
    """As Debian ships it: `-m venv` makes half an environment, complains on standard output and fails."""
    lame = tmp_path / "python3"
    lame.write_text(f"""#!/bin/sh
if [ "$1" = -m ] && [ "$2" = venv ]; then
    mkdir -p "$3/bin"
    echo "ensurepip is not available"
    exit 1
fi
exec "{sys.executable}" "$@"
""")
    lame.chmod(0o755)
    outcome = run([str(ROOT / "bin" / "python")], PYTHON=str(lame), ALFRED_VENV=str(tmp_path / "made" / "venv"))
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert "ensurepip is not available" in outcome.stderr
    assert "apt install python3-venv" in outcome.stderr
    assert list((tmp_path / "made").iterdir()) == []


@pytest.fixture
def alfred(monkeypatch, capsys):
    """Runs a command in this process with these ALFRED_ variables and no others: (status, what it complains of)."""
    monkeypatch.setattr("alfred.log.set_up", lambda *_: None)

    def command(*words, line="", **environ):
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("ALFRED_")]:
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.StringIO(line + "\n"))
            return main(words), capsys.readouterr().err.strip()

    return command


def test_a_database_of_another_kind_is_a_sentence(alfred):
    assert alfred("serve", ALFRED_DATABASE_URL="mysql://root@localhost/alfred") == (
        2,
        "alfred: ALFRED_DATABASE_URL: must be the URL of a PostgreSQL database: "
        "postgresql://user:password@host/database",
    )


def test_the_owners_url_alone_migrates_no_embedded_server(alfred, tmp_path):
    home = tmp_path / "home"
    url = "postgresql://owner:secret@localhost/alfred"
    status, complaint = alfred("migrate", ALFRED_OWNER_DATABASE_URL=url, ALFRED_HOME=str(home))
    assert status == 2
    assert "ALFRED_OWNER_DATABASE_URL is set without ALFRED_DATABASE_URL" in complaint
    assert not home.exists()


def test_migrating_says_which_database_was_changed(cluster):
    database = cluster.copy()
    outcome = run(
        [sys.executable, "-m", "alfred", "migrate"],
        ALFRED_DATABASE_URL=cluster.app(database),
        ALFRED_OWNER_DATABASE_URL=cluster.owner(database),
        PYTHONPATH=str(ROOT),
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "migrations_applied" in outcome.stderr + outcome.stdout
    assert f"{database} at " in outcome.stderr + outcome.stdout


def test_the_operator_makes_accounts_and_sets_passwords(alfred, cluster):
    database = cluster.copy()
    urls = {"ALFRED_DATABASE_URL": cluster.app(database), "ALFRED_OWNER_DATABASE_URL": cluster.owner(database)}

    def user(*words, line="a good password", **environ):
        return alfred("user", *words, line=line, **urls, ALFRED_BCRYPT_COST="4", **environ)

    assert user("add", "ana@example.com", "--name", "Ana", ALFRED_REGISTRATION="closed")[0] == 0
    assert "has an account already" in user("add", "Ana@example.com")[1]
    assert "6 to 72 bytes" in user("add", "eva@example.com", line="x")[1]
    assert user("password", "ana@example.com", line="another password")[0] == 0
    assert user("password", "nobody@example.com") == (1, "alfred: Nobody has the e-mail nobody@example.com.")
