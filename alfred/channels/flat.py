"""The flat relay: one message in plain fields, of whichever channel the address names."""

from alfred.channels.building import Content, Occasion, person
from alfred.channels.clean import Object, moment, text
from alfred.channels.headers import Headers
from alfred.channels.item import InboundItem
from alfred.channels.mail import Letter, read_letter
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import phone
from alfred.terms import ChannelType

FIELDS = frozenset({"message_id", "from", "from_name", "to", "body", "sent_at"})


def recognise(payload: Object) -> bool:
    fields = FIELDS & payload.keys()
    return len(fields) > 2 or ("from" in fields and len(fields & {"body", "message_id"}) > 0)


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if channel == "email":
        return [read_letter(_letter(payload))]
    handle = phone if channel == "whatsapp" else text
    occasion = Occasion(
        channel,
        kept(payload),
        person(handle(payload.get("from")), payload.get("from_name")),
        handle(payload.get("to")),
        moment(payload.get("sent_at")),
    )
    return [occasion.message(text(payload.get("message_id")), Content(text(payload.get("body"))))]


def _letter(payload: Object) -> Letter:
    fields = {"from": "from", "to": "to", "subject": "subject", "message-id": "message_id", "date": "sent_at"}
    return Letter(
        raw=payload,
        headers=Headers((header, payload.get(field)) for header, field in fields.items()),
        name=payload.get("from_name"),
        plain=payload.get("body"),
    )
