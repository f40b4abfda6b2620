"""An `Idempotency-Key`: the same request sent again is answered the same, and makes nothing twice."""

import pytest

from tests.api.repeating import MAKING, everything, filled, repeated
from tests.api.suggesting import customer
from tests.people import Person


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_the_same_key_gives_the_same_answer_and_makes_one_thing(ana, known_ids, path, body, status):
    path, body = filled(path, known_ids), filled(body, known_ids)
    first = await repeated(ana, path, body, "key-1")
    assert (first[0], first[1]) == (status, None)
    made = await everything(ana)
    secret = {"token": None} if path == "/tokens" else {}
    for _ in range(3):
        again = await repeated(ana, path, body, "key-1")
        assert again == (status, "true", first[2] | secret)
    assert await everything(ana) == made


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_the_same_key_with_another_body_is_refused(ana, known_ids, path, body, status):
    path, body = filled(path, known_ids), filled(body, known_ids)
    await repeated(ana, path, body, "key-1")
    made = await everything(ana)
    code, replayed, problem = await repeated(ana, path, body | {"name": "another"}, "key-1")
    assert (code, replayed, problem["code"]) == (422, None, "idempotency_key_reused")
    assert await everything(ana) == made


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/contacts", {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"}, 409, "handle_taken"),
        ("/tasks", {"title": "x", "conversation_id": "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"}, 422, "invalid"),
        ("/tasks", {"title": "x", "priority": "max"}, 422, "invalid"),
        ("/tasks", {}, 422, "invalid"),
        ("/rules", {"text": "Me avise"}, 422, "rule_not_understood"),
        ("/rules", {"compiled": {}}, 422, "invalid"),
        ("/flows", {"name": "x", "definition": {}, "enabled": True}, 422, "invalid"),
        ("/conversations/01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e/messages", {"body": "x"}, 404, "not_found"),
        ("/webhooks/whatsapp", {"nobody": "knows"}, 422, "unrecognised_payload"),
        ("/webhooks/pigeon", {"message_id": "1", "from": "2", "body": "x"}, 404, "not_found"),
    ],
)
async def test_a_refusal_is_repeated_too(ana, known_ids, path, body, status, code):
    first = await repeated(ana, path, body, "key-1")
    assert (first[0], first[1], first[2]["code"]) == (status, None, code)
    assert await repeated(ana, path, body, "key-1") == (status, "true", first[2])
    other = await repeated(ana, path, body | {"title": "another"}, "key-1")
    assert (other[0], other[2]["code"]) == (422, "idempotency_key_reused")


