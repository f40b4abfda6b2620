"""The messages of a conversation: in their order, with everything that is told of them later."""

from itertools import permutations

import pytest
from uuid_utils.compat import uuid7

from tests.api.posts import PAGE, edit, event, flat, messenger, page, reaction, revoke
from tests.people import cloud, delivery, whatsapp


async def told(person, payload, channel="whatsapp"):
    """A webhook's post; its entries."""
    status, receipt = await person.post(f"/webhooks/{channel}", payload)
    assert status == 200, receipt
    return receipt["messages"]


async def status_of(person, conversation_id):
    (message,) = [each for each in await person.messages(conversation_id) if each["direction"] == "outbound"]
    return message["status"]


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


STEPS = ("stored", "sent", "delivered", "read")


@pytest.mark.parametrize("order", [*permutations(STEPS)], ids="-".join)
async def test_statuses_only_move_forward(ana, order):
    """Whatever the order, and also before the message is stored."""
    entry = await ana.hears("oi")
    stored, rank = False, 0
    for step in order:
        if step == "stored":
            body = {"body": "Olá!", "external_id": "wamid.out"}
            await ana.made(f"/conversations/{entry['conversation_id']}/messages", body)
            stored, rank = True, max(rank, 1)
        else:
            (told_of,) = await told(ana, delivery("wamid.out", step))
            assert (told_of["duplicate"], told_of["message_id"] is not None) == (False, stored)
            rank = max(rank, STEPS.index(step))
        if stored:
            assert await status_of(ana, entry["conversation_id"]) == STEPS[rank]
    moves = [each["payload"]["status"] for each in (await ana.events("message.status_changed"))[::-1]]
    assert moves == sorted(set(moves), key=STEPS.index)
    assert moves[-1] == "read"


UNDELIVERABLE = {
    "code": "recipient_unreachable",
    "detail": "This customer cannot be reached at this address. The messenger says: Undeliverable",
    "remedy": "check_recipient",
    "provider_code": "131026",
    "retryable": False,
}


@pytest.mark.parametrize(
    ("order", "final"),
    [
        (("sent", "failed"), "failed"),
        (("failed", "sent", "delivered", "read"), "failed"),
        (("sent", "failed", "read"), "failed"),
        (("delivered", "failed"), "delivered"),
        (("read", "failed"), "read"),
        (("delivered", "failed", "read"), "read"),
    ],
)
@pytest.mark.parametrize("early", [True, False])
async def test_failed_is_final_and_comes_before_delivered(ana, order, final, early):
    entry = await ana.hears("oi")
    path, body = f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá!", "external_id": "wamid.out"}
    if not early:
        await ana.made(path, body)
    for step in order:
        errors = {"errors": [{"code": 131026, "title": "Undeliverable"}]} if step == "failed" else {}
        await told(ana, delivery("wamid.out", step, **errors))
    if early:
        await ana.made(path, body)
    message = (await ana.messages(entry["conversation_id"]))[0]
    assert message["status"] == final
    assert message["error"] == (UNDELIVERABLE if final == "failed" else None)


async def test_what_is_sent_answers_the_status_it_has_already(ana):
    entry = await ana.hears("oi")
    await told(ana, delivery("wamid.out", "read"))
    body = {"body": "Olá!", "external_id": "wamid.out"}
    assert (await ana.made(f"/conversations/{entry['conversation_id']}/messages", body))["status"] == "read"


async def test_a_status_told_twice_is_a_duplicate(ana):
    entry = await ana.hears("oi")
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá!", "external_id": "wamid.out"})
    first, second = [(await told(ana, delivery("wamid.out", "read")))[0] for _ in range(2)]
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert second == first | {"duplicate": True}
    assert len(await ana.events("message.status_changed")) == 1


async def test_a_status_does_not_touch_what_the_customer_wrote(ana):
    entry = await ana.hears("oi", id="wamid.in")
    await told(ana, delivery("wamid.in", "read"))
    assert (await ana.messages(entry["conversation_id"]))[0]["status"] == "received"


