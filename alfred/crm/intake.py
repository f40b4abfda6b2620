"""What is written of an item, and under which id: between a payload and the one call that takes it in."""

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from uuid_utils import uuid7

from alfred.ai.provider import Classification
from alfred.channels.item import Attachment, Fact, Identity, InboundItem
from alfred.channels.phones import variants
from alfred.json_text import json_text
from alfred.senders.statuses import failure_of

LONGEST_KEY = 600  # bytes; an index row of several keys has room for 2,704
LONGEST_REFERENCES = 20  # ids of a mail's thread; the first and the last ones stay

LONGEST_STOP = 100
_AROUND_WORDS = " \t\r\n.!\"'"


def written_as(user_id: UUID, item: InboundItem, reading: Classification | None) -> dict[str, Any] | None:
    """The item as app.take_in() wants it; None where there is nothing to write."""
    handles = _ways(item.channel_type, item.sender.handle)
    tenant = str(user_id)
    common: dict[str, Any] = {
        "user_id": tenant,
        # All ways to write a number have one key: batches must make their conversations in one order.
        "key": (tenant, item.channel_type, min(handles, default=""), item.recipient or ""),
        "channel_type": item.channel_type,
        "provider": item.provider,
        "recipient": _key(item.recipient),
        "handles": handles,
        "others": _others(item.channel_type, item.sender.handle, item.identities),
        "name": item.sender.name,
        "text": item.text,
        "sent_at": _moment(item),
        "error": _failure(item),
        "delivery_id": item.delivery_id,
        "classification": reading.without_signals() if reading else None,
        "raw": json_text(item.raw, str),
    }
    if item.kind == "ignored":
        return None if item.rejected else common | _ignored(item)
    if item.kind in {"message", "echo"}:
        return common | _message(item)
    return _update(item, common)


def is_plain(item: dict[str, Any]) -> bool:
    """Whether app.take_in_known may take it: a message without identities, an advertisement, a wish or files."""
    is_alone = bool(item["handles"]) and not item["others"] and "opts_out" not in item and "files" not in item
    return item["kind"] == "message" and is_alone and item["referral"] is None


class StopWords:
    """The words that end it when they are a whole message: without case, accents, spaces around it and a full stop."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words = frozenset(_plain_word(word) for word in words)
        self._longest = max(map(len, self._words), default=0)

    def are_said_by(self, text: str | None) -> bool:
        """Whether a message is one of them."""
        if text is None or len(text) > LONGEST_STOP:
            return False
        word = text.strip(_AROUND_WORDS)
        # Letters of ASCII stay letters: where there are too many, the others need not be looked at.
        is_longer = len(word.encode("ascii", "ignore")) > self._longest
        return not is_longer and _plain_word(word) in self._words


def _plain_word(text: str) -> str:
    word = text.strip(_AROUND_WORDS).casefold()
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _message(item: InboundItem) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "message_id": str(uuid7()),
        "external_id": item.external_id,
        "target": _key(item.external_id),
        "dedupe_key": _dedupe_key(item),
        "reply_to": _key(item.reply_to),
        "attachments": [kept(attachment) for attachment in item.attachments],
        "referral": item.referral.model_dump(mode="json") if item.referral else None,
        "order": item.order.model_dump(mode="json") if item.order else None,
        "subject": item.subject,
        "references": references_of(item),
    }


def _update(item: InboundItem, common: dict[str, Any]) -> dict[str, Any] | None:
    sent_at = _moment(item)
    update = common | {"kind": "update", "from_business": item.from_business}
    if item.kind == "reaction" and item.reply_to:
        detail = _key(item.external_id) or _digest(item.sender.handle, item.text, sent_at)
        return update | {"update": "reaction", "target": _key(item.reply_to), "detail": detail}
    if item.kind == "status" and item.external_id:
        # What one side tells must not stand in the way of what the other one does.
        detail = _digest(item.text, sent_at) if item.status == "edited" else ""
        if item.from_business and item.status in {"edited", "deleted"}:
            detail += ":own"
        return update | {"update": item.status, "target": _key(item.external_id), "detail": detail}
    if item.kind == "status" and item.status in {"delivered", "read"} and item.sent_at and item.sender.handle:
        return update | {"update": item.status, "target": None}
    return None


def _failure(item: InboundItem) -> str | None:
    """Why a message of ours failed, judged by its provider's table of codes; JSON as the database keeps it."""
    if item.status != "failed":
        return None
    told = item.failure
    code, words = (told.provider_code, told.detail) if told else (None, item.error)
    return failure_of(item.channel_type, item.provider, code, words).model_dump_json()


def _ignored(item: InboundItem) -> dict[str, Any]:
    return {
        "kind": "ignored",
        "message_id": str(uuid7()),
        "ignored_kind": item.ignored_kind or "unknown_event",
        "reason": item.reason or "Nothing that Alfred acts on.",
        "facts": [_fact(item, fact) for fact in item.facts],
    }


def _fact(item: InboundItem, fact: Fact) -> dict[str, Any]:
    of_contact = fact.about == "contact"
    return fact.model_dump(mode="json", exclude={"identities"}) | {
        "handles": _ways(item.channel_type, fact.subject) if of_contact else [],
        "others": _others(item.channel_type, fact.subject, fact.identities) if of_contact else [],
    }


def _ways(channel_type: str, handle: str | None) -> list[str]:
    """A handle as sent, then the other ways to write it."""
    if not handle:
        return []
    return [_key(way) for way in (variants(handle) if channel_type == "whatsapp" else [handle])]


def _others(channel_type: str, handle: str | None, identities: Iterable[Identity]) -> list[list[str]]:
    """What the messenger tells beside the handle: joined only where one of them is a number."""
    others = list(identities)
    has_number = (handle or "").startswith("+") or any(other.kind == "number" for other in others)
    if channel_type != "whatsapp" or not handle or not has_number:
        return []
    return [_ways(channel_type, other.value) for other in others]


def _moment(item: InboundItem) -> str | None:
    return item.sent_at.isoformat() if item.sent_at else None


def _dedupe_key(item: InboundItem) -> str | None:
    """Without the sender's id, the same words at the same moment are the same message."""
    if item.external_id or item.sent_at is None:
        return item.external_id and _key(item.external_id)
    parts = [part.model_dump_json() for part in item.attachments]
    side = ("echo",) if item.kind == "echo" else ()
    return "digest:" + _digest(*side, item.sender.handle, item.sent_at.isoformat(), item.text, *parts)


def references_of(item: InboundItem) -> str | None:
    """What an answer to a mail names besides its id: the mails before it, by their ids with their <>."""
    if item.thread is None:
        return None
    before = (item.thread.references or item.thread.in_reply_to or "").split()
    ids = list(dict.fromkeys([*before, *(item.thread.message_id or "").split()]))
    ids = [each for each in ids if each.strip("<>") != item.external_id]
    if len(ids) > LONGEST_REFERENCES:
        ids = [ids[0], *ids[1 - LONGEST_REFERENCES :]]
    return " ".join(ids) or None


def _key(text: Any) -> Any:
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
