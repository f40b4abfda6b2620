"""A model from outside: asked for, tested, its key never shown; without one no text leaves the service."""

import json

import pytest

from alfred.logins import Logins
from alfred.running import Provisioned
from alfred.settings import Settings
from alfred.upkeep import rotate_secrets
from tests.conftest import SECRET, serving
from tests.models import a_model
from tests.people import Person

KEY = "s3cr3t-model-key"
SHAPE = {
    "kind", "base_url", "model", "features", "daily_tokens", "tokens_today", "language", "secrets", "created_at",
    "updated_at",
}  # fmt: skip


@pytest.fixture(scope="module")
async def model():
    async with a_model() as server:
        yield server


@pytest.fixture(scope="module")
async def loopback(cluster, database):
    """A service that may call loopback, without a model of its own."""
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8", ai_timeout=1.5) as address:
        yield address


@pytest.fixture(scope="module")
async def generous(cluster, database, model):
    """A service that has a model of its own, whose address no tenant might give."""
    account = {"ai_kind": "anthropic", "ai_model": "big", "ai_base_url": model.base_url, "ai_api_key": KEY}
    async with serving(cluster.logins(database), ai_timeout=1, **account) as address:
        yield address


@pytest.fixture
async def rosa(http, loopback, model):
    model.calls.clear()
    model.modes, model.mode, model.says = [], "ok", {"ok": True}
    return await Person.sign_up(http, loopback, "Rosa")


def wanted(base_url, **more):
    return {"kind": "openai", "base_url": base_url, "model": "small", "api_key": KEY, "features": ["reply"], **more}


def faults(answer):
    assert answer[0] == 422, answer
    return {fault["pointer"]: fault["code"] for fault in answer[1]["errors"]}


async def test_a_model_is_asked_for_shown_without_its_key_and_taken_back(rosa, model):
    assert (await rosa.get("/ai/provider"))[0] == 404
    status, answer = await rosa.put("/ai/provider", wanted(model.base_url, language="pt"))
    assert (status, answer.keys()) == (200, SHAPE)
    assert answer["secrets"]["api_key"]["set"]
    assert (answer["kind"], answer["model"], answer["features"]) == ("openai", "small", ["reply"])
    assert (answer["daily_tokens"], answer["tokens_today"], answer["language"]) == (200_000, 0, "pt")
    assert await rosa.get("/ai/provider") == (200, answer)
    assert KEY not in json.dumps([answer, await rosa.events()])
    assert (await rosa.delete("/ai/provider"))[0] == 204
    assert (await rosa.get("/ai/provider"))[0] == 404
    assert (await rosa.delete("/ai/provider"))[0] == 404


async def test_a_key_may_be_pasted_with_its_line_end(rosa, model):
    await rosa.put("/ai/provider", wanted(model.base_url, api_key=f"{KEY}\r\n"))
    assert (await rosa.post("/ai/provider/test"))[1]["ok"]
    assert model.calls[-1]["headers"]["Authorization"] == f"Bearer {KEY}"


