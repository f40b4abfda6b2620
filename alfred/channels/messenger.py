"""Messenger and Instagram, which post the same events under another object."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alfred.channels.building import UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, rows, text, yes
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

KINDS: dict[str, AttachmentType] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "file": "document",
    "story_mention": "story_mention",
    "share": "share",
    "fallback": "share",
    "template": "share",
    "reel": "share",
    "ig_reel": "share",
    "post": "share",
    "ig_post": "share",
}


def recognise_page(payload: Object) -> bool:
    return payload.get("object") == "page"


def recognise_instagram(payload: Object) -> bool:
    return payload.get("object") == "instagram"


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    entries = (entry for entry in rows(payload.get("entry")) if isinstance(entry, dict))
    events = (event for entry in entries for event in _events(entry))
    return [item for event in events for item in _read_event(event, channel)]


def _events(entry: Object) -> Iterator[Any]:
    """An entry's events in the order of the document; None for a change of no interest."""
    for key, found in entry.items():
        if key in {"messaging", "standby"}:
            yield from rows(found)
        elif key == "changes":
            changes = (change for change in rows(found) if isinstance(change, dict))
            yield from (one.get("value") if one.get("field") == "messages" else None for one in changes)


def _read_event(event: Any, channel: ChannelType) -> list[InboundItem]:
    if not isinstance(event, dict) or not event:
        return [ignored(channel)]
    occasion = Occasion(
        channel,
        kept(event),
        person(text(obj(event.get("sender")).get("id"))),
        text(obj(event.get("recipient")).get("id")),
        moment(event.get("timestamp")),
    )
    for key, reader in READERS.items():
        if isinstance(event.get(key), dict):
            return [reader(occasion, event[key])]
    for key, status in RECEIPTS.items():
        if isinstance(event.get(key), dict):
            return _read_receipt(occasion, status, event[key])
    return [occasion.ignored()]


def _read_message(occasion: Occasion, message: Object) -> InboundItem:
    if yes(message.get("is_echo")) or not occasion.sender.handle:
        return occasion.ignored()
    mid = text(message.get("mid"))
    if yes(message.get("is_deleted")):
        return occasion.status("deleted", mid)
    files = [_attachment(one) for one in rows(message.get("attachments")) if _is_typed(one)]
    if yes(message.get("is_unsupported")) and not files:
        files = list(UNSUPPORTED.attachments)
    origin = obj(message.get("reply_to"))
    reply_to = first(origin.get("mid"), obj(origin.get("story")).get("id"))
    return occasion.message(mid, Content(text(message.get("text")), files), reply_to)


def _is_typed(attachment: Any) -> bool:
    return isinstance(attachment, dict) and isinstance(attachment.get("type"), str)


def _attachment(attachment: Object) -> Attachment:
    payload = obj(attachment.get("payload"))
    if attachment["type"] == "location":
        where = obj(payload.get("coordinates"))
        title = first(payload.get("title"), attachment.get("title"))
        return place(where.get("lat"), where.get("long"), title)
    kind = KINDS.get(attachment["type"], "unsupported")
    if kind == "image" and text(payload.get("sticker_id")):
        kind = "sticker"
    if kind == "unsupported":
        return Attachment(type=kind)
    title = first(payload.get("title"), attachment.get("title")) if kind == "share" else None
    return Attachment(type=kind, id_or_url=first(payload.get("url"), attachment.get("url")), caption=title)


def _read_postback(occasion: Occasion, postback: Object) -> InboundItem:
    return occasion.message(text(postback.get("mid")), Content(text(postback.get("title"))))


def _read_reaction(occasion: Occasion, reaction: Object) -> InboundItem:
    taken_away = reaction.get("action") == "unreact"
    emoji = None if taken_away else first(reaction.get("emoji"), reaction.get("reaction"))
    return occasion.reaction(None, text(reaction.get("mid")), emoji)


def _read_edit(occasion: Occasion, edit: Object) -> InboundItem:
    return occasion.edited(text(edit.get("mid")), text(edit.get("text")))


READERS = {
    "message": _read_message,
    "postback": _read_postback,
    "reaction": _read_reaction,
    "message_edit": _read_edit,
}
RECEIPTS: dict[str, MessageUpdate] = {"delivery": "delivered", "read": "read"}


def _read_receipt(occasion: Occasion, status: MessageUpdate, receipt: Object) -> list[InboundItem]:
    """One for each message; without ids it is about all messages up to the watermark."""
    several = rows(receipt.get("mids"))
    raw = {key: occasion.raw.get(key) for key in ("sender", "recipient", "timestamp")}
    raw["watermark"] = receipt.get("watermark")
    dated = replace(occasion, raw=kept(raw), sent_at=moment(receipt.get("watermark")) or occasion.sent_at)
    if not several:
        return [dated.status(status, text(receipt.get("mid")))]
    return dated.statuses(status, several)
