"""Guesses at passwords: they lock out whoever guesses, and nobody else."""

import asyncio
import time

import asyncpg
import pytest

from alfred.api import logins
from tests.conftest import serving
from tests.people import Person

PASSWORD = "a good password"


@pytest.fixture
async def strict(cluster):
    """A service that takes three guesses, behind a proxy on this machine."""
    dsn = cluster.app(cluster.copy())
    async with serving(dsn, login_attempts=3, trusted_proxies="127.0.0.1", registration_limit=3) as address:
        yield address


@pytest.fixture
async def ana(http, strict):
    return await Person.sign_up(http, strict, "Ana")


def at(person, address):
    """The same person's calls, from another address."""
    other = Person(person._http, person.address)
    other.headers = {"X-Forwarded-For": address}
    return other


async def log_in(person, email, password, address="198.51.100.7"):
    status, _ = await at(person, address).post("/auth/login", {"email": email, "password": password})
    return status


async def test_a_guesser_is_locked_out_and_ana_is_not(ana):
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200  # at home here
    assert [await log_in(ana, ana.email, "no") for _ in range(4)] == [401, 401, 401, 429]
    assert await log_in(ana, ana.email, PASSWORD) == 429
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200


async def test_who_is_at_home_is_not_held_up_by_guesses_at_others(ana):
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200
    for number in range(3):
        assert await log_in(ana, f"other{number}@example.com", "no", "192.0.2.1") == 401
    assert await log_in(ana, "other9@example.com", "no", "192.0.2.1") == 429
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200


async def test_another_accounts_login_frees_nobody(ana, http, strict):
    eva = await Person.sign_up(http, strict, "Eva")
    assert await log_in(ana, eva.email, PASSWORD, "192.0.2.1") == 200
    for number in range(3):
        await log_in(ana, f"other{number}@example.com", "no", "192.0.2.1")
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 429


async def test_a_network_of_ipv6_is_one_guesser(ana):
    for number in range(3):
        assert await log_in(ana, ana.email, "no", f"2001:db8::{number}") == 401
    assert await log_in(ana, ana.email, "no", "2001:db8::ffff:1") == 429
    assert await log_in(ana, ana.email, "no", "2001:db8:0:1::1") == 401


async def test_an_email_that_many_guess_at_is_answered_later(ana, monkeypatch):
    monkeypatch.setattr(logins, "FIRST_DELAY", 0.2)
    for number in range(3):
        assert await log_in(ana, ana.email, "no", f"198.51.100.{number}") == 401
    began = time.monotonic()
    assert await log_in(ana, ana.email, PASSWORD, "203.0.113.9") == 200
    assert time.monotonic() - began > 0.2


async def test_an_email_has_a_high_cap_as_a_whole(ana, monkeypatch):
    monkeypatch.setattr(logins, "MOST_TIMES", 2)
    monkeypatch.setattr(logins, "FIRST_DELAY", 0)
    for number in range(6):
        assert await log_in(ana, ana.email, "no", f"198.51.100.{number}") == 401
    assert await log_in(ana, ana.email, PASSWORD, "203.0.113.9") == 429


# Whose failures count: (e-mails, addresses) of six guesses.
COUNTED = {
    "the e-mail's from an address": (lambda _: None, lambda _: "198.51.100.7"),
    "an address's": ("other{}@example.com".format, lambda _: "198.51.100.7"),
    "an e-mail's": (lambda _: None, "203.0.113.{}".format),
}


@pytest.mark.parametrize("case", COUNTED)
async def test_a_lockout_is_over_after_the_window(ana, owner_of, monkeypatch, case):
    monkeypatch.setattr(logins, "MOST_TIMES", 2)
    monkeypatch.setattr(logins, "FIRST_DELAY", 0)
    email, address = COUNTED[case]
    for number in range(6):
        await log_in(ana, email(number) or ana.email, "no", address(number))
    assert await log_in(ana, ana.email, PASSWORD) == 429
    await owner_of(ana, "update login_failures set failed_at = failed_at - interval '15 minutes'")
    assert await log_in(ana, ana.email, PASSWORD) == 200


async def test_who_has_not_logged_in_for_a_month_is_not_at_home(ana, owner_of):
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200
    await owner_of(ana, "update sessions set last_used_at = last_used_at - interval '31 days'")
    for number in range(3):
        await log_in(ana, f"other{number}@example.com", "no", "192.0.2.1")
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 429


@pytest.fixture
def owner_of(cluster):
    """Runs a statement as the superuser in the database of a person's service: to let time pass."""

    async def run(_person, statement):
        name = f"copy{cluster.newest}"
        connection = await asyncpg.connect(cluster.superuser(name))
        await connection.execute(statement)
        await connection.close()

    return run


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/me/password", {"current_password": "no", "new_password": "another one"}),
        ("DELETE", "/me", {"password": "no"}),
    ],
)
async def test_guesses_with_a_stolen_token_count_too(ana, method, path, body):
    answers = [(await ana.call(method, path, body))[0] for _ in range(4)]
    assert answers == [403, 403, 403, 429]


async def test_so_many_register_from_one_address(ana):
    account = {"name": "X", "password": PASSWORD}
    statuses = [
        (await at(ana, "203.0.113.5").post("/auth/register", account | {"email": f"x{number}@example.com"}))[0]
        for number in range(4)
    ]
    assert statuses == [201, 201, 201, 429]
    elsewhere = account | {"email": "y@example.com"}
    assert (await at(ana, "203.0.113.6").post("/auth/register", elsewhere))[0] == 201
    for number in range(5):  # on this machine nobody is counted
        await Person.sign_up(ana._http, ana.address, f"Local{number}")


async def test_nobody_registers_where_it_is_closed(cluster, database, http):
    async with serving(cluster.logins(database), registration="closed") as address:
        body = {"name": "X", "email": "closed@example.com", "password": PASSWORD}
        status, problem = await Person(http, address).post("/auth/register", body)
        assert (status, problem["code"]) == (403, "registration_closed")


async def test_a_flood_from_many_addresses_does_not_keep_ana_waiting(ana):
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200
    flood = [
        asyncio.create_task(log_in(ana, f"nobody{number}@example.com", "no", f"198.51.100.{number % 40}"))
        for number in range(120)
    ]
    await asyncio.sleep(0.05)
    assert await log_in(ana, ana.email, PASSWORD, "192.0.2.1") == 200
    assert sum(not guess.done() for guess in flood) > 20
    await asyncio.gather(*flood)
