"""A message as WhatsApp's own clients write it, which Evolution and WAHA hand on: its wrappers and its content."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from alfred.channels.building import UNSUPPORTED, Content
from alfred.channels.clean import Object, first, moment, obj, rows, text
from alfred.channels.item import Attachment, IgnoredKind, Referral
from alfred.channels.strict_json import parsed
from alfred.channels.whatsapp import advertisement, card, place
from alfred.terms import AttachmentType

FILES: dict[str, AttachmentType] = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
}
# Where a message's words stand, the likeliest first.
WORDS = (
    ("extendedTextMessage", "text"),
    ("buttonsResponseMessage", "selectedDisplayText"),
    ("templateButtonReplyMessage", "selectedDisplayText"),
    ("listResponseMessage", "title"),
    ("listResponseMessage", "description"),
)
# What may stand in a message without being its content.
ASIDES = frozenset({
    "conversation", "messageContextInfo", "contextInfo", "mediaUrl", "base64", "speechToText",
    "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage", "protocolMessage",
})  # fmt: skip
NO_CONTENT = ASIDES | {"contactsArrayMessage", "reactionMessage", *(name for name, _ in WORDS)}
# What may stand in a wrapper beside the message that it holds.
LABELS = frozenset({"messageContextInfo", "contextInfo", "mediaUrl", "base64", "destinationJid", "phash"})
ASIDE_KINDS: dict[str, IgnoredKind] = {
    "albumMessage": "announcement",
    "pinInChatMessage": "pin",
    "keepInChatMessage": "keep",
}
EDITS = frozenset({"MESSAGE_EDIT", "14"})
DELETIONS = frozenset({"REVOKE", "0"})
MOST_WRAPPERS = 20


class Change(NamedTuple):
    """An edit or a deletion told as a message; `about` is the id of the message that it changes."""

    what: Literal["edit", "deletion", "other"]
    about: str | None
    new_text: str | None
    at: datetime | None


def opened(message: Object) -> Object:
    """The message inside of its wrappers, each a part that holds only `message`; `mediaUrl` comes along."""
    media_url = message.get("mediaUrl")
    for _ in range(MOST_WRAPPERS):
        inner = next(_wrapped(message), None)
        if inner is None:
            break
        message = inner
        media_url = message.get("mediaUrl") or media_url
    return {**message, "mediaUrl": media_url} if media_url else message


def _wrapped(message: Object) -> Iterator[Object]:
    if message.keys() - LABELS == {"message"} and obj(message["message"]):
        yield message["message"]
    if not text(message.get("conversation")):
        for part in message.values():
            if isinstance(part, dict) and obj(part.get("message")) and not part.keys() - LABELS - {"message"}:
                yield part["message"]


def change_in(message: Object) -> Change | None:
    """What a `protocolMessage` changes; `message` is opened."""
    note = message.get("protocolMessage")
    return change_of(note) if isinstance(note, dict) else None


def change_of(note: Object) -> Change:
    about, at = text(obj(note.get("key")).get("id")), moment(note.get("timestampMs"))
    kind, edited = text(note.get("type")), obj(note.get("editedMessage"))
    if kind in EDITS or (kind is None and edited):
        return Change("edit", about, content(opened(edited)).written, at)
    return Change("deletion" if kind in DELETIONS else "other", about, None, at)


def aside_kind(message: Object) -> IgnoredKind | None:
    """What a message is that holds nothing of the customer's."""
    return next((kind for name, kind in ASIDE_KINDS.items() if message.get(name) is not None), None)


def contexts(*places: Object) -> Iterator[Object]:
    """Each `contextInfo`, of the messages and of their parts."""
    for one in places:
        for part in (one, *one.values()):
            context = obj(part).get("contextInfo")
            if isinstance(context, dict):
                yield context


def answered_by(*places: Object) -> str | None:
    return first(*(context.get("stanzaId") for context in contexts(*places)))


def referral_in(*places: Object) -> Referral | None:
    referrals = (advertisement(obj(context.get("externalAdReply"))) for context in contexts(*places))
    return next((referral for referral in referrals if referral), None)


def content(message: Object) -> Content:
    """What an opened message holds; a part that nobody knows is unsupported."""
    parts = {name: part for name, part in message.items() if isinstance(part, dict)}
    written = first(message.get("conversation"), *(obj(parts.get(name)).get(key) for name, key in WORDS))
    written = written or _pressed(obj(parts.get("interactiveResponseMessage")))
    attachments = [_file(kind, parts[name], message.get("mediaUrl")) for name, kind in FILES.items() if name in parts]
    for name in ("locationMessage", "liveLocationMessage"):
        if name in parts:
            keys = ("degreesLatitude", "degreesLongitude", "name", "address")
            attachments.append(place(*(parts[name].get(key) for key in keys)))
    attachments += [card(one.get("displayName"), one.get("vcard")) for one in _cards(parts)]
    if written or attachments:
        return Content(written, attachments)
    return UNSUPPORTED if _is_unknown(message) else Content()


def _pressed(part: Object) -> str | None:
    """The words of a native flow's button, or what its form holds."""
    answer = obj(part.get("nativeFlowResponseMessage")).get("paramsJson")
    words = obj(parsed(answer))
    return first(obj(part.get("body")).get("text"), *(words.get(key) for key in ("title", "display_text", "text")))


def _is_unknown(message: Object) -> bool:
    return any(part is not None and name not in NO_CONTENT for name, part in message.items())


def _file(kind: AttachmentType, part: Object, media_url: object) -> Attachment:
    return Attachment(
        type=kind,
        mime=text(part.get("mimetype")),
        id_or_url=first(media_url, part.get("url")),
        caption=text(part.get("caption")),
    )


def _cards(parts: dict[str, Object]) -> list[Object]:
    several = rows(obj(parts.get("contactsArrayMessage")).get("contacts"))
    single = [parts["contactMessage"]] if "contactMessage" in parts else []
    return single + [one for one in several if isinstance(one, dict)]
