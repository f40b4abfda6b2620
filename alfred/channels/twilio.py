"""Twilio's WhatsApp forms: a message, or the status of one of ours."""

import re

from alfred.channels.building import UNSUPPORTED, Content, Occasion, person
from alfred.channels.clean import Object, first, one_line, text
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import by_mime, phone, place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

IDS = ("MessageSid", "SmsMessageSid", "SmsSid")
STATUSES: dict[str, MessageUpdate] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "undelivered": "failed",
}
FILES: dict[str, AttachmentType] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
    "document": "document",
    "sticker": "sticker",
}
KNOWN = frozenset({*FILES, "text", "button", "location", "contacts"})
FILE_FIELD = re.compile(r"Media(?:Url|ContentType)([0-9]{1,3})")
MOST_FILES = 10  # what Twilio puts into one message


def recognise(payload: Object) -> bool:
    return any(key in payload for key in IDS)


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    status = first(payload.get("MessageStatus"), payload.get("SmsStatus"), "received")
    message_id = first(*(payload.get(key) for key in IDS))
    ours, theirs = phone(payload.get("To")), phone(payload.get("From"))
    if status != "received":
        reason = one_line(payload.get("ErrorCode"), payload.get("ErrorMessage"))
        occasion = Occasion(channel, kept(payload), person(ours), theirs)
        return [occasion.status(STATUSES.get(status or ""), message_id, reason)]
    occasion = Occasion(channel, kept(payload), person(theirs, payload.get("ProfileName")), ours)
    reply_to = text(payload.get("OriginalRepliedMessageSid"))
    return [occasion.message(message_id, _content(payload), reply_to)]


def _content(payload: Object) -> Content:
    written = first(payload.get("Body"), payload.get("ButtonText"))
    kind = text(payload.get("MessageType"))
    attachments = [_file(payload, number) for number in _numbers(payload)]
    if text(payload.get("Latitude")):
        keys = ("Latitude", "Longitude", "Label", "Address")
        attachments.append(place(*(payload.get(key) for key in keys)))
    if written or attachments or kind is None or kind in KNOWN:
        return Content(written, attachments)
    return UNSUPPORTED


def _numbers(payload: Object) -> list[int]:
    said = text(payload.get("NumMedia")) or "0"
    counted = min(int(said), MOST_FILES) if said.isascii() and said.isdigit() and len(said) < 5 else 0
    named = {int(match.group(1)) for key in payload if (match := FILE_FIELD.fullmatch(key))}
    return sorted(named | set(range(counted)))


def _file(payload: Object, number: int) -> Attachment:
    mime = text(payload.get(f"MediaContentType{number}"))
    return Attachment(
        type=FILES.get(text(payload.get("MessageType")) or "", by_mime(mime)),
        mime=mime,
        id_or_url=text(payload.get(f"MediaUrl{number}")),
        caption=text(payload.get("Body")) if number == 0 else None,
    )
