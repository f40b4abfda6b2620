"""From a webhook to a frame of the live stream."""

import asyncio
import base64
import os
import signal

import aiohttp
import asyncpg
import psycopg
import pytest

from alfred import heartbeats
from alfred.api import sse
from alfred.terms import BELL
from tests.conftest import serving
from tests.people import Person

URGENT = "Preciso disso hoje, é urgente!"


async def test_an_urgent_message_is_seen_on_the_stream(ana):
    async with ana.listening() as frames:
        entry = await ana.hears(URGENT)
        frame = await frames.next()

    assert frame["event"] == "notification"
    assert frame["id"] == frame["data"]["id"]
    assert frame["data"]["type"] == "urgent_message"
    assert frame["data"]["conversation_id"] == entry["conversation_id"]
    assert frame["data"]["body"] == URGENT
    assert [frame["data"]] == await ana.notifications()


async def test_nobody_else_sees_it(ana, bruno):
    async with bruno.listening() as frames:
        await ana.hears(URGENT)
        mine = await bruno.hears(URGENT, sender="+5511900000099")
        frame = await frames.next()
    assert frame["data"]["conversation_id"] == mine["conversation_id"]
    assert len(await bruno.notifications()) == 1


async def test_resumes_without_a_gap(ana):
    async with ana.listening() as frames:
        await ana.hears(URGENT, sender="+5511900000001")
        first = await frames.next()
    for number in range(2, 6):
        await ana.hears(URGENT, sender=f"+551190000000{number}")
    async with ana.listening(headers={"Last-Event-ID": first["id"]}) as frames:
        missed = [await frames.next() for _ in range(4)]
        await ana.hears(URGENT, sender="+5511900000006")
        live = await frames.next()
    ids = [first["id"], *(frame["id"] for frame in missed), live["id"]]
    assert ids == [each["id"] for each in reversed(await ana.notifications())]

    async with ana.listening(last_event_id=missed[-1]["id"]) as frames:
        assert (await frames.next())["id"] == live["id"]


async def test_what_was_handed_out_is_not_read_again(ana, cluster, database, eventually):
    await ana.hears(URGENT)
    assert await eventually(ana.notifications)
    ask = "select count(*) from app.notifications_after(array[%s::uuid], array[%s::bigint], 10)"
    with psycopg.connect(cluster.superuser(database)) as db:
        (last,) = db.execute("select max(number) from notifications where user_id = %s", [ana.id]).fetchone()
        assert [db.execute(ask, [ana.id, number]).fetchone()[0] for number in (last - 1, last)] == [1, 0]


async def test_refuses_a_damaged_last_event_id(ana):
    status, _, _ = await ana.call("GET", "/notifications/stream", headers={"Last-Event-ID": "x"})
    assert status == 400


async def test_unnamed_events_for_clients_that_take_no_others(ana):
    async with ana.listening(format="message") as frames:
        await ana.hears(URGENT)
        frame = await frames.next()
    assert "event" not in frame
    assert frame["data"]["type"] == "urgent_message"


async def test_basic_credentials_carry_a_token_as_the_password(ana):
    credentials = base64.b64encode(f"n8n:{ana.session['access_token']}".encode()).decode()
    ana_by_basic = Person(ana._http, ana.address)
    async with ana_by_basic.listening(headers={"Authorization": f"Basic {credentials}"}) as frames:
        await ana.hears(URGENT)
        assert (await frames.next())["data"]["type"] == "urgent_message"


async def test_a_ticket_opens_one_stream(ana, stranger):
    ticket = await ana.made("/notifications/stream-ticket", None)
    assert ticket["expires_in"] == 60
    async with stranger.listening(ticket=ticket["ticket"]) as frames:
        await ana.hears(URGENT)
        assert (await frames.next())["data"]["type"] == "urgent_message"
    status, headers, _ = await stranger.call("GET", "/notifications/stream", ticket=ticket["ticket"])
    assert (status, headers["Content-Type"]) == (401, "application/problem+json")
    assert (await stranger.call("GET", "/notifications/stream"))[0] == 401


async def test_two_replicas_share_the_work_and_tell_all(cluster, http, eventually):
    """Whichever process makes the notification, streams on both show it, once."""
    database = cluster.copy()
    dsn = cluster.app(database)
    async with serving(dsn) as here, serving(dsn) as there:
        ana = await Person.sign_up(http, here)
        ana_there = Person(http, there, ana.session)
        async with ana.listening() as on_one, ana_there.listening() as on_other:
            for number in range(6):
                person = ana if number % 2 else ana_there
                await person.hears(URGENT, sender=f"+551190000001{number}")
            seen = [[(await frames.next())["id"] for _ in range(6)] for frames in (on_one, on_other)]
        assert seen[0] == seen[1]
        assert len(set(seen[0])) == 6
        assert len(await ana.notifications()) == 6


async def test_a_replica_hears_of_another_by_the_bell(cluster, http, eventually, monkeypatch):
    """Its own look at the log is far away."""
    for part in ("reader", "hub", "tail"):
        monkeypatch.setattr(f"alfred.{part}.SWEEP_SECONDS", 600)
    dsn = cluster.app(cluster.copy())
    async with serving(dsn) as here, serving(dsn) as there:
        ana = await Person.sign_up(http, here)
        ana_there = Person(http, there, ana.session)
        for each in (ana, ana_there):
            assert await eventually(lambda each=each: each.get("/health/ready"), lambda answer: answer[0] == 200)
        async with ana_there.listening() as frames, asyncio.timeout(20):
            await ana.hears(URGENT)
            assert (await frames.next())["id"]


