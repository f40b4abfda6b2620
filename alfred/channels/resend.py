"""Resend's `email.received`, which tells of a mail without its body."""

import re

from alfred.channels.building import ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.headers import Headers
from alfred.channels.item import InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.terms import ChannelType

EVENT = re.compile(r"(?:email|contact|domain)\.[a-z_.]+")
FIELDS = {"from": "from", "to": "to", "message-id": "message_id", "in-reply-to": "in_reply_to"}


def recognise(payload: Object) -> bool:
    kind = payload.get("type")
    return isinstance(kind, str) and EVENT.fullmatch(kind) is not None


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    inner = payload.get("data")
    if payload["type"] != "email.received" or not isinstance(inner, dict):
        return [ignored(channel, "mail_event", payload)]
    files = [file for file in rows(inner.get("attachments")) if isinstance(file, dict)]
    letter = Letter(
        raw=payload,
        headers=Headers((name, inner.get(field)) for name, field in FIELDS.items())
        | Headers(obj(inner.get("headers")).items()),
        recipient=first(*rows(inner.get("to"))),
        provider_id=inner.get("email_id"),
        provider_time=first(inner.get("created_at"), payload.get("created_at")),
        subject=inner.get("subject"),
        plain=inner.get("text"),
        page=inner.get("html"),
        files=[
            attached(file.get("content_type"), file.get("id"))
            for file in files
            if not (text(file.get("content_disposition")) or "").lower().startswith("inline")
        ],
    )
    return [read_letter(letter)]
