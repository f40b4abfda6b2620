"""The page of the inbox that is asked for most: without filters, by one statement that writes the items itself."""

from datetime import datetime
from uuid import UUID

from aiohttp import web

from alfred.http.context import Caller, Services
from alfred.http.models import Listing
from alfred.http.pages import after, linked, written
from alfred.queries import sql


async def inbox_page(services: Services, caller: Caller, request: web.Request, query: Listing) -> web.Response:
    """By latest activity; tests hold what is written to the model `Conversation`."""
    kind = sql.conversations.page.name  # a cursor goes on with filters too
    at, before = after(kind, query, datetime.fromisoformat, UUID)
    row = await services.database.find(
        sql.conversations.inbox, user_id=caller.user_id, before_at=at, before_id=before, limit=query.limit
    )
    assert row is not None
    last = (row["last_at"].isoformat(), row["last_id"]) if row["last_id"] else None
    return written(linked(request, kind, row["items"], last))
