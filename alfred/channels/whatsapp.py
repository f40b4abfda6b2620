"""What the WhatsApp senders share: phone numbers, chats that are no person's, places, cards, files."""

import re

from alfred.channels.clean import first, text
from alfred.channels.item import Attachment
from alfred.terms import AttachmentType

PUNCTUATION = re.compile(r"[\s+().‐-―\u200e\u200f\u202a-\u202e\u2066-\u2069-]")
CROWDS = ("@g.us", "@broadcast", "@newsletter", "-group")
VCARD_ID = re.compile(r"waid=([0-9]+)", re.IGNORECASE)
VCARD_PHONE = re.compile(r"^(?:item[0-9]+\.)?TEL[^:\n]*:([^\n]*)", re.IGNORECASE | re.MULTILINE)
VCARD_NAME = re.compile(r"^FN[^:\n]*:([^\n]*)", re.IGNORECASE | re.MULTILINE)


def phone(value: object) -> str | None:
    """`+<digits>` of a number or a chat's address; an id that hides the number stays as it is."""
    written = text(value)
    if written is None:
        return None
    written = written.removeprefix("whatsapp:").strip()
    user, _, domain = written.partition("@")
    if domain.endswith("lid"):
        return written
    digits = PUNCTUATION.sub("", user.partition(":")[0])
    return f"+{digits}" if digits.isascii() and digits.isdigit() else written or None


def hides_the_number(handle: str | None) -> bool:
    return handle is not None and handle.endswith("lid")


def is_crowd(chat: object) -> bool:
    """Is it the address of a group, a broadcast or a channel?"""
    return (text(chat) or "").endswith(CROWDS)


def by_mime(mime: str | None) -> AttachmentType:
    """The kind of a file whose sender names none."""
    kind = (mime or "").partition(";")[0].strip().lower()
    if kind == "text/vcard":
        return "contact"
    if kind.startswith("image/"):
        return "image"
    if kind.startswith("audio/"):
        return "audio"
    return "video" if kind.startswith("video/") else "document"


def place(latitude: object, longitude: object, *names: object) -> Attachment:
    lat, long = text(latitude), text(longitude)
    named = ", ".join(found for name in names if (found := text(name)))
    where = f"geo:{lat},{long}" if lat and long else None
    return Attachment(type="location", id_or_url=where, caption=named or None)


def card(name: object, vcard: object, *phones: object) -> Attachment:
    """A contact card; the numbers in order of preference, the vCard's own last."""
    written = text(vcard) or ""
    numbers = (*phones, _found(VCARD_ID, written), _found(VCARD_PHONE, written))
    number = next((found for one in numbers if (found := phone(one))), None)
    return Attachment(type="contact", id_or_url=number, caption=first(name, _found(VCARD_NAME, written)))


def _found(pattern: re.Pattern[str], vcard: str) -> str | None:
    match = pattern.search(vcard)
    return match.group(1) if match else None
