"""Signing up, logging in, staying logged in, leaving."""

import asyncio

import asyncpg
import bcrypt
import jwt
import pytest

from tests.conftest import SECRET, serving
from tests.people import Person


async def test_signs_up_and_in(stranger):
    body = {"name": "Carla", "email": "Carla@Example.com", "password": "segredo1"}
    status, session = await stranger.post("/auth/register", body)
    assert status == 201
    assert session["user"] == {
        "id": session["user"]["id"],
        "name": "Carla",
        "email": "Carla@Example.com",
        "locale": "pt-BR",
        "timezone": "America/Sao_Paulo",
        "currency": "BRL",
        "created_at": session["user"]["created_at"],
    }
    assert session["token_type"] == "bearer"
    assert session["expires_in"] == 900

    status, again = await stranger.post("/auth/login", {"email": "carla@example.COM", "password": "segredo1"})
    assert (status, again["user"]["id"]) == (200, session["user"]["id"])

    status, problem = await stranger.post("/auth/register", body | {"email": "cARLA@example.com"})
    assert (status, problem["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"password": "short"}, "/password"),
        ({"password": "é" * 37}, "/password"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "a\x00b"}, "/name"),
        ({"name": "\ud800"}, "/name"),
        ({"surname": "x"}, "/surname"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
    ],
)
async def test_refuses_a_bad_registration(stranger, change, pointer):
    body = {"name": "Carla", "email": "c@example.com", "password": "segredo1", **change}
    status, problem = await stranger.post("/auth/register", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_wrong_credentials_are_told_alike(ana, stranger):
    wrong = await stranger.post("/auth/login", {"email": ana.email, "password": "not it"})
    nobody = await stranger.post("/auth/login", {"email": "nobody@example.com", "password": "not it"})
    assert wrong[0] == nobody[0] == 401
    assert wrong[1]["code"] == nobody[1]["code"] == "invalid_credentials"
    assert wrong[1]["detail"] == nobody[1]["detail"]


async def test_a_long_password_is_not_cut_to_fit(stranger, ana):
    await ana.post("/me/password", {"current_password": "a good password", "new_password": "x" * 72})
    status, _ = await stranger.post("/auth/login", {"email": ana.email, "password": "x" * 73})
    assert status == 401
    status, _ = await stranger.post("/auth/login", {"email": ana.email, "password": "x" * 72})
    assert status == 200


async def test_repeated_failures_are_slowed_down(cluster, http):
    async with serving(cluster.app(cluster.copy()), login_attempts=3) as address:
        ana = await Person.sign_up(http, address)
        stranger = Person(http, address)
        for _ in range(3):
            assert (await stranger.post("/auth/login", {"email": ana.email, "password": "no"}))[0] == 401
        right = {"email": ana.email, "password": "a good password"}
        status, headers, _ = await stranger.call("POST", "/auth/login", right)
        assert (status, int(headers["Retry-After"]) > 0) == (429, True)


async def test_a_refresh_token_is_spent_once(ana, stranger):
    first = ana.session["refresh_token"]
    status, second = await stranger.post("/auth/refresh", {"refresh_token": first})
    assert status == 200
    assert second["refresh_token"] != first

    status, problem = await stranger.post("/auth/refresh", {"refresh_token": first})
    assert (status, problem["code"]) == (401, "token_reused")
    status, problem = await stranger.post("/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert (status, problem["code"]) == (401, "invalid_token")


async def test_a_refresh_token_stolen_at_the_same_moment_serves_one(ana, stranger):
    token = {"refresh_token": ana.session["refresh_token"]}
    answers = await asyncio.gather(*(stranger.post("/auth/refresh", token) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401, 401]


async def test_logging_out_ends_the_family(ana, stranger):
    token = {"refresh_token": ana.session["refresh_token"]}
    assert await stranger.post("/auth/logout", token) == (204, None)
    assert await stranger.post("/auth/logout", token) == (204, None)
    assert (await stranger.post("/auth/refresh", token))[0] == 401


async def test_a_new_password_ends_every_session(ana, stranger):
    wrong = await ana.post("/me/password", {"current_password": "no", "new_password": "another one"})
    assert (wrong[0], wrong[1]["code"]) == (403, "wrong_password")
    change = {"current_password": "a good password", "new_password": "another one"}
    assert await ana.post("/me/password", change) == (204, None)
    assert (await stranger.post("/auth/refresh", {"refresh_token": ana.session["refresh_token"]}))[0] == 401
    assert (await stranger.post("/auth/login", {"email": ana.email, "password": "another one"}))[0] == 200


async def test_changes_the_profile(ana):
    status, user = await ana.patch("/me", {"name": "Ana Prado", "timezone": "Europe/Lisbon", "currency": "eur"})
    assert (status, user["name"], user["timezone"], user["currency"]) == (200, "Ana Prado", "Europe/Lisbon", "EUR")
    assert await ana.get("/me") == (200, user)
    assert (await ana.patch("/me", {"email": "x@example.com"}))[0] == 422


async def test_keeps_what_the_screens_remember(ana):
    assert (await ana.get("/me"))[1]["preferences"] == {}
    preferences = {"theme": "dark", "sound": {"on": False, "volume": 0.5}, "panel": None}
    status, user = await ana.patch("/me", {"preferences": preferences})
    assert (status, user["preferences"]) == (200, preferences)
    assert (await ana.patch("/me", {"name": "Ana"}))[1]["preferences"] == preferences
    assert (await ana.patch("/me", {"preferences": {}}))[1]["preferences"] == {}


@pytest.mark.parametrize("preferences", ['{"a":"' + "x" * 4089 + '"}', "[]", '{"a":1e999}', '"dark"'])
async def test_refuses_what_is_too_much_to_remember(ana, preferences):
    body = '{"preferences":' + preferences + "}"
    headers = {"Content-Type": "application/json"}
    status, _, raw = await ana.call("PATCH", "/me", data=body, headers=headers)
    assert (status, b'"/preferences' in raw) == (422, True)


async def test_leaving_erases_everything(ana, stranger, app_db):
    await ana.hears("oi, tudo bem?")
    assert (await ana.delete("/me", {"password": "no"}))[1]["code"] == "wrong_password"
    assert await ana.delete("/me", {"password": "a good password"}) == (204, None)
    assert (await ana.get("/me"))[0] == 401
    assert (await ana.post("/webhooks/whatsapp", {"message_id": "1", "from": "5511", "body": "oi"}))[0] == 401
    assert (await stranger.post("/auth/login", {"email": ana.email, "password": "a good password"}))[0] == 401


def _forged(ana, **change):
    claims = jwt.decode(ana.session["access_token"], options={"verify_signature": False})
    key = change.pop("key", SECRET)
    algorithm = change.pop("algorithm", "HS256")
    return jwt.encode(claims | change, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "another secret, which is long enough too"},
        {"exp": 1},
        {"aud": "somebody-else"},
        {"iss": "somebody-else"},
        {"typ": "refresh"},
        {"sub": "not-a-uuid"},
        {"algorithm": "none", "key": ""},
        {"algorithm": "HS512"},
    ],
)
@pytest.mark.filterwarnings("ignore:The HMAC key")
async def test_refuses_a_forged_token(ana, change):
    ana.headers["Authorization"] = "Bearer " + _forged(ana, **change)
    status, headers, _ = await ana.call("GET", "/me")
    assert (status, headers["WWW-Authenticate"].startswith("Bearer")) == (401, True)


async def test_a_rotated_secret_still_verifies(cluster, database, http, ana):
    new = "the new secret which is long enough as well"
    async with serving(cluster.logins(database), jwt_secret=f"{new},{SECRET}") as address:
        there = Person(http, address, ana.session)
        assert (await there.get("/me"))[0] == 200
        status, session = await there.post("/auth/login", {"email": ana.email, "password": "a good password"})
        assert status == 200
        assert jwt.decode(session["access_token"], new, ["HS256"], audience="alfred-api")["cell"] == "0"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic !!!", "Digest abc"])
async def test_asks_for_credentials(stranger, header):
    stranger.headers = {"Authorization": header} if header else {}
    status, headers, _ = await stranger.call("GET", "/conversations")
    assert (status, "WWW-Authenticate" in headers) == (401, True)


async def test_an_older_hash_lets_in_and_is_renewed(ana, stranger, cluster, database):
    composed, decomposed = "caf\u00e9 s\u00e9cret", "cafe\u0301 se\u0301cret"
    root = await asyncpg.connect(cluster.superuser(database))
    older = bcrypt.hashpw(decomposed.encode(), bcrypt.gensalt(4)).decode()
    await root.execute("update logins set password_hash = $1 where user_id = $2", older, ana.id)
    for password in (composed, decomposed):
        assert (await stranger.post("/auth/login", {"email": ana.email, "password": password}))[0] == 200
        renewed = await root.fetchval("select password_hash from logins where user_id = $1", ana.id)
        assert bcrypt.checkpw(composed.encode(), renewed.encode())
    assert (await ana.get("/me"))[0] == 200, "sessions go on"
    await root.close()
