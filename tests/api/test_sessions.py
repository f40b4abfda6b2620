"""The browser's session and its cookie; what other sites may not do; one's sessions and how they end."""

import json
from http.cookies import SimpleCookie

import asyncpg
import jwt
import pytest

from tests.conftest import SECRET, serving
from tests.people import Person

PASSWORD = "a good password"


class Browser(Person):
    """Keeps the session's cookie as a browser does; every call answers (status, headers, decoded body)."""

    cookie = None

    async def ask(self, method, path="/session", body=None, headers=None):
        sent = {"Cookie": f"alfred_session={self.cookie}"} if self.cookie else {}
        status, answered, raw = await self.call(method, path, body, headers=sent | (headers or {}))
        if "Set-Cookie" in answered:
            self.cookie = SimpleCookie(answered["Set-Cookie"])["alfred_session"].value or None
        return status, answered, json.loads(raw) if raw else None

    async def log_in(self, person):
        status, headers, session = await self.ask("POST", body={"email": person.email, "password": PASSWORD})
        assert status == 200, session
        self.headers["Authorization"] = f"Bearer {session['access_token']}"
        return headers, session


@pytest.fixture
async def browser(http, address):
    return Browser(http, address)


async def test_a_browser_keeps_its_refresh_token_in_a_cookie_only(ana, browser):
    headers, session = await browser.log_in(ana)
    assert session.keys() == {"user", "access_token", "expires_in"}
    assert (session["user"], session["expires_in"]) == ((await ana.get("/me"))[1], 900)
    cookie = SimpleCookie(headers["Set-Cookie"])["alfred_session"]
    assert cookie.value.startswith("alf_0_r_")
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")
    assert (cookie["path"], cookie["max-age"]) == ("/api/v1/session", "2592000")
    assert (await browser.get("/me"))[0] == 200


async def test_wrong_credentials_are_those_of_a_login(ana, browser):
    status, headers, problem = await browser.ask("POST", body={"email": ana.email, "password": "no"})
    assert (status, problem["code"], "Set-Cookie" in headers) == (401, "invalid_credentials", False)
    status, _, problem = await browser.ask("POST", body={"email": ana.email})
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/password"])
    both = {"email": ana.email, "refresh_token": "x"}
    assert [fault["pointer"] for fault in (await browser.ask("POST", body=both))[2]["errors"]] == ["/email"]


async def test_a_new_account_goes_on_in_the_browser(ana, browser, stranger):
    token = {"refresh_token": ana.session["refresh_token"]}
    status, _, session = await browser.ask("POST", body=token)
    assert (status, session["user"]["email"]) == (200, ana.email)
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200
    status, _, problem = await browser.ask("POST", body=token)
    assert (status, problem["code"]) == (401, "token_reused")
    assert (await browser.ask("POST", "/session/refresh"))[0] == 401


async def test_refreshing_spends_the_cookie(ana, browser):
    await browser.log_in(ana)
    first = browser.cookie
    status, _, session = await browser.ask("POST", "/session/refresh")
    assert (status, session["user"]["email"], browser.cookie != first) == (200, ana.email, True)


async def test_a_lost_answer_does_not_log_out(ana, browser):
    await browser.log_in(ana)
    lost = browser.cookie
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200
    arrived, browser.cookie = browser.cookie, lost
    status, headers, _ = await browser.ask("POST", "/session/refresh")
    assert (status, browser.cookie in {lost, arrived}) == (200, False)
    assert "Set-Cookie" in headers
    browser.cookie = arrived
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200


async def test_half_a_minute_later_a_spent_cookie_ends_the_session(ana, browser, owner_token_age):
    await browser.log_in(ana)
    spent = browser.cookie
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200
    newest = browser.cookie
    await owner_token_age(ana, seconds=31)
    browser.cookie = spent
    status, headers, problem = await browser.ask("POST", "/session/refresh")
    assert (status, problem["code"], headers["WWW-Authenticate"]) == (401, "no_session", "Bearer")
    assert SimpleCookie(headers["Set-Cookie"])["alfred_session"]["max-age"] == "0"
    browser.cookie = newest
    assert (await browser.ask("POST", "/session/refresh"))[0] == 401
    assert (await browser.get("/me"))[0] == 401


