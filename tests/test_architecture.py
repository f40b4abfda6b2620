"""The house stands as docs/architecture.md draws it: import contracts, the list of packages."""

import configparser
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_nobody_calls_upstairs():
    """Run apart: the linter sets up logging of its own."""
    lint = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    run = subprocess.run([*lint, "setup.cfg", "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_package_is_in_the_wheel():
    cfg = configparser.ConfigParser(interpolation=None)
    cfg.read(ROOT / "setup.cfg")
    found = {str(file.parent.relative_to(ROOT)).replace("/", ".") for file in (ROOT / "alfred").rglob("__init__.py")}
    assert set(cfg["options"]["packages"].split()) == {*found, "alfred.sql", "alfred.migrations"}
