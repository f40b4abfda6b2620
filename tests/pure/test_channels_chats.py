"""The sentences of the payloads' specification about chats, each with a payload of its own."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alfred.channels import normalise
from alfred.channels.item import InboundItem


def read(payload: Any, channel: Any = "whatsapp") -> list[InboundItem]:
    reading = normalise(payload, channel)
    assert reading.recognised
    return list(reading.items)


def one(payload: Any, channel: Any = "whatsapp") -> InboundItem:
    (item,) = read(payload, channel)
    return item


def kinds(payload: Any) -> list[str]:
    return [item.kind for item in read(payload)]


def files(item: InboundItem) -> list[tuple[Any, ...]]:
    return [(file.type, file.mime, file.id_or_url, file.caption) for file in item.attachments]


NOTHING = ("unsupported", None, None, None)


# WhatsApp Cloud
def cloud(*messages: Any, **value: Any) -> dict[str, Any]:
    inside = {"metadata": {"phone_number_id": "109"}, "messages": list(messages), **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "messages", "value": inside}]}],
    }


def says(type: Any, **rest: Any) -> dict[str, Any]:
    return {"from": "5511900000012", "id": "wamid.1", "timestamp": "1714564800", "type": type, **rest}


@pytest.mark.parametrize(
    ("message", "text", "attachments"),
    [
        (says("text", text={"body": " a\r\nb\0\ud800 "}), "a\nb\ufffd", []),
        (says("text", text={"body": 7}), "7", []),
        (says("image", image=None), None, [("image", None, None, None)]),
        (
            says("video", video={"url": "https://m.example/1", "caption": ""}),
            None,
            [("video", None, "https://m.example/1", None)],
        ),
        (
            says("sticker", sticker={"id": 9, "mime_type": "image/webp"}),
            None,
            [("sticker", "image/webp", "9", None)],
        ),
        (
            says("location", location={"latitude": 0, "longitude": "-46.60"}),
            None,
            [("location", None, "geo:0,-46.60", None)],
        ),
        (
            says("location", location={"latitude": 1.5, "longitude": 2, "address": "Rua 1"}),
            None,
            [("location", None, "geo:1.5,2", "Rua 1")],
        ),
        (
            says("interactive", interactive={"type": "nfm_reply", "nfm_reply": {"response_json": '{"a":1}'}}),
            '{"a":1}',
            [],
        ),
        (says("interactive", interactive={"type": "call_permission_reply"}), None, [NOTHING]),
        (says("interactive"), None, [NOTHING]),
        (
            says("order", order={"catalog_id": "c1", "text": "please"}),
            "please",
            [("order", None, "c1", None)],
        ),
        (says("order", order={"catalog_id": "c1", "text": ""}), None, [("order", None, "c1", None)]),
        (says("hologram", text={"body": "x"}), None, [NOTHING]),
        (
            says("contacts", contacts=[5, {"phones": "x"}, {"phones": [{"phone": "1"}, {"wa_id": "2"}]}]),
            None,
            [("contact", None, None, None), ("contact", None, "+2", None)],
        ),
    ],
)
def test_cloud_messages(message, text, attachments):
    item = one(cloud(message))
    assert (item.kind, item.text, files(item)) == ("message", text, attachments)


@pytest.mark.parametrize(
    "message",
    [
        None,
        "x",
        [],
        {},
        says(None),
        says(""),
        says(5),
        says("system"),
        says("text"),
        says("text", text={"body": " "}),
        says("text", text={"body": True}),
        says("button"),
        says("contacts", contacts=[]),
        says("text", text={"body": "x"}, group_id="g"),
        says("text", text={"body": "x"}, **{"from": None}),
        says("reaction", reaction={"message_id": "w"}, **{"from": []}),
        says("edit", edit={"original_message_id": "w", "message": {"type": "text"}}),
    ],
)
def test_cloud_messages_without_use_are_ignored_and_lose_no_neighbour(message):
    kept = says("text", text={"body": "x"})
    assert kinds(cloud(kept, message, kept)) == ["message", "ignored", "message"]


def test_cloud_names_come_from_the_contact_of_the_same_number_or_user_id():
    contacts = [
        None,
        {"wa_id": "5511900000012", "profile": {"name": "Marina"}},
        {"user_id": "BR.7", "profile": {"name": "Caio"}},
        {"wa_id": 8, "profile": {"name": "+8 (0) 8"}},
    ]
    messages = [
        says("text", text={"body": "x"}),
        says("text", text={"body": "x"}, **{"from": None, "from_user_id": "BR.7"}),
        says("text", text={"body": "x"}, **{"from": 8}),
    ]
    senders = [(m.sender.handle, m.sender.name) for m in read(cloud(*messages, contacts=contacts))]
    assert senders == [("+5511900000012", "Marina"), ("BR.7", "Caio"), ("+8", None)]


def test_cloud_statuses():
    rows = [
        {"id": "w", "status": "played", "recipient_id": "1", "timestamp": "5"},
        {"id": "w", "status": "warning", "recipient_id": "1"},
        {"id": "w", "status": "read", "recipient_id": "1", "recipient_type": "group"},
        {
            "id": "w",
            "status": "failed",
            "recipient_user_id": "BR.7",
            "errors": [{"code": 1, "title": "No\nway"}],
        },
        "x",
    ]
    items = read(cloud(statuses=rows))
    assert [item.status for item in items] == ["read", None, None, "failed", None]
    assert [item.kind for item in items] == ["status", "ignored", "ignored", "status", "ignored"]
    assert items[0].sent_at == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert (items[3].error, items[3].sender.handle) == ("1: No way", "BR.7")


def test_cloud_changes_are_one_item_each_and_broken_containers_none():
    value = cloud(says("text", text={"body": "x"}))["entry"][0]["changes"][0]["value"]
    changes = [
        {"field": "calls", "value": value},
        {"field": "messages", "value": value},
        {"field": "messages", "value": {"messages": [], "statuses": {}}},
        {"field": "messages"},
        {"value": value},
        "x",
    ]
    payload = {"object": "whatsapp_business_account", "entry": [None, {"changes": "x"}, {"changes": changes}]}
    assert kinds(payload) == ["ignored", "message", "ignored", "ignored", "ignored"]
    assert kinds({"object": "whatsapp_business_account", "entry": "x"}) == ["ignored"]
    assert kinds({"event": "VERIFIED", "field": "account_update"}) == ["ignored"]


def test_wrappers_are_taken_off_and_lists_read_one_after_another():
    inner = cloud(says("text", text={"body": "x"}))
    webhook = {"headers": {"authorization": "secret"}, "params": {}, "query": {}, "body": inner}
    assert kinds([inner, {"json": inner, "binary": {}}, webhook, {"json": webhook}, {"a": 1}]) == [
        *["message"] * 4,
        "ignored",
    ]
    assert "secret" not in repr(read(webhook)[0].raw)


@pytest.mark.parametrize("payload", [None, 5, "x", [], {}, [[], {}], {"items": [{"sku": 1}]}, {"event": "x"}, b"x"])
def test_what_no_sender_posts_is_not_recognised(payload):
    reading = normalise(payload, "instagram")
    assert not reading.recognised
    assert [(item.kind, item.channel_type) for item in reading.items] == [("ignored", "instagram")]


# Evolution
def evolution(data: Any, event: str = "messages.upsert") -> dict[str, Any]:
    return {"event": event, "instance": "loja", "apikey": "secret", "data": data}


def jid(chat: Any = "5511900000012:7@s.whatsapp.net", own: Any = False, **rest: Any) -> dict[str, Any]:
    return {"remoteJid": chat, "fromMe": own, "id": "E1", **rest}


@pytest.mark.parametrize(
    ("message", "text", "attachments"),
    [
        ({"extendedTextMessage": {"text": "a"}, "conversation": None}, "a", []),
        ({"buttonsResponseMessage": {"selectedDisplayText": "b"}}, "b", []),
        ({"templateButtonReplyMessage": {"selectedDisplayText": "c"}}, "c", []),
        ({"listResponseMessage": {"title": "d"}}, "d", []),
        (
            {"ephemeralMessage": {"message": {"viewOnceMessageV2": {"message": {"imageMessage": {"url": "u"}}}}}},
            None,
            [("image", None, "u", None)],
        ),
        (
            {
                "documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "k", "mimetype": "a/b"}}},
                "mediaUrl": "s3",
            },
            "k",
            [("document", "a/b", "s3", "k")],
        ),
        ({"ptvMessage": {}}, None, [("video", None, None, None)]),
        (
            {
                "locationMessage": {
                    "degreesLatitude": -1.5,
                    "degreesLongitude": 2,
                    "name": "N",
                    "address": "A",
                }
            },
            None,
            [("location", None, "geo:-1.5,2", "N, A")],
        ),
        (
            {
                "contactMessage": {
                    "displayName": "Ana",
                    "vcard": "BEGIN:VCARD\nTEL;waid=5511:+55 11\nEND:VCARD",
                }
            },
            None,
            [("contact", None, "+5511", "Ana")],
        ),
        (
            {"contactsArrayMessage": {"contacts": [{"vcard": "FN:Bo\nitem1.TEL;x=y:+1 (2) 3-4"}, 5]}},
            None,
            [("contact", None, "+1234", "Bo")],
        ),
        ({"pollCreationMessageV3": {"name": "?"}, "messageContextInfo": {}}, None, [NOTHING]),
    ],
)
def test_evolution_messages(message, text, attachments):
    item = one(evolution({"key": jid(), "pushName": "Marina", "message": message, "messageTimestamp": 1714564800}))
    assert (item.text, files(item)) == (text, attachments)
    assert (item.sender.handle, item.sender.name, item.recipient) == ("+5511900000012", "Marina", "loja")
    assert "secret" not in repr(item.raw)


@pytest.mark.parametrize(
    ("key", "handle"),
    [
        (jid("9@lid", senderPn="55@s.whatsapp.net"), "+55"),
        (jid("9@lid", remoteJidAlt="8@lid"), "9@lid"),
        (jid("9@lid"), "9@lid"),
    ],
)
def test_evolution_privacy_ids_give_way_to_a_number(key, handle):
    assert one(evolution({"key": key, "message": {"conversation": "x"}})).sender.handle == handle


def test_evolution_lists_lose_nothing():
    good = {"key": jid(), "message": {"reactionMessage": {"text": "", "key": {"id": "E0"}}}}
    bad = [
        5,
        {},
        {"key": jid(own=True), "message": {"conversation": "x"}},
        {"key": jid("status@broadcast"), "message": {"conversation": "x"}},
        {"key": jid("1@newsletter"), "message": {"conversation": "x"}},
        {"key": jid(), "message": {"messageContextInfo": {}}},
    ]
    items = read(evolution([good, *bad, good]))
    assert [item.kind for item in items] == ["reaction", "ignored", "ignored", "echo", *["ignored"] * 3, "reaction"]
    assert (items[0].external_id, items[0].reply_to, items[0].text) == ("E1", "E0", None)
    assert kinds(evolution([])) == kinds(evolution({}, "connection.update")) == ["ignored"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (
            {"keyId": "E1", "messageId": "db", "remoteJid": "1@c.us", "fromMe": True, "status": "SERVER_ACK"},
            "sent",
        ),
        ({"key": jid(own=True), "update": {"status": "PLAYED"}}, "read"),
        ({"key": jid(own=True), "status": "FAILED"}, "failed"),
        ({"key": jid(own=False), "status": "DELETED"}, "deleted"),
        ({"key": jid(own=False), "status": "READ"}, None),
        ({"key": jid(own=True), "status": "PENDING"}, None),
        ({"key": jid("1@g.us", own=True), "status": "READ"}, None),
    ],
)
def test_evolution_updates(data, status):
    item = one(evolution(data, "messages.update"))
    assert (item.kind, item.status) == ("status" if status else "ignored", status)
    assert item.external_id == ("E1" if status else None)


def test_evolution_edits_and_deletions():
    edit = {"key": jid(), "editedMessage": {"conversation": "new"}, "timestampMs": "1714564800123"}
    item = one(evolution(edit, "messages.edited"))
    assert (item.status, item.external_id, item.text) == ("edited", "E1", "new")
    assert item.sent_at == datetime(2024, 5, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert one(evolution({"key": jid()}, "messages.edited")).status == "deleted"
    assert kinds(evolution({"key": jid(), "editedMessage": {}}, "messages.edited")) == ["ignored"]
    assert one(evolution(jid(), "messages.delete")).external_id == "E1"
    stored = {"id": "db", "key": jid(), "status": "DELETED"}
    assert one(evolution(stored, "messages.delete")).external_id == "E1"


# Z-API
def zapi(**rest: Any) -> dict[str, Any]:
    base = {"type": "ReceivedCallback", "messageId": "Z1", "phone": "55", "momment": 1714564800000}
    return {**base, "instanceId": "I", "senderName": "Marina", **rest}


@pytest.mark.parametrize(
    ("content", "text", "attachments"),
    [
        (
            {"image": {"imageUrl": "u", "mimeType": "image/png", "caption": "c"}},
            "c",
            [("image", "image/png", "u", "c")],
        ),
        ({"audio": {"audioUrl": "u"}}, None, [("audio", None, "u", None)]),
        ({"listResponseMessage": {"title": "t", "message": "m"}}, "t", []),
        (
            {"contact": {"displayName": "Bo", "phones": [551190, 2]}},
            None,
            [("contact", None, "+551190", "Bo")],
        ),
        (
            {"location": {"latitude": 1, "longitude": 2, "name": "", "address": "A"}},
            None,
            [("location", None, "geo:1,2", "A")],
        ),
        ({"poll": {"question": "?"}}, None, [NOTHING]),
    ],
)
def test_zapi_messages(content, text, attachments):
    item = one(zapi(**content))
    assert (item.kind, item.text, files(item), item.recipient) == ("message", text, attachments, "I")


@pytest.mark.parametrize(
    "rest",
    [
        {"fromMe": True, "phone": "11", "connectedPhone": "11"},
        {"isGroup": True},
        {"isNewsletter": True},
        {"broadcast": True},
        {"waitingMessage": True},
        {"notification": "REVOKE"},
        {"phone": None},
        {"type": "PresenceChatCallback"},
        {"text": {"message": ""}},
        {"isEdit": True, "text": None},
        {"type": "MessageStatusCallback", "ids": []},
        {"type": "MessageStatusCallback", "ids": ["a"], "status": "READ_BY_ME"},
    ],
)
def test_zapi_ignores(rest):
    assert kinds(zapi(**{"text": {"message": "x"}, **rest})) == ["ignored"]


def test_zapi_edits_reactions_and_deliveries():
    edit = one(zapi(isEdit=True, editMessageId="Z2", text={"message": "new"}))
    assert (edit.status, edit.external_id, edit.text) == ("edited", "Z1", "new")
    reaction = one(zapi(reaction={"value": "x", "referencedMessage": {"messageId": "Z0"}}))
    assert (reaction.kind, reaction.reply_to, reaction.external_id) == ("reaction", "Z0", "Z1")
    failed = one(zapi(type="DeliveryCallback", error="no\nnumber"))
    assert (failed.status, failed.error, failed.sender.name) == ("failed", "no number", None)
    assert one(zapi(type="DeliveryCallback")).status == "sent"
    said = {"SENT": "sent", "RECEIVED": "delivered", "READ": "read", "PLAYED": "read"}
    for status, meaning in said.items():
        assert one(zapi(type="MessageStatusCallback", status=status, ids=["a"])).status == meaning
    statuses = read(zapi(type="MessageStatusCallback", status="PLAYED", ids=["a", None, 7]))
    assert [(item.kind, item.external_id) for item in statuses] == [
        ("status", "a"),
        ("ignored", None),
        ("status", "7"),
    ]


# WAHA
def waha(event: str, **payload: Any) -> dict[str, Any]:
    inside = {"id": "false_55@c.us_W1", "from": "55@c.us", "timestamp": 1714564800.7, **payload}
    me = {"id": "11@c.us"}
    return {"event": event, "timestamp": 1714564801000, "session": "s", "me": me, "payload": inside}


@pytest.mark.parametrize(
    ("payload", "text", "attachments"),
    [
        (
            {"body": "a", "media": {"url": "u", "mimetype": "video/mp4"}, "hasMedia": True},
            "a",
            [("video", "video/mp4", "u", "a")],
        ),
        ({"body": "", "media": None, "hasMedia": True}, None, [("document", None, None, None)]),
        ({"media": {"mimetype": "text/vcard"}}, None, [("contact", "text/vcard", None, None)]),
        (
            {"location": {"latitude": "-1.0", "longitude": "2", "description": "D"}},
            None,
            [("location", None, "geo:-1.0,2", "D")],
        ),
        (
            {"body": "BEGIN:VCARD", "vCards": ["BEGIN:VCARD\nFN:Bo\nTEL;waid=5:+5"]},
            None,
            [("contact", None, "+5", "Bo")],
        ),
    ],
)
def test_waha_messages(payload, text, attachments):
    item = one(waha("message.any", _data={"notifyName": "Bo", "pushName": "No"}, **payload))
    assert (item.text, files(item)) == (text, attachments)
    assert (item.external_id, item.sender.handle, item.sender.name) == ("W1", "+55", "Bo")
    assert (item.recipient, item.sent_at) == ("+11", datetime(2024, 5, 1, 12, 0, 0, 700000, tzinfo=UTC))


@pytest.mark.parametrize(
    ("event", "payload", "expected"),
    [
        ("message.ack", {"id": "true_55@c.us_W1", "fromMe": True, "ackName": "DEVICE"}, ("delivered", "W1")),
        ("message.ack", {"id": "true_55@c.us_W1", "ack": -1}, ("failed", "W1")),
        ("message.ack", {"id": "true_55@c.us_W1", "fromMe": True, "ackName": "PENDING"}, None),
        ("message.ack", {"fromMe": False, "ackName": "READ"}, None),
        ("message.ack", {"id": "true_1@g.us_W1_55@c.us", "fromMe": True, "ackName": "READ"}, None),
        ("message.edited", {"editedMessageId": "W0", "body": "new"}, ("edited", "W0")),
        ("message.edited", {"editedMessageId": "W0", "body": ""}, None),
        ("message.revoked", {"revokedMessageId": "W0"}, ("deleted", "W0")),
        ("message.waiting", {"body": "x"}, None),
        ("session.status", {}, None),
        ("message", {"body": "x", "id": "true_11@c.us_W1", "fromMe": True}, None),
        ("message", {"body": "x", "id": "false_status@broadcast_W1"}, None),
    ],
)
def test_waha_events(event, payload, expected):
    item = one(waha(event, **payload))
    assert (item.kind, item.status) == (("status", expected[0]) if expected else ("ignored", None))
    if expected:
        assert (item.external_id, item.sender.handle) == (expected[1], "+55")
        assert item.sent_at == datetime(2024, 5, 1, 12, 0, 1, tzinfo=UTC)


def test_waha_revocations_tell_the_chat_by_what_follows():
    payload = waha("message.revoked", revokedMessageId="W0", after={"id": "false_77@c.us_W2"})
    payload["payload"] |= {"id": None, "from": None}
    assert one(payload).sender.handle == "+77"


@pytest.mark.parametrize(
    ("payload", "handle"),
    [
        ({"id": "false_9@lid_W1", "from": "55@c.us"}, "+55"),
        ({"id": "false_9@lid_W1", "from": "8@lid"}, "9@lid"),
        ({"id": "false_77@c.us_W1", "from": "55@c.us"}, "+77"),
        ({"id": "W1", "from": "55@c.us"}, "+55"),
    ],
)
def test_waha_trusts_the_chat_in_the_id(payload, handle):
    assert one(waha("message", body="x", **payload)).sender.handle == handle


def test_waha_reactions_reduce_the_id():
    item = one(waha("message.reaction", reaction={"text": "", "messageId": "true_55@c.us_W0"}))
    assert (item.kind, item.reply_to, item.text, item.external_id) == ("reaction", "W0", None, "W1")


# Twilio
def twilio(**rest: Any) -> dict[str, Any]:
    return {"MessageSid": "SM1", "From": "whatsapp:+55", "To": "whatsapp:+11", **rest}


@pytest.mark.parametrize(
    ("rest", "text", "attachments"),
    [
        (
            {
                "MediaUrl0": "a",
                "MediaContentType0": "text/vcard",
                "MediaUrl1": "b",
                "MediaContentType1": "audio/ogg",
            },
            None,
            [("contact", "text/vcard", "a", None), ("audio", "audio/ogg", "b", None)],
        ),
        (
            {"NumMedia": "2", "Body": "x"},
            "x",
            [("document", None, None, "x"), ("document", None, None, None)],
        ),
        (
            {"MessageType": "sticker", "MediaUrl0": "a", "MediaContentType0": "image/webp"},
            None,
            [("sticker", "image/webp", "a", None)],
        ),
        (
            {"Latitude": "-1.50", "Longitude": "2", "Label": "L", "Address": "A"},
            None,
            [("location", None, "geo:-1.50,2", "L, A")],
        ),
        ({"ButtonText": "Yes", "ButtonPayload": "y"}, "Yes", []),
        ({"MessageType": "order"}, None, [NOTHING]),
    ],
)
def test_twilio_messages(rest, text, attachments):
    item = one(twilio(SmsStatus="received", **rest))
    assert (item.text, files(item), item.sender.handle, item.sent_at) == (text, attachments, "+55", None)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("sent", "sent"), ("undelivered", "failed"), ("queued", None), ("sending", None), ("accepted", None)],
)
def test_twilio_statuses(status, expected):
    item = one(twilio(MessageStatus=status, ErrorCode="63016"))
    assert (item.kind, item.status) == ("status" if expected else "ignored", expected)
    assert item.error == ("63016" if expected == "failed" else None)


def test_twilio_without_anything_to_say_is_ignored_and_ids_stay():
    assert kinds(twilio(SmsStatus="received")) == ["ignored"]
    assert one(twilio(From="whatsapp:BR.7", Body="x")).sender.handle == "BR.7"
    assert one(twilio(Body="x", OriginalRepliedMessageSid="SM0")).reply_to == "SM0"


# Messenger and Instagram
def meta(*events: Any, object: str = "page", key: str = "messaging") -> dict[str, Any]:
    return {"object": object, "entry": [{"id": "9", key: list(events)}]}


def event(**rest: Any) -> dict[str, Any]:
    return {"sender": {"id": 7}, "recipient": {"id": "9"}, "timestamp": 1714564800000, **rest}


@pytest.mark.parametrize(
    ("attachment", "expected"),
    [
        ({"type": "file", "payload": {"url": "u"}}, [("document", None, "u", None)]),
        (
            {"type": "location", "payload": {"title": "T", "coordinates": {"lat": 1.5, "long": -2}}},
            [("location", None, "geo:1.5,-2", "T")],
        ),
        ({"type": "fallback", "payload": None, "url": "u", "title": "T"}, [("share", None, "u", "T")]),
        ({"type": "ig_reel", "payload": {"url": "u"}}, [("share", None, "u", None)]),
        ({"type": "ephemeral"}, [NOTHING]),
        ({"type": "video", "payload": "x"}, [("video", None, None, None)]),
    ],
)
def test_messenger_attachments(attachment, expected):
    item = one(meta(event(message={"mid": "m", "attachments": [None, {"type": 5}, attachment]})))
    assert (item.text, files(item)) == (None, expected)


def test_messenger_events():
    payload = meta(
        event(reaction={"mid": "m0", "action": "unreact", "reaction": "love"}),
        event(reaction={"mid": "m0", "action": "react", "reaction": "love"}),
        event(message_edit={"mid": "m0", "text": "new", "num_edit": 1}),
        event(message_edit={"mid": "m0", "num_edit": 0}),
        event(referral={"ref": "x"}),
        event(message={"mid": "m1"}),
        event(message={"mid": "m1", "text": "x"}, sender=None),
        "x",
        event(delivery={"watermark": 1714564801000}),
        event(read={}),
        event(postback={"title": "Start"}),
    )
    found = [(item.kind, item.status, item.external_id, item.text) for item in read(payload)]
    assert found == [
        ("reaction", None, None, None),
        ("reaction", None, None, "love"),
        ("status", "edited", "m0", "new"),
        *[("ignored", None, None, None)] * 5,
        ("status", "delivered", None, None),
        ("status", "read", None, None),
        ("message", None, None, "Start"),
    ]
    assert read(payload)[8].sent_at == datetime(2024, 5, 1, 12, 0, 1, tzinfo=UTC)
    assert read(payload)[9].sent_at == datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_messenger_standby_and_changes_are_read_in_the_order_of_the_document():
    changes = [
        {"field": "comments", "value": {"id": "1"}},
        {"field": "messages", "value": event(message={"text": "b"})},
    ]
    entry = {"standby": [event(message={"text": "a"})], "changes": changes}
    items = read({"object": "instagram", "entry": [entry, 5]})
    assert [(item.kind, item.text) for item in items] == [
        ("message", "a"),
        ("ignored", None),
        ("message", "b"),
    ]
    assert {item.channel_type for item in items} == {"instagram"}


# The flat relay
@pytest.mark.parametrize(
    ("channel", "sender", "handle", "recipient"),
    [
        ("whatsapp", "55 11 90000-0012", "+5511900000012", "+9"),
        ("whatsapp", "BR.7", "BR.7", "+9"),
        ("messenger", 55, "55", "9"),
        ("instagram", "ana", "ana", "9"),
        ("email", "Ana <Ana@Example.com>", "ana@example.com", None),
    ],
)
def test_the_flat_relay_speaks_for_any_channel(channel, sender, handle, recipient):
    item = one({"message_id": "f", "from": sender, "from_name": handle, "to": 9, "body": "x"}, channel)
    assert (item.kind, item.channel_type, item.sender.handle) == ("message", channel, handle)
    assert (item.sender.name, item.recipient) == (None, recipient)


def test_the_flat_relay_without_a_text_is_no_chat_message():
    assert kinds({"message_id": "f", "from": "55", "body": " "}) == ["ignored"]