async def test_statuses_find_only_ones_own_messages(ana, bruno):
    for person in (ana, bruno):
        entry = await person.hears("oi")
        path = f"/conversations/{entry['conversation_id']}/messages"
        await person.made(path, {"body": "Olá!", "external_id": "wamid.same"})
    await told(bruno, delivery("wamid.same", "read"))
    assert (await ana.messages((await ana.conversations())[0]["id"]))[0]["status"] == "sent"
    assert (await bruno.messages((await bruno.conversations())[0]["id"]))[0]["status"] == "read"


async def test_messenger_tells_by_the_time_up_to_which_it_was_read(ana):
    (entry,) = await told(ana, messenger("oi", "7001"), "messenger")
    (other,) = await told(ana, messenger("oi", "7002"), "messenger")
    for conversation in (entry, other):
        path = f"/conversations/{conversation['conversation_id']}/messages"
        for text in ("um", "dois"):
            await ana.made(path, {"body": text, "external_id": f"{conversation['conversation_id']} {text}"})
        await ana.made(path, {"body": "nobody has sent this yet"})

    def up_to(kind, at):
        return page(event("7001", PAGE, **{kind: {"watermark": at}}))

    async def statuses(conversation):
        messages = await ana.messages(conversation["conversation_id"])
        return [each["status"] for each in messages if each["direction"] == "outbound"]

    long_ago, later = 1714564801000, 4102444800000
    (item,) = await told(ana, up_to("delivery", long_ago), "messenger")
    assert (item["external_id"], item["message_id"]) == (None, None)
    assert await statuses(entry) == ["queued", "sent", "sent"]
    (item,) = await told(ana, up_to("read", later), "messenger")
    assert (item["duplicate"], item["conversation_id"]) == (False, entry["conversation_id"])
    assert await statuses(entry) == ["queued", "read", "read"]
    assert (await told(ana, up_to("read", later), "messenger"))[0]["duplicate"] is True
    await told(ana, up_to("delivery", later), "messenger")
    assert await statuses(entry) == ["queued", "read", "read"]
    assert await statuses(other) == ["queued", "sent", "sent"]
    assert len(await ana.events("message.status_changed")) == 2


async def test_messenger_tells_of_messages_by_their_ids(ana):
    (entry,) = await told(ana, messenger("oi"), "messenger")
    path = f"/conversations/{entry['conversation_id']}/messages"
    for mid in ("own_1", "own_2", "own_3"):
        await ana.made(path, {"body": mid, "external_id": mid})
    await told(ana, page(event(delivery={"mids": ["own_1", "own_3"], "watermark": 1714564901250})), "messenger")
    messages = await ana.messages(entry["conversation_id"])
    assert {each["body"]: each["status"] for each in messages[:3]} == {
        "own_1": "delivered",
        "own_2": "sent",
        "own_3": "delivered",
    }


async def test_an_edit_replaces_the_words(ana):
    entry = await ana.hears("oi, tudo bem?", id="wamid.1")
    await told(ana, edit("wamid.1", "Preciso disso hoje, é urgente", at=1714564900))
    (message,) = await ana.messages(entry["conversation_id"])
    assert (message["body"], message["edited_at"]) == ("Preciso disso hoje, é urgente", "2024-05-01T12:01:40Z")
    assert message["sent_at"] == "2024-05-01T12:00:00Z"
    (conversation,) = await ana.conversations()
    assert (conversation["snippet"], conversation["urgency"]) == ("Preciso disso hoje, é urgente", "high")
    assert (message["classification"]["urgency"], conversation["unread_count"]) == ("high", 1)
    assert await ana.conversations(q="tudo bem") == []
    assert len(await ana.conversations(q="urgente")) == 1
    (edited,) = await ana.events("message.edited")
    assert edited["message_id"] == entry["message_id"]


