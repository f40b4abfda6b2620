"""The sentences of the payloads' specification about WhatsApp's gateways, each with a payload of its own."""

from datetime import UTC, datetime

import pytest

from tests.pure.payloads import NOTHING, evolution, files, jid, kinds, one, read, twilio, waha, zapi


# Evolution
def test_an_event_that_cannot_be_stored_is_ignored_by_a_name_that_can():
    item = one({"event": "odd\ud800\0", "instance": "loja", "data": {"a": 1}}, "whatsapp")
    assert (item.kind, item.raw["event"]) == ("ignored", "odd\ufffd")


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
