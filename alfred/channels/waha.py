"""WAHA, whichever of its engines: messages, reactions, acknowledgements, edits, revocations, sessions."""

import re
from typing import NamedTuple

from alfred.channels import baileys
from alfred.channels.building import Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, rows, text, yes
from alfred.channels.evolution import read_change
from alfred.channels.item import Attachment, Fact, IgnoredKind, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import by_mime, card, crowd, hides_the_number, other_ids, phone, place
from alfred.terms import ChannelType, MessageUpdate

ACKS: dict[str, MessageUpdate] = {
    "SERVER": "sent",
    "DEVICE": "delivered",
    "READ": "read",
    "PLAYED": "read",
    "ERROR": "failed",
}
NUMBERED_ACKS = {"-1": "ERROR", "1": "SERVER", "2": "DEVICE", "3": "READ", "4": "PLAYED"}
THUMBNAIL = re.compile(r"(?:data:image/jpeg;base64,)?/9j/[A-Za-z0-9+/\s]{61,}={0,2}")
KINDS: dict[str, IgnoredKind] = {
    "message.waiting": "not_decrypted",
    "presence.update": "presence",
    "session.status": "connection",
    "state.change": "connection",
    "engine.event": "unknown_event",
}
UP = frozenset({"WORKING", "CONNECTED"})
DOWN = {"FAILED": "channel_down", "STOPPED": "channel_down", "SCAN_QR_CODE": "auth_failed",
        "DISCONNECTED": "channel_down", "UNPAIRED": "auth_failed"}  # fmt: skip


class MessageId(NamedTuple):
    """`true_<chat>_<id>`, taken apart; a bare id says neither whose it is nor where."""

    own: bool | None
    chat: str | None
    bare: str | None


def recognise(payload: Object) -> bool:
    event = payload.get("event")
    if not isinstance(event, str) or "payload" not in payload:
        return False
    return bool({"session", "engine", "me"} & payload.keys()) or event.startswith("message")


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    event, inner, me = payload["event"], payload.get("payload"), obj(payload.get("me"))
    reader = READERS.get(event)
    raw = kept({"event": event, "session": payload.get("session"), "payload": inner})
    recipient = phone(me.get("id"))
    if reader is None or not isinstance(inner, dict):
        return [_read_other(Occasion(channel, raw, recipient=recipient), event, inner)]
    source = _source(inner)
    chat, own = _customer(source), _is_own(source)
    if kind := crowd(chat, source.get("from")):
        return [ignored(channel, kind, raw)]
    numbers = _other_chats(source, own)
    handle = phone(chat)
    if hides_the_number(handle):
        handle = next((one for each in numbers if (one := phone(each)) and not hides_the_number(one)), handle)
    occasion = Occasion(
        channel,
        raw,
        person(handle, None if own else _name(source)),
        recipient,
        moment(inner.get("timestamp") if event in TIMED_INSIDE else payload.get("timestamp")),
        identities=other_ids(handle, [chat, *numbers]),
        own=own,
        own_handle=phone(me.get("lid")) if hides_the_number(handle) else recipient,
    )
    return [reader(occasion, inner)]


def taken_apart(value: object) -> MessageId:
    written = text(value) or ""
    parts = written.split("_", 3)
    if len(parts) < 3 or parts[0] not in {"true", "false"}:
        return MessageId(None, None, written or None)
    return MessageId(parts[0] == "true", parts[1] or None, parts[2] or None)


def _source(inner: Object) -> Object:
    """What tells the chat: the payload, or in a revocation the message before or after it."""
    messages = (inner, obj(inner.get("after")), obj(inner.get("before")))
    return next((one for one in messages if first(one.get("id"), one.get("from"))), inner)


def _is_own(message: Object) -> bool | None:
    """Whose message it is; null where the payload does not tell."""
    flag = message.get("fromMe")
    return taken_apart(message.get("id")).own if flag is None else yes(flag)


def _customer(message: Object) -> str | None:
    """The chat in the id, as the engines disagree on from and to; `from` may tell a number that it hides."""
    chat, own = taken_apart(message.get("id")).chat, _is_own(message)
    other = text(message.get("to" if own else "from"))
    if chat is None:
        return other
    tells_more = other and not own and hides_the_number(chat) and not hides_the_number(other)
    return other if tells_more else chat


def _other_chats(message: Object, own: bool | None) -> list[object]:
    """The same customer's other addresses, which each engine keeps elsewhere."""
    details = obj(message.get("_data"))
    key, info = obj(details.get("key")), obj(details.get("Info"))
    if own:
        return [key.get("remoteJidAlt"), info.get("RecipientAlt")]
    return [key.get("remoteJidAlt"), key.get("senderPn"), info.get("SenderAlt"), message.get("from")]


