"""The sentences of the payloads' specification about mail, each with a mail of its own."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from alfred.channels import normalise
from alfred.channels.address import decode_words, mailboxes
from alfred.channels.body import UnreadableBody, read_body
from alfred.channels.clean import moment, name
from alfred.channels.html_text import words
from alfred.channels.item import InboundItem

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def one(payload: Any) -> InboundItem:
    reading = normalise(payload, "whatsapp")  # the address says nothing about a mail
    assert reading.recognised
    (item,) = reading.items
    assert item.channel_type == "email"
    return item


def files(item: InboundItem) -> list[tuple[Any, ...]]:
    return [(file.type, file.mime, file.id_or_url) for file in item.attachments]


def mime(*lines: str, body: str = "hello") -> bytes:
    start = [
        "From: Ana <Ana@Example.com>",
        "Date: Wed, 1 May 2024 09:00:00 -0300",
        "Message-ID: <m1@example.com>",
    ]
    return "\r\n".join([*start, "To: Loja <Loja@Example.org>", *lines, "", body]).encode()


# Raw MIME
def test_a_raw_mail():
    item = one(mime("References: <a@x> <b@x>", "X-Original-To: outra@example.org"))
    assert (item.sender.handle, item.sender.name) == ("ana@example.com", "Ana")
    assert (item.external_id, item.reply_to, item.recipient) == ("m1@example.com", "b@x", "outra@example.org")
    assert (item.sent_at, item.text) == (NOON, "hello")


@pytest.mark.parametrize(
    "lines",
    [
        ["Auto-Submitted: auto-replied"],
        ["auto-submitted: Auto-Generated; x=y"],
        ["From: x"],
    ],
)
def test_mail_of_machines_is_ignored(lines):
    source = mime(*lines)
    if lines == ["From: x"]:
        source = source.replace(b"From: Ana <Ana@Example.com>\r\n", b"")
    assert one(source).kind == "ignored"


@pytest.mark.parametrize("writer", ["MAILER-DAEMON@x.example", "Postmaster <postmaster@x.example>", "nobody", ""])
def test_mail_of_nobody_is_ignored(writer):
    assert one(mime().replace(b"Ana <Ana@Example.com>", writer.encode())).kind == "ignored"


def test_a_mail_that_says_it_is_no_auto_reply_counts_even_when_empty():
    item = one(mime("Auto-Submitted: no", body=""))
    assert (item.kind, item.text) == ("message", None)


def test_delivered_to_comes_before_the_others():
    lines = ["Delivered-To: <Um@Example.org>", "X-Original-To: dois@example.org"]
    assert one(mime(*lines)).recipient == "um@example.org"


MIXED = """--b
Content-Type: multipart/alternative; boundary="c c"

--c c
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable
Content-ID: <body@x>

Ol=E1
--c c
Content-Type: text/html

<p>no <img src="cid:logo"></p>
--c c--
--b
Content-Type: image/png; name="logo.png"
Content-ID: <logo>
Content-Disposition: inline

x
--b
Content-Type: Application/PDF; name="=?UTF-8?Q?or=C3=A7.pdf?="
Content-ID: <gmail-gives-one>
Content-Disposition: attachment

x
--b
Content-Disposition: attachment; filename*0*=UTF-8''or%C3%A7; filename*1=amento.txt
Content-Type: text/plain

not the body
--b
Content-Type: message/rfc822

From: x@y.example

inner
--b
Content-Type: text/vcard

x
--b
Content-Type: text/plain

