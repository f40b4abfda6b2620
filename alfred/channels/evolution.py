"""Evolution API v2 (Baileys): messages, their statuses, edits and deletions, and how the connection is."""

from dataclasses import dataclass
from typing import Any

from alfred.channels import baileys
from alfred.channels.building import MOST_READ, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, one_line, rows, storable, text, yes
from alfred.channels.item import Fact, IgnoredKind, InboundItem
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import crowd, hides_the_number, other_ids, phone
from alfred.terms import ChannelType, MessageUpdate

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
OWN_EVENTS = frozenset({"send.message", "send.message.update"})
# Fields that tell the customer in another way; of our own messages the last ones tell us.
OTHER_CHATS = ("remoteJidAlt", "previousRemoteJid")
SENDER_CHATS = ("senderPn", "senderLid")
KINDS: dict[str, IgnoredKind] = {
    "connection": "connection",
    "status": "connection",
    "logout": "connection",
    "remove": "connection",
    "qrcode": "connection",
    "presence": "presence",
    "call": "call",
    "group": "group",
    "groups": "group",
}
UP, DOWN = frozenset({"open"}), frozenset({"close", "closed", "refused"})
LOGGED_OUT, BANNED = frozenset({"401"}), frozenset({"403"})


def recognise(payload: Object) -> bool:
    event = payload.get("event")
    if not isinstance(event, str) or "payload" in payload:
        return False
    return "instance" in payload or ("data" in payload and event.startswith("messages"))


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the elements of a post have in common."""

    event: str
    instance: str | None
    own_handle: str | None
    channel: ChannelType


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    data = payload.get("data")
    event = storable(payload["event"]).strip().lower().replace("_", ".").replace("-", ".")
    envelope = Envelope(event, text(payload.get("instance")), phone(payload.get("sender")), channel)
    return [_read_element(envelope, element) for element in (data[:MOST_READ] if isinstance(data, list) else [data])]


def _read_element(envelope: Envelope, element: Any) -> InboundItem:
    reader = READERS.get(envelope.event)
    if reader is None or not isinstance(element, dict):
        return _read_other(envelope, element)
    # A deletion may come as the bare key of the message.
    key = obj(element.get("key")) or element
    chat = first(key.get("remoteJid"), element.get("remoteJid"))
    if kind := crowd(chat):
        return ignored(envelope.channel, kind, _raw(envelope, element))
    own = True if envelope.event in OWN_EVENTS else _own_flag(element)
    handle = _customer(chat, key, element, own is True)
    fields = OTHER_CHATS if own else (*OTHER_CHATS, *SENDER_CHATS)
    chats = [chat, *(source.get(name) for source in (key, element) for name in fields)]
    occasion = Occasion(
        envelope.channel,
        _raw(envelope, element),
        person(handle, None if own else element.get("pushName")),
        envelope.instance,
        identities=other_ids(handle, chats),
        own=own,
        own_handle=envelope.own_handle,
    )
    return reader(occasion, element)


def _raw(envelope: Envelope, element: Any) -> Object:
    return {"event": envelope.event, "instance": envelope.instance, "data": kept(element)}


def _customer(chat: str | None, key: Object, element: Object, own: bool) -> str | None:
    """A chat's privacy id gives way to the phone number, if that is told anywhere."""
    handle = phone(chat)
    if not hides_the_number(handle):
        return handle
    fields = ("remoteJidAlt",) if own else ("remoteJidAlt", "senderPn")
    numbers = (phone(source.get(name)) for source in (key, element) for name in fields)
    return next((number for number in numbers if number and not hides_the_number(number)), handle)


def _own_flag(element: Object) -> bool | None:
    """Whose message it is; null where the payload does not tell."""
    flag = element.get("fromMe") if "fromMe" in element else obj(element.get("key")).get("fromMe")
    return None if flag is None else yes(flag)


