"""Mailgun's routes: a form with the mail's pieces, or with the raw mail in `body-mime`."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alfred.channels.building import ignored
from alfred.channels.clean import Object, obj, rows, text
from alfred.channels.decoding import as_bytes
from alfred.channels.headers import Headers
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.channels.mime import take_apart
from alfred.channels.reports import form_report
from alfred.channels.strict_json import parsed
from alfred.terms import ChannelType

FILE_FIELD = re.compile(r"attachment-([0-9]{1,4})")
CONTENT_ID = re.compile(r':\s*"((?:[^"\\]|\\.)*)"')
BODIES = frozenset({"message-headers", "body-mime", "body-plain", "stripped-text", "body-html"})


def recognise(payload: Object) -> bool:
    return _is_tracking(payload) or bool({"message-headers", "body-mime"} & payload.keys()) or _is_route(payload)


def _is_route(payload: Object) -> bool:
    return "recipient" in payload and bool(BODIES & payload.keys())


def _is_tracking(payload: Object) -> bool:
    return isinstance(payload.get("event-data"), dict)


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if _is_tracking(payload):
        return [ignored(channel, "mail_event", payload)]
    fields = Headers((name, value) for name, value in payload.items() if isinstance(value, str))
    if text(payload.get("body-mime")):
        return [read_letter(_raw_letter(payload, fields))]
    letter = Letter(
        raw=payload,
        headers=_headers(payload) | fields,
        recipient=payload.get("recipient"),
        provider_time=payload.get("timestamp"),
        reply_only=payload.get("stripped-text"),
        plain=payload.get("body-plain"),
        page=payload.get("body-html"),
        files=list(_files(payload)),
        report=form_report(payload, FILE_FIELD),
    )
    return [read_letter(letter)]


def _raw_letter(payload: Object, fields: Headers) -> Letter:
    mail = take_apart(as_bytes(str(payload["body-mime"])))
    return replace(
        mail.letter({**payload, "body-mime": mail.raw}),
        headers=mail.headers | fields,
        recipient=payload.get("recipient"),
        provider_time=payload.get("timestamp"),
        reply_only=payload.get("stripped-text"),
    )


def _headers(payload: Object) -> Headers:
    pairs = rows(parsed(payload.get("message-headers")))
    return Headers((pair[0], pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2)


def _files(payload: Object) -> Iterator[Attachment]:
    inline = _inline(payload.get("content-id-map"))
    numbered = ((match, part) for field, part in payload.items() if (match := FILE_FIELD.fullmatch(field)))
    for match, part in sorted(numbered, key=lambda field: int(field[0].group(1))):
        if match.group() not in inline:
            yield attached(obj(part).get("type"), match.group())
    for stored in rows(parsed(payload.get("attachments"))):
        if isinstance(stored, dict) and text(stored.get("url")) not in inline:
            yield attached(stored.get("content-type"), stored.get("url"))


def _inline(mapped: Any) -> set[str | None]:
    """The fields that the text shows; read from the text, as its keys can repeat."""
    if isinstance(mapped, dict):
        return {text(field) for field in mapped.values()}
    return set(CONTENT_ID.findall(text(mapped) or ""))
