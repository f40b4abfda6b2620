"""What every sender's payload becomes: one item for each thing that happened."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alfred.terms import AttachmentType, ChannelType, MessageUpdate

Kind = Literal["message", "status", "reaction", "ignored"]


class Value(BaseModel):
    """A value: equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sender(Value):
    """The customer, in statuses too."""

    handle: str | None = None
    name: str | None = None


class Attachment(Value):
    """A file, place, card or link; `id_or_url` is whatever the sender lets us fetch it by."""

    type: AttachmentType
    mime: str | None = None
    id_or_url: str | None = None
    caption: str | None = None


class InboundItem(Value):
    """One normalised item; `external_id` is the messenger's id of the message that it is about."""

    kind: Kind
    channel_type: ChannelType
    external_id: str | None = None
    sender: Sender = Sender()
    recipient: str | None = None
    sent_at: datetime | None = None
    text: str | None = None
    attachments: tuple[Attachment, ...] = ()
    reply_to: str | None = None
    status: MessageUpdate | None = None
    error: str | None = None
    raw: Any = Field(default=None, repr=False)


class Reading(Value):
    """What a payload was read as; `recognised` is false where no sender's shape was found in it."""

    recognised: bool
    items: tuple[InboundItem, ...]