def _read_upsert(occasion: Occasion, data: Object) -> InboundItem:
    key, outer = obj(data.get("key")), obj(data.get("message"))
    dated = occasion.at(moment(data.get("messageTimestamp")))
    message = baileys.opened(outer)
    if kind := baileys.aside_kind(message):
        return dated.ignored(kind)
    if change := baileys.change_in(message):
        return read_change(dated, change)
    if isinstance(message.get("reactionMessage"), dict):
        part = message["reactionMessage"]
        return dated.reaction(text(key.get("id")), text(obj(part.get("key")).get("id")), text(part.get("text")))
    places = (data, outer, message)
    return dated.message(
        text(key.get("id")), baileys.content(message), baileys.answered_by(*places), baileys.referral_in(*places)
    )


def read_change(occasion: Occasion, change: baileys.Change) -> InboundItem:
    """An edit or a deletion that was told as a message."""
    dated = occasion.at(change.at or occasion.sent_at)
    if change.what == "edit":
        return dated.edited(change.about, change.new_text)
    return dated.deleted(change.about) if change.what == "deletion" else dated.ignored("system_note")


def _read_update(occasion: Occasion, data: Object) -> InboundItem:
    """The customer's own messages are marked too: of those only a deletion is news."""
    status = first(data.get("status"), obj(data.get("update")).get("status"))
    meaning = STATUSES.get(status or "")
    about = first(data.get("keyId"), obj(data.get("key")).get("id"))
    if meaning == "deleted":
        return occasion.deleted(about)
    if occasion.own is False:
        return occasion.ignored("status")
    codes = (*rows(data.get("messageStubParameters")), *rows(obj(data.get("update")).get("messageStubParameters")))
    return occasion.status(meaning, about, one_line(*codes), first(*codes))


def _read_edit(occasion: Occasion, data: Object) -> InboundItem:
    """Who edits writes the key: in the customer's words `fromMe` is the customer, and the chat is us."""
    if occasion.own and occasion.own_handle and occasion.sender.handle == occasion.own_handle:
        return _read_edit(Occasion(occasion.channel_type, occasion.raw, recipient=occasion.recipient), data)
    change = baileys.change_of({**data, "type": "MESSAGE_EDIT"})
    dated = occasion.at(change.at)
    if data.get("editedMessage") is None:
        return dated.deleted(change.about)
    return dated.edited(change.about, change.new_text)


def _read_deletion(occasion: Occasion, data: Object) -> InboundItem:
    return occasion.deleted(first(obj(data.get("key")).get("id"), data.get("id")))


READERS = {
    "messages.upsert": _read_upsert,
    "send.message": _read_upsert,
    "send.message.update": _read_upsert,
    "messages.update": _read_update,
    "messages.edited": _read_edit,
    "messages.delete": _read_deletion,
}


def _read_other(envelope: Envelope, element: Any) -> InboundItem:
    """An event without messages: how the connection is, and what is of no interest."""
    kind = KINDS.get(envelope.event.partition(".")[0], "unknown_event")
    occasion = Occasion(envelope.channel, _raw(envelope, element), recipient=envelope.instance)
    return occasion.ignored(kind, _connection(envelope.event, obj(element)) if kind == "connection" else ())


def _connection(event: str, data: Object) -> list[Fact]:
    state = (first(data.get("state"), data.get("status")) or "").lower()
    reason = first(data.get("statusReason"), data.get("disconnectionReasonCode"))
    if event in {"logout.instance", "remove.instance"}:
        state, reason = "close", reason or "401"
    if state in UP:
        fact = Fact(type="channel_recovered", about="connection", provider_code=state, detail="WhatsApp is connected.")
        return [fact]
    if state not in DOWN:
        return []
    code = "auth_failed" if reason in LOGGED_OUT else "account_restricted" if reason in BANNED else "channel_down"
    detail = "WhatsApp is not connected" + (f" (reason {reason})." if reason else ".")
    word = f"{state}/{reason}" if reason else state
    return [Fact(type="channel_error", about="connection", code=code, provider_code=word, detail=detail)]
