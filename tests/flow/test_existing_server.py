"""Serving with a PostgreSQL that is not ours to start: the newest that is served, and the oldest."""

import signal
import socket

import psycopg
import pytest

from alfred import schema
from tests.flow.commands import URGENT
from tests.people import Person


async def test_a_provider_that_is_not_there_is_a_clear_message(fork, cluster, database, home):
    service = await fork(
        "serve", ALFRED_HOME=home, ALFRED_DATABASE_URL=cluster.app(database), ALFRED_AI_PROVIDER="nobody"
    )
    assert await service.ends() == 2
    assert any("nobody" in line for line in service.lines), service.lines
    assert not any("Traceback" in line for line in service.lines)


async def test_a_server_that_does_not_answer_is_named_without_the_password(fork, home):
    with socket.socket() as closed, socket.socket() as silent:
        for port in (closed, silent):
            port.bind(("127.0.0.1", 0))
        silent.listen()
        for port, words in ((closed, "refused"), (silent, "no answer")):
            place = f"127.0.0.1:{port.getsockname()[1]}"
            service = await fork(
                "serve", ALFRED_HOME=home, ALFRED_DATABASE_URL=f"postgresql://app:a-secret@{place}/alfred"
            )
            assert await service.ends() == 1
            (line,) = [line for line in service.lines if line.startswith("alfred: ")]
            assert f"PostgreSQL at {place} cannot be reached: " in line
            assert words in line
            assert "a-secret" not in line


async def test_a_host_that_is_not_there_is_named(fork, home):
    service = await fork("serve", ALFRED_HOME=home, ALFRED_HOST="nowhere.invalid")
    assert await service.ends() == 2
    assert any("ALFRED_HOST: nowhere.invalid: " in line for line in service.lines), service.lines


async def test_a_port_that_is_taken_is_named_before_anything_is_started(fork, home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = await fork("serve", ALFRED_HOME=home, ALFRED_HOST="127.0.0.1", ALFRED_PORT=str(port))
        assert await service.ends() == 2
    (line,) = [line for line in service.lines if line.startswith("alfred: ")]
    assert f"ALFRED_PORT: cannot listen at 127.0.0.1, port {port}: address already in use" in line
    assert not any("postgres_ready" in line for line in service.lines), service.lines


@pytest.mark.parametrize("login", ["superuser", "owner"])
async def test_refuses_to_serve_past_row_level_security(fork, cluster, home, login):
    dsn = getattr(cluster, login)(cluster.copy())
    service = await fork("serve", ALFRED_HOME=home, ALFRED_DATABASE_URL=dsn)
    assert await service.ends() == 2
    assert any("row level security" in line for line in service.lines), service.lines


@pytest.fixture(params=["the newest", "the oldest"])
def elsewhere(request):
    """A server that is not ours to start: PostgreSQL 18, and 15 where the machine has one."""
    if request.param == "the newest":
        return request.getfixturevalue("cluster").server
    return request.getfixturevalue("fifteen")


async def test_uses_an_existing_server(fork, elsewhere, home, http, eventually):
    """The owner's URL migrates and lets the application's role log in; then the application's alone will do."""
    schema.found(elsewhere.dsn("postgres", "postgres"), "elsewhere")
    urls = {
        "ALFRED_DATABASE_URL": elsewhere.dsn(schema.APP, "elsewhere"),
        "ALFRED_OWNER_DATABASE_URL": elsewhere.dsn(schema.OWNER, "elsewhere"),
        "ALFRED_HOME": home,
    }
    migrate = await fork("migrate", **urls)
    assert await migrate.ends(30) == 0, migrate.lines
    del urls["ALFRED_OWNER_DATABASE_URL"]
    service = await fork("serve", **urls)
    ana = await Person.sign_up(http, await service.address())
    await ana.hears("oi")
    status, ready = await eventually(lambda: ana.get("/health/ready"), lambda answer: answer[0] == 200, seconds=10)
    assert (status, ready["checks"]) == (200, {"database": "ok", "migrations": "ok", "event_bus": "ok"})
    assert await service.says("one_login_for_everything")
    service.signal(signal.SIGINT)
    assert await service.ends() == 0


async def test_uses_separate_logins_of_an_existing_server(fork, elsewhere, home, http, eventually):
    """Migrating with all URLs makes the logins, and leaves to each what is its own."""
    schema.found(elsewhere.dsn("postgres", "postgres"), "apart")
    owner, app = elsewhere.dsn(schema.OWNER, "apart"), elsewhere.dsn(schema.APP, "apart")
    urls = {
        "ALFRED_DATABASE_URL": app,
        "ALFRED_AUTH_DATABASE_URL": elsewhere.dsn(schema.AUTH, "apart"),
        "ALFRED_BUS_DATABASE_URL": elsewhere.dsn(schema.BUS, "apart"),
        "ALFRED_HOME": home,
    }
    migrate = await fork("migrate", **urls, ALFRED_OWNER_DATABASE_URL=owner)
    assert await migrate.ends(30) == 0, migrate.lines
    service = await fork("serve", **urls)
    ana = await Person.sign_up(http, await service.address())
    await ana.hears(URGENT)
    assert await eventually(ana.notifications)
    with psycopg.connect(app) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("select * from app.judge_login('ana@example.com', '', interval '1 hour')")
    one = await fork("serve", ALFRED_DATABASE_URL=app, ALFRED_HOME=home)
    assert await one.ends() == 2
    assert any("the logins of this database are separate" in line for line in one.lines), one.lines
