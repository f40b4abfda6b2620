"""Pages of a thread in other orders than the newest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from alfred.http.models import Listing, Page
from alfred.http.pages import ROOM, after, page
from alfred.http.problems import not_found
from alfred.queries import Db, Row, sql

_NO_END = {"before_at": None, "before_id": None}


async def newer_messages(
    db: Db, request: web.Request, query: Listing, about: dict[str, UUID], message_id: UUID
) -> Page[Any]:
    """What is newer than a message, oldest first."""
    kind = "messages.newer"
    at, last_id = after(kind, query, datetime.fromisoformat, UUID)
    if at is None:
        at, last_id = await _key(db, about, message_id)
    place = {"after_at": at, "after_id": last_id, "room": ROOM}
    rows = await sql.messages.newer.all(db, **about, **place, limit=query.limit + 1)
    return page(request, kind, query, rows, _key_of)


async def messages_around(
    db: Db, request: web.Request, query: Listing, about: dict[str, UUID], message_id: UUID
) -> Page[Any]:
    """The newer half, the message, the older half, newest first; the cursor is that of the whole list."""
    at, _ = await _key(db, about, message_id)
    place = {"after_at": at, "after_id": message_id, "room": ROOM // 2}
    newer = await sql.messages.newer.all(db, **about, **place, limit=query.limit // 2 + 1)
    end = {"before_at": newer[0]["sent_at"], "before_id": newer[0]["id"]} if newer else _NO_END
    newer = newer[: query.limit // 2]
    limit = query.limit + 1 - len(newer)
    older = await sql.messages.page.all(db, **about, **end, limit=limit, room=ROOM // 2)
    return page(request, sql.messages.page.name, query, [*reversed(newer), *older], _key_of)


async def _key(db: Db, about: dict[str, UUID], message_id: UUID) -> tuple[datetime, UUID]:
    row = await sql.messages.key.one(db, **about, message_id=message_id)
    if row is None:
        raise not_found("message in this conversation")
    return row["sent_at"], row["id"]


def _key_of(row: Row) -> tuple[str, UUID]:
    return row["sent_at"].isoformat(), row["id"]