async def test_an_older_edit_does_not_undo_a_newer_one(ana):
    entry = await ana.hears("um", id="wamid.1")
    await told(ana, edit("wamid.1", "três", at=1714564950))
    await told(ana, edit("wamid.1", "dois", at=1714564900))
    assert [each["body"] for each in await ana.messages(entry["conversation_id"])] == ["três"]


async def test_an_edit_of_an_older_message_leaves_the_snippet(ana):
    entry = await ana.hears("um", id="wamid.1", at=1714564800)
    await ana.hears("dois", id="wamid.2", at=1714564801)
    await told(ana, edit("wamid.1", "um!"))
    assert [each["body"] for each in await ana.messages(entry["conversation_id"])] == ["dois", "um!"]
    assert (await ana.conversations())[0]["snippet"] == "dois"


@pytest.mark.parametrize("late", [False, True])
async def test_a_deletion_empties_the_message(ana, late, app_db):
    """Also where it overtakes the message."""
    image = {"id": "media-1", "mime_type": "image/jpeg", "caption": "segredo"}
    value = {
        "messages": [{"from": "5511900000012", "id": "i1", "timestamp": "1714564800", "type": "image", "image": image}]
    }
    for payload in [revoke("i1"), cloud(value)] if late else [cloud(value), revoke("i1")]:
        entries = await told(ana, payload)
    await told(ana, edit("i1", "segredo"))
    (conversation,) = await ana.conversations()
    (message,) = await ana.messages(conversation["id"])
    assert (message["body"], message["attachments"], message["deleted_at"]) == ("", [], "2024-05-01T12:01:40Z")
    assert "segredo" not in conversation["snippet"]
    assert await ana.conversations(q="segredo") == []
    assert len(await ana.events("message.deleted")) == 1
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        assert await app_db.fetchval("select count(*) from message_payloads") == 0
    assert entries[0]["kind"] == ("message" if late else "status")


async def test_reactions_come_and_go(ana):
    entry = await ana.hears("oi")
    body = {"body": "Chegou!", "external_id": "wamid.out"}
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", body)

    async def reactions():
        return (await ana.messages(entry["conversation_id"]))[0]["reactions"]

    (item,) = await told(ana, reaction("wamid.out", "❤️", at=1714565000))
    assert (item["kind"], item["text"], item["reply_to"]) == ("reaction", "❤️", "wamid.out")
    assert await reactions() == [{"emoji": "❤️", "sent_at": "2024-05-01T12:03:20Z"}]
    await told(ana, reaction("wamid.out", "👍", at=1714565010))
    assert [each["emoji"] for each in await reactions()] == ["👍"]
    await told(ana, reaction("wamid.out", "😢", at=1714565005))
    assert [each["emoji"] for each in await reactions()] == ["👍"]
    await told(ana, reaction("wamid.out", None, at=1714565020))
    assert await reactions() == []
    assert (await ana.conversations())[0]["unread_count"] == 1


async def test_edits_and_reactions_wait_for_their_message(ana):
    await told(ana, edit("wamid.1", "dois", at=1714564900))
    await told(ana, reaction("wamid.1", "👍", at=1714564901))
    entry = await ana.hears("um", id="wamid.1")
    (message,) = await ana.messages(entry["conversation_id"])
    assert (message["body"], [each["emoji"] for each in message["reactions"]]) == ("dois", ["👍"])
    assert (await ana.conversations())[0]["snippet"] == "dois"


async def test_an_urgent_edit_is_told_as_urgent(ana, eventually):
    """Once for a message, however often it is edited."""
    await ana.hears("oi", id="wamid.1")
    await told(ana, edit("wamid.1", "Preciso disso hoje, é urgente", at=1714564900))
    await told(ana, edit("wamid.1", "Preciso disso agora, é urgente!", at=1714564910))
    await eventually(ana.notifications)
    await ana.hears("Preciso disso hoje, é urgente", "+5511900000099")
    found = await eventually(ana.notifications, lambda found: len(found) == 2)
    assert len(found) == 2
