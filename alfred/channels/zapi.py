"""Z-API: one callback for each message, delivery or change of status."""

from dataclasses import replace

from alfred.channels.building import UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, name, obj, one_line, rows, text, yes
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import card, is_crowd, phone, place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

FILES: tuple[AttachmentType, ...] = ("image", "audio", "video", "document", "sticker")
STATUSES: dict[str, MessageUpdate] = {
    "SENT": "sent",
    "RECEIVED": "delivered",
    "READ": "read",
    "PLAYED": "read",
}
CROWD_FLAGS = ("isGroup", "isNewsletter", "broadcast")
KNOWN = frozenset({"text", "contact", "location", "buttonsResponseMessage", "listResponseMessage"})
ASIDES = frozenset({"externalAdReply", "contextInfo", "notificationParameters"})


def recognise(payload: Object) -> bool:
    kind = payload.get("type")
    return isinstance(kind, str) and kind.endswith("Callback")


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if is_crowd(payload.get("phone")) or any(yes(payload.get(flag)) for flag in CROWD_FLAGS):
        return [ignored(channel)] * len(_ids(payload))
    occasion = _occasion(payload, channel)
    match payload["type"]:
        case "ReceivedCallback":
            return [_read_received(occasion, payload)]
        case "MessageStatusCallback":
            nameless = replace(occasion, sender=person(occasion.sender.handle))
            return nameless.statuses(STATUSES.get(text(payload.get("status")) or ""), _ids(payload))
        case "DeliveryCallback":
            return [_read_delivery(occasion, payload)]
    return [occasion.ignored()]


def _ids(payload: Object) -> list[object]:
    """The messages of a status; any other callback, or a status of none, is one thing."""
    return rows(payload.get("ids")) or [None]


def _occasion(payload: Object, channel: ChannelType) -> Occasion:
    handle = phone(first(payload.get("phone"), payload.get("chatLid")))
    called = name(payload.get("senderName"), handle) or payload.get("chatName")
    # The ids of a status can be thousands: they are not kept with each of its items.
    return Occasion(
        channel,
        kept({key: value for key, value in payload.items() if key != "ids"}),
        person(handle, called),
        phone(payload.get("connectedPhone")) or text(payload.get("instanceId")),
        moment(first(payload.get("momment"), payload.get("moment"))),
    )


def _read_received(occasion: Occasion, payload: Object) -> InboundItem:
    if yes(payload.get("fromMe")) or yes(payload.get("waitingMessage")) or text(payload.get("notification")):
        return occasion.ignored()
    message_id = text(payload.get("messageId"))
    if isinstance(payload.get("reaction"), dict):
        part = payload["reaction"]
        about = text(obj(part.get("referencedMessage")).get("messageId"))
        return occasion.reaction(message_id, about, text(part.get("value")))
    content = _content(payload)
    if yes(payload.get("isEdit")):
        return occasion.edited(message_id, content.written)
    return occasion.message(message_id, content, text(payload.get("referenceMessageId")))


def _content(payload: Object) -> Content:
    parts = {key: part for key, part in payload.items() if isinstance(part, dict)}
    written = first(
        obj(parts.get("text")).get("message"),
        obj(parts.get("buttonsResponseMessage")).get("message"),
        obj(parts.get("listResponseMessage")).get("title"),
    )
    attachments = [_file(kind, parts[kind]) for kind in FILES if kind in parts]
    if "location" in parts:
        keys = ("latitude", "longitude", "name", "address")
        attachments.append(place(*(parts["location"].get(key) for key in keys)))
    if "contact" in parts:
        one = parts["contact"]
        attachments.append(card(one.get("displayName"), one.get("vCard"), *rows(one.get("phones"))[:1]))
    if written or attachments or not parts.keys() - KNOWN - ASIDES:
        return Content(written, attachments)
    return UNSUPPORTED


def _file(kind: AttachmentType, part: Object) -> Attachment:
    return Attachment(
        type=kind,
        mime=text(part.get("mimeType")),
        id_or_url=text(part.get(f"{kind}Url")),
        caption=text(part.get("caption")),
    )


def _read_delivery(occasion: Occasion, payload: Object) -> InboundItem:
    failed = bool(payload.get("error"))
    reason = one_line(payload.get("error"), obj(payload.get("error")).get("message"))
    one = replace(occasion, sender=person(occasion.sender.handle))
    return one.status("failed" if failed else "sent", text(payload.get("messageId")), reason)
