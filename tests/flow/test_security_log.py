"""A line for each decision about access, with the client's address: read from a process's own log."""

import json

import pytest

from tests.conftest import SECRET
from tests.flow.commands import Process
from tests.people import Person

CLIENT = {"X-Forwarded-For": "203.0.113.9"}
PASSWORD = "a good password"
STARTING = {"request_answered", "bell_listening", "service_started", "one_login_for_everything"}


class Client(Person):
    """Somebody behind the proxy."""

    async def call(self, method, path, body=None, *, headers=None, **more):
        return await super().call(method, path, body, headers={**CLIENT, **(headers or {})}, **more)


@pytest.fixture
async def house(cluster, tmp_path):
    started = []

    async def start(**settings):
        process = await Process.fork(
            "serve",
            ALFRED_DATABASE_URL=cluster.app(name),
            ALFRED_HOME=str(tmp_path),
            ALFRED_JWT_SECRET=SECRET,
            ALFRED_SECRET_KEY=SECRET,
            ALFRED_LOG_FORMAT="json",
            **settings,
        )
        started.append(process)
        return process, await process.address()

    name = cluster.copy()
    yield start
    for process in started:
        process.process.kill()
        await process.process.wait()


def decisions(process):
    lines = [json.loads(line) for line in process.lines if line.startswith("{")]
    return [line for line in lines if line["event"] not in STARTING]


async def test_every_decision_has_its_line(house, http):
    process, address = await house(
        ALFRED_TRUSTED_PROXIES="127.0.0.0/8", ALFRED_LOGIN_ATTEMPTS="2", ALFRED_REGISTRATION_LIMIT="1"
    )
    ana = await Client.sign_up(http, address)
    login = {"email": ana.email, "password": PASSWORD}
    for password in ("wrong", PASSWORD):
        _, session = await ana.post("/auth/login", login | {"password": password})
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["read"]})
    reader = Client(http, address, {"access_token": token["token"]})
    assert (await reader.post("/tasks", {"title": "x"}))[0] == 403
    await ana.delete(f"/tokens/{token['id']}")
    await ana.post("/auth/refresh", {"refresh_token": session["refresh_token"]})
    await ana.post("/auth/refresh", {"refresh_token": session["refresh_token"]})
    await ana.post("/auth/logout", {"refresh_token": ana.session["refresh_token"]})
    _, session = await ana.post("/auth/login", login)
    ana = Client(http, address, session)
    (other, *_) = [each for each in (await ana.get("/me/sessions"))[1]["items"] if each["current"]]
    await ana.delete(f"/me/sessions/{other['id']}")
    _, session = await ana.post("/auth/login", login)
    ana = Client(http, address, session)
    await ana.post("/me/password", {"current_password": PASSWORD, "new_password": "another one"})
    await ana.delete("/me", {"password": "another one"})
    for _ in range(3):
        await ana.post("/auth/login", login)
    nobody = {"name": "Eva", "email": "eva@example.com", "password": PASSWORD}
    assert (await Client(http, address).post("/auth/register", nobody))[0] == 429
    await process.says("registration_refused")
    found = [(line["event"], line.get("address")) for line in decisions(process) if "request_id" in line]
    assert {place for _, place in found} == {"203.0.113.9"}
    assert {name for name, _ in found} >= {
        "session_started", "login_failed", "login_locked_out", "token_created", "token_revoked", "scope_refused",
        "refresh_token_reused", "session_ended", "password_changed", "account_erased", "registration_refused",
    }  # fmt: skip
    text = "\n".join(process.lines)
    for secret in (PASSWORD, "another one", token["token"], session["refresh_token"], session["access_token"]):
        assert secret not in text


async def test_a_proxy_that_is_not_trusted_is_told_of_once(house, http):
    process, address = await house(ALFRED_REGISTRATION="closed")
    for _ in range(3):
        await Client(http, address).get("/me")
    await Client(http, address).post("/auth/register", {"name": "E", "email": "eva@example.com", "password": PASSWORD})
    await process.says("registration_refused")
    lines = decisions(process)
    assert [(line["event"], line.get("peer")) for line in lines if "proxy" in line["event"]] == [
        ("proxy_not_trusted", "127.0.0.1")
    ]
    assert [line["reason"] for line in lines if line["event"] == "registration_refused"] == ["closed"]
