"""What is told of messages later: statuses, reads, edits, deletions, reactions."""

from itertools import permutations

import pytest

from tests.api.posts import PAGE, edit, event, messenger, page, reaction, revoke, told
from tests.people import cloud, delivery


async def status_of(person, conversation_id):
    (message,) = [each for each in await person.messages(conversation_id) if each["direction"] == "outbound"]
    return message["status"]


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
