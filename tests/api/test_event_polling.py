"""Polling the log: oldest first from a position that the client keeps, every event once."""

import asyncio
import json
from collections import defaultdict

import asyncpg
import pytest

from alfred.positions import Position
from tests.conftest import serving
from tests.people import Person


async def poll(person, after="", **query):
    status, answer = await person.get("/events", after=after, **query)
    assert status == 200, answer
    assert answer.keys() == {"items", "after", "has_more"}
    return answer


async def everything(person, after="beginning", **query):
    """All pages from a position on, and where they end."""
    seen = []
    while True:
        page = await poll(person, after, **query)
        seen += page["items"]
        after = page["after"]
        if not page["has_more"]:
            return seen, after


@pytest.mark.parametrize("now", ["", "now"])
async def test_begins_now_and_tells_what_comes_after(ana, now):
    await ana.hears("antes", "+5511900000001")
    start = await poll(ana, now)
    assert (start["items"], start["has_more"]) == ([], False)
    entry = await ana.hears("depois", "+5511900000002")
    page = await poll(ana, start["after"])
    assert [each["type"] for each in page["items"]] == [
        "contact.created", "conversation.created", "message.received", "message.classified",
    ]  # fmt: skip
    assert page["items"][2]["data"]["message"]["id"] == entry["message_id"]
    assert (await poll(ana, page["after"]))["items"] == []
    assert (await poll(ana, start["after"]))["items"] == page["items"]


async def test_begins_with_the_oldest_and_pages_hold_every_event_once(ana):
    for number in range(3):
        await ana.hears("oi", f"+551190000001{number}")
    logged = [each["id"] for each in reversed(await ana.events())]
    for limit in (1, 5, 12, 200):
        seen, _ = await everything(ana, limit=limit)
        assert [each["id"] for each in seen] == logged
    sequences = [each["sequence"] for each in seen]
    assert sequences == sorted(sequences)


async def test_filters_by_type_and_conversation(ana):
    one, two = [await ana.hears("oi", f"+551190000001{n}") for n in range(2)]
    seen, _ = await everything(ana, type="message.received", conversation_id=two["conversation_id"], limit=1)
    assert [each["data"]["message"]["id"] for each in seen] == [two["message_id"]]
    start = (await poll(ana))["after"]
    await ana.hears("de novo", "+5511900000010")
    page = await poll(ana, start, conversation_id=two["conversation_id"])
    assert page["items"] == []
    assert one["conversation_id"] != two["conversation_id"]


async def test_a_stream_and_a_poll_share_positions_and_bodies(ana):
    start = (await poll(ana))["after"]
    async with ana.following(types="*", last_event_id=start) as frames:
        await ana.hears("oi")
        told = [await frames.next() for _ in range(4)]
    page = await poll(ana, start)
    assert page["items"] == [frame["data"] for frame in told]
    assert (await poll(ana, told[1]["id"]))["items"] == page["items"][2:]


async def test_refuses_what_is_no_position_and_tells_which_has_expired(ana, cluster, database):
    for damaged in ("x", "beginnings", "A" * 60):
        status, answer = await ana.get("/events", after=damaged)
        assert (status, answer["code"]) == (400, "invalid_cursor")
    start = Position.read((await poll(ana))["after"])
    low, high, _ = start.seen.split(":")
    for expired in (
        Position("000000000000", start.at, start.seen),
        Position(start.log, start.at, f"{low}:{int(high) + 1000}:"),
    ):
        status, answer = await ana.get("/events", after=str(expired))
        assert (status, answer["code"]) == (410, "cursor_expired")
    assert (await ana.get("/events", after="now", cursor="x"))[0] == 422
    assert (await ana.get("/events", after="now", wait=26))[0] == 422


async def test_a_position_from_before_the_log_begins_has_expired(http, cluster):
    name = cluster.copy()
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        start = (await poll(ana))["after"]
        superuser = await asyncpg.connect(cluster.superuser(name))
        await superuser.execute("select app.begin_log_at(now() + interval '2 seconds')")
        await superuser.close()
        assert (await ana.get("/events", after=start))[0] == 410
        async with ana.following(last_event_id=start) as frames:
            assert (await frames.next())["data"] == {"reason": "expired"}


async def test_waits_until_something_happens(ana):
    start = (await poll(ana))["after"]
    clock = asyncio.get_running_loop().time
    waiting = asyncio.create_task(poll(ana, start, wait=20, type="message.received"))
    await asyncio.sleep(0.3)
    await ana.made("/tasks", {"title": "Outra coisa"})
    assert not waiting.done()
    began = clock()
    await ana.hears("oi")
    page = await waiting
    assert [each["type"] for each in page["items"]] == ["message.received"]
    assert clock() - began < 2
    began = clock()
    assert (await poll(ana, page["after"], wait=1, type="task.overdue"))["items"] == []
    assert 0.9 < clock() - began < 3


async def test_nobody_sees_somebody_elses(ana, bruno):
    start = (await poll(bruno))["after"]
    await ana.hears("oi")
    assert (await poll(bruno, start))["items"] == []
    assert (await poll(bruno, "beginning"))["items"] == []


async def test_each_event_comes_once_while_twenty_four_write(ana, cluster, database):
    """Transactions that overlap and commit in any order: no event is lost or doubled, and a page is in order."""
    written = 5000
    connections = [await asyncpg.connect(cluster.app(database)) for _ in range(24)]
    start = (await poll(ana))["after"]

    async def write(number, connection):
        for batch in range(0, written // 24 + 1, 8):
            async with connection.transaction():
                await connection.execute("select app.act_as($1)", ana.id)
                for at in range(batch, min(batch + 8, written // 24 + (number < written % 24))):
                    await connection.execute(
                        "select app.record($1, 'task.created', p_payload => $2)",
                        ana.id, json.dumps({"writer": number, "at": at}),
                    )  # fmt: skip
                    if at % 5 == 0:
                        await asyncio.sleep(0.003)

    writing = asyncio.gather(*(write(number, connection) for number, connection in enumerate(connections)))
    pages, after = [], start
    while not writing.done() or pages[-1]:
        page = await poll(ana, after, limit=200, wait=1)
        pages.append(page["items"])
        after = page["after"]
    await writing
    for connection in connections:
        await connection.close()

    seen = [(each["data"]["writer"], each["data"]["at"]) for page in pages for each in page]
    assert len(seen) == len(set(seen)) == written
    of_writers = defaultdict(list)
    for writer, at in seen:
        of_writers[writer].append(at)
    assert all(each == sorted(each) for each in of_writers.values())
    for page in pages:
        assert [each["sequence"] for each in page] == sorted(each["sequence"] for each in page)
    assert len({each["id"] for page in pages for each in page}) == written
