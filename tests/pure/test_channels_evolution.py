"""What Evolution posts becomes items: messages, updates, edits, deletions, and ids that give way to numbers."""

from datetime import UTC, datetime

import pytest

from tests.pure.payloads import NOTHING, evolution, files, jid, kinds, one, read


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
