"""Webhooks in: a sender's raw payload is read, stored and answered in one round trip."""

import asyncio
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import Field
from uuid_utils.compat import uuid7

from alfred.api.message_models import ClassificationOut
from alfred.channels import CHANNEL_TYPES, normalise
from alfred.channels.body import BrokenJson, UnreadableBody, read_body
from alfred.channels.item import Attachment, InboundItem, Reading, Sender
from alfred.crm.inbox import TakenIn
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.inputs import body_of
from alfred.http.models import Listing, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Problem, not_found
from alfred.queries import Db, sql
from alfred.terms import ChannelType

routes = Routes("Webhooks")
log = structlog.get_logger()

MOST_ITEMS = 1000
MOST_REJECTED = 500
SHOWN_OF_REJECTED = 16_384
_LARGE = 65_536


class TakenItem(Output):
    """One normalised item, and what became of it."""

    kind: Literal["message", "status", "reaction"]
    external_id: str | None = Field(examples=["wamid.HBgM"])
    duplicate: bool
    message_id: UUID | None
    conversation_id: UUID | None
    contact_id: UUID | None
    sender: Sender
    recipient: str | None = Field(examples=["109900000000001"])
    text: str | None = Field(examples=["Preciso disso hoje, é urgente"])
    attachments: tuple[Attachment, ...]
    reply_to: str | None
    status: str | None
    sent_at: datetime | None
    classification: ClassificationOut | None


class Receipt(Output):
    channel: ChannelType
    received: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    ignored: int = Field(examples=[0])
    messages: list[TakenItem]


class RejectedWebhook(Output):
    id: UUID
    channel_type: ChannelType = Field(examples=["whatsapp"])
    content_type: str = Field(examples=["application/json"])
    reason: str = Field(examples=["No sender's shape was recognised."])
    body: str = Field(description="The payload as text, cut to its first 16 KiB. The whole payload is stored.")
    attempts: int
    created_at: datetime


@routes.on("GET", "/webhooks/rejected")
async def list_rejected_webhooks(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[RejectedWebhook]:
    """List payloads that could not be read, newest first."""
    given: dict[str, Any] = {"user_id": caller.user_id, "shown": SHOWN_OF_REJECTED}
    return (await newest_first(db, request, query, sql.rejected_webhooks.page, **given)).of(_rejected_of)


@routes.on("POST", "/webhooks/rejected/{rejected_id}/retry", errors=(404,))
async def retry_rejected_webhook(caller: Caller, services: Services, rejected_id: UUID) -> Receipt:
    """Read a rejected payload again.

    A payload that still cannot be read stays (422).
    """
    about = {"user_id": caller.user_id, "rejected_id": rejected_id}
    async with services.database.acting_as(caller.user_id) as db:
        row = await sql.rejected_webhooks.try_again.one(db, **about)
    if row is None:
        raise not_found("rejected webhook")
    try:
        reading = await _read(row["body"], row["content_type"], row["channel_type"])
    except Problem as problem:
        problem.status = 422
        raise
    receipt = await _take_in(services, caller, row["channel_type"], reading)
    async with services.database.acting_as(caller.user_id) as db:
        await sql.rejected_webhooks.remove.run(db, **about)
    return receipt


@routes.on("DELETE", "/webhooks/rejected/{rejected_id}", status=204, errors=(404,))
async def delete_rejected_webhook(db: Db, caller: Caller, rejected_id: UUID) -> None:
    """Delete a rejected payload."""
    if not await sql.rejected_webhooks.remove.run(db, user_id=caller.user_id, rejected_id=rejected_id):
        raise not_found("rejected webhook")


_JSON = {"type": "object", "additionalProperties": True, "description": "The payload; an array of them is read too."}
_EXAMPLE = {
    "message_id": "m-1",
    "from": "+5511900000012",
    "from_name": "Marina",
    "body": "Preciso disso hoje, é urgente",
}
_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _JSON, "example": _EXAMPLE},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "multipart/form-data": {"schema": {"type": "object"}},
            "message/rfc822": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


