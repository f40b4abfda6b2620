"""The messages of a conversation: shown whole, in their order, written to the customer."""

import pytest
from uuid_utils.compat import uuid7

from tests.api.posts import event, flat, messenger, page, told
from tests.people import cloud, whatsapp


async def test_shows_a_message_whole(ana):
    entry = await ana.hears("Preciso disso hoje, é urgente", id="wamid.whole-message")
    (message,) = await ana.messages(entry["conversation_id"])
    assert message == {
        "id": entry["message_id"],
        "conversation_id": entry["conversation_id"],
        "direction": "inbound",
        "body": "Preciso disso hoje, é urgente",
        "attachments": [],
        "sent_at": "2024-05-01T12:00:00Z",
        "created_at": message["created_at"],
        "external_id": "wamid.whole-message",
        "reply_to_id": None,
        "status": "received",
        "error": None,
        "delivery": None,
        "scheduled_at": None,
        "cancel_on_reply": None,
        "template": None,
        "author": None,
        "source": None,
        "subject": None,
        "referral": None,
        "order": None,
        "edited_at": None,
        "deleted_at": None,
        "reactions": [],
        "classification": entry["classification"],
    }


async def test_attachments_say_where_to_find_the_file(ana):
    image = {"id": "media-1", "mime_type": "image/jpeg", "caption": "Veja"}
    value = {
        "messages": [{"from": "5511900000012", "id": "i1", "timestamp": "1714564800", "type": "image", "image": image}]
    }
    (entry,) = await told(ana, cloud(value))
    (message,) = await ana.messages(entry["conversation_id"])
    assert message["body"] == "Veja"
    assert message["attachments"] == [
        {
            "type": "image",
            "url": None,
            "external_id": "media-1",
            "mime_type": "image/jpeg",
            "file_name": None,
            "caption": "Veja",
            "content": {"state": "none", "size": None, "url": None, "error": None},
        }
    ]
    share = {"mid": "m_share", "attachments": [{"type": "image", "payload": {"url": "https://cdn.example.com/a.jpg"}}]}
    (entry,) = await told(ana, page(event(message=share)), "messenger")
    (message,) = await ana.messages(entry["conversation_id"])
    (attachment,) = message["attachments"]
    assert (attachment["url"], attachment["external_id"]) == ("https://cdn.example.com/a.jpg", None)
    assert (await ana.conversations())[0]["snippet"] in {"[image]", "Veja"}


async def test_newest_first_by_the_senders_time(ana):
    for at in (30, 10, 20, 20):
        entry = await ana.hears(f"{at}", at=1714564800 + at)
    messages = await ana.messages(entry["conversation_id"])
    assert [message["body"] for message in messages] == ["30", "20", "20", "10"]
    keys = [(message["sent_at"], message["id"]) for message in messages]
    assert keys == sorted(keys, reverse=True)


async def test_pages_hold_every_message_once(ana):
    for number in range(7):
        entry = await ana.hears(f"{number}", at=1714564800 + number // 3)
    path = f"/conversations/{entry['conversation_id']}/messages"
    everything = await ana.messages(entry["conversation_id"])
    seen, (_, listed) = [], await ana.get(path, limit=2)
    while True:
        seen += listed["items"]
        if not listed["has_more"]:
            break
        await ana.hears("new", at=1714570000 + len(seen))
        _, listed = await ana.get(listed["next"])
    assert seen == everything

    status, problem = await ana.get(path, cursor="damaged")
    assert (status, problem["code"]) == (400, "invalid_cursor")
    assert (await ana.get(path, q="x"))[1]["code"] == "unknown_parameter"


async def test_a_late_message_takes_its_place(ana):
    entry = await ana.hears("novidade, é urgente", at=1714564900)
    before = (await ana.conversations())[0]
    await ana.hears("Amei, perfeito!", at=1714564800)
    (after,) = await ana.conversations()
    assert [message["body"] for message in await ana.messages(entry["conversation_id"])] == [
        "novidade, é urgente",
        "Amei, perfeito!",
    ]
    change = {"unread_count": 2, "updated_at": after["updated_at"], "waiting_since": "2024-05-01T12:00:00Z"}
    assert after == before | change


async def test_a_late_one_after_an_answer_is_still_the_last_inbound(ana):
    entry = await ana.hears("oi", at=1714564800)
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá!"})
    await ana.hears("Preciso disso hoje, é urgente", at=1714564900)
    (conversation,) = await ana.conversations()
    assert (conversation["snippet"], conversation["last_message_direction"]) == ("Olá!", "outbound")
    assert conversation["urgency"] == "high"


@pytest.mark.parametrize(("before", "after"), [("closed", "open"), ("snoozed", "open"), ("pending", "pending")])
async def test_a_message_reopens(ana, before, after):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    await ana.patch(path, {"status": before, **({"snoozed_until": "2030-01-01"} if before == "snoozed" else {})})
    await ana.hears("oi de novo")
    _, conversation = await ana.get(path)
    assert (conversation["status"], conversation["snoozed_until"]) == (after, None)
    reopened = [each["payload"] for each in await ana.events("conversation.updated")][:-1]
    assert reopened == ([{"status": "open", "was": before}] if before != after else [])


async def test_a_redelivery_does_not_reopen(ana):
    payload = whatsapp("oi")
    (entry,) = await told(ana, payload)
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"status": "closed"})
    await told(ana, payload)
    assert (await ana.conversations())[0]["status"] == "closed"


