"""Conversations: shown whole, read, changed, opened; somebody else's are not there."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from tests.people import whatsapp


async def test_shows_a_conversation_whole(ana):
    entry = await ana.hears("Preciso disso hoje, é urgente")
    (conversation,) = await ana.conversations()
    _, channels = await ana.get("/channels")
    assert conversation == {
        "id": entry["conversation_id"],
        "contact": {
            "id": entry["contact_id"],
            "name": "Marina Quintela",
            "handle": "+5511900000012",
            "vip": False,
        },
        "channel": {"id": channels["items"][0]["id"], "type": "whatsapp", "name": channels["items"][0]["name"]},
        "status": "open",
        "unread_count": 1,
        "sentiment": entry["classification"]["sentiment"],
        "urgency": "high",
        "negotiation": False,
        "snippet": "Preciso disso hoje, é urgente",
        "last_message_at": "2024-05-01T12:00:00Z",
        "last_message_direction": "inbound",
        "last_message_failed": False,
        "waiting_since": "2024-05-01T12:00:00Z",
        "tags": [],
        "snoozed_until": None,
        "send_policy": {
            "state": "closed",
            "kinds": ["template"],
            "expires_at": None,
            "human_only": False,
            "template_required": True,
            "enforced": False,
            "reason": "window",
            "remedy": "use_template",
        },
        "created_at": conversation["created_at"],
        "updated_at": conversation["updated_at"],
    }
    assert await ana.get(f"/conversations/{conversation['id']}") == (200, conversation)


async def test_reading_and_unreading(ana):
    entry = await ana.hears("um")
    await ana.hears("dois")
    path = f"/conversations/{entry['conversation_id']}"
    assert (await ana.get(path))[1]["unread_count"] == 2
    for _ in range(2):
        status, conversation = await ana.post(f"{path}/read")
        assert (status, conversation["unread_count"]) == (200, 0)
    assert await ana.conversations(unread_only=True) == []
    for _ in range(2):
        status, conversation = await ana.post(f"{path}/unread")
        assert (status, conversation["unread_count"]) == (200, 1)
    assert await ana.conversations(unread_only=True) == [conversation]
    await ana.hears("três")
    assert (await ana.post(f"{path}/unread"))[1]["unread_count"] == 2


async def test_changes_status_and_tags(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    for state in ("pending", "closed", "snoozed", "open"):
        status, conversation = await ana.patch(path, {"status": state})
        assert (status, conversation["status"]) == (200, state)
    status, conversation = await ana.patch(path, {"tags": [" vip ", "novo", "vip", 7]})
    assert (status, conversation["tags"], conversation["status"]) == (200, ["vip", "novo", "7"], "open")
    assert (await ana.patch(path, {"status": "pending"}))[1]["tags"] == ["vip", "novo", "7"]
    assert (await ana.patch(path, {"tags": []}))[1]["tags"] == []
    assert await ana.patch(path, {}) == await ana.get(path)


async def test_sleeps_until_and_wakes(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    _, conversation = await ana.patch(path, {"status": "snoozed", "snoozed_until": "2030-01-01T09:00:00-03:00"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", "2030-01-01T12:00:00Z")
    _, conversation = await ana.patch(path, {"snoozed_until": "2030-01-01T09:00:00"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", "2030-01-01T09:00:00Z")
    _, conversation = await ana.patch(path, {"snoozed_until": None})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", None)
    await ana.patch(path, {"snoozed_until": "2030-01-01T09:00:00Z"})
    _, conversation = await ana.patch(path, {"status": "open"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("open", None)


async def test_nobody_waits_for_a_moment_that_is_over(ana):
    entry = await ana.hears("oi")
    path, late = f"/conversations/{entry['conversation_id']}", {"snoozed_until": "2020-01-01T00:00:00Z"}
    bulk = {"ids": [entry["conversation_id"]], "change": {"status": "snoozed", **late}}
    for status, problem in (await ana.patch(path, late), await ana.post("/conversations/bulk", bulk)):
        assert (status, problem["errors"][0]["code"]) == (422, "not_in_future")
    assert (await ana.get(path))[1]["status"] == "open"
    assert (await ana.patch(path, {"snoozed_until": "2100-01-01"}))[0] == 200


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"status": "lost"}, "/status"),
        ({"status": 1}, "/status"),
        ({"tags": ["x" * 51]}, "/tags/0"),
        ({"tags": ["ok", " "]}, "/tags/1"),
        ({"tags": [f"t{n}" for n in range(51)]}, "/tags"),
        ({"tags": "vip"}, "/tags"),
        ({"tags": ["a\x00"]}, "/tags/0"),
        ({"tags": ["\ud800"]}, "/tags/0"),
        ({"snoozed_until": "tomorrow"}, "/snoozed_until"),
        ({"snoozed_until": 1714564800}, "/snoozed_until"),
        ({"snoozed_until": "2020-01-01T00:00:00Z"}, "/snoozed_until"),
        ({"status": "snoozed", "snoozed_until": "2020-01-01"}, "/snoozed_until"),
        ({"snoozed_until": "9999-12-31T23:59:59Z"}, "/snoozed_until"),
        ({"unread_count": 0}, "/unread_count"),
        ({"contact/id~": 0}, "/contact~1id~0"),
        ({"contact/id~": "\x00"}, "/contact~1id~0"),
    ],
)
async def test_refuses_a_bad_change(ana, change, pointer):
    entry = await ana.hears("oi")
    status, problem = await ana.patch(f"/conversations/{entry['conversation_id']}", change)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_takes_fifty_tags(ana):
    entry = await ana.hears("oi")
    tags = [f"{n}" * 25 if n > 9 else f"t{n}" for n in range(50)]
    status, conversation = await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": tags})
    assert (status, conversation["tags"]) == (200, tags)


async def test_a_change_is_in_the_log(ana):
    entry = await ana.hears("oi")
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"status": "closed", "tags": ["vip"]})
    (event,) = await ana.events("conversation.updated")
    assert event["conversation_id"] == entry["conversation_id"]
    assert event["payload"] == {"status": "closed", "tags": ["vip"]}


async def test_opens_a_conversation_once(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    asked = {"contact_id": contact["id"], "channel_id": channel["id"]}
    status, made = await ana.post("/conversations", asked)
    assert status == 201
    assert (made["contact"]["handle"], made["channel"]["name"]) == ("+5511900000077", "Loja")
    assert [made[name] for name in ("status", "unread_count", "snippet", "last_message_at", "sentiment")] == [
        "open", 0, None, None, None,
    ]  # fmt: skip
    assert await ana.post("/conversations", asked) == (200, made)
    assert await ana.conversations() == [made]
    assert len(await ana.events("conversation.created")) == 1


async def test_opened_at_once_it_is_one(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    asked = {"contact_id": contact["id"], "channel_id": channel["id"]}
    answers = await asyncio.gather(*(ana.post("/conversations", asked) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [*[200] * 5, 201]
    assert len({conversation["id"] for _, conversation in answers}) == 1
    assert len(await ana.events("conversation.created")) == 1


async def test_finds_the_conversation_that_a_message_began(ana):
    entry = await ana.hears("oi")
    (conversation,) = await ana.conversations()
    asked = {"contact_id": entry["contact_id"], "channel_id": conversation["channel"]["id"]}
    assert await ana.post("/conversations", asked) == (200, conversation)


async def test_a_message_comes_into_the_conversation_that_was_opened(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000012"})
    channel = await ana.made(
        "/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "109900000000001"}
    )
    made = await ana.made("/conversations", {"contact_id": contact["id"], "channel_id": channel["id"]})
    assert (await ana.hears("oi"))["conversation_id"] == made["id"]
    assert [each["snippet"] for each in await ana.conversations()] == ["oi"]


async def test_needs_a_contact_and_a_channel_of_ones_own(ana, bruno):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "nadia@example.com"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    theirs = await bruno.hears("oi")
    their_channel = (await bruno.conversations())[0]["channel"]["id"]
    good = {"contact_id": contact["id"], "channel_id": channel["id"]}
    for change, pointers in (
        ({"contact_id": str(uuid7())}, ["/contact_id"]),
        ({"contact_id": theirs["contact_id"]}, ["/contact_id"]),
        ({"channel_id": str(uuid7())}, ["/channel_id"]),
        ({"channel_id": their_channel}, ["/channel_id"]),
        ({"channel_id": "7"}, ["/channel_id"]),
        ({"contact_id": None}, ["/contact_id"]),
        ({"status": "open"}, ["/status"]),
        ({}, ["/channel_id"]),  # an e-mail address cannot be written to on WhatsApp
    ):
        status, problem = await ana.post("/conversations", good | change)
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, pointers), change
    status, problem = await ana.post("/conversations")
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/contact_id", "/channel_id"])


async def test_somebody_elses_is_not_there(ana, bruno):
    entry = await ana.hears("oi")
    for named in (entry["conversation_id"], uuid7(), "no-uuid"):
        path = f"/conversations/{named}"
        for answer in (
            await bruno.get(path),
            await bruno.patch(path, {"status": "closed"}),
            await bruno.post(f"{path}/read"),
            await bruno.post(f"{path}/unread"),
            await bruno.get(f"{path}/messages"),
            await bruno.post(f"{path}/messages", {"body": "oi"}),
        ):
            assert (answer[0], answer[1]["code"]) == (404, "not_found")
    (conversation,) = await ana.conversations()
    assert (conversation["status"], conversation["unread_count"]) == ("open", 1)
    assert await bruno.conversations(contact_id=entry["contact_id"]) == []


async def test_two_accounts_are_two_conversations_with_one_contact(ana):
    await ana.post("/webhooks/whatsapp", whatsapp("loja", account="1"))
    await ana.post("/webhooks/whatsapp", whatsapp("oficina", account="2"))
    conversations = await ana.conversations()
    assert len({each["id"] for each in conversations}) == 2
    assert len({each["contact"]["id"] for each in conversations}) == 1
