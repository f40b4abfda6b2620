"""A message as the API shows it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from alfred.http.models import Output
from alfred.links import links
from alfred.queries import Row
from alfred.senders.errors import Error
from alfred.terms import (
    AttachmentType,
    Direction,
    Language,
    MessageAuthor,
    MessageSource,
    MessageStatus,
    Sentiment,
    Urgency,
)


class FileError(Output):
    """Why a file is not there."""

    code: str = Field(examples=["too_large"])
    detail: str
    remedy: str
    provider_code: str | None
    retryable: bool


class Content(Output):
    """The file of an attachment: `none` where Alfred keeps none, `pending` while it is being fetched."""

    state: Literal["none", "pending", "stored", "failed"]
    size: int | None = None
    url: str | None = Field(
        None, description="A signed link to the stored file, good for some minutes, below this host."
    )
    error: FileError | None = None


class MessageAttachment(Output):
    type: AttachmentType = Field(examples=["image"])
    url: str | None = None
    external_id: str | None = None
    mime_type: str | None = None
    file_name: str | None = None
    caption: str | None = None
    content: Content = Content(state="none")


class Delivery(Output):
    """How far Alfred's own sending of a message has come; null where somebody else sends it."""

    state: Literal["waiting", "sending", "done", "unknown", "dead", "cancelled"]
    attempts: int
    next_attempt_at: datetime | None
    parts: int
    parts_sent: int


class Reaction(Output):
    emoji: str = Field(examples=["❤️"])
    sent_at: datetime | None


class ClassificationOut(Output):
    sentiment: Sentiment
    sentiment_score: float = Field(examples=[-0.6], description="-1 to 1.")
    urgency: Urgency
    negotiation: bool
    should_create_task: bool
    intent: str = Field(examples=["complaint"])
    language: Language | None
    confidence: float = Field(examples=[0.8], description="0 to 1.")
    provider: str = Field(examples=["mock"])


class MessageReferral(Output):
    """Which advertisement or link brought the customer."""

    source_type: str | None = Field(None, examples=["ad"])
    source_id: str | None = None
    click_id: str | None = None
    headline: str | None = None
    url: str | None = None


class MessageOrderItem(Output):
    sku: str | None = Field(None, examples=["CAMISA-M"])
    quantity: int | None = Field(None, examples=[2])
    price: str | None = Field(None, examples=["59.90"], description="Of one piece.")
    currency: str | None = Field(None, examples=["BRL"])


class MessageOrder(Output):
    """A basket that the customer sent."""

    catalog_id: str | None = None
    items: list[MessageOrderItem]


class Message(Output):
    id: UUID
    conversation_id: UUID
    direction: Direction
    body: str = Field(examples=["Preciso disso hoje, é urgente"])
    attachments: list[MessageAttachment]
    sent_at: datetime
    created_at: datetime
    external_id: str | None
    reply_to_id: UUID | None
    status: MessageStatus
    error: Error | None = Field(description="Why it failed, or what is in doubt.")
    delivery: Delivery | None
    scheduled_at: datetime | None
    cancel_on_reply: bool | None
    template: dict[str, Any] | None
    author: MessageAuthor | None = Field(description="Who wrote an outbound message.")
    source: MessageSource | None = Field(
        description="Where an outbound message comes from; `native_app`: written in the messenger's own app."
    )
    subject: str | None = Field(description="Of an e-mail.")
    referral: MessageReferral | None
    order: MessageOrder | None
    edited_at: datetime | None
    deleted_at: datetime | None
    reactions: list[Reaction]
    classification: ClassificationOut | None


class PartDelivery(Output):
    """One part of a message on its way."""

    part: int = Field(examples=[1])
    kind: Literal["text", "attachment", "template", "mail"]
    state: Literal["waiting", "sending", "done", "unknown", "dead", "cancelled"]
    attempts: int
    next_attempt_at: datetime | None
    external_id: str | None
    error: Error | None
    created_at: datetime
    updated_at: datetime


class PartDeliveries(Output):
    items: list[PartDelivery]


class Accepted(Output):
    """It will be done, if it can be."""


class ClaimedMessage(Message):
    """A message that was handed out; nobody else gets it before `lease_until`."""

    lease_until: datetime
    attempts: int = Field(examples=[1], description="How often it was handed out.")


class ClaimedMessages(Output):
    items: list[ClaimedMessage]


def message_of(row: Row) -> Message:
    """A row of sql/messages.sql as the API shows it."""
    return Message(**shown(row))


def shown(row: Row) -> dict[str, Any]:
    """The fields of a message; a reason that an older version wrote as words is an error too."""
    values: dict[str, Any] = dict(row)
    if values.get("files"):
        values["attachments"] = [
            _with_file(values, number, attachment) for number, attachment in enumerate(values["attachments"])
        ]
    if values["failure"] is not None:
        return values | {"error": values["failure"]}
    words = values["error"]
    error = words and Error(code="provider_error", detail=words, remedy="retry_later", retryable=False)
    return values | {"error": error or None}


def _with_file(values: dict[str, Any], number: int, attachment: dict[str, Any]) -> dict[str, Any]:
    """An attachment with what is known of its file."""
    file = values["files"].get(str(number))
    if file is None:
        return attachment
    told = {name: attachment.get(name) or file[name] for name in ("mime_type", "file_name")}
    return attachment | told | {"content": content_of(values["user_id"], values["id"], number, file)}


def content_of(user_id: UUID, message_id: UUID, number: int, file: dict[str, Any]) -> Content:
    """The file of an attachment, with a fresh link where it is stored."""
    path = f"/api/v1/messages/{message_id}/attachments/{number}"
    stored = file["state"] == "stored"
    return Content(
        state=file["state"],
        size=file["size"],
        url=links.sign(user_id, path) if stored else None,
        error=file["error"],
    )
