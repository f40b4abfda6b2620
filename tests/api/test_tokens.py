"""API tokens through HTTP: shown once, kept as a hash, good for their scopes and their time."""

import asyncio
import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.conftest import serving
from tests.people import Person, whatsapp

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"


def holding(person, token, address=None):
    """Somebody who has nothing but this token."""
    return Person(person._http, address or person.address, {"access_token": token})


async def token_of(person, *scopes, **more):
    chosen = {"scopes": scopes} if scopes else {}
    return (await person.made("/tokens", {"name": "n8n", **chosen, **more}))["token"]


@pytest.fixture
async def superuser_db(cluster, database):
    """Sees every row: what is really stored."""
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()


async def test_shows_a_token_once(ana):
    made = await ana.made("/tokens", {"name": "n8n"})
    token = made.pop("token")
    assert made == {
        "id": made["id"],
        "name": "n8n",
        "hint": f"alf_0_…{token[-4:]}",
        "scopes": ["read", "write", "webhooks"],
        "expires_at": None,
        "last_used_at": None,
        "created_at": made["created_at"],
    }
    status, page = await ana.get("/tokens")
    assert (status, page) == (200, {"items": [made], "next_cursor": None, "next": None, "has_more": False})
    assert (await holding(ana, token).get("/me"))[1]["email"] == ana.email


async def test_is_recognised_by_its_prefix_and_checksum(ana):
    tokens = [await token_of(ana) for _ in range(5)]
    assert len(set(tokens)) == 5
    for token in tokens:
        assert token.startswith("alf_0_")
        assert len(token) == 6 + 40 + 6
        assert token[6:].isalnum()
        assert token.isascii()
    mistyped = tokens[0][:20] + ("a" if tokens[0][20] != "a" else "b") + tokens[0][21:]
    for wrong in (mistyped, tokens[0][:-1], tokens[0] + "x", "alf_0_", "alf_1_" + tokens[0][6:], tokens[0].lower()):
        status, problem = await holding(ana, wrong).get("/me")
        assert (status, problem["code"]) == (401, "invalid_token")


async def test_keeps_nothing_but_a_hash(ana, superuser_db):
    token = await token_of(ana)
    secret = token[6:]
    tables = await superuser_db.fetch("select tablename from pg_tables where schemaname = 'public'")
    for (table,) in tables:
        rows = await superuser_db.fetch(f"select t::text from {table} t where t::text like $1", f"%{secret[:30]}%")
        assert rows == [], table
    hashes = await superuser_db.fetch("select user_id, token_hash from api_token_hashes where user_id = $1", ana.id)
    assert [row["token_hash"] for row in hashes] == [hashlib.sha256(token.encode()).digest()]


