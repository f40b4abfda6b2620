"""What every endpoint has in common: problems, request ids, what clients may send, browsers."""

import io
import json

import asyncpg
import pytest

from tests.conftest import serving
from tests.people import Person

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


async def ask(person, method, path, **options):
    """The status, the headers, and the problem."""
    status, headers, raw = await person.call(method, path, **options)
    assert headers["Content-Type"].partition(";")[0] == "application/problem+json", raw
    problem = json.loads(raw)
    assert problem.keys() - {"errors"} == MEMBERS
    assert (problem["status"], problem["request_id"]) == (status, headers["X-Request-ID"])
    assert problem["type"].endswith(problem["code"])
    assert problem["detail"].endswith((".", "!"))
    assert headers["Cache-Control"] == "no-store"
    return status, headers, problem


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nothing", {}, 404, "not_found"),
        ("POST", "/conversations/x/y/z", {}, 404, "not_found"),
        ("GET", "/conversations/01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e", {}, 404, "not_found"),
        ("GET", "/conversations/%00", {}, 404, "not_found"),
        ("GET", "/conversations/%F0%9F%91%8D", {}, 404, "not_found"),
        ("DELETE", "/conversations", {}, 405, "method_not_allowed"),
        ("PUT", "/me", {}, 405, "method_not_allowed"),
        ("OPTIONS", "/me", {}, 405, "method_not_allowed"),
        ("PATCH", "/me", {"data": b"{", "headers": JSON}, 400, "invalid_json"),
        ("PATCH", "/me", {"data": b'{"name": NaN}', "headers": JSON}, 400, "invalid_json"),
        ("PATCH", "/me", {"data": b'{"name": "\xff"}', "headers": JSON}, 400, "invalid_json"),
        ("PATCH", "/me", {"data": b"[" * 100_000, "headers": JSON}, 400, "invalid_json"),
        ("PATCH", "/me", {"data": b'{"name": 1' + b"0" * 5000 + b"}", "headers": JSON}, 400, "invalid_json"),
        ("PATCH", "/me", {"data": b'{"name": "x"}', "headers": {"Content-Type": "text/plain"}}, 415, None),
        ("PATCH", "/me", {"data": {"name": "x"}}, 415, "unsupported_media_type"),
        ("PATCH", "/me", {"body": {"name": " "}}, 422, "invalid"),
        ("PATCH", "/me", {"body": {"timezone": "Mars/Olympus"}}, 422, "invalid"),
        ("PATCH", "/me", {"body": {"currency": "REAL"}}, 422, "invalid"),
        ("PATCH", "/me", {"body": []}, 422, "invalid"),
        ("PATCH", "/me", {"body": "x"}, 422, "invalid"),
        ("PATCH", "/me", {"body": {"a": 1}}, 422, "invalid"),
        ("GET", "/me?verbose=1", {}, 422, "unknown_parameter"),
        ("GET", "/conversations?limit=x", {}, 422, "invalid"),
        ("GET", "/conversations?cursor=x", {}, 400, "invalid_cursor"),
    ],
)
async def test_a_problem_says_what_is_wrong(ana, method, path, options, status, code):
    told, headers, problem = await ask(ana, method, path, **options)
    assert (told, problem["code"]) == (status, code or problem["code"])
    assert ("errors" in problem) == (status == 422)
    for fault in problem.get("errors", ()):
        assert fault.keys() == {"pointer", "message", "code"}
    assert ("Allow" in headers) == (status == 405)


async def test_broken_json_is_told_by_its_place(ana):
    _, _, problem = await ask(ana, "PATCH", "/me", data=b'{\n  "name": "x",\n}', headers=JSON)
    assert problem["detail"] == "The body is not valid JSON: it is broken at line 3, column 1."


async def test_says_every_fault(stranger):
    body = {"email": "x", "password": "y", "a/b~c": 1}
    _, _, problem = await ask(stranger, "POST", "/auth/register", body=body)
    assert {fault["pointer"] for fault in problem["errors"]} == {"/name", "/email", "/password", "/a~1b~0c"}
    assert next(each["code"] for each in problem["errors"] if each["pointer"] == "/a~1b~0c") == "unknown_field"
    for each in problem["errors"]:
        assert each["message"][0].isupper()
        assert each["message"].endswith(".")
        assert not any(word in each["message"] for word in ("Value error", "instance", "^["))


async def test_asks_for_credentials_before_anything_else(stranger):
    for options in ({}, {"body": {"a": 1}}, {"data": b"{", "headers": JSON}):
        status, headers, problem = await ask(stranger, "PATCH", "/me", **options)
        assert (status, "WWW-Authenticate" in headers) == (401, True)
        assert problem["code"] == "unauthorized"
    assert (await ask(stranger, "GET", "/nothing"))[0] == 404


