"""Normalising: any sender's raw payload becomes the items that happened, by one table of senders."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from alfred.channels import (
    brevo,
    evolution,
    flat,
    mailgun,
    messenger,
    mime,
    n8n_mail,
    postmark,
    resend,
    sendgrid,
    ses,
    twilio,
    waha,
    whatsapp_cloud,
    zapi,
)
from alfred.channels.building import ignored
from alfred.channels.clean import Object
from alfred.channels.item import InboundItem, Reading
from alfred.terms import ChannelType

__all__ = ["CHANNEL_TYPES", "InboundItem", "Reading", "normalise"]

CHANNEL_TYPES: tuple[ChannelType, ...] = ("whatsapp", "instagram", "messenger", "email")
MOST_WRAPPERS = 10


class Known(NamedTuple):
    """A sender that we know: its channel (None: the address tells), how it is recognised, how it is read."""

    channel_type: ChannelType | None
    recognise: Callable[[Object], bool]
    read: Callable[[Object, ChannelType], list[InboundItem]]


# Read from top to bottom: the surest marks first, those that others may share last.
SENDERS = (
    Known("whatsapp", whatsapp_cloud.recognise, whatsapp_cloud.read),
    Known("messenger", messenger.recognise_page, messenger.read),
    Known("instagram", messenger.recognise_instagram, messenger.read),
    Known("email", ses.recognise, ses.read),
    Known("email", postmark.recognise, postmark.read),
    Known("email", brevo.recognise, brevo.read),
    Known("email", resend.recognise, resend.read),
    Known("whatsapp", waha.recognise, waha.read),
    Known("whatsapp", evolution.recognise, evolution.read),
    Known("whatsapp", zapi.recognise, zapi.read),
    Known("whatsapp", twilio.recognise, twilio.read),
    Known("email", sendgrid.recognise, sendgrid.read),
    Known("email", mailgun.recognise, mailgun.read),
    Known("email", n8n_mail.recognise, n8n_mail.read),
    Known(None, flat.recognise, flat.read),
)


def normalise(payload: Any, channel_type: ChannelType) -> Reading:
    """Never raises, never returns no items; `payload` is what `read_body` gives."""
    readings = [_read(one, channel_type) for one in _unwrapped(payload)]
    if not any(readings):
        raw = None if isinstance(payload, bytes) else payload
        return Reading(recognised=False, items=(ignored(channel_type, raw),))
    nothing = [ignored(channel_type)]
    return Reading(recognised=True, items=tuple(item for items in readings for item in items or nothing))


def _unwrapped(payload: Any) -> list[Any]:
    """The payloads inside of lists, n8n's items and what its Webhook node forwards."""
    found = [payload]
    for _ in range(MOST_WRAPPERS):
        opened = [_inside(one) for one in found]
        if all(inner is None for inner in opened):
            break
        pairs = zip(found, opened, strict=True)
        found = [one for whole, inner in pairs for one in ([whole] if inner is None else inner)]
    return found


def _inside(payload: Any) -> list[Any] | None:
    if isinstance(payload, list):
        return payload
    if not isinstance(payload, dict):
        return None
    if "headers" in payload and isinstance(payload.get("body"), dict | list):
        return [payload["body"]]
    return [payload["json"]] if isinstance(payload.get("json"), dict) else None


def _read(payload: Any, channel_type: ChannelType) -> Sequence[InboundItem]:
    """What the first sender that recognises its own makes of it; nothing where none does."""
    if isinstance(payload, bytes):
        return mime.read(payload) if mime.recognise(payload) else ()
    for sender in SENDERS if isinstance(payload, dict) else ():
        if sender.recognise(payload):
            channel = sender.channel_type or channel_type
            return sender.read(payload, channel) or [ignored(channel, payload)]
    return ()
