"""Z-API: one callback for each message, delivery, change of status or of the connection."""

from dataclasses import replace

from alfred.channels.baskets import line_of
from alfred.channels.building import MOST_READ, UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, name, obj, one_line, rows, text, yes
from alfred.channels.item import Attachment, Fact, IgnoredKind, InboundItem, Order
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import advertisement, card, crowd, other_ids, phone, place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

FILES: tuple[AttachmentType, ...] = ("image", "audio", "video", "document", "sticker")
STATUSES: dict[str, MessageUpdate] = {
    "SENT": "sent",
    "RECEIVED": "delivered",
    "READ": "read",
    "PLAYED": "read",
}
CROWD_FLAGS: dict[str, IgnoredKind] = {"isGroup": "group", "isNewsletter": "channel_post", "broadcast": "broadcast"}
# Where the words stand, the likeliest first.
WORDS = (
    ("text", "message"),
    ("buttonsResponseMessage", "message"),
    ("buttonReply", "message"),
    ("listResponseMessage", "title"),
    ("listResponseMessage", "message"),
)
NO_CONTENT = frozenset({"contact", "location", *(part for part, _ in WORDS)})
ASIDES = frozenset({"externalAdReply", "contextInfo", "notificationParameters"})
PINS: dict[str, IgnoredKind] = {"pinMessage": "pin", "keepInChat": "keep"}


def recognise(payload: Object) -> bool:
    kind = payload.get("type")
    return isinstance(kind, str) and kind.endswith("Callback")


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    flagged = next((kind for flag, kind in CROWD_FLAGS.items() if yes(payload.get(flag))), None)
    if kind := crowd(payload.get("phone")) or flagged:
        return [ignored(channel, kind, _without_ids(payload))] * len(_ids(payload))
    occasion = _occasion(payload, channel)
    match payload["type"]:
        case "ReceivedCallback":
            return [_read_received(occasion, payload)]
        case "MessageStatusCallback":
            nameless = replace(occasion, sender=person(occasion.sender.handle))
            return nameless.statuses(STATUSES.get(text(payload.get("status")) or ""), _ids(payload))
        case "DeliveryCallback":
            return [_read_delivery(occasion, payload)]
        case "ConnectedCallback" | "DisconnectedCallback":
            return [replace(occasion, sender=person(None)).ignored("connection", [_connection(payload)])]
        case "PresenceChatCallback":
            return [occasion.ignored("presence")]
    return [occasion.ignored("unknown_event")]


def _ids(payload: Object) -> list[object]:
    """The messages of a status; any other callback, or a status of none, is one thing."""
    return rows(payload.get("ids"))[:MOST_READ] or [None]


def _without_ids(payload: Object) -> Object:
    """The ids of a status can be thousands: they are not kept with each of its items."""
    return {key: value for key, value in payload.items() if key != "ids"}


def _occasion(payload: Object, channel: ChannelType) -> Occasion:
    own = yes(payload.get("fromMe"))
    handle = phone(first(payload.get("phone"), payload.get("chatLid")))
    called = payload.get("chatName") if own else name(payload.get("senderName"), handle) or payload.get("chatName")
    chats = ("phone", "chatLid") if own else ("phone", "chatLid", "senderLid")
    return Occasion(
        channel,
        kept(_without_ids(payload)),
        person(handle, called),
        phone(payload.get("connectedPhone")) or text(payload.get("instanceId")),
        moment(payload.get("momment")) or moment(payload.get("moment")),
        identities=other_ids(handle, [payload.get(chat) for chat in chats]),
        own=own,
        own_handle=phone(payload.get("connectedPhone")),
    )


def _read_received(occasion: Occasion, payload: Object) -> InboundItem:
    if yes(payload.get("waitingMessage")):
        return occasion.ignored("not_decrypted")
    if text(payload.get("notification")):
        return occasion.ignored("system_note")
    if kind := next((kind for part, kind in PINS.items() if isinstance(payload.get(part), dict)), None):
        return occasion.ignored(kind)
    message_id = text(payload.get("messageId"))
    if isinstance(payload.get("reaction"), dict):
        part = payload["reaction"]
        about = text(obj(part.get("referencedMessage")).get("messageId"))
        return occasion.reaction(message_id, about, text(part.get("value")))
    content = _content(payload)
    if yes(payload.get("isEdit")):
        return occasion.edited(message_id, content.written)
    referral = advertisement(obj(payload.get("externalAdReply")))
    return occasion.message(message_id, content, text(payload.get("referenceMessageId")), referral)


def _content(payload: Object) -> Content:
    parts = {key: part for key, part in payload.items() if isinstance(part, dict)}
    written = first(*(obj(parts.get(part)).get(key) for part, key in WORDS))
    attachments = [_file(kind, parts[kind]) for kind in FILES if kind in parts]
    if "location" in parts:
        keys = ("latitude", "longitude", "name", "address")
        attachments.append(place(*(parts["location"].get(key) for key in keys)))
    if "contact" in parts:
        one = parts["contact"]
        attachments.append(card(one.get("displayName"), one.get("vCard"), *rows(one.get("phones"))[:1]))
    if written or attachments or not parts.keys() - NO_CONTENT - ASIDES:
        return Content(written, attachments)
    return replace(UNSUPPORTED, order=_order(parts["order"])) if "order" in parts else UNSUPPORTED


def _order(part: Object) -> Order | None:
    """Its prices are left out: nobody says in which unit they are."""
    products = [row for row in rows(part.get("products")) if isinstance(row, dict)]
    lines = tuple(line_of(row, "retailerId" if text(row.get("retailerId")) else "productId", None) for row in products)
    return Order(items=lines) if lines else None


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


def _connection(payload: Object) -> Fact:
    if payload["type"] == "ConnectedCallback":
        return Fact(
            type="channel_recovered", about="connection", provider_code="connected", detail="WhatsApp is connected."
        )
    return Fact(
        type="channel_error",
        about="connection",
        code="channel_down",
        provider_code="disconnected",
        detail=one_line("The phone is not connected to WhatsApp", payload.get("error")),
    )
