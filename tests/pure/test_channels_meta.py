"""The sentences of the payloads' specification about Meta's messengers and the flat relay, each with a payload."""

from datetime import UTC, datetime

import pytest

from alfred.channels import normalise
from tests.pure.payloads import NOTHING, cloud, event, files, kinds, meta, one, read, says


# WhatsApp Cloud
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


# Messenger and Instagram
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


def test_a_number_that_was_a_float_somewhere_is_no_other_number():
    for written in (5511987654321.0, "5511987654321.0", "+5511987654321.00"):
        assert one({"message_id": "1", "from": written, "body": "x"}).sender.handle == "+5511987654321"
    assert one({"message_id": "1", "from": "55.11.98765.4300", "body": "x"}).sender.handle == "+5511987654300"
