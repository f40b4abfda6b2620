"""What was posted and did not become a message: rejected payloads, ignored items, and the payload of a message."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alfred.api.rejected_posts import Posted, Unreadable, reason_of
from alfred.api.webhooks import Receipt, read, take_in
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Listing, Output, Page, json_response
from alfred.http.pages import ROOM, newest_first
from alfred.http.problems import Problem, not_found
from alfred.queries import Db, sql
from alfred.terms import ChannelType

routes = Routes("Webhooks")

SHOWN_OF_REJECTED = 16_384


class RejectedWebhook(Output):
    id: UUID
    channel_type: ChannelType = Field(examples=["whatsapp"])
    content_type: str = Field(examples=["application/json"])
    reason: str = Field(examples=["No sender's shape was recognised."])
    body: str = Field(description="What was posted, as text; of more than 16 KiB the beginning. All of it is kept.")
    attempts: int
    created_at: datetime


class IgnoredItem(Output):
    id: UUID
    channel: ChannelType = Field(examples=["whatsapp"])
    provider: str | None = Field(examples=["evolution"])
    kind: str = Field(examples=["group"])
    reason: str = Field(examples=["A message in a group is no customer's."])
    payload: Any = Field(examples=[{"event": "presence.update"}])
    received_at: datetime


@routes.on("GET", "/webhooks/rejected")
async def list_rejected_webhooks(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[RejectedWebhook]:
    """List payloads that could not be read, newest first."""
    about: dict[str, Any] = {"user_id": caller.user_id, "shown": SHOWN_OF_REJECTED}
    return (await newest_first(db, request, query, sql.rejected_webhooks.page, **about)).of(_rejected_of)


@routes.on("POST", "/webhooks/rejected/{rejected_id}/retry", errors=(404,))
async def retry_rejected_webhook(caller: Caller, services: Services, rejected_id: UUID) -> Receipt:
    """Read a rejected payload again.

    After an update its shape may be known; what still cannot be read stays, and is 422.
    """
    about = {"user_id": caller.user_id, "rejected_id": rejected_id}
    async with services.database.acting_as(caller.user_id) as db:
        row = await sql.rejected_webhooks.try_again.one(db, **about)
    if row is None:
        raise not_found("rejected webhook")
    try:
        posted = Posted(row["body"], row["content_type"], row["channel_type"])
        reading = await read(services, caller.user_id, posted)
    except Unreadable as trouble:
        trouble.problem.status = 422
        raise trouble.problem from None
    if reading.rejected:
        raise Problem(422, "unrecognised_payload", reason_of(reading))
    receipt: Any = (await take_in(services, caller.user_id, row["channel_type"], reading)).written()
    async with services.database.acting_as(caller.user_id) as db:
        await sql.rejected_webhooks.remove.run(db, **about)
    return receipt  # type: ignore[no-any-return]


@routes.on("DELETE", "/webhooks/rejected/{rejected_id}", status=204, errors=(404,))
async def remove_rejected_webhook(db: Db, caller: Caller, rejected_id: UUID) -> None:
    """Remove a rejected payload."""
    if not await sql.rejected_webhooks.remove.run(db, user_id=caller.user_id, rejected_id=rejected_id):
        raise not_found("rejected webhook")


@routes.on("GET", "/webhooks/ignored")
async def list_ignored_items(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[IgnoredItem]:
    """List what was posted and is of no interest, with the reason, newest first.

    The newest 1,000 are kept, and at most 64 MiB.
    """
    about = {"user_id": caller.user_id}
    return (await newest_first(db, request, query, sql.webhooks.ignored, "received_at", **about, room=ROOM)).of(
        IgnoredItem.read
    )


_PAYLOAD = {
    "200": {"description": "As posted.", "content": {"application/json": {"schema": {}, "example": {"id": "a"}}}}
}


@routes.on("GET", "/messages/{message_id}/payload", errors=(404,), document={"responses": _PAYLOAD})
async def get_message_payload(db: Db, caller: Caller, message_id: UUID) -> web.Response:
    """Show the item that a message was read from, as it was posted."""
    payload = await sql.webhooks.payload.value(db, user_id=caller.user_id, message_id=message_id)
    if payload is None:
        raise not_found("payload of a message")
    return json_response(payload.encode())


def _rejected_of(row: Any) -> RejectedWebhook:
    return RejectedWebhook.model_validate(dict(row) | {"body": row["body"].decode("utf-8", "replace")})