tchau
--b--
trailer"""


def test_parts_of_a_mail():
    item = one(mime('Content-Type: multipart/mixed; boundary="b"', body=MIXED))
    assert item.text == "Olá\ntchau"
    assert files(item) == [
        ("document", "Application/PDF", "orç.pdf"),
        ("document", "text/plain", "orçamento.txt"),
        ("document", "message/rfc822", None),
        ("contact", "text/vcard", None),
    ]
    assert "not the body" not in json.dumps(item.raw)


def test_a_charset_that_lies_or_is_none_loses_no_letter():
    for charset in ("utf-8", "us-ascii", "x-unknown", "punycode", "a\0b"):
        assert one(mime(f"Content-Type: text/plain; charset={charset}", body="olá")).text == "olá"
    latin = mime("X: y", body="ol").replace(b"ol", b"ol\xe1")
    assert one(latin).text == "olá"


def test_a_broken_base64_gives_what_can_be_read():
    assert one(mime("Content-Transfer-Encoding: base64", body="aGVs*bG8gd")).text == "hello "[:-1]


# Providers
def sendgrid(**fields: Any) -> dict[str, Any]:
    return {
        "envelope": '{"to":["Vendas@Example.org"],"from":"bounce@x"}',
        "headers": mime().decode(),
        **fields,
    }


def test_sendgrid():
    info = {
        "attachment1": {"type": "text/vcard; x=y"},
        "attachment2": {"content-id": "c"},
        "attachment3": None,
    }
    item = one(sendgrid(text=" ", html="<b>o</b>i", **{"attachment-info": json.dumps(info)}))
    assert (item.recipient, item.text, item.external_id) == ("vendas@example.org", "oi", "m1@example.com")
    assert files(item) == [("contact", "text/vcard", "attachment1"), ("document", None, "attachment3")]
    assert one(sendgrid(headers=None, **{"from": "Ana <ana@x.example>"})).sender.name == "Ana"
    assert one({"sg_event_id": "1", "event": "open", "email": "a@b.example"}).kind == "ignored"


def test_sendgrid_raw_and_its_charsets():
    fields = {
        "envelope": b'{"to":["v@example.org"]}',
        "charsets": b'{"text":"iso-8859-1","from":"x-none"}',
        "from": "Zoé <zoe@example.com>".encode(),
        "headers": b"Subject: x",
        "text": b"ol\xe1 \r\n--c\r\nfim",
    }
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n'.encode() + v for n, v in fields.items()]
    body = b"\r\n".join([*parts, b"--b--\r\n"])
    item = one(read_body(body, "multipart/form-data; boundary=b"))
    assert (item.text, item.sender.name, item.recipient) == ("olá \n--c\nfim", "Zoé", "v@example.org")
    assert one(read_body(body, "multipart/form-data")) == one(read_body(body, None)) == item

    source = mime("Content-Type: text/plain; charset=iso-8859-1", body="x").replace(b"\nx", b"\nol\xe1")
    raw = b'--b\r\nContent-Disposition: form-data; name="envelope"\r\n\r\n{"to":["v@example.org"]}\r\n'
    raw += b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n' + source + b"\r\n--b--"
    item = one(read_body(raw, "multipart/form-data; boundary=b"))
    assert (item.text, item.recipient, item.external_id) == ("olá", "v@example.org", "m1@example.com")


def test_mailgun():
    fields = {
        "recipient": "V@example.org",
        "sender": "bounce@x.example",
        "from": "Ana <ana@example.com>",
        "Date": "Wed, 1 May 2024 12:00:00 +0000",
        "timestamp": "1714565102",
        "token": "secret",
        "signature": "secret",
        "stripped-text": "",
        "body-plain": "oi",
        "message-headers": "broken",
        "attachment-2": {"filename": "b", "type": "audio/ogg; x=y"},
        "attachment-1": {"type": None},
        "attachment-3": {"type": "image/png"},
        "attachment-4": {"type": "image/png"},
        "content-id-map": '{"<a>": "attachment-3", "<a>": "attachment-4"}',
    }
    item = one(fields)
    assert (item.recipient, item.text, item.sent_at) == ("v@example.org", "oi", NOON)
    assert files(item) == [("document", None, "attachment-1"), ("audio", "audio/ogg", "attachment-2")]
    assert "secret" not in json.dumps(item.raw)
    raw = {"recipient": "v@example.org", "body-mime": mime().decode(), "from": "x@y.example"}
    assert (one(raw).sender.handle, one(raw).text) == ("ana@example.com", "hello")
    assert one({"signature": {"token": "x"}, "event-data": {"event": "opened"}}).kind == "ignored"


def test_postmark():
    payload = {
        "FromFull": {"Email": "Ana@Example.com", "Name": "ana@example.com"},
        "MessageID": "guid",
        "Date": "nonsense",
        "ToFull": [{"Email": "V@example.org"}],
        "StrippedTextReply": "só isto",
        "TextBody": "isto e aquilo",
        "Headers": [None, {"Name": "References", "Value": "<a@x>\r\n <b@x>"}],
        "Attachments": [5, {"Name": "a", "Content": "AAAA", "ContentType": "video/mp4", "ContentID": ""}],
    }
    item = one(payload)
    assert (item.sender.name, item.external_id, item.recipient) == (None, "guid", "v@example.org")
    assert (item.text, item.reply_to, item.sent_at) == ("só isto", "b@x", None)
    assert files(item) == [("video", "video/mp4", "a")]
    assert "AAAA" not in json.dumps(item.raw)
    assert one({**payload, "RecordType": "Bounce"}).kind == "ignored"


def ses(content: str | None, encoding: str = "UTF8", **mail: Any) -> dict[str, Any]:
    common = {"from": ["Ana <ana@example.com>"], "messageId": "<s@x>", "to": ["v@example.org"]}
    inner = {
        "notificationType": "Received",
        "mail": {"messageId": "ses", "timestamp": "2024-05-01T12:00:00Z", "commonHeaders": common, **mail},
        "receipt": {"recipients": ["Real@example.org"], "action": {"encoding": encoding}},
        "content": content,
    }
    return {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(inner), "Signature": "secret"}


def test_ses():
    item = one(ses(None, headers=[{"name": "In-Reply-To", "value": "<o@x>"}]))
    assert (item.external_id, item.reply_to, item.text, item.sent_at) == ("s@x", "o@x", None, NOON)
    assert (item.sender.name, item.recipient) == ("Ana", "real@example.org")
    item = one(ses(base64.b64encode(mime()).decode(), "BASE64"))
    assert (item.external_id, item.text) == ("m1@example.com", "hello")
    assert one(ses(None, headers=[{"name": "Auto-Submitted", "value": "auto-replied"}])).kind == "ignored"
    assert one({"Type": "Notification", "TopicArn": "arn", "Message": "Successfully validated"}).kind == "ignored"
    assert (
        one({"Type": "Notification", "TopicArn": "arn", "Message": '{"notificationType":"Bounce"}'}).kind == "ignored"
    )


def test_brevo():
    item = {
        "Uuid": ["u"],
        "From": {"Name": None, "Address": "Ana@Example.com"},
        "SentAtDate": "Wed, 1 May 2024 12:00:00 +0000",
        "To": [{"Address": "V@Example.org"}],
        "RawHtmlBody": "<p>x</p>",
        "ExtractedMarkdownMessage": "oi",
        "Headers": {"References": ["<a@x>", "<b@x>"], "Message-ID": None},
        "Attachments": [
            {"ContentType": "image/png", "DownloadToken": "t", "ContentID": None},
            {"ContentID": "c"},
        ],
    }
    reading = normalise({"items": [5, item, {}, {**item, "MessageId": "<m@x>"}]}, "email")
    assert [found.kind for found in reading.items] == ["ignored", "message", "ignored", "message"]
    first = reading.items[1]
    assert (first.external_id, first.reply_to, first.recipient, first.text) == (
        "u",
        "b@x",
        "v@example.org",
        "oi",
    )
    assert (first.sent_at, files(first)) == (NOON, [("image", "image/png", "t")])
    assert reading.items[3].external_id == "m@x"
    assert one({"event": "delivered", "email": "a@b.example", "message-id": "<x>"}).kind == "ignored"


def test_resend():
    inner = {
        "email_id": "r",
        "from": "Ana <ana@example.com>",
        "to": ["V@example.org"],
        "message_id": "<m@x>",
        "created_at": "2024-05-01T12:00:00.1239+00:00",
        "attachments": [
            {"id": "a", "content_type": "image/png", "content_disposition": "inline"},
            {"id": "b"},
        ],
    }
    item = one({"type": "email.received", "data": inner})
    assert (item.external_id, item.text, item.recipient) == ("m@x", None, "v@example.org")
    assert (item.sent_at, files(item)) == (NOON.replace(microsecond=123000), [("document", None, "b")])
    assert one({"type": "email.delivered", "data": inner}).kind == "ignored"


def test_n8n_resolved():
    payload = {
        "text": "oi",
        "html": False,
        "messageId": "<m@x>",
        "references": "<a@x>",
        "date": "2024-05-01T12:00:00.000Z",
        "from": {"value": [{"address": "Ana@Example.com", "name": "Ana"}], "text": "x"},
        "attributes": {"uid": 8},
        "to": {"value": [{"address": "T@example.org"}]},
        "headers": {"delivered-to": "Delivered-To: v@example.org"},
        "attachments": [{"filename": "x"}],
    }
    item = one({"json": payload, "binary": {}})
    assert (item.sender.handle, item.sender.name, item.recipient) == (
        "ana@example.com",
        "Ana",
        "v@example.org",
    )
    assert (item.external_id, item.reply_to, item.text) == ("m@x", "a@x", "oi")
    assert (item.sent_at, item.attachments) == (NOON, ())
    assert one({**payload, "messageId": None, "headers": {}}).external_id == "8"
    automatic = {"auto-submitted": "Auto-Submitted: auto-replied"}
    assert one({**payload, "headers": automatic}).kind == "ignored"
    assert one({"id": "g", "threadId": "t", **payload, "messageId": None}).external_id == "g"


def test_n8n_gmail_simplified_and_imap_raw():
    payload = {
        "id": "g",
        "threadId": "t",
        "snippet": "a &lt;b&gt; &#39;c&#39;",
        "internalDate": "1714564800000",
        "From": "=?UTF-8?Q?Jos=C3=A9?= <jose@example.com>",
        "To": "V@example.org",
        "Subject": "s",
    }
    item = one(payload)
    assert (item.external_id, item.text, item.sent_at) == ("g", "a <b> 'c'", NOON)
    assert (item.sender.name, item.recipient) == ("José", "v@example.org")
    assert one({"raw": "just a body"}).kind == "ignored"


# What they share
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"Lima, Ana" <Ana@X.example>', [("ana@x.example", "Lima, Ana")]),
        (
            "=?UTF-8?Q?Lima=2C_Ana?= <a@x.example>, b@x.example",
            [("a@x.example", "Lima, Ana"), ("b@x.example", None)],
        ),
        ("=?utf-8?B?w6k=?= =?utf-8?Q?=C3?=\t=?UTF-8?Q?=A9?= b <a@x.example>", [("a@x.example", "éé b")]),
        ("a@x.example (Ana (B))", [("a@x.example", "Ana B")]),
        ("Team: a@x.example, <b@x.example>;", [("a@x.example", None), ("b@x.example", None)]),
        ("undisclosed-recipients:;", []),
        ("Lima, Ana <a@x.example>", [("a@x.example", "Ana")]),
        ("a b@x.example", []),
        ('"a\\"b" <a@x.example>', [("a@x.example", 'a"b')]),
    ],
)
def test_addresses_are_split_before_they_are_decoded(header, expected):
    assert [tuple(box) for box in mailboxes(header)] == expected


def test_broken_words_stay_readable():
    assert decode_words("=?nope?Q?a=E9?= =?utf-8?B?!?= x") == "aé x"
    assert decode_words("a =?b") == "a =?b"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a</p><p>b<b>c</b>d</p>e<br>f", "a bcd e f"),
        ("<html><head><title>t</title>x<style>p{}</style></head><body>a&nbsp;&amp;&eacute;</body>", "a &é"),
        ("<head><meta x>t<p>a", "a"),
        ("<script>if (a < b) '</p>'</SCRIPT >a<style>b", "a"),
        ("<a title=\"x>y\" href='<b>'>a</a>b", "ab"),
        ("a <!-- <p> --> b<!-->c<![if x]>d<?xml?>e</>f", "a bcdef"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("a <b", "a <b"),
        ("<td>a</td><td>b</td>", "a b"),
        ("&#99999999999;x", "\ufffdx"),
        ("<p> </p>", None),
    ],
)
def test_html_becomes_words(page, expected):
    assert words(page) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1714564800, NOON),
        ("1714564800", NOON),
        (1714564800.0, NOON),
        (10**11, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("1714564800000", NOON),
        (1714564800000.9, NOON),
        ("2024-05-01T12:00:00", NOON),
        ("2024-05-01T09:00:00.0009-03:00", NOON),
        ("2024-05-01T12:00:00z", NOON),
        ("Wed, 1 May 2024 08:00:00 -0400 (EDT)", NOON),
        ("1 May 2024 12:00 GMT", NOON),
        (1714564800.123, NOON.replace(microsecond=123000)),
        ("1714564800.9999", NOON.replace(microsecond=999000)),
        (0, None),
        (-5, None),
        ("-5", None),
        ("", None),
        ("x", None),
        (True, None),
        ([], None),
        (float("inf"), None),
        (10**30, None),
        ("9" * 19, None),
        ("2024-13-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("(" * 9999, None),
    ],
)
def test_times(written, expected):
    assert moment(written) == expected


@pytest.mark.parametrize(
    ("called", "handle", "expected"),
    [
        ("Ana", "x", "Ana"),
        (" ", "x", None),
        ("x", "x", None),
        ("Ana@X.example", "ana@x.example", None),
        ("+55 (11) 9-8.7", "x", None),
        ("\u202a+55 11 9\u20111\u202c", "x", None),
        ("24/7", "x", "24/7"),
        (5, "x", None),
        ({}, "x", None),
    ],
)
def test_names(called, handle, expected):
    assert name(called, handle) == expected


# Bodies
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "text/plain; charset=UTF-8", {"a": 1}),
        (b' {"a": 1}', None, {"a": 1}),
        (b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}),
        (b"a=1&a=2&b=&c=%C3%A9", "application/x-www-form-urlencoded", {"a": "1", "b": "", "c": "é"}),
        (b"a=1&b=2\n", None, {"a": "1", "b": "2"}),
        (mime(), "text/plain", mime()),
        (mime(), "application/octet-stream", mime()),
        (b"x", "message/rfc822", b"x"),
    ],
)
def test_bodies(body, content_type, expected):
    assert read_body(body, content_type) == expected


def test_of_a_file_only_its_description_is_kept():
    head = b'Content-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: a/b'
    body = b"--b\r\n" + head + b"\r\n\r\n12\xff\r\n--b--"
    assert read_body(body, "multipart/form-data; boundary=b") == {"f": {"filename": "x.bin", "type": "a/b", "size": 3}}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b"hello there", "text/plain"),
        (b'{"a"', "text/plain"),
        (b"a=1&" * 1001, "application/x-www-form-urlencoded"),
        (b"--b\r\n\r\nx\r\n" * 1002, "multipart/form-data; boundary=b"),
        (b"nothing", "multipart/form-data; boundary=b"),
    ],
)
def test_bodies_that_nobody_posts(body, content_type):
    with pytest.raises(UnreadableBody, match=r"\.$"):
        read_body(body, content_type)
