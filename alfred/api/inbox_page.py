"""Pages of the inbox: which conversations are shown. PostgreSQL writes them, without filters by one statement."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from alfred.http.context import Caller, Services
from alfred.http.models import Listing, Page
from alfred.http.pages import after, linked, page, written
from alfred.queries import Db, Query, Row, sql


async def inbox_page(services: Services, caller: Caller, request: web.Request, query: Listing) -> web.Response:
    """By latest activity; tests hold what is written to the model `Conversation`."""
    kind = sql.conversations.page.name  # a cursor goes on with filters too
    at, before = after(kind, query, datetime.fromisoformat, UUID)
    row = await services.database.find(
        sql.conversations.inbox, user_id=caller.user_id, before_at=at, before_id=before, limit=query.limit
    )
    return _written_row(request, kind, row)


async def search_page(
    services: Services, caller: Caller, request: web.Request, query: Listing, text: str
) -> web.Response:
    """The same of what a search finds, in a transaction: a search may take one of the tenant's turns for long."""
    kind = "conversations.page_of_search"
    at, before = after(kind, query, datetime.fromisoformat, UUID)
    async with services.database.acting_as(caller.user_id) as db:
        row = await sql.conversations.found_items.one(db, q=text, before_at=at, before_id=before, limit=query.limit)
    return _written_row(request, kind, row)


def _written_row(request: web.Request, kind: str, row: Row | None) -> web.Response:
    assert row is not None
    last = (row["last_at"].isoformat(), row["last_id"]) if row["last_id"] else None
    return written(linked(request, kind, [], last), row["items"])


async def newest_ids(db: Db, request: web.Request, query: Listing, rows_of: Query, given: dict[str, Any]) -> Page[UUID]:
    """By latest activity, of those that `rows_of` finds."""
    kind = sql.conversations.page.name
    at, before = after(kind, query, datetime.fromisoformat, UUID)
    rows = await rows_of.all(db, before_at=at, before_id=before, limit=query.limit + 1, **given)
    found = page(request, kind, query, rows, lambda row: (row["active_at"].isoformat(), row["id"]))
    return found.of(lambda row: row["id"])


async def longest_waiting_first(db: Db, request: web.Request, query: Listing, given: dict[str, Any]) -> Page[UUID]:
    """Who waits for an answer, by how long; then who does not, by how long nothing happened."""
    kind = "conversations.waiting"
    waiting, active_at, conversation_id = after(kind, query, _moment_or_none, datetime.fromisoformat, UUID)
    place = {"after_waiting": waiting, "after_at": active_at, "after_id": conversation_id}
    rows = await sql.conversations.page_by_waiting.all(db, **place, limit=query.limit + 1, **given)

    def key(row: Row) -> tuple[str | None, str, UUID]:
        since = row["waiting_since"]
        return since and since.isoformat(), row["active_at"].isoformat(), row["id"]

    return page(request, kind, query, rows, key).of(lambda row: row["id"])


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
