"""Whatever a stranger posts: no exception, no empty answer, no more than linear work."""

import contextlib
import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.channels import CHANNEL_TYPES, normalise
from alfred.channels.body import BrokenJson, UnreadableBody, read_body

PAYLOADS = Path(__file__).parents[1] / "payloads"
URLENCODED = "application/x-www-form-urlencoded"
FORMS = [
    read_body(path.read_bytes(), "multipart/form-data" if path.suffix == ".multipart" else URLENCODED)
    for path in sorted([*PAYLOADS.glob("*/*.form"), *PAYLOADS.glob("*/*.multipart")])
]
CORPUS = [
    *(json.loads(p.read_text()) for p in sorted(PAYLOADS.glob("*/*.json")) if ".expected." not in p.name),
    *FORMS,
]
MIB = 1 << 20
texts = st.text(max_size=20) | st.sampled_from(["\ud800", "\0", "1e5", "-1", "9" * 30, "a@b.example", "true"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
# The keys that the senders use, so that arbitrary JSON reaches the readers.
KEYS = sorted({
    "object", "entry", "changes", "messaging", "standby", "field", "value", "messages", "statuses",
    "contacts", "event", "instance", "data", "key", "message", "payload", "session", "type", "ids",
    "headers", "body", "json", "items", "from", "to", "Message", "Type", "MessageSid", "FromFull",
    "Attachments", "envelope", "attachment-info", "message-headers", "content-id-map", "textPlain",
    "metadata", "id", "threadId", "sender", "recipient", "delivery", "mids", "read", "reaction",
    "postback", "text", "timestamp", "Headers", "attachments", "notificationType", "mail",
    "receipt", "content", "email", "body-mime", "remoteJid", "fromMe", "status",
    "message_echoes", "user_preferences", "wa_id", "is_echo", "referral", "optin", "order", "product_items", "products",
    "quantity",
    "protocolMessage", "editedMessage", "contextInfo", "externalAdReply", "interactiveResponseMessage", "paramsJson",
    "nativeFlowResponseMessage", "remoteJidAlt", "state", "_data", "Info", "low", "high", "timestampMs", "raw", "query",
    "params", "event-data", "Content", "ContentType", "attachment-1",
})  # fmt: skip
VALUES = [
    "whatsapp_business_account", "page", "instagram", "messages", "messages.upsert", "messages.update",
    "messages.edited", "messages.delete", "message", "message.ack", "message.revoked", "ReceivedCallback",
    "MessageStatusCallback", "Notification", "Received", "email.received", "text", "image", "interactive",
    "smb_message_echoes", "user_preferences", "message_template_status_update", "connection.update", "send.message",
    "session.status", "DisconnectedCallback", "order", "edit", "revoke", "REVOKE", "MESSAGE_EDIT", "stop", "close",
    "message/delivery-status", "message/rfc822", "{}", "[1]", '"x"', "From: a@b.c\nTo: d@e.f\n\nx",
]  # fmt: skip
documents = st.recursive(
    scalars | st.sampled_from(VALUES),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=30,
)
channels = st.sampled_from(CHANNEL_TYPES)


def holds_its_promises(payload: Any, channel: Any) -> None:
    before = copy.deepcopy(payload)
    reading = normalise(payload, channel)
    assert reading.items
    assert reading.recognised or [item.kind for item in reading.items] == ["ignored"]
    for item in reading.items:
        json.dumps(item.model_dump(mode="json"), allow_nan=False).encode()
    assert repr(payload) == repr(before)


@settings(max_examples=150, deadline=None)
@given(documents, channels)
def test_arbitrary_json_is_read(document, channel):
    holds_its_promises(document, channel)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every node below the root."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, child in children for place in ((*path, key), *places(child, (*path, key)))]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_broken_copies_of_real_payloads_are_read(data):
    payload = copy.deepcopy(data.draw(st.sampled_from(CORPUS)))
    for _ in range(data.draw(st.integers(1, 4))):
        where = places(payload)
        if not where:
            break
        *way, last = data.draw(st.sampled_from(where))
        parent = payload
        for step in way:
            parent = parent[step]
        if data.draw(st.booleans()):
            del parent[last]
        else:
            parent[last] = data.draw(documents)
    holds_its_promises(payload, data.draw(channels))


CONTENT_TYPES = st.sampled_from([
    None, "", "application/json", "text/plain; charset=UTF-8", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b", "multipart/form-data", "message/rfc822", "application/octet-stream",
    "multipart/form-data; boundary*=utf-8''%00; charset*0=a; charset*2=b",
])  # fmt: skip
PIECES = st.sampled_from([
    b"--b\r\n", b"--b--", b"\r\n", b"\r\n\r\n", b'Content-Disposition: form-data; name="text"',
    b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/plain; charset=", b"punycode",
    b"utf-7", b"a\0b", b"From: ", b"a@b.example", b"Date: ", b"Subject: x\r\n", b"=?utf-8?B?w?=",
    b"=?x?q?=E?=", b"{", b"[", b'"', b"a=b&", b"%e9", b"\xff\xfe", b'filename*0*=a; filename*9="b"',
    b"Content-Transfer-Encoding: base64\r\n", b"charsets", b"(", b"<", b",", b";", b"begin 644 a\n", b"end\n",
    b"Content-Transfer-Encoding: uuencode\r\n", b"#0V%T\n", b"multipart/report; boundary=b", b"Action: failed\r\n",
    b"message/delivery-status\r\n", b"Message-ID: <x>\r\n", b"iso-2022-jp", b"euc-jp", b"big5", b"\x1b$B",
    b"<meta charset=",
])  # fmt: skip
bodies = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=6), max_size=25).map(b"".join)


