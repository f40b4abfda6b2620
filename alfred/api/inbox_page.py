"""Pages of the inbox: which conversations are shown. PostgreSQL writes them, without filters by one statement."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from alfred.http.context import Caller, Services
from alfred.http.models import Listing, Page
from alfred.http.pages import after, linked, page, written
from alfred.queries import Db, Query, Row, sql

FIRST_STEPS = 100  # of a walk; more, where they take a small part of its time
PATIENCE = 0.2  # seconds that a walk goes on, as app.found_items


async def inbox_page(services: Services, caller: Caller, request: web.Request, query: Listing) -> web.Response:
    """By latest activity; tests hold what is written to the model `Conversation`."""
    place = NEWEST.begin(query)  # a cursor goes on with filters too
    row = await services.database.find(sql.conversations.inbox, user_id=caller.user_id, limit=query.limit, **place)
    return _written_row(request, NEWEST, row)


async def search_page(
    services: Services, caller: Caller, request: web.Request, query: Listing, text: str
) -> web.Response:
    """The same of what a search finds, in a transaction: a search may take one of the tenant's turns for long."""
    place = FOUND.begin(query)
    async with services.database.acting_as(caller.user_id) as db:
        row = await sql.conversations.found_items.one(db, q=text, limit=query.limit, **place)
    return _written_row(request, FOUND, row)


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass(frozen=True)
class Order:
    """How a list of conversations is sorted: the columns of its key, and what a query calls those to go on behind."""

    kind: str  # of its cursors
    key: dict[str, Callable[[Any], Any]]  # what reads each column's part of a cursor
    place: tuple[str, ...]

    def begin(self, query: Listing) -> dict[str, Any]:
        """The place behind the page before."""
        return dict(zip(self.place, after(self.kind, query, *self.key.values()), strict=True))

    def behind(self, row: Row) -> dict[str, Any]:
        """The place behind a row."""
        return dict(zip(self.place, (row[column] for column in self.key), strict=True))

    def key_of(self, row: Row) -> list[Any]:
        """The row's part of a cursor."""
        values = (row[column] for column in self.key)
        return [value.isoformat() if isinstance(value, datetime) else value for value in values]


_BY_ACTIVITY: dict[str, Callable[[Any], Any]] = {"active_at": datetime.fromisoformat, "id": UUID}
NEWEST = Order(sql.conversations.page.name, _BY_ACTIVITY, ("before_at", "before_id"))
FOUND = replace(NEWEST, kind="conversations.page_of_search")
# Who waits for an answer, by how long; then who does not, by how long nothing happened.
WAITING = Order(
    "conversations.waiting",
    {"waiting_since": _moment_or_none, **_BY_ACTIVITY},
    ("after_waiting", "after_at", "after_id"),
)


def _written_row(request: web.Request, order: Order, row: Row | None) -> web.Response:
    assert row is not None
    last = (row["last_at"].isoformat(), row["last_id"]) if row["last_id"] else None
    return written(linked(request, order.kind, [], last), row["items"])


@dataclass(frozen=True)
class Selection:
    """What is listed: a query, what it takes besides the place and the limit, and the order of its rows."""

    order: Order
    query: Query
    given: dict[str, Any]

    async def rows(self, db: Db, place: dict[str, Any], limit: int) -> list[Row]:
        """The next ones."""
        return await self.query.all(db, **self.given, **place, limit=limit)


async def listed(db: Db, request: web.Request, query: Listing, chosen: Selection) -> Page[UUID]:
    """A page of the selection."""
    order = chosen.order
    rows = await chosen.rows(db, order.begin(query), query.limit + 1)
    return page(request, order.kind, query, rows, order.key_of).of(lambda row: row["id"])


async def walked(db: Db, request: web.Request, query: Listing, chosen: Selection, text: str) -> Page[UUID]:
    """The same of those that hold a text, as far as a moment goes: the next page begins behind the last one read."""
    order, found = chosen.order, []
    place, steps, until = order.begin(query), FIRST_STEPS, time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        rows = await chosen.rows(db, place, steps)
        about = {"user_id": chosen.given["user_id"], "ids": [row["id"] for row in rows], "q": text}
        containing = {row["conversation_id"] for row in await sql.conversations.containing.all(db, **about)}
        found += [row for row in rows if row["id"] in containing]
        if len(rows) < steps or len(found) > query.limit:
            return page(request, order.kind, query, found, order.key_of).of(lambda row: row["id"])
        now = time.monotonic()
        if now >= until:
            return linked(request, order.kind, [row["id"] for row in found], order.key_of(rows[-1]))
        place, steps = order.behind(rows[-1]), steps * 2 if now - began < PATIENCE / 4 else steps