@routes.on(
    "POST",
    "/webhooks/{channel_type}",
    scope="webhooks",
    repeatable=True,
    lenient=True,
    errors=(400, 404, 413, 422),
    document=_DOCUMENT,
)
async def post_webhook(request: web.Request, caller: Caller, services: Services, channel_type: str) -> Receipt:
    """Receive a payload from a messenger, a mail service or n8n.

    Answers after the commit: what was answered 200 is stored.
    Takes JSON, forms (urlencoded and multipart), `message/rfc822` and text. The provider is recognised by the payload.
    """
    if channel_type not in CHANNEL_TYPES:
        raise not_found("channel type")
    body = await body_of(request)
    content_type = request.headers.get("Content-Type", "")
    try:
        reading = await _read(body, content_type, channel_type)
    except Problem as problem:
        async with services.database.acting_as(caller.user_id) as db:
            await sql.rejected_webhooks.add.run(
                db,
                user_id=caller.user_id,
                rejected_id=uuid7(),
                channel_type=channel_type,
                content_type=content_type[:500].encode("ascii", "replace").decode(),
                body=body,
                reason=problem.detail,
            )
            await sql.rejected_webhooks.keep_newest.run(db, user_id=caller.user_id, most=MOST_REJECTED)
        log.warning("webhook_rejected", channel=channel_type, code=problem.code, size=len(body))
        raise
    return await _take_in(services, caller, channel_type, reading)


async def _read(body: bytes, content_type: str, channel_type: Any) -> Reading:
    """A large body is read in a thread, so that other requests do not wait for it."""
    try:
        if len(body) > _LARGE:
            reading = await asyncio.to_thread(_normalised, body, content_type, channel_type)
        else:
            reading = _normalised(body, content_type, channel_type)
    except BrokenJson as error:
        raise Problem(400, "invalid_json", f"The body is not valid JSON: {error}") from None
    except UnreadableBody as error:
        raise Problem(422, "unrecognised_payload", f"The body cannot be read: {error}") from None
    if not reading.recognised:
        detail = "No known sender's shape was recognised in this payload; it is kept under /webhooks/rejected."
        raise Problem(422, "unrecognised_payload", detail)
    if len(reading.items) > MOST_ITEMS:
        raise Problem(422, "too_many_items", f"One post holds at most {MOST_ITEMS} items; it is kept.")
    return reading


def _normalised(body: bytes, content_type: str, channel_type: Any) -> Reading:
    return normalise(read_body(body, content_type or None), channel_type)


async def _take_in(services: Services, caller: Caller, channel_type: Any, reading: Reading) -> Receipt:
    items = [item for item in reading.items if item.kind not in {"ignored", "echo"}]
    taken = await services.inbox.take_in(caller.user_id, items)
    entries = [_entry(item, outcome) for item, outcome in zip(items, taken, strict=True)]
    receipt = Receipt(
        channel=items[0].channel_type if items else channel_type,
        received=len(entries),
        duplicates=sum(entry.duplicate for entry in entries),
        ignored=len(reading.items) - len(items),
        messages=entries,
    )
    log.info("webhook_taken_in", channel=receipt.channel, received=receipt.received,
             duplicates=receipt.duplicates, ignored=receipt.ignored)  # fmt: skip
    return receipt


def _entry(item: InboundItem, taken: TakenIn) -> TakenItem:
    said = {name: getattr(item, name) for name in InboundItem.model_fields if name in TakenItem.model_fields}
    reading = taken.classification
    classification = ClassificationOut.model_validate(reading) if reading and item.kind == "message" else None
    return TakenItem(**said, **taken.model_dump(exclude={"classification"}), classification=classification)


def _rejected_of(row: Any) -> RejectedWebhook:
    return RejectedWebhook.model_validate(dict(row) | {"body": row["body"].decode("utf-8", "replace")})
