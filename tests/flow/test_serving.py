"""The commands, run as a new user runs them: real processes on an embedded PostgreSQL of their own."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from alfred.__main__ import main
from tests.flow.commands import ROOT, URGENT
from tests.people import Person, whatsapp


async def test_serves_seeds_and_stops_cleanly(run, fork, home, http):
    service = await run("serve", ALFRED_HOME=home)
    address = await service.address()

    for start in (run, fork):  # beside the live service; the second time finds everything there
        seed = await start("seed", ALFRED_HOME=home)
        assert await seed.ends(60) == 0, seed.lines
    stranger = Person(http, address)
    status, session = await stranger.post("/auth/login", {"email": "demo@alfred.ai", "password": "password"})
    assert status == 200
    demo = Person(http, address, session)
    pages = [await demo.get(path, limit=200) for path in ("/contacts", "/channels", "/conversations")]
    contacts, channels, conversations = (page["items"] for _, page in pages)
    assert len(contacts) == len(conversations) == 26
    assert {channel["type"] for channel in channels} == {"whatsapp", "instagram", "email"}
    messages = [message for each in conversations for message in await demo.messages(each["id"])]
    assert len(messages) >= 60
    assert {message["direction"] for message in messages} == {"inbound", "outbound"}
    assert len({message["external_id"] for message in messages}) == len(messages)
    assert {each["status"] for each in conversations} == {"open"}
    assert any(each["urgency"] == "high" for each in conversations)
    assert any(each["unread_count"] for each in conversations)
    assert len((await demo.get("/tasks", overdue=True))[1]["items"]) >= 2

    with psycopg.connect(f"postgresql://alfred_app@/alfred?host={home}/run&port=5432") as db:
        assert not db.execute("select has_function_privilege('app.bus_join(text)', 'execute')").fetchone()[0]

    secret = Path(home) / "jwt_secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text() not in "\n".join(service.lines)
    assert "password" not in "\n".join(service.lines).replace("wrong_password", "")

    async with demo.listening() as frames:
        began = time.monotonic()
        service.signal(signal.SIGTERM)
        assert await frames.next() is None  # the stream ends, rather than being cut
    assert await service.ends() == 0
    assert time.monotonic() - began < 30


async def test_data_survive_a_kill_and_a_second_process_takes_over(fork, grown, home, http):
    first = await fork("serve", ALFRED_HOME=grown(home))
    ana = await Person.sign_up(http, await first.address())
    second = await fork("serve", ALFRED_HOME=home)
    ana_there = Person(http, await second.address(), ana.session)
    await ana.hears(URGENT, sender="+5511900000001", id="wamid.before")

    first.signal(signal.SIGKILL)
    began = time.monotonic()
    while True:
        status, receipt = await ana_there.post("/webhooks/whatsapp", whatsapp("oi", "+5511900000002"))
        if status == 200:
            break
        assert status == 503, receipt
        assert time.monotonic() - began < 60
        await asyncio.sleep(0.1)
    found = await ana_there.conversations()
    assert {each["contact"]["handle"] for each in found} == {"+5511900000001", "+5511900000002"}
    again = await ana_there.hears(URGENT, sender="+5511900000001", id="wamid.before")
    assert again["duplicate"]


@pytest.fixture
def in_front():
    """A job in the background ignores Ctrl-C, and so do the processes that it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("in_front")
async def test_ctrl_c_in_the_middle_of_a_start_ends_it_without_a_traceback(run, home):
    """While the schema is made; while modules are loaded, of which Python tells one after the other."""
    service = await run("serve", ALFRED_HOME=home)
    await service.says("postgres_ready")
    service.signal(signal.SIGINT)
    assert await service.ends() == 130
    loading = await run("serve", ALFRED_HOME=home, PYTHONPROFILEIMPORTTIME="1")
    await loading.says("structlog")
    loading.signal(signal.SIGINT)
    assert await loading.ends() in {-signal.SIGINT, 130}
    assert not [line for line in service.lines + loading.lines if "Traceback" in line]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ALFRED_PROT": "8000"}, "ALFRED_PROT: no such setting"),
        ({"ALFRED_PORT": "many"}, "ALFRED_PORT:"),
        ({"ALFRED_JWT_SECRET": "short"}, "ALFRED_JWT_SECRET:"),
        ({"ALFRED_STALLED_AFTER": "0"}, "ALFRED_STALLED_AFTER:"),
        ({"ALFRED_AI_PROVIDER": "nobody"}, "No AI provider is called 'nobody'"),  # nothing is started for it
        ({"ALFRED_AI_API_KEY": "a key"}, "ALFRED_AI_KIND"),
    ],
)
def test_a_bad_setting_is_a_clear_message(monkeypatch, capsys, settings, words):
    monkeypatch.setattr("alfred.log.set_up", lambda *_: None)  # the log of this process goes elsewhere
    for name in [name for name in os.environ if name.startswith("ALFRED_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 2
    assert words in capsys.readouterr().err


def test_the_commands_run_their_own_code_from_any_folder(tmp_path):
    """Also from one that holds another package of this name."""
    (tmp_path / "alfred").mkdir()
    (tmp_path / "alfred" / "__init__.py").write_text("raise SystemExit('the wrong house')")
    run = subprocess.run([ROOT / "bin" / "alfred", "openapi"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["info"]["title"] == "Alfred"
