"""The page of the inbox that is asked for most: without filters, by one statement, and written without models."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from alfred.crm.outbox import policy_of
from alfred.http.context import Caller, Services
from alfred.http.models import Listing
from alfred.http.pages import after, page, written
from alfred.queries import Row, sql

_COLUMNS = (
    "id", "status", "unread_count", "sentiment", "urgency", "negotiation", "snippet", "last_message_at",
    "last_message_direction", "waiting_since", "tags", "snoozed_until", "created_at", "updated_at",
)  # fmt: skip
# Where the contact's and the channel's columns begin in app.inbox_page.
_CONTACT = len(_COLUMNS) + 1
_CHANNEL = _CONTACT + 4


async def inbox_page(services: Services, caller: Caller, request: web.Request, query: Listing) -> web.Response:
    """By latest activity; a test holds what is written to the model `Conversation`."""
    kind = sql.conversations.page.name  # a cursor goes on with filters too
    at, before = after(kind, query, datetime.fromisoformat, UUID)
    rows = await services.database.rows(
        sql.conversations.inbox, user_id=caller.user_id, before_at=at, before_id=before, limit=query.limit + 1
    )
    now = datetime.now(UTC)
    shown = page(request, kind, query, rows, lambda row: (row["active_at"].isoformat(), row["id"]))
    return written(shown.of(lambda row: _shown(row, now)))


def _shown(row: Row, now: datetime) -> dict[str, Any]:
    """A row as the model `Conversation` is written."""
    values = dict(zip(_COLUMNS, row[: len(_COLUMNS)], strict=True))
    values["contact"] = dict(zip(("id", "name", "handle", "vip"), row[_CONTACT:_CHANNEL], strict=True))
    values["channel"] = dict(zip(("id", "type", "name"), row[_CHANNEL : _CHANNEL + 3], strict=True))
    values["last_message_failed"] = row["last_message_failed"]
    values["send_policy"] = vars(policy_of(row, now))
    return values
