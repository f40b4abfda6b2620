"""The flat relay: one message in plain fields, of whichever channel the address names."""

from alfred.channels.chat import phone
from alfred.channels.clean import Object, moment, text
from alfred.channels.headers import Headers
from alfred.channels.item import ChannelType, InboundItem
from alfred.channels.mail import Letter, read_letter
from alfred.channels.occasion import Content, Occasion


def recognise(payload: Object) -> bool:
    return "from" in payload and ("body" in payload or "message_id" in payload)


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if channel == "email":
        return [read_letter(_letter(payload))]
    handle = phone if channel == "whatsapp" else text
    occasion = Occasion(
        channel,
        payload,
        handle(payload.get("from")),
        payload.get("from_name"),
        handle(payload.get("to")),
        moment(payload.get("sent_at")),
    )
    return [occasion.message(text(payload.get("message_id")), Content(text(payload.get("body"))))]


def _letter(payload: Object) -> Letter:
    fields = {"from": "from", "to": "to", "message-id": "message_id", "date": "sent_at"}
    return Letter(
        raw=payload,
        headers=Headers((header, payload.get(field)) for header, field in fields.items()),
        name=payload.get("from_name"),
        plain=payload.get("body"),
    )
