"""Notifications: what a seller was told of, seen or not."""

from datetime import datetime
from typing import Self
from uuid import UUID

from aiohttp import web
from pydantic import Field, model_validator

from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Output, Page
from alfred.http.pages import after, page
from alfred.http.problems import not_found
from alfred.queries import Db, Row, sql
from alfred.terms import NotificationType

routes = Routes("Notifications")


class NotificationFilter(Listing):
    seen: bool | None = None
    type: NotificationType | None = None


class Seen(Input):
    seen: bool


class SeveralSeen(Input):
    ids: list[UUID] | None = Field(None, max_length=1000)
    all: bool | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.ids is None) == (not self.all):
            raise ValueError("give either ids or all: true")
        return self


class Notification(Output):
    id: UUID
    type: NotificationType = Field(examples=["urgent_message"])
    title: str = Field(examples=["Mensagem urgente de Marina Quintela"])
    body: str = Field(examples=["Preciso disso hoje, é urgente"])
    seen: bool
    seen_at: datetime | None
    conversation_id: UUID | None
    task_id: UUID | None
    rule_id: UUID | None
    contact_id: UUID | None
    count: int | None = Field(description="Of a digest of more than 20: how many it is about.")
    ids: list[UUID] | None = Field(description="Of a digest: the first 20 conversations or tasks.")
    created_at: datetime


class NotificationPage(Page[Notification]):
    unseen_count: int = Field(examples=[1], description="Number of unseen notifications, regardless of the filter.")


class Updated(Output):
    updated: int = Field(examples=[3])


@routes.on("GET", "/notifications")
async def list_notifications(
    db: Db, caller: Caller, request: web.Request, query: NotificationFilter
) -> NotificationPage:
    """List notifications, newest first."""
    (before,) = after("notifications", query, int)
    rows = await sql.notifications.page.all(
        db, user_id=caller.user_id, seen=query.seen, type=query.type, before=before, limit=query.limit + 1
    )
    unseen = await sql.notifications.unseen_count.value(db, user_id=caller.user_id)
    listed = page(request, "notifications", query, rows, lambda row: (row["number"],)).of(notification_of)
    return NotificationPage(**dict(listed), unseen_count=unseen)


@routes.on("PATCH", "/notifications/{notification_id}", errors=(404,))
async def mark_notification(db: Db, caller: Caller, notification_id: UUID, body: Seen) -> Notification:
    """Mark a notification as seen or not seen."""
    row = await sql.notifications.mark.one(db, user_id=caller.user_id, notification_id=notification_id, seen=body.seen)
    if row is None:
        raise not_found("notification")
    return notification_of(row)


@routes.on("POST", "/notifications/seen")
async def mark_notifications_seen(db: Db, caller: Caller, body: SeveralSeen) -> Updated:
    """Mark several notifications, or all, as seen."""
    return Updated(updated=await sql.notifications.mark_seen.run(db, user_id=caller.user_id, ids=body.ids))


def notification_of(row: Row) -> Notification:
    """A row of sql/notifications.sql as the API shows it."""
    return Notification.read(row)
