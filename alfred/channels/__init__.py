"""Normalising: any provider's raw payload becomes the items that happened, by one table of providers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

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
from alfred.channels.unwrapping import Unwrapped, unwrapped
from alfred.terms import ChannelType

__all__ = ["CHANNEL_TYPES", "PROVIDERS", "InboundItem", "Reading", "normalise"]

CHANNEL_TYPES: tuple[ChannelType, ...] = get_args(ChannelType)


class Provider(NamedTuple):
    """A shape that we know: whose it is, its channel (null: the address tells), how it is recognised and read."""

    name: str
    channel_type: ChannelType | None
    recognise: Callable[[Object], bool]
    read: Callable[[Object, ChannelType], list[InboundItem]]


# Read from top to bottom: the surest marks first, those that others may share last.
PROVIDERS = (
    Provider("whatsapp_cloud", "whatsapp", whatsapp_cloud.recognise, whatsapp_cloud.read),
    Provider("messenger", "messenger", messenger.recognise_page, messenger.read),
    Provider("instagram", "instagram", messenger.recognise_instagram, messenger.read),
    Provider("ses", "email", ses.recognise, ses.read),
    Provider("postmark", "email", postmark.recognise, postmark.read),
    Provider("brevo", "email", brevo.recognise, brevo.read),
    Provider("resend", "email", resend.recognise, resend.read),
    Provider("waha", "whatsapp", waha.recognise, waha.read),
    Provider("evolution", "whatsapp", evolution.recognise, evolution.read),
    Provider("zapi", "whatsapp", zapi.recognise, zapi.read),
    Provider("twilio", "whatsapp", twilio.recognise, twilio.read),
    Provider("sendgrid", "email", sendgrid.recognise, sendgrid.read),
    Provider("mailgun", "email", mailgun.recognise, mailgun.read),
    Provider("n8n", "email", n8n_mail.recognise, n8n_mail.read),
    Provider("flat", None, flat.recognise, flat.read),
)


def normalise(payload: Any, channel_type: ChannelType) -> Reading:
    """Never raises, never returns no items; `payload` is what `read_body` gives."""
    single = [(one, _read(one, channel_type)) for one in unwrapped(payload)]
    if not any(items for _, items in single):
        raw = None if isinstance(payload, bytes) else payload
        nothing = ignored(channel_type, "unreadable", raw).model_copy(update={"rejected": True})
        return Reading(recognised=False, items=(nothing,), rejected=tuple(one.payload for one, _ in single))
    return Reading(
        recognised=True,
        items=tuple(item for one, items in single for item in items or [_unreadable(one, channel_type)]),
        rejected=tuple(one.payload for one, items in single if not items or any(item.rejected for item in items)),
    )


def _unreadable(one: Unwrapped, channel_type: ChannelType) -> InboundItem:
    raw = None if isinstance(one.payload, bytes) else one.payload
    return ignored(channel_type, "unreadable", raw).model_copy(update={"rejected": True})


def _read(one: Unwrapped, channel_type: ChannelType) -> Sequence[InboundItem]:
    """What the first provider that recognises its own makes of it; nothing where none does."""
    payload = one.payload
    if isinstance(payload, bytes):
        return _named(mime.read(payload), "mime") if mime.recognise(payload) else ()
    for provider in PROVIDERS if isinstance(payload, dict) else ():
        if provider.recognise(payload):
            channel = provider.channel_type or channel_type
            items = provider.read(payload, channel) or [ignored(channel, "unknown_event", payload)]
            return _named(items, provider.name, one.delivery_id)
    return ()


def _named(items: list[InboundItem], provider: str, delivery_id: str | None = None) -> list[InboundItem]:
    """The items with the provider's name, and with what the address of a status callback told."""
    told = {"provider": provider, "delivery_id": delivery_id}
    named = {"provider": provider}
    return [
        item.model_copy(update=told if delivery_id and item.kind == "status" and not item.delivery_id else named)
        for item in items
    ]