@settings(max_examples=200, deadline=None)
@given(bodies, CONTENT_TYPES | st.text(max_size=40), channels)
def test_arbitrary_bytes_are_read_or_refused(body, content_type, channel):
    with contextlib.suppress(BrokenJson, UnreadableBody):
        holds_its_promises(read_body(body, content_type), channel)


@settings(max_examples=100, deadline=None)
@given(bodies)
def test_arbitrary_mail_is_read(source):
    holds_its_promises(source, "email")
    holds_its_promises({"envelope": "{}", "email": source.decode("utf-8", "surrogateescape")}, "email")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 102 + b"]" * 102,
        ('{"a":[' * 51 + "]}" * 51).encode("utf-16"),
        b"9" * 5000,
        b"NaN",
        b'{"a": 1',
        b'"\xff"',
        b"",
    ],
    ids=lambda body: body[:8].decode("latin-1"),
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(BrokenJson):
        read_body(body, "application/json")


def test_a_payload_deeper_than_python_can_climb_is_read():
    deep: Any = "x"
    for _ in range(50_000):
        deep = {"json": deep, "message": [deep]} if isinstance(deep, str) else [deep]
    assert not normalise(deep, "whatsapp").recognised
    wide = {"object": "page", "entry": [{"messaging": [{"message": deep}]}]}
    assert [item.kind for item in normalise(wide, "messenger").items] == ["ignored"]


def repeated(piece: str, size: int = MIB) -> str:
    return (piece * (size // len(piece) + 1))[:size]


def mail(start: str, piece: str, end: str = "") -> bytes:
    return f"From: a@b.example\r\nSubject: x\r\n{start}{repeated(piece)}{end}".encode()


def page(piece: str, end: str = "") -> bytes:
    return json.dumps({"FromFull": {"Email": "a@b.example"}, "HtmlBody": repeated(piece) + end}).encode()


def cloud(size: int) -> bytes:
    name = {"wa_id": "1", "profile": {"name": "1" * size}}
    said = {"from": "1", "type": "text", "text": {"body": "x"}}
    value = {"metadata": {"phone_number_id": "9" * size}, "contacts": [name], "messages": [said] * 9000}
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}).encode()


def evolution(size: int, event: str) -> bytes:
    said = {"key": {"remoteJid": "1@c.us", "id": "E"}, "message": {"conversation": "x"}}
    return json.dumps({"event": event, "instance": "1" * size, "data": [said] * 6000}).encode()


FORM = "multipart/form-data; boundary=b"
RFC822 = "message/rfc822"
JSON = "application/json"
HOSTILE = {
    "a long name for many messages": (JSON, cloud(MIB // 2)),
    "a long instance for many messages": (JSON, evolution(MIB // 2, "messages.upsert")),
    "a long event for many messages": (JSON, evolution(9, "x" * (MIB // 2))),
    "half a million elements": (JSON, b"[" + b"0," * (MIB // 2) + b"0]"),
    "boundaries": (FORM, repeated("--b\r\n").encode()),
    "a boundary's spaces": (FORM, b"--b" + b" " * MIB),
    "semicolons in a content type": (FORM.replace("boundary", "x") + '"' + ";" * MIB, b"--b\r\n"),
    "semicolons in a part": (FORM, b'--b\r\nContent-Disposition: form-data; name="a' + b";" * MIB),
    "percent signs": ("application/x-www-form-urlencoded", b"a=" + b"%" * MIB),
    "comments in an address": (RFC822, mail("To: ", "(")),
    "quotes in an address": (RFC822, mail("To: ", '"\\')),
    "encoded words that never end": (RFC822, mail("To: ", "=?a?q?")),
    "brackets in references": (RFC822, mail("References: ", "<")),
    "semicolons in a mail": (RFC822, mail('Content-Type: multipart/mixed; x="', ";")),
    "mails in mails": (RFC822, mail("", "Content-Type: message/rfc822\r\n\r\n")),
    "parts in parts": (RFC822, mail("", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")),
    "a slow codec": (RFC822, mail("Content-Type: text/plain; charset=punycode\r\n\r\n", "a-")),
    "tags that never end": (JSON, page("<a ")),
    "quotes that never end": (JSON, page('<a x="" ', '">"')),
    "comments that never end": (JSON, page("<!--")),
    "styles that never end": (JSON, page("<style>", ">")),
    "ampersands": (JSON, page("&am")),
    "a number of a million digits": (JSON, page("9", ";").replace(b"999", b"&#9", 1)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_mebibyte_takes_about_a_second(case):
    """Quadratic work on a mebibyte takes minutes: the limit is wide for slow machines."""
    content_type, body = HOSTILE[case]
    start = time.process_time()
    with contextlib.suppress(UnreadableBody):
        assert normalise(read_body(body, content_type), "email").items
    assert time.process_time() - start < 8
