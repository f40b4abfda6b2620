"""The sentences of the payloads' specification about WhatsApp's gateways, each with a payload of its own."""

from datetime import UTC, datetime

import pytest

from tests.pure.payloads import NOTHING, files, kinds, one, read, twilio, waha, zapi


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