@pytest.fixture
async def owner_token_age(cluster, database):
    """Lets time pass for a person's tokens."""
    root = await asyncpg.connect(cluster.superuser(database))

    async def age(person, seconds):
        for table, column in (("refresh_tokens", "spent_at"), ("sessions", "created_at")):
            await root.execute(
                f"update {table} set {column} = {column} - make_interval(secs => $2) where user_id = $1",
                person.id, seconds,
            )  # fmt: skip

    yield age
    await root.close()


async def test_other_clients_are_not_forgiven(ana, browser, stranger):
    """`/auth/refresh` stays strict, and so does a cookie that another client's token was put into."""
    first = ana.session["refresh_token"]
    assert (await stranger.post("/auth/refresh", {"refresh_token": first}))[0] == 200
    browser.cookie = first
    assert (await browser.ask("POST", "/session/refresh"))[0] == 401

    await browser.log_in(ana)
    spent = browser.cookie
    await browser.ask("POST", "/session/refresh")
    assert (await stranger.post("/auth/refresh", {"refresh_token": spent}))[1]["code"] == "token_reused"


async def test_logging_out_ends_the_session_everywhere(ana, browser):
    await browser.log_in(ana)
    kept = browser.cookie
    status, headers, _ = await browser.ask("DELETE")
    assert (status, browser.cookie) == (204, None)
    assert "Path=/api/v1/session" in headers["Set-Cookie"]
    assert (await browser.get("/me"))[0] == 401
    browser.cookie = kept
    assert (await browser.ask("POST", "/session/refresh"))[2]["code"] == "no_session"
    assert (await browser.ask("DELETE"))[0] == 204


async def test_without_a_cookie_there_is_no_session(browser):
    assert (await browser.ask("POST", "/session/refresh"))[2]["code"] == "no_session"
    browser.cookie = "alf_0_r_nonsense"
    assert (await browser.ask("POST", "/session/refresh"))[2]["code"] == "no_session"


CALLS = [("POST", "/session"), ("POST", "/session/refresh"), ("DELETE", "/session")]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
async def test_another_site_is_refused(ana, browser, method, path, headers):
    await browser.log_in(ana)
    status, answered, problem = await browser.ask(method, path, headers=headers)
    assert (status, problem["code"], "Set-Cookie" in answered) == (403, "cross_site", False)
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200


async def test_a_page_of_this_server_is_not(ana, browser, address):
    await browser.log_in(ana)
    for headers in (
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": address},
        {"Sec-Fetch-Site": "same-origin", "Origin": "x"},
    ):
        assert (await browser.ask("POST", "/session/refresh", headers=headers))[0] == 200


async def test_the_public_url_says_which_origin_is_ours(cluster, database, http, ana):
    async with serving(cluster.logins(database), public_url="https://crm.example/alfred") as address:
        browser = Browser(http, address)
        headers, _ = await browser.log_in(ana)
        assert SimpleCookie(headers["Set-Cookie"])["alfred_session"]["secure"] is True
        assert (await browser.ask("POST", "/session/refresh", headers={"Origin": address}))[0] == 403
        assert (await browser.ask("POST", "/session/refresh", headers={"Origin": "https://crm.example"}))[0] == 200


async def test_a_trusted_proxy_says_it_too(cluster, database, http, ana):
    async with serving(cluster.logins(database), trusted_proxies="127.0.0.0/8") as address:
        hops = "198.51.100.1, 203.0.113.7, 127.0.0.9"  # what the client says itself, the client, another proxy
        told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "crm.example", "X-Forwarded-For": hops}
        browser = Browser(http, address)
        browser.headers = told | {"User-Agent": "Firefox " + "x" * 400}
        headers, _ = await browser.log_in(ana)
        assert "; Secure" in headers["Set-Cookie"]
        assert (await browser.ask("POST", "/session/refresh", headers={"Origin": "https://crm.example"}))[0] == 200
        _, page = await browser.get("/me/sessions")
        assert (page["items"][0]["address"], page["items"][0]["user_agent"]) == (
            "203.0.113.7",
            "Firefox " + "x" * 292,
        )


