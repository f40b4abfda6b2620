"""What the WhatsApp providers share: phone numbers, chats that are no person's, places, cards, files."""

import re
from collections.abc import Iterable

from alfred.channels.clean import Object, first, text
from alfred.channels.item import Attachment, Identity, IdentityKind, IgnoredKind, Referral
from alfred.terms import AttachmentType

PUNCTUATION = re.compile(r"[\s+().‐-―\u200e\u200f\u202a-\u202e\u2066-\u2069-]")
FRACTION = re.compile(r"\+?[0-9]{8,}\.0{1,2}", re.ASCII)
NUMBER = re.compile(r"\+[0-9]{4,20}", re.ASCII)
CROWDS: dict[str, IgnoredKind] = {
    "@g.us": "group",
    "-group": "group",
    "status@broadcast": "story",
    "@broadcast": "broadcast",
    "@newsletter": "channel_post",
}
VCARD_ID = re.compile(r"waid=([0-9]+)", re.IGNORECASE)
VCARD_PHONE = re.compile(r"^(?:item[0-9]+\.)?TEL[^:\n]*:([^\n]*)", re.IGNORECASE | re.MULTILINE)
VCARD_NAME = re.compile(r"^FN[^:\n]*:([^\n]*)", re.IGNORECASE | re.MULTILINE)


def phone(value: object) -> str | None:
    """`+<digits>` of a number or a chat's address; an id that hides the number stays as it is."""
    written = text(value)
    if written is None:
        return None
    if written.isascii() and written.isdigit():  # as most are written
        return f"+{written}"
    written = written.removeprefix("whatsapp:").strip()
    user, _, domain = written.partition("@")
    if domain.endswith("lid"):
        return written
    number = user.partition(":")[0]
    if FRACTION.fullmatch(number):  # it was a float somewhere: the 0 is no digit of it
        number = number.partition(".")[0]
    digits = PUNCTUATION.sub("", number)
    return f"+{digits}" if digits.isascii() and digits.isdigit() else written or None


def hides_the_number(handle: str | None) -> bool:
    return handle is not None and handle.endswith("lid")


def crowd(*chats: object) -> IgnoredKind | None:
    """What one of the addresses is, if it is a group's, a broadcast's, a story's or a channel's."""
    for chat in chats:
        address = text(chat) or ""
        for ending, kind in CROWDS.items():
            if address.endswith(ending):
                return kind
    return None


def kind_of_id(handle: str) -> IdentityKind:
    """Which kind of id a WhatsApp handle is."""
    if NUMBER.fullmatch(handle):
        return "number"
    return "lid" if hides_the_number(handle) else "user_id"


def other_ids(handle: str | None, chats: Iterable[object], user_id: object = None) -> tuple[Identity, ...]:
    """The customer's ids beside the handle, one of each kind; where two of a kind are told, none of it."""
    if handle is None:
        return ()
    values = {value for chat in chats if not crowd(chat) and (value := phone(chat)) and kind_of_id(value) != "user_id"}
    if hidden := text(user_id):
        values.add(hidden)
    if not values:
        return ()
    kinds: dict[IdentityKind, set[str]] = {}
    for value in values - {handle}:
        kind: IdentityKind = "user_id" if value == hidden else kind_of_id(value)
        kinds.setdefault(kind, set()).add(value)
    kinds.pop(kind_of_id(handle), None)
    return tuple(
        Identity(kind=kind, value=min(several)) for kind, several in sorted(kinds.items()) if len(several) == 1
    )


def by_mime(mime: str | None) -> AttachmentType:
    """The kind of a file whose provider names none."""
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
    named = ", ".join(words for name in names if (words := text(name)))
    where = f"geo:{lat},{long}" if lat and long else None
    return Attachment(type="location", id_or_url=where, caption=named or None)


def card(name: object, vcard: object, *phones: object) -> Attachment:
    """A contact card; the numbers in order of preference, the vCard's own last."""
    written = text(vcard) or ""
    numbers = (*phones, _first_group(VCARD_ID, written), _first_group(VCARD_PHONE, written))
    number = next((handle for one in numbers if (handle := phone(one))), None)
    return Attachment(type="contact", id_or_url=number, caption=first(name, _first_group(VCARD_NAME, written)))


def _first_group(pattern: re.Pattern[str], vcard: str) -> str | None:
    match = pattern.search(vcard)
    return match.group(1) if match else None


def advertisement(fields: Object) -> Referral | None:
    """The ad in front of a message, as WhatsApp's own clients describe it (`externalAdReply`)."""
    words = {
        "source_type": text(fields.get("sourceType")),
        "source_id": text(fields.get("sourceId")),
        "click_id": first(fields.get("ctwaClid"), fields.get("ctwaClId")),
        "headline": text(fields.get("title")),
        "url": text(fields.get("sourceUrl")),
    }
    return Referral(**words) if words["source_id"] or words["click_id"] or words["url"] else None
