"""WAHA, whichever of its engines: messages, reactions, acknowledgements, edits, revocations."""

from typing import NamedTuple

from alfred.channels.building import Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, rows, text, yes
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import by_mime, card, hides_the_number, is_crowd, phone, place
from alfred.terms import ChannelType, MessageUpdate

ACKS: dict[str, MessageUpdate] = {
    "SERVER": "sent",
    "DEVICE": "delivered",
    "READ": "read",
    "PLAYED": "read",
    "ERROR": "failed",
}
NUMBERED_ACKS = {"-1": "ERROR", "1": "SERVER", "2": "DEVICE", "3": "READ", "4": "PLAYED"}


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
    event, inner = payload["event"], payload.get("payload")
    reader = READERS.get(event)
    raw = {"event": event, "session": payload.get("session"), "payload": inner}
    if reader is None or not isinstance(inner, dict):
        return [ignored(channel, raw)]
    source = _source(inner)
    chat, own = _customer(source), _is_own(source)
    if is_crowd(chat) or is_crowd(source.get("from")):
        return [ignored(channel, raw)]
    details = obj(source.get("_data"))
    called = None if own else first(details.get("notifyName"), details.get("pushName"))
    time = inner.get("timestamp") if event in TIMED_INSIDE else payload.get("timestamp")
    recipient = phone(obj(payload.get("me")).get("id"))
    occasion = Occasion(channel, kept(raw), person(phone(chat), called), recipient, moment(time))
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


def _is_own(message: Object) -> bool:
    flag = message.get("fromMe")
    return taken_apart(message.get("id")).own is True if flag is None else yes(flag)


def _customer(message: Object) -> str | None:
    """The chat in the id, as the engines disagree on from and to; `from` may tell a number that it hides."""
    chat, own = taken_apart(message.get("id")).chat, _is_own(message)
    other = text(message.get("to" if own else "from"))
    if chat is None:
        return other
    tells_more = other and not own and hides_the_number(chat) and not hides_the_number(other)
    return other if tells_more else chat


def _read_message(occasion: Occasion, inner: Object) -> InboundItem:
    if _is_own(inner):
        return occasion.ignored()
    reply_to = taken_apart(obj(inner.get("replyTo")).get("id")).bare
    return occasion.message(taken_apart(inner.get("id")).bare, _content(inner), reply_to)


def _content(inner: Object) -> Content:
    written = text(inner.get("body"))
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


def _files(inner: Object, written: str | None) -> list[Attachment]:
    media = obj(inner.get("media"))
    if not media and not yes(inner.get("hasMedia")):
        return []
    mime = text(media.get("mimetype"))
    return [Attachment(type=by_mime(mime), mime=mime, id_or_url=text(media.get("url")), caption=written)]


def _read_reaction(occasion: Occasion, inner: Object) -> InboundItem:
    if _is_own(inner):
        return occasion.ignored()
    part = obj(inner.get("reaction"))
    about = taken_apart(part.get("messageId")).bare
    return occasion.reaction(taken_apart(inner.get("id")).bare, about, text(part.get("text")))


def _read_ack(occasion: Occasion, inner: Object) -> InboundItem:
    if not _is_own(inner):
        return occasion.ignored()
    ack = text(inner.get("ackName")) or NUMBERED_ACKS.get(text(inner.get("ack")) or "", "")
    return occasion.status(ACKS.get(ack), taken_apart(inner.get("id")).bare)


def _read_edit(occasion: Occasion, inner: Object) -> InboundItem:
    if _is_own(inner):
        return occasion.ignored()
    return occasion.edited(taken_apart(inner.get("editedMessageId")).bare, text(inner.get("body")))


def _read_revocation(occasion: Occasion, inner: Object) -> InboundItem:
    about = first(inner.get("revokedMessageId"), obj(inner.get("before")).get("id"))
    return occasion.status("deleted", taken_apart(about).bare)


READERS = {
    "message": _read_message,
    "message.any": _read_message,
    "message.reaction": _read_reaction,
    "message.ack": _read_ack,
    "message.edited": _read_edit,
    "message.revoked": _read_revocation,
}
TIMED_INSIDE = frozenset({"message", "message.any", "message.reaction"})
