"""Every event on one stream: live, resumed, filtered, and ended with what opened it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from alfred import tail
from alfred.api import event_bodies, log_reading
from alfred.positions import Position
from alfred.quotas import QUOTAS
from tests.conftest import serving
from tests.people import Frames, Person

LIVE = "message.received"


async def until(frames, type):
    """The next frame of a type."""
    while frame := await frames.next():
        if frame["event"] == type:
            return frame
    return None


async def several(frames, count):
    return [await frames.next() for _ in range(count)]


async def test_tells_what_happened_with_all_that_it_is_about(ana):
    async with ana.following() as frames:
        entry = await ana.hears("Preciso disso hoje, é urgente")
        first, second, received = await several(frames, 3)
    assert [first["event"], second["event"], received["event"]] == ["contact.created", "conversation.created", LIVE]
    body = received["data"]
    logged = (await ana.events(LIVE))[0]
    conversation = (await ana.conversations())[0]
    assert body["id"] == logged["id"]
    assert (body["type"], body["timestamp"]) == (LIVE, logged["created_at"])
    assert body["data"] == {
        **logged["payload"],
        "message": (await ana.messages(entry["conversation_id"]))[0],
        "conversation": {name: conversation[name] for name in ("id", "status", "tags", "unread_count")}
        | ({"send_policy": conversation["send_policy"]} if "send_policy" in conversation else {}),
        "contact": conversation["contact"],
        "channel": conversation["channel"],
    }
    sequences = [each["data"]["sequence"] for each in (first, second, received)]
    assert sequences == sorted(sequences)
    assert len({len(each) for each in sequences}) == 1


async def test_tells_of_contacts_tasks_rules_and_notifications_as_get_shows_them(ana):
    async with ana.following(types="contact.*,task.*,rule.*,notification.*") as frames:
        contact = await ana.made("/contacts", {"handle": "+5511900000050", "name": "Rui"})
        told = await until(frames, "contact.created")
        shown = {"id": contact["id"], "name": "Rui", "handle": "+5511900000050", "vip": False}
        assert told["data"]["data"]["contact"] == shown
        task = await ana.made("/tasks", {"title": "Ligar", "contact_id": contact["id"]})
        told = (await until(frames, "task.created"))["data"]["data"]
        assert told["task"] == task
        assert told["contact"]["id"] == contact["id"]
        rule = await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
        await ana.hears("Tem desconto?")
        matched = (await until(frames, "rule.matched"))["data"]["data"]
        assert matched["rule"]["id"] == rule["id"]
        assert matched["message"]["body"] == "Tem desconto?"
        bell = (await until(frames, "notification.created"))["data"]["data"]
        assert bell["notification"] == (await ana.notifications())[0]


async def test_leaves_out_what_doubles_unless_it_is_asked_for(ana):
    async with ana.following() as frames, ana.following(types="*") as everything:
        await ana.hears("oi")
        await ana.made("/tasks", {"title": "Fim"})
        told = [(await frames.next())["event"] for _ in range(4)]
        assert told == ["contact.created", "conversation.created", LIVE, "task.created"]
        assert "message.classified" in [(await everything.next())["event"] for _ in range(5)]


async def test_filters_by_type_conversation_and_parts(ana):
    one = await ana.hears("oi", "+5511900000001")
    two = await ana.hears("oi", "+5511900000002")
    query = {"types": "message.*", "conversation_id": two["conversation_id"], "include": "message, channel"}
    async with ana.following(**query) as frames:
        await ana.hears("não", "+5511900000001")
        await ana.made(f"/conversations/{two['conversation_id']}/messages", {"body": "Olá"})
        told = (await frames.next())["data"]
    assert told["type"] == "message.sent"
    assert {"message", "channel"} <= told["data"].keys()
    assert not {"conversation", "contact"} & told["data"].keys()
    assert told["data"]["message"]["conversation_id"] != one["conversation_id"]


@pytest.mark.parametrize(
    "query", [{"types": "message.lost"}, {"types": "mess*"}, {"include": "wife"}, {"conversation_id": "7"}, {"x": "1"}]
)
async def test_refuses_a_filter_that_means_nothing(ana, query):
    status, headers, raw = await ana.call("GET", "/events/stream", **query)
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert json.loads(raw)["errors"][0]["pointer"] == next(iter(query))


async def test_nobody_else_hears_it(ana, bruno):
    async with bruno.following() as frames:
        await ana.hears("oi")
        await bruno.hears("tudo bem", sender="+5511900000099")
        assert {(await frames.next())["data"]["data"]["contact"]["handle"] for _ in range(3)} == {"+5511900000099"}


async def test_resumes_from_each_frame_without_a_gap_or_a_double(ana):
    async with ana.following() as frames:
        for number in range(4):
            await ana.hears("oi", f"+551190000000{number}")
        seen = await several(frames, 12)
    for number, frame in enumerate(seen[:-1]):
        async with ana.following(headers={"Last-Event-ID": frame["id"]}) as frames:
            missed = await several(frames, len(seen) - number - 1)
            assert [each["data"]["id"] for each in missed] == [each["data"]["id"] for each in seen[number + 1 :]]
    async with ana.following(last_event_id=seen[-1]["id"]) as frames:
        await ana.hears("de novo", "+5511900000001")
        assert (await frames.next())["data"]["type"] == LIVE


async def test_goes_on_from_the_log_to_what_happens_now(ana, monkeypatch):
    """Many pages are missed, and more is written while they are read: each once, in order."""
    monkeypatch.setattr(log_reading.following, "__defaults__", (10,))
    async with ana.following(types=LIVE) as frames:
        await ana.hears("início")
        start = await frames.next()
    await asyncio.gather(*(ana.hears(f"{number}", f"+55119{number:08}") for number in range(40)))
    async with ana.following(types=LIVE, last_event_id=start["id"]) as frames:
        writing = asyncio.gather(*(ana.hears("agora", f"+55118{number:08}") for number in range(10)))
        told = [(await frames.next())["data"] for _ in range(50)]
        await writing
        with pytest.raises(TimeoutError):
            await frames.next(0.3)
    assert len({each["id"] for each in told}) == 50


async def test_a_damaged_position_is_refused_and_an_old_one_resets(ana):
    assert (await ana.get("/events/stream", last_event_id="x"))[1]["code"] == "invalid_cursor"
    elsewhere = str(Position("000000000000", 0, "10:10:"))
    async with ana.following(last_event_id=elsewhere) as frames:
        frame = await frames.next()
        assert (frame["event"], frame["data"]) == ("reset", {"reason": "expired"})
        await ana.hears("oi")
        assert await until(frames, LIVE)
    async with ana.following(last_event_id=frame["id"]) as frames:
        assert await until(frames, LIVE)


async def test_unnamed_events_for_clients_that_take_no_others(ana):
    async with ana.following(format="message") as frames:
        await ana.hears("oi")
        frame = await frames.next()
    assert "event" not in frame
    assert frame["data"]["type"] == "contact.created"


async def test_a_burst_is_read_once(ana, monkeypatch):
    """Whatever the number of its events and of the streams that hear it, each kind of thing is one read."""
    reads = []
    original = event_bodies.bodies

    async def counted(db, user_id, events):
        told = await original(db, user_id, events)
        reads.append(len(events))
        return told

    monkeypatch.setattr("alfred.api.event_stream.bodies", counted)
    monkeypatch.setattr(tail, "PAUSE_SECONDS", 0.5)
    async with ana.following(types=LIVE) as one, ana.following(types=LIVE) as other:
        await ana.hears("oi")
        await asyncio.gather(one.next(), other.next())
        reads.clear()
        await asyncio.gather(*(ana.hears("oi", f"+551190000{number:04}") for number in range(40)))
        for frames in (one, other):
            assert len({(await frames.next())["data"]["id"] for _ in range(40)}) == 40
    assert len(reads) <= 2
    assert sum(reads) >= 40


async def test_who_reads_too_slowly_is_told_so_and_goes_on(ana, monkeypatch):
    monkeypatch.setattr(tail, "QUEUE_EVENTS", 5)
    monkeypatch.setattr(tail, "PAUSE_SECONDS", 0.3)
    async with ana.following() as frames:
        await asyncio.gather(*(ana.hears("oi", f"+551190000{number:04}") for number in range(10)))
        frame = await until(frames, "reset")
        assert frame["data"] == {"reason": "too_slow"}
        await asyncio.sleep(0.7)
        await ana.hears("depois", "+5511900000001")
        told = await until(frames, LIVE)
        assert told["data"]["data"]["message"]["body"] == "depois"


async def test_a_long_text_is_cut_and_says_so(ana):
    async with ana.following(types=LIVE) as frames:
        await ana.hears("palavra " * 5000)
        told = (await frames.next())["data"]["data"]
    assert told["truncated"] is True
    assert len(told["message"]["body"]) == 4000


async def test_a_ticket_opens_one_stream_of_either_kind(ana, stranger):
    for issued, path in (("/events/stream-ticket", "events"), ("/notifications/stream-ticket", "events")):
        ticket = (await ana.made(issued, None))["ticket"]
        async with stranger.following(ticket=ticket):
            pass
        assert (await stranger.call("GET", f"/{path}/stream", ticket=ticket))[0] == 401
    ticket = (await ana.made("/events/stream-ticket", None))["ticket"]
    async with stranger.listening(ticket=ticket):
        pass


async def test_a_stream_ends_with_the_token_that_opened_it(ana, http):
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["read"]})
    person = Person(http, ana.address, {"access_token": token["token"]})
    ticket = (await person.post("/events/stream-ticket"))[1]["ticket"]
    async with (
        person.following() as frames,
        Person(http, ana.address).following(ticket=ticket) as by_ticket,
        person.listening() as notifications,
    ):
        await ana.delete(f"/tokens/{token['id']}")
        async with asyncio.timeout(30):
            assert await frames.next() is None
            assert await by_ticket.next() is None
            assert await notifications.next() is None


async def test_a_stream_ends_when_its_token_expires(ana, http):
    soon = (datetime.now(UTC) + timedelta(seconds=1.5)).isoformat()
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["read"], "expires_at": soon})
    person = Person(http, ana.address, {"access_token": token["token"]})
    async with person.following() as frames:
        async with asyncio.timeout(30):
            assert await frames.next() is None


async def test_a_token_without_the_scope_opens_none(ana, http):
    token = await ana.made("/tokens", {"name": "n8n", "scopes": ["webhooks"]})
    person = Person(http, ana.address, {"access_token": token["token"]})
    assert (await person.get("/events/stream"))[0] == 403


async def test_a_user_has_so_many_streams_and_no_more(ana, bruno, monkeypatch):
    monkeypatch.setitem(QUOTAS, "streams", 2)
    async with ana.following(), ana.following():
        status, headers, raw = await ana.call("GET", "/events/stream")
        assert (status, json.loads(raw)["code"]) == (429, "too_many_streams")
        assert headers["Retry-After"]
        async with bruno.following():
            pass
    async with ana.following() as frames:
        assert isinstance(frames, Frames)


async def test_two_replicas_tell_the_same_and_positions_are_good_on_both(cluster, http):
    dsn = cluster.app(cluster.copy())
    async with serving(dsn) as here, serving(dsn) as there:
        ana = await Person.sign_up(http, here)
        ana_there = Person(http, there, ana.session)
        async with ana.following(types=LIVE) as on_one, ana_there.following(types=LIVE) as on_other:
            for number in range(6):
                await (ana if number % 2 else ana_there).hears("oi", f"+551190000001{number}")
            seen = [await several(frames, 6) for frames in (on_one, on_other)]
        assert [each["data"] for each in seen[0]] == [each["data"] for each in seen[1]]
        async with ana_there.following(types=LIVE, last_event_id=seen[0][2]["id"]) as frames:
            assert [each["data"]["id"] for each in await several(frames, 3)] == [
                each["data"]["id"] for each in seen[0][3:]
            ]


async def test_a_stream_ends_with_its_session(ana, http):
    status, again = await ana.post("/auth/login", {"email": ana.email, "password": "a good password"})
    assert status == 200
    elsewhere = Person(http, ana.address, again)
    async with elsewhere.following() as frames, ana.following() as own:
        await elsewhere.post("/auth/logout", {"refresh_token": again["refresh_token"]})
        assert await frames.next(2.5) is None
        await ana.hears("oi")
        assert await until(own, LIVE)
