"""Meta's WhatsApp Cloud API, also as n8n's WhatsApp Trigger hands it on."""

from typing import Any

from alfred.channels.baskets import line_of
from alfred.channels.building import MOST_READ, UNSUPPORTED, Content, Occasion, ignored, person
from alfred.channels.clean import Object, first, moment, obj, one_line, rows, text
from alfred.channels.cloud_account import read_account_change
from alfred.channels.item import Attachment, IgnoredKind, InboundItem, Order, Referral, Sender
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import card, other_ids, phone, place
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
NO_MESSAGES: dict[str, IgnoredKind] = {"system": "system_note", "request_welcome": "opened_chat"}
ECHOES = frozenset({"smb_message_echoes", "message_echoes"})
OTHER_FIELDS = (
    "account_", "business_", "calls", "message_echoes", "message_template_", "phone_number_", "smb_", "template_",
    "user_preferences",
)  # fmt: skip


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
    whole = {"field": field, "value": value}
    account = Account(channel, obj(value))
    if isinstance(field, str) and field in ECHOES:
        echoes = [account.read_message(echo, own=True) for echo in rows(obj(value).get("message_echoes"))[:MOST_READ]]
        return echoes or [ignored(channel, "unknown_event", whole)]
    if field != "messages":
        return [read_account_change(field, obj(value), channel, kept(whole))]
    items = [account.read_message(message) for message in rows(obj(value).get("messages"))[:MOST_READ]]
    items += [account.read_status(status) for status in rows(obj(value).get("statuses"))[:MOST_READ]]
    return items or [read_account_change(field, obj(value), channel, kept(whole))]


class Account:
    """The business number that a change is about, with the names and ids of customers that it tells."""

    def __init__(self, channel: ChannelType, value: Object) -> None:
        self.channel = channel
        metadata = obj(value.get("metadata"))
        self.number_id = text(metadata.get("phone_number_id"))
        self.number = phone(metadata.get("display_phone_number"))
        self.senders: dict[str, Sender] = {}  # made once for each, as a hostile name can be long
        self.names: dict[str, object] = {}
        self.ids: dict[str, set[str]] = {}
        for contact in map(obj, rows(value.get("contacts"))):
            called = text(obj(contact.get("profile")).get("name"))
            ids = [known for known in (phone(contact.get("wa_id")), text(contact.get("user_id"))) if known]
            for known_as in ids:
                if called:
                    self.names.setdefault(known_as, called)
                self.ids.setdefault(known_as, set()).update(one for one in ids if one != known_as)

    def occasion(self, element: Object, number: object, user_id: object, own: bool = False) -> Occasion:
        told = text(user_id)
        handle = phone(number) or told
        sender = self.senders.get(handle or "")
        if sender is None:
            called = self.names.get(handle or "") or self.names.get(told or "")
            sender = self.senders[handle or ""] = person(handle, called)
        raw = {"phone_number_id": self.number_id, "name": sender.name, "element": kept(element)}
        return Occasion(
            self.channel,
            raw,
            sender,
            self.number_id,
            moment(element.get("timestamp")),
            identities=other_ids(handle, (), told or self._user_id(handle)),
            own=own,
            own_handle=self.number,
        )

    def _user_id(self, handle: str | None) -> str | None:
        """The one id that the contact list puts beside a number."""
        others = self.ids.get(handle or "", set())
        return next(iter(others)) if len(others) == 1 else None

    def read_message(self, message: Any, own: bool = False) -> InboundItem:
        if not isinstance(message, dict) or not message:
            return ignored(self.channel, "empty_message", message)
        side = "to" if own else "from"
        occasion = self.occasion(message, message.get(side), message.get(f"{side}_user_id"), own)
        kind = _kind(message)
        if text(message.get("group_id")) or message.get("recipient_type") == "group":
            return occasion.ignored("group")
        if not kind or kind in NO_MESSAGES:
            return occasion.ignored(NO_MESSAGES.get(kind or "", "unknown_event"))
        if not occasion.sender.handle:
            return occasion.ignored("no_sender")
        part = obj(message.get(kind))
        if kind == "reaction":
            return occasion.reaction(text(message.get("id")), text(part.get("message_id")), text(part.get("emoji")))
        if kind == "revoke":
            return occasion.deleted(text(part.get("original_message_id")))
        if kind == "edit":
            new = _content(obj(part.get("message")))
            return occasion.edited(text(part.get("original_message_id")), new.written)
        reply_to = text(obj(message.get("context")).get("id"))
        return occasion.message(text(message.get("id")), _content(message), reply_to, _referral(message))

    def read_status(self, status: Any) -> InboundItem:
        if not isinstance(status, dict) or not status:
            return ignored(self.channel, "status", status)
        occasion = self.occasion(status, status.get("recipient_id"), status.get("recipient_user_id"))
        if status.get("recipient_type") == "group":
            return occasion.ignored("group")
        meaning = STATUSES.get(text(status.get("status")) or "")
        about = text(status.get("id"))
        if meaning == "deleted":  # the status of a message of ours
            item = occasion.status(meaning, about)
            return item.model_copy(update={"from_business": True})
        item = occasion.status(meaning, about, *_failure(status))
        return item.model_copy(update={"delivery_id": text(status.get("biz_opaque_callback_data"))})


def _kind(message: Object) -> str | None:
    kind = message.get("type")
    return text(kind) if isinstance(kind, str) else None


def _failure(status: Object) -> tuple[str | None, str | None]:
    """The first error in one line, and its code."""
    error = next((error for error in rows(status.get("errors")) if isinstance(error, dict)), {})
    details = obj(error.get("error_data")).get("details")
    code = text(error.get("code"))
    return one_line(code, error.get("title"), error.get("message"), details), code


def _referral(message: Object) -> Referral | None:
    referral = obj(message.get("referral"))
    if not referral:
        return None
    words = {
        "source_type": text(referral.get("source_type")),
        "source_id": text(referral.get("source_id")),
        "click_id": text(referral.get("ctwa_clid")),
        "headline": text(referral.get("headline")),
        "url": text(referral.get("source_url")),
    }
    return Referral(**words) if any(words.values()) else None


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
            return _basket(part)
    return _file(FILES[kind], part) if kind in FILES else UNSUPPORTED


def _basket(part: Object) -> Content:
    catalog_id = text(part.get("catalog_id"))
    products = [row for row in rows(part.get("product_items")) if isinstance(row, dict)]
    lines = tuple(line_of(row, "product_retailer_id", "item_price") for row in products)
    basket = Attachment(type="order", id_or_url=catalog_id)
    return Content(text(part.get("text")), [basket], Order(catalog_id=catalog_id, items=lines))


def _file(kind: AttachmentType, part: Object) -> Content:
    file = Attachment(
        type=kind,
        mime=text(part.get("mime_type")),
        id_or_url=first(part.get("id"), part.get("url")),
        caption=text(part.get("caption")),
    )
    return Content(attachments=[file])


def _reply(part: Object) -> str | None:
    button, row, form = (obj(part.get(key)) for key in ("button_reply", "list_reply", "nfm_reply"))
    return first(
        button.get("title"),
        row.get("title"),
        row.get("description"),
        form.get("response_json"),
        form.get("body"),
    )


def _card(contact: Object) -> Attachment:
    phones = [one for one in rows(contact.get("phones")) if isinstance(one, dict)]
    numbers = [*(one.get("wa_id") for one in phones), *(one.get("phone") for one in phones)]
    return card(obj(contact.get("name")).get("formatted_name"), None, *numbers)
