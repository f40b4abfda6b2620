"""Webhooks in: any sender's payload is read, kept once, and answered."""

import asyncio
import json

import pytest

from alfred.api.webhooks import Receipt
from tests.api.posts import event, flat, messenger, page, post_raw
from tests.people import cloud, delivery, whatsapp
from tests.pure.test_channels_corpus import CASES, are_as_expected, channel_type, content_type


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
async def test_answers_what_was_read(ana, case):
    body, channel = case.read_bytes(), channel_type(case)
    expected = json.loads(case.with_suffix(".expected.json").read_text())
    told = [item for item in expected if item["kind"] != "ignored"]

    status, receipt = await post_raw(ana, channel, body, content_type(case, body))
    assert status == 200, receipt
    assert receipt["channel"] == channel
    assert Receipt.model_validate(receipt).model_dump(mode="json") == receipt  # written without the model
    are_as_expected(receipt["messages"], told, channel)
    assert receipt["received"] == len(told)
    assert receipt["ignored"] == len(expected) - len(told)

    kept = [message for each in await ana.conversations() for message in await ana.messages(each["id"])]
    received = [entry for entry in receipt["messages"] if entry["kind"] in {"message", "echo"}]
    assert {message["id"] for message in kept} == {entry["message_id"] for entry in received}
    assert {message["id"] for message in kept if message["source"] == "native_app"} == {
        entry["message_id"] for entry in received if entry["kind"] == "echo"
    }


async def test_one_message_is_answered_whole(ana):
    payload = whatsapp("Preciso disso hoje, é urgente", id="wamid.whole")
    status, receipt = await ana.post("/webhooks/whatsapp", payload)
    (conversation,) = await ana.conversations()
    (message,) = await ana.messages(conversation["id"])
    assert (status, receipt) == (
        200,
        {
            "channel": "whatsapp",
            "received": 1,
            "duplicates": 0,
            "ignored": 0,
            "rejected": 0,
            "messages": [
                {
                    "kind": "message",
                    "external_id": "wamid.whole",
                    "duplicate": False,
                    "message_id": message["id"],
                    "conversation_id": conversation["id"],
                    "contact_id": conversation["contact"]["id"],
                    "sender": {"handle": "+5511900000012", "name": "Marina Quintela"},
                    "recipient": "109900000000001",
                    "text": "Preciso disso hoje, é urgente",
                    "attachments": [],
                    "reply_to": None,
                    "status": None,
                    "sent_at": "2024-05-01T12:00:00Z",
                    "classification": message["classification"],
                }
            ],
        },
    )
    assert message["classification"]["urgency"] == "high"
    assert set(message["classification"]) == {
        *("sentiment", "sentiment_score", "urgency", "negotiation", "should_create_task"),
        *("intent", "language", "confidence", "provider"),
    }


async def test_makes_the_channel_the_contact_and_the_conversation(ana):
    entry = await ana.hears("oi")
    _, channels = await ana.get("/channels")
    (channel,) = channels["items"]
    assert (channel["type"], channel["external_account_id"], channel["active"]) == ("whatsapp", "109900000000001", True)
    _, contact = await ana.get(f"/contacts/{entry['contact_id']}")
    assert contact["identities"] == [{"channel_type": "whatsapp", "value": "+5511900000012"}]
    assert (contact["name"], contact["phone"]) == ("Marina Quintela", "+5511900000012")
    types = [each["type"] for each in await ana.events()]
    assert types[::-1][:4] == ["contact.created", "conversation.created", "message.received", "message.classified"]


async def test_a_batch_has_one_entry_for_each_item_in_its_order(ana):
    payload = cloud(
        {
            "messages": [
                *whatsapp("um", "+5511900000011", id="b1")["entry"][0]["changes"][0]["value"]["messages"],
                {"from": "5511900000012", "id": "b2", "timestamp": "1714564801", "type": "system", "system": {}},
                *whatsapp("três", "+5511900000013", id="b3")["entry"][0]["changes"][0]["value"]["messages"],
                *whatsapp("um", "+5511900000011", id="b1")["entry"][0]["changes"][0]["value"]["messages"],
            ],
            "statuses": [{"id": "out1", "status": "read", "timestamp": "1714564900", "recipient_id": "5511900000011"}],
        }
    )
    status, receipt = await ana.post("/webhooks/whatsapp", payload)
    assert status == 200
    assert [(each["kind"], each["external_id"], each["duplicate"]) for each in receipt["messages"]] == [
        ("message", "b1", False),
        ("message", "b3", False),
        ("message", "b1", True),
        ("status", "out1", False),
    ]
    assert (receipt["received"], receipt["duplicates"], receipt["ignored"]) == (4, 1, 1)
    first, _, again, unknown = receipt["messages"]
    assert again["message_id"] == first["message_id"]
    assert (unknown["message_id"], unknown["conversation_id"], unknown["classification"]) == (None, None, None)


async def test_a_second_delivery_changes_nothing(ana, eventually):
    payload = whatsapp("Preciso disso hoje, é urgente")
    _, first = await ana.post("/webhooks/whatsapp", payload)
    await eventually(ana.notifications)
    before = await ana.conversations(), await ana.events()
    status, second = await ana.post("/webhooks/whatsapp", payload)
    assert (status, second["duplicates"]) == (200, 1)
    assert second["messages"] == [first["messages"][0] | {"duplicate": True}]
    assert (await ana.conversations(), await ana.events()) == before
    assert len(await ana.notifications()) == 1


