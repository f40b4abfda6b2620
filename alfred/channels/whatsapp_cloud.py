"""Meta's WhatsApp Cloud API, also as n8n's WhatsApp Trigger hands it on."""

from typing import Any

from alfred.channels.building import UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, one_line, rows, text
from alfred.channels.item import Attachment, InboundItem, Sender
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import card, phone, place
from alfred.terms import AttachmentType, ChannelType, MessageUpdate

FILES: dict[str, AttachmentType] = {
    "image": "image",
    "video": "video",
    "document": "document",
    "audio": "audio",
    "sticker": "sticker",
}
STATUSES: dict[str, MessageUpdate] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "played": "read",
    "failed": "failed",
    "deleted": "deleted",
}
OTHER_FIELDS = ("account_", "business_", "message_template_", "phone_number_", "smb_", "template_")


def recognise(payload: Object) -> bool:
    return payload.get("object") == "whatsapp_business_account" or _is_value(payload)


def _is_value(payload: Object) -> bool:
    """n8n's trigger gives the inside of one change, with the change's field added."""
    field = payload.get("field")
    of_another_field = isinstance(field, str) and field.startswith(OTHER_FIELDS)
    known = payload.get("messaging_product") == "whatsapp" or of_another_field
    return known or {"field", "metadata"} <= payload.keys()


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if payload.get("object") != "whatsapp_business_account":
        return _read_change(payload.get("field", "messages"), payload, channel)
    changes = (change for entry in rows(payload.get("entry")) for change in rows(obj(entry).get("changes")))
    return [
        item
        for change in changes
        if isinstance(change, dict)
        for item in _read_change(change.get("field"), change.get("value"), channel)
    ]


def _read_change(field: object, value: object, channel: ChannelType) -> list[InboundItem]:
    if field != "messages":
        return [ignored(channel, {"field": field, "value": value})]
    account = Account(channel, obj(value))
    items = [account.read_message(message) for message in rows(obj(value).get("messages"))]
    items += [account.read_status(status) for status in rows(obj(value).get("statuses"))]
    return items or [ignored(channel, {"field": field, "value": value})]


class Account:
    """The business number that a change is about, with the names that it gives."""

    def __init__(self, channel: ChannelType, value: Object) -> None:
        self.channel = channel
        self.number = text(obj(value.get("metadata")).get("phone_number_id"))
        self.senders: dict[str, Sender] = {}  # made once for each, as a hostile name can be long
        self.names: dict[str, object] = {}
        for contact in map(obj, rows(value.get("contacts"))):
            called = text(obj(contact.get("profile")).get("name"))
            for known_as in (phone(contact.get("wa_id")), text(contact.get("user_id"))):
                if called and known_as:
                    self.names.setdefault(known_as, called)

    def occasion(self, element: Object, number: object, user_id: object) -> Occasion:
        hidden = text(user_id)
        handle = phone(number) or hidden
        sender = self.senders.get(handle or "")
        if sender is None:
            called = self.names.get(handle or "") or self.names.get(hidden or "")
            sender = self.senders[handle or ""] = person(handle, called)
        raw = {"phone_number_id": self.number, "name": sender.name, "element": kept(element)}
        return Occasion(self.channel, raw, sender, self.number, moment(element.get("timestamp")))

    def read_message(self, message: Any) -> InboundItem:
        if not isinstance(message, dict) or not message:
            return ignored(self.channel)
        occasion = self.occasion(message, message.get("from"), message.get("from_user_id"))
        kind = _kind(message)
        if not kind or kind == "system" or text(message.get("group_id")) or not occasion.sender.handle:
            return occasion.ignored()
        part = obj(message.get(kind))
        if kind == "reaction":
            return occasion.reaction(text(message.get("id")), text(part.get("message_id")), text(part.get("emoji")))
        if kind == "revoke":
            return occasion.status("deleted", text(part.get("original_message_id")))
        if kind == "edit":
            new = _content(obj(part.get("message")))
            return occasion.edited(text(part.get("original_message_id")), new.written)
        reply_to = text(obj(message.get("context")).get("id"))
        return occasion.message(text(message.get("id")), _content(message), reply_to)

    def read_status(self, status: Any) -> InboundItem:
        if not isinstance(status, dict) or not status:
            return ignored(self.channel)
        occasion = self.occasion(status, status.get("recipient_id"), status.get("recipient_user_id"))
        if status.get("recipient_type") == "group":
            return occasion.ignored()
        meaning = STATUSES.get(text(status.get("status")) or "")
        return occasion.status(meaning, text(status.get("id")), _reason(status))


def _kind(message: Object) -> str | None:
    kind = message.get("type")
    return text(kind) if isinstance(kind, str) else None


def _reason(status: Object) -> str | None:
    error = next((error for error in rows(status.get("errors")) if isinstance(error, dict)), {})
    details = obj(error.get("error_data")).get("details")
    return one_line(error.get("code"), error.get("title"), error.get("message"), details)


def _content(message: Object) -> Content:
    kind = _kind(message) or ""
    part = obj(message.get(kind))
    match kind:
        case "text":
            return Content(text(part.get("body")))
        case "button":
            return Content(text(part.get("text")))
        case "interactive":
            reply = _reply(part)
            return Content(reply) if reply else UNSUPPORTED
        case "location":
            where = (part.get(key) for key in ("latitude", "longitude", "name", "address"))
            return Content(attachments=[place(*where)])
        case "contacts":
            cards = rows(message.get("contacts"))
            return Content(attachments=[_card(one) for one in cards if isinstance(one, dict)])
        case "order":
            basket = Attachment(type="order", id_or_url=text(part.get("catalog_id")))
            return Content(text(part.get("text")), [basket])
    return _file(FILES[kind], part) if kind in FILES else UNSUPPORTED


def _file(kind: AttachmentType, part: Object) -> Content:
    file = Attachment(
        type=kind,
        mime=text(part.get("mime_type")),
        id_or_url=first(part.get("id"), part.get("url")),
        caption=text(part.get("caption")),
    )
    return Content(attachments=[file])


def _reply(part: Object) -> str | None:
    return first(
        obj(part.get("button_reply")).get("title"),
        obj(part.get("list_reply")).get("title"),
        obj(part.get("nfm_reply")).get("response_json"),
    )


def _card(contact: Object) -> Attachment:
    phones = [one for one in rows(contact.get("phones")) if isinstance(one, dict)]
    numbers = [*(one.get("wa_id") for one in phones), *(one.get("phone") for one in phones)]
    return card(obj(contact.get("name")).get("formatted_name"), None, *numbers)
