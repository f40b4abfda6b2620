"""What is written of an item, and under which id: between a payload and the one call that takes it in."""

import hashlib
import json
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.ai.provider import Classification
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.phones import variants
from alfred.senders.statuses import failure_of

LONGEST_KEY = 600  # bytes; an index row of several keys has room for 2,704


def written_as(user_id: UUID, item: InboundItem, reading: Classification | None) -> dict[str, Any] | None:
    """The item as app.take_in() wants it; None where there is nothing to write."""
    sent_at = item.sent_at.isoformat() if item.sent_at else None
    handles = _handles(item)
    common: dict[str, Any] = {
        "user_id": str(user_id),
        # All ways to write a number have one key: batches must lock their conversations in one order.
        "key": (str(user_id), item.channel_type, min(handles, default=""), item.recipient or ""),
        "channel_type": item.channel_type,
        "recipient": _key(item.recipient),
        "handles": [_key(handle) for handle in handles],
        "name": item.sender.name,
        "text": item.text,
        "sent_at": sent_at,
        "error": _failure(item),
        "classification": reading.model_dump(mode="json", exclude={"signals"}) if reading else None,
        "raw": json.dumps(item.raw, default=str),
    }
    if item.kind == "message":
        return common | {
            "kind": "message",
            "message_id": str(uuid7()),
            "external_id": item.external_id,
            "target": _key(item.external_id),
            "dedupe_key": _dedupe_key(item),
            "reply_to": _key(item.reply_to),
            "attachments": [kept(attachment) for attachment in item.attachments],
        }
    if item.kind == "reaction" and item.reply_to:
        detail = _key(item.external_id) or _digest(item.sender.handle, item.text, sent_at)
        return common | {"kind": "update", "update": "reaction", "target": _key(item.reply_to), "detail": detail}
    if item.kind == "status" and item.external_id:
        detail = _digest(item.text, sent_at) if item.status == "edited" else ""
        return common | {"kind": "update", "update": item.status, "target": _key(item.external_id), "detail": detail}
    if item.kind == "status" and item.status in {"delivered", "read"} and item.sent_at and item.sender.handle:
        return common | {"kind": "update", "update": item.status, "target": None}
    return None


def _failure(item: InboundItem) -> str | None:
    """Why a message of ours failed, judged by its provider's table of codes; JSON as the database keeps it."""
    if item.status != "failed":
        return None
    told = item.failure
    code, words = (told.provider_code, told.detail) if told else (None, item.error)
    return failure_of(item.channel_type, item.provider, code, words).model_dump_json()


def _handles(item: InboundItem) -> list[str]:
    """The customer's handle as sent, then the other ways to write it."""
    if not item.sender.handle:
        return []
    return variants(item.sender.handle) if item.channel_type == "whatsapp" else [item.sender.handle]


def _dedupe_key(item: InboundItem) -> str | None:
    """Without the sender's id, the same words at the same moment are the same message."""
    if item.external_id or item.sent_at is None:
        return _key(item.external_id)
    parts = [part.model_dump_json() for part in item.attachments]
    return "digest:" + _digest(item.sender.handle, item.sent_at.isoformat(), item.text, *parts)


def _key(text: str | None) -> str | None:
    """A text that an index can hold: of a very long one the beginning and a digest."""
    if text is None or len(text.encode()) <= LONGEST_KEY:
        return text
    return f"{text[:100]}...{_digest(text)}"


def _digest(*parts: str | None) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def kept(attachment: Attachment) -> dict[str, Any]:
    """An attachment as a message shows it: a link is a url, all else the messenger's id."""
    place = attachment.id_or_url
    link = place is not None and place.startswith(("http://", "https://", "geo:"))
    return {
        "type": attachment.type,
        "url": place if link else None,
        "external_id": None if link else place,
        "mime_type": attachment.mime,
        "caption": attachment.caption,
    }
