"""Evolution API v2 (Baileys): messages, their statuses, edits and deletions."""

from dataclasses import replace
from typing import Any

from alfred.channels.building import UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, rows, text, yes
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import card, hides_the_number, is_crowd, phone, place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

FILES: dict[str, AttachmentType] = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
}
TEXTS = (
    ("extendedTextMessage", "text"),
    ("buttonsResponseMessage", "selectedDisplayText"),
    ("templateButtonReplyMessage", "selectedDisplayText"),
    ("listResponseMessage", "title"),
)
WRAPPERS = ("ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2", "documentWithCaptionMessage")
# What may stand in a message without being its content.
ASIDES = frozenset({
    "conversation", "messageContextInfo", "contextInfo", "mediaUrl", "base64", "speechToText",
    "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage", "protocolMessage",
})  # fmt: skip
STATUSES: dict[str, MessageUpdate] = {
    "SERVER_ACK": "sent",
    "SENT": "sent",
    "DELIVERY_ACK": "delivered",
    "DELIVERED": "delivered",
    "READ": "read",
    "PLAYED": "read",
    "ERROR": "failed",
    "FAILED": "failed",
    "DELETED": "deleted",
}
MOST_WRAPPERS = 10


def recognise(payload: Object) -> bool:
    event = payload.get("event")
    if not isinstance(event, str) or "payload" in payload:
        return False
    return "instance" in payload or ("data" in payload and event.startswith("messages"))


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    found = payload.get("data")
    elements = found if isinstance(found, list) else [found]
    event = payload["event"].strip().lower().replace("_", ".").replace("-", ".")
    instance = text(payload.get("instance"))
    return [_read_element(event, instance, element, channel) for element in elements]


def _read_element(event: str, instance: str | None, element: Any, channel: ChannelType) -> InboundItem:
    reader = READERS.get(event)
    if reader is None or not isinstance(element, dict):
        return ignored(channel, element)
    # A deletion may come as the bare key of the message.
    key = obj(element.get("key")) or element
    chat = first(key.get("remoteJid"), element.get("remoteJid"))
    if is_crowd(chat):
        return ignored(channel, element)
    called = None if _is_own(element) else element.get("pushName")
    raw = {"event": event, "instance": instance, "data": kept(element)}
    customer = person(_customer(chat, key, element), called)
    return reader(Occasion(channel, raw, customer, instance), element)


def _customer(chat: str | None, key: Object, element: Object) -> str | None:
    """A chat's privacy id gives way to the phone number, if that is told anywhere."""
    handle = phone(chat)
    if not hides_the_number(handle):
        return handle
    others = (source.get(name) for source in (key, element) for name in ("remoteJidAlt", "senderPn"))
    numbers = (phone(other) for other in others)
    return next((number for number in numbers if number and not hides_the_number(number)), handle)


def _own_flag(element: Object) -> object:
    key = obj(element.get("key"))
    return element.get("fromMe") if "fromMe" in element else key.get("fromMe")


def _is_own(element: Object) -> bool:
    return yes(_own_flag(element))


def _read_upsert(occasion: Occasion, data: Object) -> InboundItem:
    if _is_own(data):
        return occasion.ignored()
    key, message = obj(data.get("key")), obj(data.get("message"))
    dated = replace(occasion, sent_at=moment(data.get("messageTimestamp")))
    inner = _opened(message)
    if isinstance(inner.get("reactionMessage"), dict):
        part = inner["reactionMessage"]
        return dated.reaction(text(key.get("id")), text(obj(part.get("key")).get("id")), text(part.get("text")))
    contexts = (obj(part).get("contextInfo") for part in (data, message, *inner.values()))
    reply_to = first(*(obj(context).get("stanzaId") for context in contexts))
    content = _content(inner, first(inner.get("mediaUrl"), message.get("mediaUrl")))
    return dated.message(text(key.get("id")), content, reply_to)


def _opened(message: Object) -> Object:
    """The message inside of its wrappers."""
    for _ in range(MOST_WRAPPERS):
        inner = next((found for name in WRAPPERS if (found := obj(obj(message.get(name)).get("message")))), None)
        if inner is None:
            break
        message = inner
    return message


def _content(message: Object, media_url: str | None) -> Content:
    parts = {name: part for name, part in message.items() if isinstance(part, dict)}
    written = first(message.get("conversation"), *(obj(parts.get(part)).get(key) for part, key in TEXTS))
    attachments = [_file(kind, parts[name], media_url) for name, kind in FILES.items() if name in parts]
    if "locationMessage" in parts:
        keys = ("degreesLatitude", "degreesLongitude", "name", "address")
        attachments.append(place(*(parts["locationMessage"].get(key) for key in keys)))
    attachments += [card(one.get("displayName"), one.get("vcard")) for one in _cards(parts)]
    if written or attachments:
        return Content(written, attachments)
    return UNSUPPORTED if _unknown(message) else Content()


def _unknown(message: Object) -> bool:
    known = ASIDES | {name for name, _ in TEXTS} | {"contactsArrayMessage", "reactionMessage"}
    return any(part is not None and name not in known for name, part in message.items())


def _file(kind: AttachmentType, part: Object, media_url: str | None) -> Attachment:
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


def _read_update(occasion: Occasion, data: Object) -> InboundItem:
    """The customer's own messages are marked too: of those only a deletion is news."""
    status = first(data.get("status"), obj(data.get("update")).get("status"))
    meaning = STATUSES.get(status or "")
    theirs = _own_flag(data) is False or _own_flag(data) == "false"
    if theirs and meaning != "deleted":
        return occasion.ignored()
    return occasion.status(meaning, first(data.get("keyId"), obj(data.get("key")).get("id")))


def _read_edit(occasion: Occasion, data: Object) -> InboundItem:
    dated = replace(occasion, sent_at=moment(data.get("timestampMs")))
    about = text(obj(data.get("key")).get("id"))
    edited = data.get("editedMessage")
    if edited is None:
        return dated.status("deleted", about)
    if _is_own(data):
        return dated.ignored()
    return dated.edited(about, _content(_opened(obj(edited)), None).written)


def _read_deletion(occasion: Occasion, data: Object) -> InboundItem:
    return occasion.status("deleted", first(obj(data.get("key")).get("id"), data.get("id")))


READERS = {
    "messages.upsert": _read_upsert,
    "messages.update": _read_update,
    "messages.edited": _read_edit,
    "messages.delete": _read_deletion,
}
