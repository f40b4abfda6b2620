"""What holds for a time only: the time of its row is moved, and it holds no more."""

import asyncpg
import pytest

from tests.people import Person


@pytest.fixture
async def root(cluster, database):
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()


async def refresh(ana):
    return await ana.post("/auth/refresh", {"refresh_token": ana.session["refresh_token"]})


async def api_token(ana):
    made = await ana.made("/tokens", {"name": "n8n", "expires_at": "2199-01-01T00:00:00Z"})
    holder = Person(ana._http, ana.address, {"access_token": made["token"]})
    assert (await holder.get("/contacts"))[0] == 200
    return lambda: holder.get("/contacts")


async def ticket(ana):
    made = await ana.made("/notifications/stream-ticket", None)

    async def use():
        status, _, _ = await Person(ana._http, ana.address).call("GET", "/notifications/stream", ticket=made["ticket"])
        return status, None

    return use


async def refresh_token(ana):
    return lambda: refresh(ana)


CASES = {
    "a refresh token": (refresh_token, "refresh_tokens", "expires_at"),
    "a session, however often it was renewed": (refresh_token, "sessions", "ends_at"),
    "an API token": (api_token, "api_tokens", "expires_at"),
    "a ticket of a stream": (ticket, "stream_tickets", "expires_at"),
}


@pytest.mark.parametrize("case", CASES)
async def test_holds_no_more_when_its_time_is_over(case, ana, root):
    begin, table, column = CASES[case]
    use = await begin(ana)
    moved = await root.execute(f"update {table} set {column} = now() - interval '1 second' where user_id = $1", ana.id)
    assert moved == "UPDATE 1"
    assert (await use())[0] == 401


async def test_a_key_may_be_used_again_after_a_day(ana, root):
    once = {"headers": {"Idempotency-Key": "once"}}
    first, again = [await ana.post("/tasks", {"title": "Ligar"}, **once) for _ in range(2)]
    assert first == again
    await root.execute(
        "update idempotency_keys set claimed_at = claimed_at - interval '24 hours 1 second' where user_id = $1", ana.id
    )
    status, other = await ana.post("/tasks", {"title": "Outra"}, **once)
    assert (status, other["title"]) == (201, "Outra")


async def test_what_has_expired_is_swept_when_a_session_begins(ana, root):
    await root.execute("update refresh_tokens set expires_at = now() - interval '1 second' where user_id = $1", ana.id)
    status, _ = await ana.post("/auth/login", {"email": ana.email, "password": "a good password"})
    assert status == 200
    assert await root.fetchval("select count(*) from refresh_tokens where user_id = $1", ana.id) == 1