async def test_a_key_stays_until_the_address_changes(rosa, model):
    await rosa.put("/ai/provider", wanted(model.base_url))
    kept = wanted(model.base_url, model="other")
    del kept["api_key"]
    status, answer = await rosa.put("/ai/provider", kept)
    assert (status, answer["secrets"]["api_key"]["set"]) == (200, True)
    moved = kept | {"base_url": "https://models.example.org/v1"}
    assert faults(await rosa.put("/ai/provider", moved)) == {"/api_key": "missing"}
    assert faults(await rosa.put("/ai/provider", kept | {"kind": "anthropic", "base_url": None})) == {
        "/api_key": "missing"
    }
    status, answer = await rosa.put("/ai/provider", moved | {"api_key": "another"})
    assert (status, answer["secrets"]["api_key"]["set"]) == (200, True)
    status, answer = await rosa.put("/ai/provider", moved | {"api_key": None})
    assert (status, answer["secrets"]["api_key"]["set"]) == (200, False)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "tarot"}, {"/kind": "literal_error"}),
        ({"kind": "default", "base_url": None, "model": None, "api_key": None}, {"/kind": "not_available"}),
        ({"model": None}, {"/model": "missing"}),
        ({"features": ["reply", "sing"]}, {"/features/1": "literal_error"}),
        ({"base_url": "http://10.0.0.1/v1"}, {"/base_url": "private_address"}),
        ({"base_url": "http://example.com/v1"}, {"/base_url": "insecure_url"}),
        ({"base_url": "https://u:p@example.com/v1"}, {"/base_url": "invalid_url"}),
        ({"base_url": "https://169.254.169.254/v1"}, {"/base_url": "private_address"}),
        ({"base_url": "https://example.com/v1?key=1"}, {"/base_url": "invalid_url"}),
        ({"api_key": "two\r\nlines"}, {"/api_key": "value_error"}),
        ({"api_key": "x" * 8193}, {"/api_key": "too_long"}),
        ({"daily_tokens": 0}, {"/daily_tokens": "greater_than_equal"}),
        ({"language": "tlh"}, {"/language": "literal_error"}),
        ({"temperature": 2}, {"/temperature": "unknown_field"}),
    ],
)
async def test_refuses_what_is_no_model(rosa, model, change, expected):
    assert faults(await rosa.put("/ai/provider", wanted(model.base_url) | change)) == expected
    assert (await rosa.get("/ai/provider"))[0] == 404


