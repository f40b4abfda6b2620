"""The event log, as its owner reads it."""

import typing

from uuid_utils.compat import uuid7

from alfred.events import EventType
from tests.api.posts import edit, reaction, revoke
from tests.people import delivery

TYPES = {
    *("message.received", "message.classified", "message.sent", "message.status_changed", "message.edited"),
    *("message.deleted", "message.reaction", "conversation.created", "conversation.updated", "contact.created"),
    *("task.created", "task.completed", "task.overdue", "lead.stalled", "rule.matched", "notification.created"),
}


async def test_tells_what_happened_newest_first(ana, eventually):
    entry = await ana.hears("Preciso disso hoje, é urgente", id="in")
    path = f"/conversations/{entry['conversation_id']}"
    await ana.made(f"{path}/messages", {"body": "Olá!", "external_id": "out"})
    await ana.patch(path, {"status": "pending"})
    for payload in (delivery("out", "read"), edit("in", "oi"), reaction("in", "👍", at=1714564901), revoke("in")):
        await ana.post("/webhooks/whatsapp", payload)
    assert await eventually(lambda: ana.events("notification.created"))
    events = await ana.events()
    assert [each["type"] for each in events if each["type"] != "notification.created"] == [
        "message.deleted",
        "message.reaction",
        "message.classified",
        "message.edited",
        "message.status_changed",
        "conversation.updated",
        "message.sent",
        "message.classified",
        "message.received",
        "conversation.created",
        "contact.created",
    ]
    received = next(each for each in events if each["type"] == "message.received")
    assert received == {
        "id": received["id"],
        "type": "message.received",
        "contact_id": entry["contact_id"],
        "conversation_id": entry["conversation_id"],
        "message_id": entry["message_id"],
        "task_id": None,
        "payload": {"channel_type": "whatsapp", "external_id": "in", "handle": "+5511900000012"},
        "created_at": received["created_at"],
    }
    moments = [each["created_at"] for each in events]
    assert moments == sorted(moments, reverse=True)


async def test_the_types_are_those_of_the_contract(ana):
    assert set(typing.get_args(EventType)) >= TYPES
    for named in TYPES:
        assert await ana.events(named) == []


async def test_filters_by_type_and_conversation(ana):
    one, two = [await ana.hears("oi", f"+551190000001{n}") for n in range(2)]
    everything = await ana.events()
    for query, fits in (
        ({"type": "message.received"}, lambda each: each["type"] == "message.received"),
        (
            {"conversation_id": one["conversation_id"]},
            lambda each: each["conversation_id"] == one["conversation_id"],
        ),
        (
            {"conversation_id": two["conversation_id"], "type": "message.classified"},
            lambda each: (each["conversation_id"], each["type"]) == (two["conversation_id"], "message.classified"),
        ),
    ):
        found = await ana.events(**query)
        assert found == [each for each in everything if fits(each)]
        assert 0 < len(found) < len(everything)
    assert await ana.events(conversation_id=str(uuid7())) == []
    for query in ({"type": "message.lost"}, {"conversation_id": "7"}, {"contact_id": one["contact_id"]}):
        assert (await ana.get("/events", **query))[0] == 422


async def test_pages_hold_every_event_once(ana):
    for number in range(3):
        await ana.hears("oi", f"+551190000001{number}")
    everything = await ana.events()
    seen, (_, page) = [], await ana.get("/events", limit=5)
    while page["next"]:
        seen += page["items"]
        await ana.hears("novo")
        _, page = await ana.get(page["next"])
    assert seen + page["items"] == everything
    assert (await ana.get("/events", cursor="damaged"))[1]["code"] == "invalid_cursor"


async def test_nobody_sees_somebody_elses(ana, bruno):
    entry = await ana.hears("oi")
    assert await bruno.events() == await bruno.events(conversation_id=entry["conversation_id"]) == []


async def test_what_a_message_was_classified_as_stands_with_the_message(ana, app_db):
    """The log keeps what consumers choose by; an edit's event tells what the edit was classified as."""
    entry = await ana.hears("Preciso disso hoje, é urgente", id="in")
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        kept = "select payload from ai_events where message_id = $1 and type = 'message.classified'"
        assert await app_db.fetchval(kept, entry["message_id"]) == {"urgency": "high"}
    assert [each["payload"] for each in await ana.events("message.classified")] == [entry["classification"]]

    await ana.post("/webhooks/whatsapp", edit("in", "Obrigado, ficou ótimo!"))
    await ana.post("/webhooks/whatsapp", edit("in", "Qual o preço?", at=1714564950))
    (message,) = await ana.messages(entry["conversation_id"])
    last, before, first = [each["payload"] for each in await ana.events("message.classified")]
    assert (first, last) == (entry["classification"], message["classification"])
    assert before["sentiment"] == "positive"
    polled = (await ana.get("/events", after="beginning", type="message.classified"))[1]["items"]
    assert [{name: each["data"][name] for name in first} for each in polled] == [first, before, last]


async def test_the_log_keeps_of_an_urgency_only_that_it_is_high(ana, app_db):
    entries = [await ana.hears("Obrigado, ficou ótimo!", id=name) for name in ("new", "taken in with others")]
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        rows = await app_db.fetch("select payload from ai_events where type = 'message.classified'")
    assert [row["payload"] for row in rows] == [{}, {}]
    told = [each["payload"] for each in await ana.events("message.classified")]
    assert told == [entry["classification"] for entry in entries]


async def test_where_a_message_came_from_stands_with_the_message(ana, app_db):
    entry = await ana.hears("oi", id="in")
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        kept = "select payload from ai_events where message_id = $1 and type = 'message.received'"
        told = {"channel_type": "whatsapp", "external_id": "in", "handle": "+5511900000012"}
        assert await app_db.fetchval(kept, entry["message_id"]) == told  # somebody new: not taken in with others
        later = await ana.hears("tudo bem?", id="later")
        assert await app_db.fetchval(kept, later["message_id"]) == {"channel_type": "whatsapp"}
    told = [told | {"external_id": name} for name in ("later", "in")]
    assert [each["payload"] for each in await ana.events("message.received")] == told
    polled = (await ana.get("/events", after="beginning", type="message.received"))[1]["items"]
    assert [{name: each["data"][name] for name in told[0]} for each in polled] == told[::-1]


async def test_a_message_that_is_gone_leaves_its_channel_and_urgency(ana):
    for _ in range(2):
        await ana.hears("Preciso disso hoje, é urgente")
    (channel,) = (await ana.get("/channels"))[1]["items"]
    assert (await ana.delete(f"/channels/{channel['id']}"))[0] == 204
    assert [each["payload"] for each in await ana.events("message.classified")] == 2 * [{"urgency": "high"}]
    assert (await ana.events("message.received"))[0]["payload"] == {"channel_type": "whatsapp"}
    polled = (await ana.get("/events", after="beginning", type="message.classified"))[1]["items"]
    assert [each["data"]["urgency"] for each in polled] == 2 * ["high"]
