"""Pages of a thread in other orders than the newest first."""

from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from alfred.http.models import Listing, Page
from alfred.http.pages import after, page
from alfred.http.problems import not_found
from alfred.queries import Db, Row, sql


async def newer_messages(
    db: Db, request: web.Request, query: Listing, about: dict[str, UUID], message_id: UUID
) -> Page[Any]:
    """What is newer than a message, oldest first: the keys say where the page ends, `page` reads it."""
    kind = "messages.newer"
    at, last_id = after(kind, query, datetime.fromisoformat, UUID)
    if at is None:
        at, last_id = await _key(db, about, message_id)
    keys = await sql.messages.newer_keys.all(db, **about, after_at=at, after_id=last_id, limit=query.limit + 1)
    end = {"before_at": None, "before_id": None}
    if len(keys) > query.limit:
        end = {"before_at": keys[-1]["sent_at"], "before_id": keys[-1]["id"]}
    rows = await sql.messages.page.all(db, **about, **end, limit=min(len(keys), query.limit))
    rows.reverse()
    return page(request, kind, query, [*rows, *keys[query.limit :]], _key_of)


async def messages_around(
    db: Db, request: web.Request, query: Listing, about: dict[str, UUID], message_id: UUID
) -> Page[Any]:
    """The newer half, the message, the older half, newest first; the cursor is that of the whole list."""
    at, _ = await _key(db, about, message_id)
    half = query.limit // 2
    keys = await sql.messages.newer_keys.all(db, **about, after_at=at, after_id=message_id, limit=half + 1)
    end = {"before_at": None, "before_id": None}
    if len(keys) > half:
        end = {"before_at": keys[-1]["sent_at"], "before_id": keys[-1]["id"]}
    rows = await sql.messages.page.all(db, **about, **end, limit=query.limit + 1)
    return page(request, sql.messages.page.name, query, rows, _key_of)


async def _key(db: Db, about: dict[str, UUID], message_id: UUID) -> tuple[datetime, UUID]:
    row = await sql.messages.key.one(db, **about, message_id=message_id)
    if row is None:
        raise not_found("message in this conversation")
    return row["sent_at"], row["id"]


def _key_of(row: Row) -> tuple[str, UUID]:
    return row["sent_at"].isoformat(), row["id"]