async def test_a_405_names_the_methods(ana):
    _, headers, problem = await ask(ana, "DELETE", "/conversations")
    assert {"GET", "POST"} <= set(headers["Allow"].replace(" ", "").split(","))
    assert "GET" in problem["detail"]


async def test_a_body_over_the_limit_is_too_large(ana):
    status, _, problem = await ask(ana, "PATCH", "/me", data=io.BytesIO(b"x" * 1_048_577), headers=JSON)
    assert (status, problem["code"]) == (413, "too_large")


async def test_a_body_without_a_length_is_measured_too(ana):
    async def endless():
        for _ in range(300):
            yield b"x" * 10_000

    status, _, problem = await ask(ana, "PATCH", "/me", data=endless(), headers=JSON)
    assert (status, problem["code"]) == (413, "too_large")


async def test_takes_a_request_id_or_makes_one(ana):
    for given in ("abc-123", "x" * 128, "trace/1:2=3"):
        _, headers, _ = await ana.call("GET", "/me", headers={"X-Request-ID": given})
        assert headers["X-Request-ID"] == given
        _, _, problem = await ask(ana, "GET", "/nothing", headers={"X-Request-ID": given})
        assert problem["request_id"] == given
    made = set()
    for given in ("", "x" * 129, "two words", "não", None):
        _, headers, _ = await ana.call("GET", "/me", headers={"X-Request-ID": given} if given is not None else {})
        made.add(headers["X-Request-ID"])
        assert headers["X-Request-ID"] not in {"", given}
    assert len(made) == 5


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "", "nonsense"])
async def test_the_format_is_always_the_same(ana, accept):
    status, headers, raw = await ana.call("GET", "/me", headers={"Accept": accept})
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert json.loads(raw)["id"] == ana.id
    assert (await ask(ana, "GET", "/nothing", headers={"Accept": accept}))[0] == 404


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
async def test_takes_json_by_its_names(ana, kind):
    for data in (b'{"name": "Ana Prado"}', b'\xef\xbb\xbf {"name": "Ana Prado"} '):
        status, _, _ = await ana.call("PATCH", "/me", data=data, headers={"Content-Type": kind})
        assert status == 200


async def test_a_post_without_a_body_needs_no_content_type(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/read"
    for options in ({}, {"data": b""}, {"data": b"", "headers": {"Content-Type": "text/plain"}}, {"body": {}}):
        status, _, _ = await ana.call("POST", path, **options)
        assert status == 200


async def test_takes_texts_for_numbers_and_flags(ana):
    """So n8n sends them."""
    entry = await ana.hears("oi")
    path = f"/contacts/{entry['contact_id']}/settings"
    for given, kept in (("true", True), ("false", False), (1, True), (0, False), ("1", True), ("off", False)):
        assert (await ana.patch(path, {"vip": given}))[1]["vip"] is kept
    assert (await ana.patch(path, {"base_price": "10"}))[1]["base_price"] == "10.00"
    assert (await ana.patch(path, {"base_price": ""}))[1]["base_price"] == "10.00", "left out"
    assert (await ana.patch(path, {"base_price": None}))[1]["base_price"] is None
    assert len((await ana.get("/conversations", limit="1"))[1]["items"]) == 1
    conversation = f"/conversations/{entry['conversation_id']}"
    assert (await ana.patch(conversation, {"status": "", "tags": ["a"], "snoozed_until": ""}))[1]["status"] == "open"
    assert (await ana.made(f"{conversation}/messages", {"body": 12.5, "external_id": 99}))["external_id"] == "99"


async def test_timestamps_are_in_utc(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    for given, kept in (
        ("2030-05-08T10:00:00Z", "2030-05-08T10:00:00Z"),
        ("2030-05-08T10:00:00+02:00", "2030-05-08T08:00:00Z"),
        ("2030-05-08 10:00", "2030-05-08T10:00:00Z"),
        ("2030-05-08T10:00:00.123456Z", "2030-05-08T10:00:00.123456Z"),
    ):
        assert (await ana.patch(path, {"snoozed_until": given}))[1]["snoozed_until"] == kept
    for given in ("2030-13-01", "soon", 17, True, "1714564800", "0001-01-01T00:00:00Z"):
        assert (await ana.patch(path, {"snoozed_until": given}))[0] == 422


async def test_nothing_of_the_inside_is_told(ana):
    """Such an amount is more than the column holds, and less than it is allowed."""
    entry = await ana.hears("oi")
    for price in ("999999999999.99", "1000000000000"):
        status, answer = await ana.patch(f"/contacts/{entry['contact_id']}/settings", {"base_price": price})
        assert status in {200, 422}
        assert "asyncpg" not in json.dumps(answer)


@pytest.fixture
async def beside(cluster, database, http):
    """A service that a browser's page from crm.example.com may call."""
    async with serving(cluster.logins(database), cors_origins="https://crm.example.com, https://b.example") as address:
        yield await Person.sign_up(http, address)


async def test_a_browser_asks_beforehand(beside):
    asked = {"Origin": "https://crm.example.com", "Access-Control-Request-Method": "PATCH"}
    for path in ("/me", "/conversations/x/messages", "/auth/login"):
        status, headers, _ = await Person(beside._http, beside.address).call("OPTIONS", path, headers=asked)
        assert (status, headers["Access-Control-Allow-Origin"]) == (204, "https://crm.example.com")
        assert "PATCH" in headers["Access-Control-Allow-Methods"]
        allowed = headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "idempotency-key", "last-event-id"))
        assert "Origin" in headers["Vary"]


