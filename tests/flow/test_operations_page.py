"""docs/operations.md: each command that it shows is run as it stands there, in a database of its own."""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from alfred import schema
from alfred.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
# Tried elsewhere: by what is installed, by bin/python itself, and with containers.
ELSEWHERE = {"bin/serve", "bin/seed", "bin/python", "bin/compose-secrets"}
WORDS = "backup|restore|events|scan|secrets|user|connect|openapi"


def shown():
    """The commands with their words, in the order of the page, each once; names alone are no commands."""
    found = re.findall(
        rf"bin/(?:alfred\s(?:{WORDS})|\w[\w-]*)[^`\n#;]*", PAGE.replace("secrets\nrotate", "secrets rotate")
    )
    commands = dict.fromkeys(" ".join(each.split()) for each in found)
    return [each for each in commands if each not in {"bin/alfred", "bin/alfred backup", "bin/alfred restore"}]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command of bin/ with these settings: in a thread, since it has a loop of its own."""
    monkeypatch.setattr("alfred.log.set_up", lambda *_: None)
    for name in [name for name in os.environ if name.startswith("ALFRED_")]:
        monkeypatch.delenv(name)

    def start(command, **settings):
        words = command.removeprefix("bin/alfred ").removeprefix("bin/").split()
        for name, value in settings.items():
            monkeypatch.setenv(f"ALFRED_{name.upper()}", str(value))
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(main, words).result(60), capsys.readouterr().err

    return start


def test_every_command_of_the_page_works(run, cluster, tmp_path):
    (backups := tmp_path / "backups").mkdir()
    name, home = cluster.copy(), tmp_path / "home"
    schema.found(cluster.superuser("postgres"), "emptyshop")
    shop = {"database_url": cluster.app(name), "owner_database_url": cluster.owner(name), "home": home}
    empty = {"database_url": cluster.app("emptyshop"), "owner_database_url": cluster.owner("emptyshop")}
    assert len(shown()) > 10
    for command in shown():
        if command in ELSEWHERE:
            continue
        told = command.replace("/var/backups/alfred/", f"{tmp_path}/").replace("--down N", "--down 2")
        if " restore " in told:
            (made,) = backups.iterdir()
            shutil.copy(made, told.split()[-1])
        place = shop | empty if " restore " in told else shop
        status, words = run(told.replace("/var/backups/alfred", str(backups)), **place)
        assert status == 0, (command, words)
        if "--down" in command:
            assert run("bin/migrate", **shop)[0] == 0


def test_the_scripts_of_the_page_are_there():
    for script in set(re.findall(r"\bbin/([\w-]+)", PAGE)):
        assert os.access(ROOT / "bin" / script, os.X_OK), script


def test_every_setting_and_event_that_the_page_names_is_in_the_code():
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "alfred").rglob("*.py"))
    for event in re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| [^|]*\|$", PAGE.split("## Logs")[1].split("##")[0], re.MULTILINE
    ):
        for name in re.findall(r"`(\w+)`", event):
            assert f'"{name}"' in code, name


def test_every_metric_of_the_alerts_is_counted():
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "alfred").rglob("*.py"))
    alerts = PAGE.split("## Metrics and alerts")[1]
    named = set(re.findall(r"\balfred_[a-z_]+", alerts))
    assert len(named) > 6
    for name in named:
        assert f'"{re.sub("_(total|bucket|sum|count)$", "", name)}"' in code, name