async def test_writes_to_the_customer(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/messages"
    message = await ana.made(path, {"body": "Bom dia!\n Sai  às 16h."})
    assert (message["direction"], message["status"], message["body"]) == (
        "outbound",
        "queued",
        "Bom dia!\n Sai  às 16h.",
    )
    assert (message["classification"], message["external_id"], message["reply_to_id"]) == (None, None, None)
    assert (await ana.messages(entry["conversation_id"]))[0] == message
    (conversation,) = await ana.conversations()
    assert (conversation["snippet"], conversation["last_message_direction"]) == ("Bom dia! Sai às 16h.", "outbound")
    assert conversation["last_message_at"] == message["sent_at"]
    assert (conversation["unread_count"], conversation["urgency"]) == (1, "low")
    (sent,) = await ana.events("message.sent")
    assert (sent["message_id"], sent["conversation_id"]) == (message["id"], entry["conversation_id"])


async def test_an_answer_after_a_message_of_a_fast_clock_is_the_newest(ana):
    """No message was sent later than it arrived, so what the seller answers comes after it."""
    entry = (await ana.post("/webhooks/whatsapp", flat("oi", sent_at="2099-01-01T00:00:00Z")))[1]["messages"][0]
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "resposta"})
    newest = (await ana.messages(entry["conversation_id"]))[0]
    (conversation,) = await ana.conversations()
    assert (conversation["snippet"], conversation["last_message_at"]) == (newest["body"], newest["sent_at"])


async def test_replies_to_a_message_of_the_conversation(ana, bruno):
    asked = await ana.hears("oi", id="wamid.asked")
    other = await ana.hears("outra", "+5511900000099")
    theirs = await bruno.hears("oi")
    path = f"/conversations/{asked['conversation_id']}/messages"
    message = await ana.made(path, {"body": "Olá!", "reply_to_id": asked["message_id"]})
    assert message["reply_to_id"] == asked["message_id"]
    for wrong in (other["message_id"], theirs["message_id"], str(uuid7()), "7"):
        status, problem = await ana.post(path, {"body": "Olá!", "reply_to_id": wrong})
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/reply_to_id"])


async def test_the_customers_reply_points_to_the_message(ana):
    asked = await ana.hears("oi")
    sent = await ana.made(
        f"/conversations/{asked['conversation_id']}/messages", {"body": "Azul ou verde?", "external_id": "wamid.out"}
    )
    payload = whatsapp("verde")
    payload["entry"][0]["changes"][0]["value"]["messages"][0]["context"] = {"id": "wamid.out"}
    (entry,) = await told(ana, payload)
    reply = next(each for each in await ana.messages(asked["conversation_id"]) if each["id"] == entry["message_id"])
    assert (reply["reply_to_id"], entry["reply_to"]) == (sent["id"], "wamid.out")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/body"),
        ({"body": ""}, "/body"),
        ({"body": None}, "/body"),
        ({"body": ["x"]}, "/body"),
        ({"body": "x" * 65_537}, "/body"),
        ({"body": "a\x00"}, "/body"),
        ({"body": "oi", "external_id": "x" * 513}, "/external_id"),
        ({"body": "oi", "text": "oi"}, "/text"),
    ],
)
async def test_refuses_a_bad_message(ana, body, pointer):
    entry = await ana.hears("oi")
    status, problem = await ana.post(f"/conversations/{entry['conversation_id']}/messages", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
    assert len(await ana.messages(entry["conversation_id"])) == 1


async def test_takes_a_long_message_and_a_number(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/messages"
    assert (await ana.made(path, {"body": "é" * 65_536}))["body"] == "é" * 65_536
    assert (await ana.conversations())[0]["snippet"] == "é" * 140
    assert (await ana.made(path, {"body": 42, "external_id": "", "reply_to_id": ""}))["body"] == "42"


async def test_an_external_id_is_taken_once_on_a_channel(ana):
    entry = await ana.hears("oi", id="wamid.in")
    path = f"/conversations/{entry['conversation_id']}/messages"
    assert (await ana.made(path, {"body": "um", "external_id": "wamid.1"}))["status"] == "sent"
    for taken in ("wamid.1", "wamid.in"):
        status, problem = await ana.post(path, {"body": "dois", "external_id": taken})
        assert (status, problem["code"]) == (409, "external_id_taken")
    other = await told(ana, messenger("oi"), "messenger")
    await ana.made(f"/conversations/{other[0]['conversation_id']}/messages", {"body": "um", "external_id": "wamid.1"})