async def test_ten_deliveries_at_once_are_one_message(ana):
    payload = whatsapp("oi")
    answers = await asyncio.gather(*(ana.post("/webhooks/whatsapp", payload) for _ in range(10)))
    entries = [receipt["messages"][0] for status, receipt in answers if status == 200]
    assert sorted(entry["duplicate"] for entry in entries) == [False, *[True] * 9]
    assert len({(entry["message_id"], entry["conversation_id"], entry["contact_id"]) for entry in entries}) == 1
    (conversation,) = await ana.conversations()
    assert conversation["unread_count"] == 1
    assert len(await ana.messages(conversation["id"])) == 1


async def test_a_message_without_an_id_is_known_again_by_its_words_and_moment(ana):
    said = {"from": "+5511900000012", "body": "oi", "sent_at": "2024-05-01T12:00:00Z"}
    first = await ana.post("/webhooks/whatsapp", said)
    second = await ana.post("/webhooks/whatsapp", said)
    other = await ana.post("/webhooks/whatsapp", said | {"body": "oi!"})
    assert [answer["messages"][0]["duplicate"] for _, answer in (first, second, other)] == [False, True, False]


async def test_first_messages_at_once_make_one_contact(ana):
    payloads = [whatsapp(f"mensagem {n}", at=1714564800 + n) for n in range(10)]
    answers = await asyncio.gather(*(ana.post("/webhooks/whatsapp", payload) for payload in payloads))
    assert [status for status, _ in answers] == [200] * 10
    (conversation,) = await ana.conversations()
    assert (conversation["unread_count"], conversation["snippet"]) == (10, "mensagem 9")
    assert len(await ana.messages(conversation["id"])) == 10
    assert len((await ana.get("/contacts"))[1]["items"]) == 1
    assert len((await ana.get("/channels"))[1]["items"]) == 1
    assert len(await ana.events("contact.created")) == len(await ana.events("conversation.created")) == 1


async def test_tenants_who_post_the_same_at_the_same_time_stay_apart(ana, bruno):
    payloads = [whatsapp(f"mensagem {n}", f"+551190000010{n % 3}", id=f"same{n}") for n in range(6)]
    people = [ana, bruno] * 2
    answers = await asyncio.gather(
        *(person.post("/webhooks/whatsapp", payload) for payload in payloads for person in people)
    )
    assert {status for status, _ in answers} == {200}
    assert sum(receipt["duplicates"] for _, receipt in answers) == len(answers) / 2
    ids = []
    for person in (ana, bruno):
        conversations = await person.conversations()
        messages = [message for each in conversations for message in await person.messages(each["id"])]
        assert {message["external_id"] for message in messages} == {f"same{n}" for n in range(6)}
        assert len(messages) == 6
        ids.append({message["id"] for message in messages} | {each["contact"]["id"] for each in conversations})
    assert ids[0].isdisjoint(ids[1])


async def test_a_post_that_cannot_be_kept_fails_alone(ana, bruno):
    """Many are written in one transaction; one whose tenant is gone leaves the others alone."""
    assert (await bruno.delete("/me", {"password": "a good password"}))[0] == 204
    posts = [(person, whatsapp("oi", f"+5511900000{n}")) for n in range(100, 130) for person in (ana, bruno)]
    answers = await asyncio.gather(*(person.post("/webhooks/whatsapp", payload) for person, payload in posts))
    assert [status for status, _ in answers] == [200, 401] * 30
    assert len(await ana.conversations()) == 30


async def test_a_name_is_learned_once_and_kept(ana):
    await ana.post("/webhooks/whatsapp", flat("oi"))
    assert (await ana.conversations())[0]["contact"]["name"] is None
    await ana.hears("oi", name="Marina Quintela")
    await ana.hears("oi", name="Somebody Else")
    assert (await ana.conversations())[0]["contact"]["name"] == "Marina Quintela"


async def test_a_known_senders_event_of_no_interest_is_ignored(ana):
    for payload in (page(event(optin={"ref": "x"})), cloud({}), page()):
        status, receipt = await ana.post("/webhooks/messenger", payload)
        assert (status, receipt["received"], receipt["ignored"], receipt["messages"]) == (200, 0, 1, [])
    assert await ana.conversations() == []
    assert (await ana.get("/webhooks/rejected"))[1]["items"] == []


async def test_the_payload_tells_the_channel_rather_than_the_address(ana):
    status, receipt = await ana.post("/webhooks/email", messenger("oi"))
    assert (status, receipt["channel"]) == (200, "messenger")
    assert (await ana.conversations())[0]["channel"]["type"] == "messenger"


async def test_a_message_of_the_future_counts_as_of_now(ana):
    """A wrong clock must not pin a conversation to the top for years."""
    await ana.hears("do futuro", "+5511900000011", at=4_000_000_000)
    sent = (await ana.conversations())[0]["last_message_at"]
    assert sent < "2100"


async def test_statuses_of_a_message_nobody_knows_are_kept_quietly(ana):
    status, receipt = await ana.post("/webhooks/whatsapp", delivery("wamid.unknown", "delivered"))
    assert (status, receipt["duplicates"]) == (200, 0)
    _, again = await ana.post("/webhooks/whatsapp", delivery("wamid.unknown", "delivered"))
    assert again["duplicates"] == 1
    assert await ana.conversations() == []
    assert (await ana.get("/contacts"))[1]["items"] == []
