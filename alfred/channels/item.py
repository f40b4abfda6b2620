"""What every provider's payload becomes: one item for each thing that happened."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alfred.terms import LONGEST_INBOUND_BODY, AttachmentType, ChannelType, MessageUpdate

Kind = Literal["message", "echo", "status", "reaction", "ignored"]
IdentityKind = Literal["number", "lid", "user_id"]
# What an ignored item was; a word for the list of ignored items and for their filters.
IgnoredKind = Literal[
    "empty_message", "no_sender", "group", "broadcast", "story", "channel_post", "system_note", "announcement",
    "pin", "keep", "opened_chat", "presence", "own_reaction", "note_to_self", "not_decrypted",
    "status", "edit_without_text", "connection", "account", "template", "preferences", "call", "comment", "referral",
    "machine_mail", "delivery_report", "mail_event", "subscription", "unknown_event", "unreadable",
]  # fmt: skip


class Value(BaseModel):
    """A value: equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Sender(Value):
    """The customer, in statuses and echoes too."""

    handle: str | None = None
    name: str | None = None


class Attachment(Value):
    """A file, place, card or link; `id_or_url` is whatever the provider lets us fetch it by."""

    type: AttachmentType
    mime: str | None = None
    id_or_url: str | None = None
    caption: str | None = None


class Identity(Value):
    """Another id of the customer, told by the messenger beside the handle; `value` is written like a handle."""

    kind: IdentityKind
    value: str


class Referral(Value):
    """The advertisement or link that brought the customer; `click_id` is what the ad platform asks back."""

    source_type: str | None = None
    source_id: str | None = None
    click_id: str | None = None
    headline: str | None = None
    url: str | None = None


class OrderItem(Value):
    """A line of a basket; `price` of one piece, a decimal string with two places."""

    sku: str | None = None
    quantity: int | None = None
    price: str | None = None
    currency: str | None = None


class Order(Value):
    """A basket that the customer sent."""

    catalog_id: str | None = None
    items: tuple[OrderItem, ...] = ()


class Thread(Value):
    """The headers of a mail by which mailboxes join answers, as they stood (unfolded, ids with their <>)."""

    message_id: str | None = None
    in_reply_to: str | None = None
    references: str | None = None


class Failure(Value):
    """Why one of our messages failed: what the provider's table of codes in `senders` is asked with."""

    provider_code: str | None = None  # as text: "131047", "10/2018278", a bounce's "5.1.1"
    detail: str | None = None  # the provider's own words, in one line


class Fact(Value):
    """What an item tells beside: a contact's wish, or how the business account fares.

    A recovery means something only where an error of the same `about` and `subject` stands.
    """

    type: Literal["opt_out", "opt_in", "channel_error", "channel_recovered"]
    about: Literal["contact", "connection", "quality", "template", "account"]
    subject: str | None = None  # a contact's handle, a template's name; else the account (null: the item's recipient)
    identities: tuple[Identity, ...] = ()  # of the contact
    code: str | None = None  # of a channel_error: a neutral error code (delivery.md §3)
    provider_code: str | None = None  # the provider's word: "close", "RED", "PAUSED"
    detail: str | None = None  # one English sentence
    at: datetime | None = None


def _beginning(text: str | None) -> str | None:
    return text and text[:LONGEST_INBOUND_BODY]


class InboundItem(Value):
    """One normalised item."""

    kind: Kind
    channel_type: ChannelType
    provider: str | None = None  # the shape in which it was read, a name in alfred.channels.PROVIDERS, or "mime"
    external_id: str | None = None  # the messenger's id of the message that it is about; of a reaction, its own
    sender: Sender = Sender()  # always the customer
    identities: tuple[Identity, ...] = ()  # the customer's other ids; at most one of a kind, none of the handle's kind
    recipient: str | None = None  # always the business account
    sent_at: datetime | None = None
    text: Annotated[str | None, AfterValidator(_beginning)] = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    referral: Referral | None = None  # of a message, or of an ignored event that tells nothing else
    order: Order | None = None
    subject: str | None = None  # of a mail, decoded
    thread: Thread | None = None  # of a mail
    status: MessageUpdate | None = None
    from_business: bool | None = None  # of an edit or a deletion: which side made it; null where it is not told
    error: str | None = None  # of a failed status: code and words in one line
    failure: Failure | None = None  # the same in its parts
    delivery_id: str | None = None  # of an echo or a status: the id that we gave the message when we sent it
    ignored_kind: IgnoredKind | None = None  # of an ignored item: what it was
    reason: str | None = None  # of an ignored item: why, in plain words
    rejected: bool = False  # of an ignored item: no shape fits it, keep it under /webhooks/rejected
    facts: tuple[Fact, ...] = ()  # what it tells beside; mostly of an ignored item, or of a message such as STOP
    raw: Any = Field(default=None, repr=False)


class Reading(Value):
    """What a payload was read as.

    `recognised` is false where no provider's shape was found in it. `rejected` holds, as they were posted but without
    a forwarder's wrapper, the payloads of which an item is `rejected`; `read_post` gives what to keep of them.
    """

    recognised: bool
    items: tuple[InboundItem, ...]
    rejected: tuple[Any, ...] = Field(default=(), repr=False)