async def test_a_page_elsewhere_may_not_read(beside, ana):
    for method, path in (("GET", "/me"), ("GET", "/nothing"), ("POST", "/auth/login")):
        _, headers, _ = await beside.call(method, path, headers={"Origin": "https://crm.example.com"})
        assert headers["Access-Control-Allow-Origin"] == "https://crm.example.com"
        assert "X-Request-ID" in headers["Access-Control-Expose-Headers"]
        for person, origin in ((beside, "https://evil.example"), (ana, "https://crm.example.com")):
            _, headers, _ = await person.call(method, path, headers={"Origin": origin})
            assert "Access-Control-Allow-Origin" not in headers


async def test_an_answer_that_depends_on_the_origin_says_so(beside):
    """Else a cache gives one page's answer to another."""
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "https://b.example"}):
        _, answered, _ = await beside.call("GET", "/me", headers=headers)
        assert "Origin" in answered.get("Vary", "") or answered["Cache-Control"] == "no-store"


async def test_old_keys_are_swept(ana, cluster, database):
    """A client makes a key for each request: kept for ever, they would outgrow what they guard."""
    for key in ("old", "new"):
        await ana.call("POST", "/tasks", {"title": "Um"}, headers={"Idempotency-Key": key})
    superuser = await asyncpg.connect(cluster.superuser(database))
    about = "idempotency_keys where user_id = $1"
    await superuser.execute(
        "update idempotency_keys set claimed_at = now() - interval '25 hours' where user_id = $1 and key = 'old'",
        ana.id,
    )
    await ana.call("POST", "/tasks", {"title": "Um"}, headers={"Idempotency-Key": "newest"})
    assert {row["key"] for row in await superuser.fetch(f"select key from {about}", ana.id)} == {"new", "newest"}
    await superuser.close()


async def test_an_empty_text_counts_as_left_out_and_only_null_clears(ana):
    task = await ana.made("/tasks", {"title": "Ligar", "description": "hoje", "due_date": "2026-05-08", "priority": ""})
    assert task["priority"] == "medium"
    path = f"/tasks/{task['id']}"
    assert (await ana.patch(path, {"description": "", "due_date": "", "title": "Escrever"}))[1] | {
        "updated_at": 0
    } == task | {"title": "Escrever", "updated_at": 0}
    status, cleared = await ana.patch(path, {"description": None, "due_date": None})
    assert (status, cleared["description"], cleared["due_date"]) == (200, None, None)
    assert (await ana.post("/tasks", {"title": ""}))[0] == 422


@pytest.mark.parametrize("digits", ["1e3", "7.50", "-0", "1E+2", "12345678901234567890123", "0.10"])
async def test_a_number_where_text_is_wanted_keeps_its_digits(ana, digits):
    body = '{"title": ' + digits + "}"
    _, _, raw = await ana.call("POST", "/tasks", data=body, headers={"Content-Type": "application/json"})
    assert json.loads(raw)["title"] == digits


@pytest.mark.parametrize("body", ['{"title": 1e400}', '{"title": "x", "priority": -1e999}'])
async def test_a_number_that_is_not_finite_is_refused(ana, body):
    status, _, raw = await ana.call("POST", "/tasks", data=body, headers={"Content-Type": "application/json"})
    assert (status, json.loads(raw)["errors"][0]["code"]) == (422, "finite_number")


SEALED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "Alfred",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize(
    "path",
    [
        "/health", "/api/v1/me", "/api/v1/nowhere", "/api/v1/docs", "/api/v1/docs/start.js", "/api/v1/openapi.json",
        "/api/v1/contacts/export", "/api/v1/me/export", "/api/v1/notifications/stream", "/", "/web/main.js",
    ],
)  # fmt: skip
async def test_every_answer_tells_a_browser_what_it_may_do(ana, http, path):
    async with http.get(f"{ana.address}{path}", headers=ana.headers) as response:
        found = response.headers
        assert {name: found[name] for name in SEALED} == SEALED
        policy = found["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert ("'unsafe-inline'" in policy) == (path == "/api/v1/docs")  # styles of the viewer