async def test_no_other_origin_may_use_the_cookie(cluster, database, http, ana):
    async with serving(cluster.logins(database), cors_origins="*") as address:
        _, headers, _ = await Person(http, address).call(
            "GET", "/health", headers={"Origin": "https://elsewhere.example"}
        )
        assert "Access-Control-Allow-Origin" in headers
        assert "Access-Control-Allow-Credentials" not in headers


async def test_a_browser_is_not_made_to_ask_for_a_password(stranger):
    _, headers, _ = await stranger.call("GET", "/me", headers={"Sec-Fetch-Mode": "cors"})
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert "Basic" not in headers["WWW-Authenticate"]


async def test_shows_the_sessions_and_ends_one(ana, browser, bruno):
    await browser.log_in(ana)
    _, page = await ana.get("/me/sessions")
    assert [(item["current"], item["address"]) for item in page["items"]] == [(False, "127.0.0.1"), (True, "127.0.0.1")]
    assert page["items"][0].keys() == {"id", "user_agent", "address", "created_at", "last_used_at", "current"}
    assert "aiohttp" in page["items"][0]["user_agent"]
    theirs = page["items"][0]["id"]
    assert (await bruno.delete(f"/me/sessions/{theirs}"))[0] == 404
    assert (await browser.get("/me"))[0] == 200
    assert (await ana.delete(f"/me/sessions/{theirs}"))[0] == 204
    assert (await ana.delete(f"/me/sessions/{theirs}"))[0] == 404
    assert (await browser.get("/me"))[1]["code"] == "invalid_token"
    assert (await browser.ask("POST", "/session/refresh"))[0] == 401
    assert len((await ana.get("/me/sessions"))[1]["items"]) == 1


async def test_pages_through_the_sessions(ana, browser):
    for _ in range(2):
        browser.cookie = None
        await browser.log_in(ana)
    _, first = await ana.get("/me/sessions", limit=2)
    _, rest = await ana.get("/me/sessions", limit=2, cursor=first["next_cursor"])
    assert [item["current"] for item in first["items"] + rest["items"]] == [False, False, True]


async def test_logging_in_again_leaves_no_session_behind(ana, browser):
    await browser.log_in(ana)
    await browser.log_in(ana)
    assert len((await ana.get("/me/sessions"))[1]["items"]) == 2


async def test_a_new_password_ends_the_other_sessions_of_a_browser(ana, browser):
    await browser.log_in(ana)
    change = {"current_password": PASSWORD, "new_password": "another one"}
    assert await browser.post("/me/password", change) == (204, None)
    assert (await ana.get("/me"))[0] == 401
    assert (await browser.get("/me"))[0] == 200
    assert (await browser.ask("POST", "/session/refresh"))[0] == 200


async def test_an_access_token_of_before_sessions_is_good_until_it_expires(ana):
    claims = jwt.decode(ana.session["access_token"], options={"verify_signature": False})
    assert (await ana.get("/me/sessions"))[1]["items"][0]["id"] == claims.pop("sid")
    await ana.post("/auth/logout", {"refresh_token": ana.session["refresh_token"]})
    assert (await ana.get("/me"))[0] == 401
    ana.headers["Authorization"] = "Bearer " + jwt.encode(claims, SECRET, "HS256")
    assert (await ana.get("/me"))[0] == 200
    assert (await ana.get("/me/sessions"))[1]["items"] == []


async def test_an_erased_users_token_is_refused_before_any_work(ana):
    await ana.delete("/me", {"password": PASSWORD})
    assert (await ana.post("/ai/classify-message", {"text": "oi"}))[0] == 401


async def test_a_session_ends_however_much_it_is_used(cluster, database, http, ana, owner_token_age):
    async with serving(cluster.logins(database), session_max_age=3600) as address:
        browser = Browser(http, address)
        headers, _ = await browser.log_in(ana)
        assert "Max-Age=3600" in headers["Set-Cookie"]
        await owner_token_age(ana, seconds=3590)
        assert (await browser.ask("POST", "/session/refresh"))[0] == 200
        await owner_token_age(ana, seconds=20)
        assert (await browser.ask("POST", "/session/refresh"))[0] == 401
