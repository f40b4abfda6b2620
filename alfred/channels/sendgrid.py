"""SendGrid's Inbound Parse: a form with the mail's pieces, or with the raw mail in it."""

import re
from collections.abc import Iterator
from dataclasses import replace

from alfred.channels.building import ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.decoding import as_bytes
from alfred.channels.headers import Headers, read_headers
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.channels.mime import take_apart
from alfred.channels.reports import form_report
from alfred.channels.strict_json import parsed
from alfred.terms import ChannelType

FILE_FIELD = re.compile(r"attachment[0-9]{1,4}")
COMPANIONS = frozenset({"headers", "email", "from", "charsets", "SPF", "sender_ip"})


def recognise(payload: Object) -> bool:
    return "sg_event_id" in payload or ("envelope" in payload and bool(COMPANIONS & payload.keys()))


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if "sg_event_id" in payload:  # news of a mail that was sent
        return [ignored(channel, "mail_event", payload)]
    envelope = obj(parsed(payload.get("envelope")))
    recipient = first(*(rows(envelope.get("to")) or [envelope.get("to")]))
    if text(payload.get("email")) and "headers" not in payload:
        return [read_letter(_raw_letter(payload, recipient))]
    given = Headers((name, payload.get(name)) for name in ("from", "to", "subject"))
    letter = Letter(
        raw=payload,
        headers=read_headers(text(payload.get("headers")) or "") | given,
        recipient=recipient,
        plain=payload.get("text"),
        page=payload.get("html"),
        files=list(_files(payload)),
        report=form_report(payload, FILE_FIELD),
    )
    return [read_letter(letter)]


def _raw_letter(payload: Object, recipient: str | None) -> Letter:
    mail = take_apart(as_bytes(str(payload["email"])))
    given = Headers((name, payload.get(name)) for name in ("from", "to"))
    letter = mail.letter({**payload, "email": mail.raw})
    return replace(letter, headers=mail.headers | given, recipient=recipient)


def _files(payload: Object) -> Iterator[Attachment]:
    described = obj(parsed(payload.get("attachment-info")))
    inline = {text(field) for field in obj(parsed(payload.get("content-ids"))).values()}
    sent = {field: part for field, part in payload.items() if FILE_FIELD.fullmatch(field)}
    for field in {**described, **sent}:
        about = obj(described.get(field))
        if not text(about.get("content-id")) and field not in inline:
            yield attached(first(about.get("type"), obj(sent.get(field)).get("type")), field)
