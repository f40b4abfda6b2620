"""Brevo's inbound parsing: several mails in one post."""

from typing import Any

from alfred.channels.building import MOST_READ, ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.headers import Headers
from alfred.channels.item import InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.terms import ChannelType

MARKS = frozenset({"Uuid", "MessageId", "SentAtDate", "RawTextBody", "RawHtmlBody", "ExtractedMarkdownMessage"})


def recognise(payload: Object) -> bool:
    return any(MARKS & obj(item).keys() for item in rows(payload.get("items"))) or _is_tracking(payload)


def _is_tracking(payload: Object) -> bool:
    return "event" in payload and "message-id" in payload


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    return [_read_item(item, channel) for item in rows(payload.get("items"))[:MOST_READ] or [payload]]


def _read_item(item: Any, channel: ChannelType) -> InboundItem:
    if not isinstance(item, dict) or not item or _is_tracking(item):
        return ignored(channel, "mail_event", item)
    writer = obj(item.get("From"))
    files = [file for file in rows(item.get("Attachments")) if isinstance(file, dict)]
    letter = Letter(
        raw=item,
        headers=_headers(item),
        writer=text(writer.get("Address")),
        name=writer.get("Name"),
        provider_id=first(*rows(item.get("Uuid")), item.get("Uuid")),
        subject=item.get("Subject"),
        reply_only=item.get("ExtractedMarkdownMessage"),
        plain=item.get("RawTextBody"),
        page=item.get("RawHtmlBody"),
        files=[
            attached(file.get("ContentType"), file.get("DownloadToken"))
            for file in files
            if not text(file.get("ContentID"))
        ],
    )
    return read_letter(letter)


def _headers(item: Object) -> Headers:
    fields = {"message-id": "MessageId", "in-reply-to": "InReplyTo", "date": "SentAtDate"}
    given = Headers((name, item.get(field)) for name, field in fields.items())
    to = first(*(obj(one).get("Address") for one in rows(item.get("To"))))
    return given | Headers(obj(item.get("Headers")).items()) | Headers([("to", to)])
