"""What holds for a time only: the time of its row is moved, and it holds no more."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from tests.conftest import serving
from tests.people import Person
from tests.sql.test_every_query import QUERIES


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


@pytest.mark.parametrize(("seconds", "noted"), [(50, False), (61, True)])
async def test_the_last_use_of_a_token_is_noted_once_a_minute(ana, root, seconds, noted):
    use = await api_token(ana)
    moved = """update api_tokens set last_used_at = now() - make_interval(secs => $2)
                where user_id = $1 returning last_used_at"""
    before = await root.fetchval(moved, ana.id, float(seconds))
    await use()
    assert (await root.fetchval("select last_used_at from api_tokens where user_id = $1", ana.id) > before) == noted


async def test_what_has_expired_is_swept_when_a_session_begins(ana, root):
    await root.execute("update refresh_tokens set expires_at = now() - interval '1 second' where user_id = $1", ana.id)
    status, _ = await ana.post("/auth/login", {"email": ana.email, "password": "a good password"})
    assert status == 200
    assert await root.fetchval("select count(*) from refresh_tokens where user_id = $1", ana.id) == 1


async def test_a_session_that_is_over_is_shown_no_more_and_opens_nothing(ana, bruno, root):
    over = "update sessions set {} = now() - interval '1 second' where user_id = $1"
    await root.execute(over.format("expires_at"), ana.id)
    assert (await ana.get("/me/sessions"))[1]["items"] == []
    await root.execute(over.format("ends_at"), bruno.id)
    assert (await bruno.get("/me"))[0] == 401


async def test_of_a_thousand_sessions_the_oldest_goes(ana, root):
    await root.execute(
        """insert into sessions (user_id, session_id, created_at, expires_at, ends_at)
           select $1, app.uuid7(), now() - make_interval(secs => n), now() + interval '1 day', now() + interval '1 day'
             from generate_series(1, 1005) n""",
        ana.id,
    )
    status, _ = await ana.post("/auth/login", {"email": ana.email, "password": "a good password"})
    assert status == 200
    assert await root.fetchval("select count(*) from sessions where user_id = $1", ana.id) == 1000
    assert (await ana.get("/me"))[0] == 200  # the session of now is among the newest


@pytest.mark.parametrize("hours", [-2, 2])
async def test_what_postgresql_judges_does_not_depend_on_the_clock_of_a_replica(
    ana, cluster, database, http, monkeypatch, hours
):
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["admin"]})
    monkeypatch.setattr("alfred.assembly._now", lambda: datetime.now(UTC) + timedelta(hours=hours))
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8") as address:
        holder = Person(http, address, {"access_token": token["token"]})
        ticket = (await holder.made("/notifications/stream-ticket", None))["ticket"]
        async with http.get(f"{address}/api/v1/notifications/stream", params={"ticket": ticket}) as stream:
            assert stream.status == 200
        made = await holder.made("/subscriptions", {"url": "http://127.0.0.1:9/", "events": ["message.received"]})
        status, rotated = await holder.post(f"/subscriptions/{made['id']}/rotate", {"grace_seconds": 600})
        assert status == 200
        ends_in = datetime.fromisoformat(rotated["previous_expires_at"]) - datetime.now(UTC)
        assert timedelta(seconds=580) < ends_in < timedelta(seconds=620)


def test_no_query_is_handed_an_expiry():
    """PostgreSQL makes what it compares, but for what a user chose, the end of an access token, and cursors."""
    moments = {"expires_at", "previous_expires_at", "due_at", "until", "before", "give_up_at", "lease_until"}
    pages = {"events.page", "messages.list", "notifications.page"}  # their `before` is a number
    handed = {
        name: found
        for name, query in QUERIES.items()
        if (found := moments & set(query.parameters)) and not name.startswith("reports.") and name not in pages
    }
    assert handed == {
        "tokens.add": {"expires_at"},
        "streams.issue_ticket": {"until"},
        "tasks.add": {"due_at"},
        "tasks.update": {"due_at"},
    }
