"""The event log: what happened, as the bus read it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alfred.events import EventType
from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Listing, Output, Page
from alfred.http.pages import after, page
from alfred.queries import Db, sql

routes = Routes("Events")


class EventFilter(Listing):
    type: EventType | None = None
    conversation_id: UUID | None = None


class EventOut(Output):
    id: UUID
    type: EventType = Field(examples=["message.received"])
    conversation_id: UUID | None
    message_id: UUID | None
    payload: dict[str, Any] = Field(examples=[{"channel_type": "whatsapp"}])
    created_at: datetime


@routes.on("GET", "/events")
async def list_events(db: Db, caller: Caller, request: web.Request, query: EventFilter) -> Page[EventOut]:
    """List events, newest first."""
    (before,) = after("events", query, int)
    rows = await sql.events.page.all(
        db,
        user_id=caller.user_id,
        type=query.type,
        conversation_id=query.conversation_id,
        before=before,
        limit=query.limit + 1,
    )
    return page(request, "events", query, rows, lambda row: (row["number"],)).of(EventOut.read)
