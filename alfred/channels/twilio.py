"""Twilio's WhatsApp forms: a message, or the status of one of ours."""

import re

from alfred.channels.building import UNSUPPORTED, Content, Occasion, person
from alfred.channels.clean import Object, first, one_line, text
from alfred.channels.item import Attachment, Fact, InboundItem, Referral
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import by_mime, other_ids, phone, place
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
    to, writer = phone(payload.get("To")), phone(payload.get("From"))
    raw = kept(payload)
    if status != "received":
        code = text(payload.get("ErrorCode"))
        reason = one_line(code, payload.get("ErrorMessage"))
        return [Occasion(channel, raw, person(to), writer).status(STATUSES.get(status or ""), message_id, reason, code)]
    occasion = Occasion(
        channel,
        raw,
        person(writer, payload.get("ProfileName")),
        to,
        identities=other_ids(writer, [payload.get("WaId")], _user_id(payload)),
    )
    reply_to = text(payload.get("OriginalRepliedMessageSid"))
    return [occasion.message(message_id, _content(payload), reply_to, _referral(payload), _wishes(payload, writer))]


def _user_id(payload: Object) -> str | None:
    return (text(payload.get("ExternalUserId")) or "").removeprefix("whatsapp:") or None


def _referral(payload: Object) -> Referral | None:
    words = {
        "source_type": text(payload.get("ReferralSourceType")),
        "source_id": text(payload.get("ReferralSourceId")),
        "click_id": text(payload.get("ReferralCtwaClid")),
        "headline": text(payload.get("ReferralHeadline")),
        "url": text(payload.get("ReferralSourceUrl")),
    }
    return Referral(**words) if any(words.values()) else None


def _wishes(payload: Object, customer: str | None) -> list[Fact]:
    """Twilio's own opt-out words are marked beside the message."""
    wish = (text(payload.get("OptOutType")) or "").upper()
    if wish not in {"STOP", "START"}:
        return []
    stopped = wish == "STOP"
    return [
        Fact(
            type="opt_out" if stopped else "opt_in",
            about="contact",
            subject=customer,
            provider_code=wish,
            detail="The customer stopped messages." if stopped else "The customer wants messages again.",
        )
    ]


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