@pytest.mark.parametrize("kind", ["openai", "openai_compatible", "anthropic"])
async def test_tests_a_model(rosa, model, kind):
    await rosa.put("/ai/provider", wanted(model.base_url, kind=kind))
    status, answer = await rosa.post("/ai/provider/test")
    assert (status, answer["ok"], answer["model"], answer["error"]) == (200, True, "small", None)
    assert answer["latency_ms"] < 1500
    call = model.calls[-1]
    if kind == "anthropic":
        assert call["path"] == "/v1/messages"
        assert (call["headers"]["x-api-key"], call["headers"]["anthropic-version"]) == (KEY, "2023-06-01")
        assert call["body"]["tool_choice"] == {"type": "tool", "name": "answer"}
    else:
        assert (call["path"], call["headers"]["Authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
        assert call["body"]["response_format"]["json_schema"]["strict"] is True


@pytest.mark.parametrize(
    ("mode", "code", "calls"),
    [
        ((401, {}), "auth", 1),
        ((404, {}), "auth", 1),
        ((429, {"Retry-After": "60"}), "rate_limited", 1),
        ((429, {"Retry-After": "2.5"}), "rate_limited", 1),
        ((429, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}), "rate_limited", 1),
        ((429, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), "rate_limited", 2),
        ((503, {"Retry-After": "soon"}), "timeout", 2),
        ((429, {}), "rate_limited", 2),
        ((500, {}), "timeout", 2),
        ("broken", "invalid_output", 2),
        ("refusal", "invalid_output", 1),
        ("1 MB", "invalid_output", 1),
        ("wrong type", "invalid_output", 1),
        ("hang", "timeout", 1),
        ("hang in the middle", "timeout", 1),
        ("reset", "timeout", 1),
    ],
)
async def test_a_test_tells_what_is_wrong(rosa, model, mode, code, calls):
    await rosa.put("/ai/provider", wanted(model.base_url))
    model.mode = mode
    status, answer = await rosa.post("/ai/provider/test")
    assert (status, answer["ok"], answer["error"]["code"]) == (200, False, code)
    assert answer["error"]["detail"].endswith(".")
    assert len(model.calls) == calls
    assert answer["latency_ms"] < 2500


async def test_what_a_test_spends_counts(rosa, model):
    await rosa.put("/ai/provider", wanted(model.base_url, daily_tokens=121))
    assert (await rosa.post("/ai/provider/test"))[1]["ok"]
    model.mode = (401, {})
    assert not (await rosa.post("/ai/provider/test"))[1]["ok"]
    model.mode = "ok"
    assert (await rosa.post("/ai/provider/test"))[1]["ok"]
    assert (await rosa.get("/ai/provider"))[1]["tokens_today"] == 240
    _, usage = await rosa.get("/ai/usage")
    (item,) = usage["items"]
    assert (item["provider"], item["feature"], item["calls"], item["degraded"]) == ("openai", "test", 3, 1)
    assert (item["input_tokens"], item["output_tokens"], item["cost"]) == (200, 40, "0.003000")
    asked = len(model.calls)
    _, answer = await rosa.post("/ai/provider/test")
    assert (answer["ok"], answer["model"], answer["error"]["code"]) == (False, "small", "budget")
    assert len(model.calls) == asked


@pytest.mark.parametrize("status", ["", "400", "404", "422", "500", "501"])
@pytest.mark.parametrize(("kind", "rungs"), [("openai", 3), ("anthropic", 2)])
async def test_a_server_that_takes_no_schema_is_asked_in_another_way(rosa, model, kind, rungs, status):
    await rosa.put("/ai/provider", wanted(model.base_url, kind=kind, model=f"simple{status} {kind}"))
    model.mode = f"no schema{status}"
    for calls in (rungs, rungs + 1):  # by a schema, as an object: refused; then in words, the next time at once
        assert (await rosa.post("/ai/provider/test"))[1]["ok"]
        assert len(model.calls) == calls
    assert not model.bodies[-1].keys() & {"response_format", "tools"}


async def test_what_is_refused_whatever_is_asked_for_is_no_matter_of_the_schema(rosa, model):
    await rosa.put("/ai/provider", wanted(model.base_url, model="strict"))
    model.mode = (400, {})
    assert (await rosa.post("/ai/provider/test"))[1]["error"]["code"] == "invalid_output"
    assert len(model.calls) == 3
    model.mode = "ok"
    assert (await rosa.post("/ai/provider/test"))[1]["ok"]
    assert model.bodies[-1]["response_format"]["type"] == "json_schema"


async def test_only_an_admin_may_see_or_change_it(rosa, model):
    token = await rosa.made("/tokens", {"name": "n8n", "scopes": ["read", "write"]})
    headers = {"Authorization": f"Bearer {token['token']}"}
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        body = wanted(model.base_url) if method == "PUT" else None
        status, _, _ = await rosa.call(method, f"/ai/provider{path}", body, headers=headers)
        assert status == 403


async def test_a_tenant_may_take_the_services_own_model(http, generous, model):
    model.mode, model.says = "ok", {"ok": True}
    clara = await Person.sign_up(http, generous, "Clara")
    own = {"kind": "default", "features": ["reply"]}
    status, answer = await clara.put("/ai/provider", own)
    assert (status, answer["base_url"], answer["model"]) == (200, None, None)
    assert answer["secrets"]["api_key"]["set"] is False
    assert (await clara.post("/ai/provider/test"))[1]["ok"]
    assert model.calls[-1]["headers"]["x-api-key"] == KEY
    mine = own | {"base_url": model.base_url, "api_key": "x"}
    assert faults(await clara.put("/ai/provider", mine)) == {"/base_url": "not_allowed", "/api_key": "not_allowed"}
    assert faults(await clara.put("/ai/provider", wanted(model.base_url))) == {"/base_url": "private_address"}


async def test_the_key_is_encrypted_anew(http, model, cluster):
    model.mode, model.says = "ok", {"ok": True}
    name, new = cluster.copy(), "another secret of more than 32 bytes which is new"
    settings = {"private_targets": "127.0.0.0/8"}
    async with serving(cluster.app(name), **settings) as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        await rosa.put("/ai/provider", wanted(model.base_url))
    base = Provisioned(Settings(secret_key=f"{new},{SECRET}"), Logins(cluster.app(name)), "", None)
    assert await rotate_secrets(base) == "1 secrets are encrypted anew"
    for key, works in ((new, True), (SECRET, False)):
        async with serving(cluster.app(name), secret_key=key, **settings) as address:
            rosa.address = address
            _, tested = await rosa.post("/ai/provider/test")
            assert tested["ok"] == works
    assert tested["error"]["code"] == "auth"