async def test_survives_the_death_of_its_listening_connection(cluster, http):
    """The bell is lost; the sweep and the reconnection make up for it."""
    database = cluster.copy()
    async with serving(cluster.logins(database)) as address:
        ana = await Person.sign_up(http, address)
        async with ana.listening() as frames:
            await ana.hears(URGENT, sender="+5511900000001")
            assert await frames.next()
            killed = await _kill(cluster, database, "query ilike '%listen%' or query ilike '%pg_notify%'")
            assert killed >= 1
            await ana.hears(URGENT, sender="+5511900000002")
            assert (await frames.next())["data"]["type"] == "urgent_message"


async def test_survives_a_listening_connection_that_falls_silent(cluster, http, eventually, monkeypatch):
    """Nothing closes it: the process that serves it is stopped."""
    monkeypatch.setattr("alfred.bell.PING_SECONDS", 0.2)
    monkeypatch.setattr("alfred.bell.TIMEOUT_SECONDS", 0.5)
    database = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(database))
    listening = f"select pid from pg_stat_activity where datname = '{database}' and application_name = '{BELL}'"
    async with serving(cluster.logins(database)) as address:
        ana = await Person.sign_up(http, address)
        silent = await eventually(lambda: superuser.fetchval(f"{listening} and state = 'idle' and query = 'select 1'"))
        async with ana.listening() as frames:
            os.kill(silent, signal.SIGSTOP)
            try:
                await ana.hears(URGENT)
                assert (await frames.next())["data"]["type"] == "urgent_message"
                assert await eventually(lambda: superuser.fetchval(f"{listening} and pid <> {silent}"))
            finally:
                os.kill(silent, signal.SIGCONT)
    await superuser.close()


async def test_survives_the_death_of_every_connection(cluster, http):
    database = cluster.copy()
    async with serving(cluster.logins(database)) as address:
        ana = await Person.sign_up(http, address)
        async with ana.listening() as frames:
            assert await _kill(cluster, database, "true") > 1
            for number in range(3):
                await ana.hears(URGENT, sender=f"+551190000000{number}")
                assert (await frames.next())["data"]["type"] == "urgent_message"


async def test_a_thousand_streams_that_come_and_go_leave_nothing_behind(ana, http):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=ana.headers) as crowd:
        for _ in range(4):
            streams = await asyncio.gather(
                *(crowd.get(f"{ana.address}/api/v1/notifications/stream") for _ in range(50))
            )
            for stream in streams:
                stream.close()
    async with ana.listening() as frames:
        await ana.hears(URGENT)
        assert await frames.next()


async def _kill(cluster, database, which):
    superuser = await asyncpg.connect(cluster.superuser("postgres"))
    try:
        rows = await superuser.fetch(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and ({which})", database
        )
        return len(rows)
    finally:
        await superuser.close()


async def test_a_revoked_token_hears_no_more(ana, http):
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["read"]})
    person = Person(http, ana.address, {"access_token": token["token"]})
    async with person.listening() as frames:
        await ana.hears(URGENT, sender="+5511900000001")
        assert await frames.next()
        await ana.delete(f"/tokens/{token['id']}")
        await asyncio.sleep(1.1)
        await ana.hears(URGENT, sender="+5511900000002")
        assert await frames.next() is None


async def test_an_erased_user_hears_no_more(ana):
    async with ana.listening() as frames:
        await ana.delete("/me", {"password": "a good password"})
        status, _, _ = await ana.call("GET", "/notifications/stream")
        assert status == 401
        assert await frames.next() is None
    assert (await ana.post("/notifications/stream-ticket"))[0] == 401


@pytest.mark.parametrize("noun", ["notifications", "events"])
async def test_an_idle_stream_says_that_it_is_still_there(ana, monkeypatch, noun):
    monkeypatch.setattr(heartbeats, "HEARTBEAT_SECONDS", 0.5)
    async with ana.listening() if noun == "notifications" else ana.following() as frames, asyncio.timeout(10):
        for _ in range(2):
            while await frames.response.content.readline() != b": still here\n":
                pass
        await ana.hears(URGENT)
        assert await frames.next()


async def test_who_does_not_read_is_sent_away(cluster, database, ana, monkeypatch):
    monkeypatch.setattr(sse, "WRITE_SECONDS", 0.3)
    superuser = await asyncpg.connect(cluster.superuser(database))
    await superuser.execute(
        """insert into notifications (user_id, type, dedupe_key, title, body)
           select $1, 'rule_match', n::text, 'x', repeat('x', 10000) from generate_series(1, 2000) n""",
        ana.id,
    )
    await superuser.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(ana.address.rsplit(":", 1)[1]), limit=1000)
    head = f"GET /api/v1/notifications/stream?last_event_id={ana.id} HTTP/1.1\r\nHost: alfred\r\n"
    writer.write(f"{head}Authorization: {ana.headers['Authorization']}\r\n\r\n".encode())
    await asyncio.sleep(2)
    received = 0
    async with asyncio.timeout(30):
        while part := await reader.read(100_000):
            received += len(part)
    writer.close()
    assert received < 19_000_000  # what the network held, not all


@pytest.mark.parametrize("stream", ["notifications", "events"])
async def test_credentials_are_judged_before_parameters(ana, stranger, stream):
    for query in ({"ticket": "x"}, {"ticket": "x" * 3000}, {"ticket": "\x00"}, {"format": "odd"}, {"nonsense": "1"}):
        assert (await stranger.get(f"/{stream}/stream", **query))[0] == 401, query
    assert (await ana.get(f"/{stream}/stream", format="odd"))[0] == 422
    assert (await ana.get(f"/{stream}/stream", ticket="x"))[0] == 401
