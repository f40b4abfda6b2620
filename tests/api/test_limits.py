"""Rate limits through HTTP: bursts pass, floods do not, and nobody pays for somebody else."""

import asyncio

import pytest

from tests.conftest import serving
from tests.people import Person, whatsapp

LIMIT = 60
SHOWN = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


@pytest.fixture(scope="module")
async def strict(cluster, database):
    """A service on the shared database that takes the smallest number of requests."""
    async with serving(cluster.logins(database), rate_limit=LIMIT) as address:
        yield address


@pytest.fixture
async def eva(http, strict):
    return await Person.sign_up(http, strict, "Eva")


async def flood(person, count=LIMIT + 15):
    """Many requests at once; their (status, headers)."""
    answers = await asyncio.gather(*(person.call("GET", "/me") for _ in range(count)))
    return [(status, headers) for status, headers, _ in answers]


async def test_a_burst_of_a_hundred_passes(ana):
    payloads = [whatsapp(f"oi {n}", sender=f"+55119000001{n:02}") for n in range(100)]
    answers = await asyncio.gather(*(ana.post("/webhooks/whatsapp", payload) for payload in payloads))
    assert {status for status, _ in answers} == {200}
    assert len({answer["messages"][0]["message_id"] for _, answer in answers}) == 100
    assert len((await ana.get("/conversations", limit=200))[1]["items"]) == 100


async def test_every_answer_tells_what_is_left(ana):
    seen = []
    asked = [("GET", "/me"), ("GET", "/me"), ("GET", "/tasks/x"), ("POST", "/tasks"), ("DELETE", "/tasks/x")]
    for method, path in asked:
        _, headers, _ = await ana.call(method, path)
        assert all(headers[name].isdigit() for name in SHOWN), (method, path)
        assert int(headers["RateLimit-Limit"]) >= 6000
        seen.append(int(headers["RateLimit-Remaining"]))
    assert seen[1] <= seen[0] < int(headers["RateLimit-Limit"])


async def test_without_credentials_there_is_nothing_to_count(stranger):
    for path in ("/health", "/me"):
        _, headers, _ = await stranger.call("GET", path)
        assert not any(name in headers for name in SHOWN)


async def test_a_flood_is_told_when_to_come_back(eva):
    answers = await flood(eva)
    passed = [headers for status, headers in answers if status == 200]
    refused = [headers for status, headers in answers if status == 429]
    assert len(passed) + len(refused) == LIMIT + 15
    assert LIMIT <= len(passed) <= LIMIT + 5
    assert min(int(headers["RateLimit-Remaining"]) for headers in passed) == 0
    for headers in refused:
        assert 1 <= int(headers["Retry-After"]) <= 2
        assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == (str(LIMIT), "0")
        assert 0 < int(headers["RateLimit-Reset"]) <= 60
        assert headers["Content-Type"].startswith("application/problem+json")


async def test_a_flood_does_only_what_passes(eva, http, address):
    answers = await asyncio.gather(*(eva.post("/tasks", {"title": "x"}) for _ in range(LIMIT + 15)))
    made = [answer["id"] for status, answer in answers if status == 201]
    refused = [answer for status, answer in answers if status != 201]
    assert {(answer["status"], answer["code"]) for answer in refused} == {(429, "too_many_requests")}
    assert all(answer["request_id"] and answer["detail"] for answer in refused)

    patient = Person(http, address, eva.session)
    kept = (await patient.get("/tasks", limit=200))[1]["items"]
    assert {each["id"] for each in kept} == set(made)


async def test_what_is_refused_may_come_again(eva, eventually):
    answers = await flood(eva)
    assert 429 in {status for status, _ in answers}
    status, _ = await eventually(lambda: eva.get("/me"), lambda answer: answer[0] == 200)
    assert status == 200


async def test_each_token_has_its_own_limit(eva, http, strict):
    made = [await eva.made("/tokens", {"name": f"{n}"}) for n in range(2)]
    first, second = [Person(http, strict, {"access_token": each["token"]}) for each in made]
    bruno = await Person.sign_up(http, strict, "Bruno")
    assert 429 in {status for status, _ in await flood(first)}
    for other in (second, eva, bruno):
        status, headers, _ = await other.call("GET", "/me")
        assert (status, int(headers["RateLimit-Remaining"]) > LIMIT / 2) == (200, True)


async def test_a_fresh_login_does_not_begin_anew(eva, http, strict):
    await flood(eva)
    _, session = await Person(http, strict).post("/auth/login", {"email": eva.email, "password": "a good password"})
    assert 429 in {status for status, _ in await flood(Person(http, strict, session), 15)}


async def test_wrong_tokens_count_against_nobody(eva, http, strict):
    forged = Person(http, strict, {"access_token": "alf_0_" + "x" * 46})
    assert {status for status, _ in await flood(forged)} == {401}
    _, headers, _ = await eva.call("GET", "/me")
    assert int(headers["RateLimit-Remaining"]) >= LIMIT - 5
