"""Messenger and Instagram, which post the same events under another object."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from alfred.channels.building import MOST_READ, UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, rows, text, yes
from alfred.channels.item import Attachment, Fact, InboundItem, Referral
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

UUID_SHAPE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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
    entries = [entry for entry in rows(payload.get("entry")) if isinstance(entry, dict)]
    events = ((event, text(entry.get("id"))) for entry in entries for event in _events(entry))
    return [item for event, account in islice(events, MOST_READ) for item in _read_event(event, channel, account)]


class Elsewhere:
    """A change of another field than `messages`."""

    def __init__(self, change: Object) -> None:
        self.change = change


def _events(entry: Object) -> Iterator[Any]:
    """An entry's events in the order of the document."""
    for key, several in entry.items():
        if key in {"messaging", "standby"}:
            yield from rows(several)
        elif key == "changes":
            changes = (change for change in rows(several) if isinstance(change, dict))
            yield from (one.get("value") if one.get("field") == "messages" else Elsewhere(one) for one in changes)


def _read_event(event: Any, channel: ChannelType, account: str | None) -> list[InboundItem]:
    if isinstance(event, Elsewhere):
        is_comment = text(event.change.get("field")) in {"comments", "live_comments", "feed", "mentions"}
        return [ignored(channel, "comment" if is_comment else "unknown_event", event.change)]
    if not isinstance(event, dict) or not event:
        return [ignored(channel, "unknown_event", event)]
    occasion = _occasion(event, channel, account)
    for key, reader in READERS.items():
        if isinstance(event.get(key), dict):
            return [reader(occasion, event[key])]
    for key, status in RECEIPTS.items():
        if isinstance(event.get(key), dict):
            return _read_receipt(occasion, status, event[key])
    return [occasion.ignored("presence" if "typing" in event else "unknown_event")]


def _occasion(event: Object, channel: ChannelType, account: str | None) -> Occasion:
    """Who wrote to whom; in what the business wrote itself the two change places."""
    writer, reader = (text(obj(event.get(side)).get("id")) for side in ("sender", "recipient"))
    own = yes(obj(event.get("message")).get("is_echo")) or (writer is not None and writer == account)
    customer, business = (reader, writer) if own else (writer, reader)
    metadata = text(obj(event.get("message")).get("metadata")) or ""
    return Occasion(
        channel,
        kept(event),
        person(customer),
        business,
        moment(event.get("timestamp")),
        own=own,
        own_handle=business,
        delivery_id=metadata if own and UUID_SHAPE.fullmatch(metadata) else None,
    )


def _read_message(occasion: Occasion, message: Object) -> InboundItem:
    mid = text(message.get("mid"))
    if yes(message.get("is_deleted")):
        return occasion.deleted(mid) if occasion.sender.handle else occasion.ignored("no_sender")
    files = [_attachment(one) for one in rows(message.get("attachments")) if _is_typed(one)]
    if yes(message.get("is_unsupported")) and not files:
        files = list(UNSUPPORTED.attachments)
    origin = obj(message.get("reply_to"))
    reply_to = first(origin.get("mid"), obj(origin.get("story")).get("id"))
    content = Content(text(message.get("text")), files)
    return occasion.message(mid, content, reply_to, _referral(obj(message.get("referral"))))


def _referral(referral: Object) -> Referral | None:
    """An ad, a link or a product that the customer came by."""
    product = text(obj(referral.get("product")).get("id"))
    words = {
        "source_type": first(referral.get("source"), referral.get("type")) or ("PRODUCT" if product else None),
        "source_id": first(referral.get("ad_id"), product, referral.get("ref")),
        "headline": text(obj(referral.get("ads_context_data")).get("ad_title")),
        "url": text(referral.get("referer_uri")),
    }
    return Referral(**words) if any(words.values()) else None


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
    title = first(payload.get("title"), attachment.get("title")) if kind == "share" else None
    return Attachment(type=kind, id_or_url=first(payload.get("url"), attachment.get("url")), caption=title)


def _read_postback(occasion: Occasion, postback: Object) -> InboundItem:
    written = text(postback.get("title"))
    return occasion.message(
        text(postback.get("mid")), Content(written), referral=_referral(obj(postback.get("referral")))
    )


def _read_reaction(occasion: Occasion, reaction: Object) -> InboundItem:
    taken_away = reaction.get("action") == "unreact"
    emoji = None if taken_away else first(reaction.get("emoji"), reaction.get("reaction"))
    return occasion.reaction(None, text(reaction.get("mid")), emoji)


def _read_edit(occasion: Occasion, edit: Object) -> InboundItem:
    return occasion.edited(text(edit.get("mid")), text(edit.get("text")))


def _read_referral(occasion: Occasion, referral: Object) -> InboundItem:
    return occasion.ignored("referral", referral=_referral(referral))


def _read_optin(occasion: Occasion, optin: Object) -> InboundItem:
    """Marketing messages that the customer stopped, or wants again."""
    word = (text(optin.get("notification_messages_status")) or "").upper().replace(" ", "_")
    if word not in {"STOP_NOTIFICATIONS", "RESUME_NOTIFICATIONS"} or not occasion.sender.handle:
        return occasion.ignored("preferences")
    stopped = word == "STOP_NOTIFICATIONS"
    fact = Fact(
        type="opt_out" if stopped else "opt_in",
        about="contact",
        subject=occasion.sender.handle,
        provider_code=word,
        detail="The customer stopped marketing messages." if stopped else "The customer resumed marketing messages.",
        at=occasion.sent_at,
    )
    return occasion.ignored("preferences", [fact])


READERS = {
    "message": _read_message,
    "postback": _read_postback,
    "reaction": _read_reaction,
    "message_edit": _read_edit,
    "referral": _read_referral,
    "optin": _read_optin,
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