def _name(message: Object) -> str | None:
    details = obj(message.get("_data"))
    return first(details.get("notifyName"), details.get("pushName"), obj(details.get("Info")).get("PushName"))


def _engine_message(inner: Object) -> Object:
    """The message as the engine had it: NOWEB and GOWS give WhatsApp's own form."""
    details = obj(inner.get("_data"))
    return baileys.opened(obj(details.get("message")) or obj(details.get("Message")))


def _read_message(occasion: Occasion, inner: Object) -> InboundItem:
    message = _engine_message(inner)
    content = _content(inner)
    if not content.written and not content.attachments:
        if kind := baileys.aside_kind(message):
            return occasion.ignored(kind)
        if change := baileys.change_in(message):
            return read_change(occasion, change)
        content = baileys.content(message)
    reply_to = taken_apart(obj(inner.get("replyTo")).get("id")).bare
    return occasion.message(taken_apart(inner.get("id")).bare, content, reply_to, baileys.referral_in(message))


def _content(inner: Object) -> Content:
    written = _body(inner)
    cards = [card(None, vcard) for vcard in rows(inner.get("vCards")) if text(vcard)]
    if cards and (written or "").startswith("BEGIN:VCARD"):
        written = None  # some engines repeat the card as the body
    attachments = [*_files(inner, written), *cards]
    where = inner.get("location")
    if isinstance(where, dict):
        names = (where.get("name"), where.get("address"))
        names = names if first(*names) else (where.get("description"), None)
        attachments.append(place(where.get("latitude"), where.get("longitude"), *names))
    return Content(written, attachments)


def _body(inner: Object) -> str | None:
    """What was written; a place's or a file's small picture is no text."""
    written = text(inner.get("body"))
    return None if written and THUMBNAIL.fullmatch(written) else written


def _files(inner: Object, written: str | None) -> list[Attachment]:
    media = obj(inner.get("media"))
    if not media and not yes(inner.get("hasMedia")):
        return []
    mime = text(media.get("mimetype"))
    return [Attachment(type=by_mime(mime), mime=mime, id_or_url=text(media.get("url")), caption=written)]


def _read_reaction(occasion: Occasion, inner: Object) -> InboundItem:
    part = obj(inner.get("reaction"))
    about = taken_apart(part.get("messageId")).bare
    return occasion.reaction(taken_apart(inner.get("id")).bare, about, text(part.get("text")))


def _read_ack(occasion: Occasion, inner: Object) -> InboundItem:
    if not occasion.own:
        return occasion.ignored("status")
    ack = text(inner.get("ackName")) or NUMBERED_ACKS.get(text(inner.get("ack")) or "", "")
    return occasion.status(ACKS.get(ack), taken_apart(inner.get("id")).bare)


def _read_edit(occasion: Occasion, inner: Object) -> InboundItem:
    return occasion.edited(taken_apart(inner.get("editedMessageId")).bare, _body(inner))


def _read_revocation(occasion: Occasion, inner: Object) -> InboundItem:
    about = first(inner.get("revokedMessageId"), obj(inner.get("before")).get("id"))
    return occasion.deleted(taken_apart(about).bare)


READERS = {
    "message": _read_message,
    "message.any": _read_message,
    "message.reaction": _read_reaction,
    "message.ack": _read_ack,
    "message.edited": _read_edit,
    "message.revoked": _read_revocation,
}
TIMED_INSIDE = frozenset({"message", "message.any", "message.reaction"})


def _read_other(occasion: Occasion, event: str, inner: object) -> InboundItem:
    """An event without messages: how the session is, and what is of no interest."""
    area = event.partition(".")[0]
    areas: dict[str, IgnoredKind] = {"group": "group", "call": "call"}
    kind = KINDS.get(event) or areas.get(area, "unknown_event")
    return occasion.ignored(kind, _session(inner) if kind == "connection" else ())


def _session(inner: object) -> list[Fact]:
    status = (first(obj(inner).get("status"), inner) or "").upper()
    if status in UP:
        fact = Fact(type="channel_recovered", about="connection", provider_code=status, detail="WhatsApp is connected.")
        return [fact]
    if status not in DOWN:
        return []
    asks = DOWN[status] == "auth_failed"
    detail = "WhatsApp asks for its QR code to be scanned." if asks else f"The WhatsApp session has the state {status}."
    return [Fact(type="channel_error", about="connection", code=DOWN[status], provider_code=status, detail=detail)]
