"""The sentences of the payloads' specification about mail services, each with a post of its own."""

import base64
import json
from typing import Any

from alfred.channels import normalise
from alfred.channels.body import read_body
from tests.pure.mails import NOON, files, mime, one


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