async def test_a_refusal_is_repeated_even_when_it_would_succeed_by_now(ana, known_ids):
    body = {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"}
    first = await repeated(ana, "/contacts", body, "key-1")
    assert first[0] == 409
    assert (await ana.delete(f"/contacts/{known_ids['contact']}"))[0] == 204
    assert await repeated(ana, "/contacts", body, "key-1") == (409, "true", first[2])
    assert (await repeated(ana, "/contacts", body, "key-2"))[0] == 201


async def test_the_answer_keeps_its_status_and_kind(ana, known_ids):
    where = {"contact_id": known_ids["contact"], "channel_id": known_ids["channel"]}
    assert (await repeated(ana, "/conversations", where, "key-1"))[:2] == (201, None)
    assert (await repeated(ana, "/conversations", where, "key-2"))[:2] == (200, None)
    assert (await repeated(ana, "/conversations", where, "key-1"))[:2] == (201, "true")
    assert (await repeated(ana, "/conversations", where, "key-2"))[:2] == (200, "true")
    for path, body, kind in (
        ("/conversations", where, "application/json"),
        ("/tasks", {}, "application/problem+json"),
    ):
        for _ in range(2):
            _, headers, _ = await ana.call("POST", path, body, headers={"Idempotency-Key": "key-1"})
            assert headers["Content-Type"].startswith(kind)


async def test_a_key_belongs_to_a_tenant_and_a_path(ana, bruno):
    assert (await repeated(ana, "/tasks", {"title": "Ligar"}, "key-1"))[:2] == (201, None)
    assert (await repeated(bruno, "/tasks", {"title": "Other"}, "key-1"))[:2] == (201, None)
    assert (await repeated(ana, "/tokens", {"name": "n8n"}, "key-1"))[:2] == (201, None)
    first, second = [(await ana.hears("oi", sender=f"+551190000000{n}"))["conversation_id"] for n in (1, 2)]
    for conversation in (first, second):
        path = f"/conversations/{conversation}/messages"
        assert (await repeated(ana, path, {"body": "x"}, "key-1"))[:2] == (201, None)


async def test_a_key_is_the_tenants_whatever_token_is_used(ana):
    token = (await ana.made("/tokens", {"name": "n8n"}))["token"]
    client = Person(ana._http, ana.address, {"access_token": token})
    first = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
    assert await repeated(client, "/tasks", {"title": "x"}, "key-1") == (201, "true", first[2])
    reader = (await ana.made("/tokens", {"name": "n8n", "scopes": ["read"]}))["token"]
    client = Person(ana._http, ana.address, {"access_token": reader})
    assert (await repeated(client, "/tasks", {"title": "x"}, "key-1"))[2]["code"] == "insufficient_scope"


async def test_what_needs_credentials_first_is_not_kept(ana, stranger):
    assert (await repeated(stranger, "/tasks", {"title": "x"}, "key-1"))[0] == 401
    assert (await repeated(ana, "/tasks", {"title": "x"}, "key-1"))[:2] == (201, None)


async def test_without_a_key_each_request_counts(ana):
    for _ in range(2):
        await ana.made("/tasks", {"title": "x"})
    assert len((await ana.get("/tasks"))[1]["items"]) == 2


async def test_is_ignored_where_nothing_is_made(ana):
    key = {"Idempotency-Key": "key-1"}
    made = await ana.made("/tasks", {"title": "x"})
    for method, path, body in (
        ("GET", "/tasks", None),
        ("PATCH", f"/tasks/{made['id']}", {"title": "y"}),
        ("POST", f"/tasks/{made['id']}/complete", None),
        ("POST", "/rules/compile", {"text": "Se a mensagem for urgente, me avise"}),
        ("POST", "/ai/classify-message", {"text": "oi"}),
    ):
        for _ in range(2):
            status, headers, _ = await ana.call(method, path, body, headers=key)
            assert (status, "Idempotent-Replayed" in headers) == (200, False), path


async def test_is_ignored_on_auth(stranger, ana):
    body = {"email": ana.email, "password": "a good password"}
    tokens = set()
    for _ in range(2):
        status, replayed, session = await repeated(stranger, "/auth/login", body, "key-1")
        assert (status, replayed) == (200, None)
        tokens.add(session["refresh_token"])
    assert len(tokens) == 2
    assert (await repeated(stranger, "/auth/login", body | {"password": "no"}, "key-1"))[0] == 401
    new = {"name": "Eva", "email": f"eva-{ana.email}", "password": "a good password"}
    assert (await repeated(stranger, "/auth/register", new, "key-1"))[0] == 201
    assert (await repeated(stranger, "/auth/register", new, "key-1"))[0] == 409


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_refuses_a_key_that_is_none(ana, key):
    status, _, problem = await repeated(ana, "/tasks", {"title": "x"}, key)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["Idempotency-Key"])
    assert (await ana.get("/tasks"))[1]["items"] == []


@pytest.mark.parametrize("key", ["x", "x" * 255, "a key, with: punctuation; and spaces", "chave-é"])
async def test_takes_any_other_key(ana, key):
    assert (await repeated(ana, "/tasks", {"title": "x"}, key))[:2] == (201, None)
    assert (await repeated(ana, "/tasks", {"title": "x"}, key))[:2] == (201, "true")


async def test_a_path_of_any_length_may_have_a_key(ana):
    """What is wrong with it is said, and no index row is too large."""
    key = {"Idempotency-Key": "long"}
    assert (await ana.call("POST", f"/conversations/{'x' * 6000}/messages", {"body": "oi"}, headers=key))[0] == 404
    heard = await ana.hears("oi")
    path = f"/conversations/{heard['conversation_id']}/messages"
    query = "?" + "&".join(f"a{n}=x" for n in range(1000))
    assert (await ana.call("POST", path + query, {"body": "oi"}, headers=key))[0] == 422


@pytest.mark.parametrize("what", ["reply", "price", "follow-up"])
async def test_a_suggestion_is_made_once(ana, what):
    entry = await customer(ana, base_price="100")
    path, body = f"/ai/suggest-{what}", {"conversation_id": entry["conversation_id"]}
    status, replayed, first = await repeated(ana, path, body, "key-1")
    assert (status, replayed) == (200, None)
    await ana.hears("E o prazo?")
    assert await repeated(ana, path, body, "key-1") == (200, "true", first)
    assert sum(item["suggested"] for item in (await ana.get("/ai/suggestions/stats"))[1]["items"]) == 1
    assert (await repeated(ana, path, body, "key-2"))[2]["id"] != first["id"]