async def test_nobody_else_reads_the_hashes(ana, app_db):
    await token_of(ana)
    await app_db.execute(f"begin; select app.act_as('{ana.id}')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app_db.fetch("select * from api_token_hashes")
    await app_db.execute("rollback")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": "read"}, "/scopes"),
        ({"name": "x", "scopes": ["read", "all"]}, "/scopes/1"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "/expires_at"),
        ({"name": "x", "expires_at": 4_000_000_000}, "/expires_at"),
        ({"name": "x", "token": "alf_0_mine"}, "/token"),
    ],
)
async def test_refuses_a_bad_token(ana, body, pointer):
    status, problem = await ana.post("/tokens", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
    assert (await ana.get("/tokens"))[1]["items"] == []


async def test_a_scope_named_twice_counts_once(ana):
    assert (await ana.made("/tokens", {"name": "x", "scopes": ["read", "read"]}))["scopes"] == ["read"]


# Scopes, against everything that there is


async def operations(person):
    """Each method and path of the OpenAPI document that asks for a token."""
    status, document = await person.get("/openapi.json")
    assert status == 200
    return [
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if any("bearer" in way for way in operation.get("security", ()))
    ]


def scopes_that_may(method, path):
    """As the contract has it: the scopes of which one is enough."""
    if (method, path) == ("GET", "/api/v1/me"):
        return {"read", "write", "webhooks", "subscriptions", "admin"}
    own = re.match(r"/api/v1/(tokens|me)(/|$)", path)
    if path.startswith(("/api/v1/channels/{channel_id}/", "/api/v1/subscriptions", "/api/v1/ai/provider")):
        return {"admin"}
    if method == "GET" or path.endswith("/stream-ticket"):
        return {"read", "admin"}
    if path == "/api/v1/webhooks/{channel_type}":
        return {"webhooks", "write", "admin"}
    return {"admin"} if own else {"write", "admin"}


@pytest.mark.parametrize("scope", ["read", "write", "webhooks", "subscriptions", "admin"])
async def test_a_scope_opens_what_it_is_for_and_nothing_else(ana, scope):
    client = holding(ana, await token_of(ana, scope))
    asked = await operations(ana)
    assert len(asked) > 60
    for method, path in asked:
        way = path.replace("{channel_type}", "whatsapp").replace("{", "").replace("}", "")
        way = "/".join(MISSING if part.endswith("_id") else part for part in way.split("/"))
        body = {} if method in {"POST", "PUT", "PATCH", "DELETE"} else None
        # Only the head of the answer is looked at: one of them is a stream without an end.
        async with client._http.request(method, ana.address + way, json=body, headers=client.headers) as response:
            refused = response.status == 403
            assert refused == (scope not in scopes_that_may(method, path)), (method, path, response.status)
            assert response.status not in {401, 429, 500, 503}, (method, path)
            if refused:
                problem = await response.json()
                assert (problem["code"], "errors" in problem) == ("insufficient_scope", False)
    assert (await ana.get("/me"))[0] == 200


async def test_the_usual_token_serves_n8n_but_makes_no_tokens(ana):
    client = holding(ana, await token_of(ana))
    assert (await client.post("/webhooks/whatsapp", whatsapp("oi")))[0] == 200
    assert (await client.post("/tasks", {"title": "x"}))[0] == 201
    assert (await client.get("/tokens"))[0] == 200
    for answer in (
        await client.post("/tokens", {"name": "more", "scopes": ["admin"]}),
        await client.delete(f"/tokens/{MISSING}"),
        await client.patch("/me", {"name": "Other"}),
        await client.post("/me/password", {"current_password": "a good password", "new_password": "another one"}),
        await client.delete("/me", {"password": "a good password"}),
    ):
        assert (answer[0], answer[1]["code"]) == (403, "insufficient_scope")


async def test_a_token_for_webhooks_sees_nothing(ana):
    client = holding(ana, await token_of(ana, "webhooks"))
    assert (await client.post("/webhooks/whatsapp", whatsapp("oi")))[0] == 200
    assert (await client.get("/conversations"))[1]["code"] == "insufficient_scope"
    assert (await client.get("/webhooks/rejected"))[1]["code"] == "insufficient_scope"


async def test_a_token_of_admin_makes_more(ana):
    client = holding(ana, await token_of(ana, "admin"))
    status, made = await client.post("/tokens", {"name": "second"})
    assert status == 201
    assert await client.delete(f"/tokens/{made['id']}") == (204, None)


async def test_a_token_acts_for_its_user_only(ana, bruno):
    await bruno.hears("oi")
    client = holding(ana, await token_of(ana, "admin"))
    assert (await client.get("/conversations"))[1]["items"] == []
    theirs = await bruno.made("/tokens", {"name": "x"})
    assert (await client.delete(f"/tokens/{theirs['id']}"))[0] == 404
    assert (await holding(bruno, theirs["token"]).get("/me"))[0] == 200


# As a password


async def test_is_taken_as_the_password_of_basic(ana):
    token = await token_of(ana)
    client = holding(ana, token)
    for name in ("", "n8n", "alfred", ana.email, "ü"):
        credentials = base64.b64encode(f"{name}:{token}".encode()).decode()
        client.headers = {"Authorization": f"Basic {credentials}"}
        assert (await client.get("/me"))[0] == 200
    wrong = base64.b64encode(f"{ana.email}:a good password".encode()).decode()
    client.headers = {"Authorization": f"Basic {wrong}"}
    status, headers, _ = await client.call("GET", "/me")
    assert (status, "Basic" in headers["WWW-Authenticate"]) == (401, True)


# Its time


async def test_a_token_expires(ana, eventually):
    expires_at = datetime.now(UTC) + timedelta(seconds=1.5)
    made = await ana.made("/tokens", {"name": "x", "expires_at": expires_at.isoformat()})
    assert datetime.fromisoformat(made["expires_at"]) == expires_at
    client = holding(ana, made["token"])
    assert (await client.get("/me"))[0] == 200
    status, problem = await eventually(lambda: client.get("/me"), lambda answer: answer[0] == 401)
    assert (status, problem["code"]) == (401, "invalid_token")
    assert datetime.now(UTC) >= expires_at
    assert [each["id"] for each in (await ana.get("/tokens"))[1]["items"]] == [made["id"]]


async def test_tells_when_it_was_last_used(ana):
    before = datetime.now(UTC) - timedelta(seconds=1)
    await ana.made("/tokens", {"name": "unused"})
    used = await ana.made("/tokens", {"name": "used"})
    await holding(ana, used["token"]).get("/conversations")
    last = {each["name"]: each["last_used_at"] for each in (await ana.get("/tokens"))[1]["items"]}
    assert last["unused"] is None
    assert before <= datetime.fromisoformat(last["used"]) <= datetime.now(UTC) + timedelta(seconds=1)


async def test_a_revoked_token_is_dead_at_once_on_every_replica(cluster, database, http, ana):
    async with serving(cluster.logins(database)) as elsewhere:
        made = await ana.made("/tokens", {"name": "x"})
        here, there = holding(ana, made["token"]), holding(ana, made["token"], elsewhere)
        for _ in range(5):
            answers = await asyncio.gather(here.get("/me"), there.get("/me"))
            assert [status for status, _ in answers] == [200, 200]
        assert await ana.delete(f"/tokens/{made['id']}") == (204, None)
        answers = await asyncio.gather(there.get("/me"), here.get("/me"))
        assert [(status, problem["code"]) for status, problem in answers] == [(401, "invalid_token")] * 2
        assert (await ana.delete(f"/tokens/{made['id']}"))[0] == 404
        assert (await ana.get("/tokens"))[1]["items"] == []


async def test_leaves_with_its_user(ana, superuser_db):
    token = await token_of(ana, "admin")
    client = holding(ana, token)
    assert await client.delete("/me", {"password": "a good password"}) == (204, None)
    assert (await client.get("/me"))[0] == 401
    for table in ("api_tokens", "api_token_hashes", "idempotency_keys"):
        assert await superuser_db.fetchval(f"select count(*) from {table} where user_id = $1", ana.id) == 0


async def test_a_new_password_leaves_tokens_alone(ana):
    """Sessions end; what scripts use goes on until it is revoked."""
    token = await token_of(ana)
    change = {"current_password": "a good password", "new_password": "another one"}
    assert (await ana.post("/me/password", change))[0] == 204
    assert (await holding(ana, token).get("/me"))[0] == 200


async def test_lists_the_newest_first_page_by_page(ana):
    ids = [(await ana.made("/tokens", {"name": f"{n}"}))["id"] for n in range(3)]
    _, first = await ana.get("/tokens", limit=2)
    _, rest = await ana.get(first["next"])
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]
    assert not any("token" in each for each in first["items"])
    assert (await ana.get("/tokens", scope="read"))[1]["code"] == "unknown_parameter"
