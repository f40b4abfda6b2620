"""Idempotency-Key: whoever repeats a request gets the first answer again, and nothing is made twice."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.queries import sql
from tests.conftest import serving
from tests.people import Person, whatsapp

URGENT = {"field": "message.urgency", "op": "eq", "value": "high"}
COMPILED = {"when": URGENT, "then": [{"action": "notify"}]}


async def repeated(person, path, body, key, **headers):
    """(status, whether it is a repetition, decoded answer)."""
    status, found, raw = await person.call("POST", path, body, headers={"Idempotency-Key": key, **headers})
    return status, found.get("Idempotent-Replayed"), json.loads(raw) if raw else None


async def everything(person):
    """How many there are of each thing."""
    counts = {}
    for path in ("/contacts", "/channels", "/conversations", "/tasks", "/rules", "/flows", "/tokens"):
        status, page = await person.get(path)
        assert status == 200
        counts[path] = len(page["items"])
    messages = [await person.messages(each["id"]) for each in await person.conversations()]
    return counts | {"messages": sum(map(len, messages))}


@pytest.fixture
async def shop(ana):
    """Ana, with a conversation; the ids that bodies and paths name."""
    entry = await ana.hears("oi")
    contact = await ana.made("/contacts", {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"})
    channel = await ana.made("/channels", {"type": "email", "name": "Mail", "external_account_id": "shop@example.com"})
    return {"conversation": entry["conversation_id"], "contact": contact["id"], "channel": channel["id"]}


MAKING = [
    ("/contacts", {"name": "Eva", "handle": "+5511900000044", "channel_type": "whatsapp"}, 201),
    ("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "7"}, 201),
    ("/conversations", {"contact_id": "{contact}", "channel_id": "{channel}"}, 201),
    ("/conversations/{conversation}/messages", {"body": "Olá!"}, 201),
    ("/tasks", {"title": "Ligar"}, 201),
    ("/rules", {"name": "x", "compiled": COMPILED, "enabled": False}, 201),
    ("/flows", {"name": "x", "definition": {}}, 201),
    ("/tokens", {"name": "n8n"}, 201),
    ("/webhooks/whatsapp", whatsapp("oi de novo", id="wamid.idempotent"), 200),
]


def filled(template, ids):
    text = json.dumps(template)
    for name, value in ids.items():
        text = text.replace("{" + name + "}", value)
    return json.loads(text)


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_the_same_key_gives_the_same_answer_and_makes_one_thing(ana, shop, path, body, status):
    path, body = filled(path, shop), filled(body, shop)
    first = await repeated(ana, path, body, "key-1")
    assert (first[0], first[1]) == (status, None)
    made = await everything(ana)
    secret = {"token": None} if path == "/tokens" else {}
    for _ in range(3):
        again = await repeated(ana, path, body, "key-1")
        assert again == (status, "true", first[2] | secret)
    assert await everything(ana) == made


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_the_same_key_with_another_body_is_refused(ana, shop, path, body, status):
    path, body = filled(path, shop), filled(body, shop)
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
async def test_a_refusal_is_repeated_too(ana, shop, path, body, status, code):
    first = await repeated(ana, path, body, "key-1")
    assert (first[0], first[1], first[2]["code"]) == (status, None, code)
    assert await repeated(ana, path, body, "key-1") == (status, "true", first[2])
    other = await repeated(ana, path, body | {"title": "another"}, "key-1")
    assert (other[0], other[2]["code"]) == (422, "idempotency_key_reused")


async def test_a_refusal_is_repeated_even_when_it_would_succeed_by_now(ana, shop):
    body = {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"}
    first = await repeated(ana, "/contacts", body, "key-1")
    assert first[0] == 409
    assert (await ana.delete(f"/contacts/{shop['contact']}"))[0] == 204
    assert await repeated(ana, "/contacts", body, "key-1") == (409, "true", first[2])
    assert (await repeated(ana, "/contacts", body, "key-2"))[0] == 201


async def test_the_answer_keeps_its_status_and_kind(ana, shop):
    where = {"contact_id": shop["contact"], "channel_id": shop["channel"]}
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


# Two at once, and failures


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_of_those_that_come_at_once_one_is_served(cluster, database, ana, shop, path, body, status):
    counted = "messages" if "messages" in path or "webhooks" in path else path
    path, body = filled(path, shop), filled(body, shop)
    before = await everything(ana)
    async with serving(cluster.logins(database)) as elsewhere:
        there = Person(ana._http, elsewhere, ana.session)
        answers = await asyncio.gather(*(repeated(person, path, body, "key-1") for person in (ana, there) * 4))
        first = [answer for answer in answers if answer[:2] == (status, None)]
        assert len(first) == 1
        for code, replayed, answer in answers:
            in_progress = (code, answer.get("code"), replayed) == (409, "idempotency_in_progress", None)
            assert in_progress or code == status
        made = await everything(ana)
        assert (await repeated(there, path, body, "key-1"))[:2] == (status, "true")
        assert await everything(ana) == made
        assert made[counted] == before[counted] + 1


async def test_a_failure_of_ours_is_not_remembered(cluster, http):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        await superuser.execute("revoke insert on tasks from alfred_app")
        for _ in range(2):
            status, replayed, problem = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
            assert (status, replayed, problem["code"]) == (500, None, "internal_error")
        await superuser.execute("grant insert on tasks to alfred_app")
        first = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
        assert first[:2] == (201, None)
        assert await repeated(ana, "/tasks", {"title": "x"}, "key-1") == (201, "true", first[2])
        assert len((await ana.get("/tasks"))[1]["items"]) == 1
    await superuser.close()


async def test_while_the_first_is_running_the_next_is_told_to_wait(cluster, http, eventually):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as one, serving(cluster.app(name)) as two:
        ana = await Person.sign_up(http, one)
        there = Person(http, two, ana.session)
        async with superuser.transaction():
            await superuser.execute("lock table tasks in access exclusive mode")
            first = asyncio.create_task(repeated(ana, "/tasks", {"title": "x"}, "key-1"))

            async def waiting():
                return await superuser.fetchval("select count(*) from pg_locks where not granted")

            assert await eventually(waiting)
            status, headers, raw = await there.call(
                "POST", "/tasks", {"title": "x"}, headers={"Idempotency-Key": "key-1"}
            )
            assert (status, json.loads(raw)["code"]) == (409, "idempotency_in_progress")
            assert int(headers["Retry-After"]) > 0
            status, _, problem = await repeated(there, "/tasks", {"title": "y"}, "key-1")
            assert (status, problem["code"]) == (422, "idempotency_key_reused")
        answer = await first
        assert answer[:2] == (201, None)
        assert await repeated(there, "/tasks", {"title": "x"}, "key-1") == (201, "true", answer[2])
    await superuser.close()


async def test_a_key_is_free_again_after_a_day(cluster, database, ana):
    first = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
    superuser = await asyncpg.connect(cluster.superuser(database))
    age = "update idempotency_keys set claimed_at = now() - $2::interval where user_id = $1"
    await superuser.execute(age, ana.id, timedelta(hours=23, minutes=59))
    assert await repeated(ana, "/tasks", {"title": "x"}, "key-1") == (201, "true", first[2])
    await superuser.execute(age, ana.id, timedelta(hours=24, minutes=1))
    status, replayed, second = await repeated(ana, "/tasks", {"title": "y"}, "key-1")
    assert (status, replayed, second["title"]) == (201, None, "y")
    await superuser.close()


async def test_a_path_of_any_length_may_have_a_key(ana):
    """What is wrong with it is said, and no index row is too large."""
    key = {"Idempotency-Key": "long"}
    assert (await ana.call("POST", f"/conversations/{'x' * 6000}/messages", {"body": "oi"}, headers=key))[0] == 404
    heard = await ana.hears("oi")
    path = f"/conversations/{heard['conversation_id']}/messages"
    query = "?" + "&".join(f"a{n}=x" for n in range(1000))
    assert (await ana.call("POST", path + query, {"body": "oi"}, headers=key))[0] == 422


async def test_a_late_failure_frees_nobody_elses_claim(ana, app_db):
    """The first died or is late, a second has the key by now: what the first did not do is not forgotten twice."""
    named = {"user_id": UUID(ana.id), "path": "POST /api/v1/tasks", "key": "late"}
    first, second = uuid7(), uuid7()
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        assert await sql.tokens.claim_key.value(app_db, **named, body_hash=b"x", claim_id=first)
        await app_db.execute("update idempotency_keys set claimed_at = claimed_at - interval '61 seconds'")
        assert await sql.tokens.claim_key.value(app_db, **named, body_hash=b"x", claim_id=second)
        assert await sql.tokens.forget_claim.run(app_db, **named, claim_id=first) == 0
        assert (
            await sql.tokens.keep_answer.run(app_db, **named, claim_id=first, status=500, headers={}, answer=b"") == 0
        )
        assert await sql.tokens.forget_claim.run(app_db, **named, claim_id=second) == 1
