"""Keyset pagination: an opaque cursor names the last row of a page by its sort key."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from aiohttp import web
from yarl import URL

from alfred.http.context import PUBLIC_BASE
from alfred.http.models import Listing, Page, json_response
from alfred.http.problems import Problem
from alfred.json_text import json_text
from alfred.queries import Db, Query, Row

T = TypeVar("T")

ROOM = 1_048_576  # bytes of texts in a page; a longer one has a page of its own


def encode(kind: str, key: Sequence[Any]) -> str:
    """A cursor of one kind of list; it carries a checksum, so that a damaged one is told from a wrong one."""
    text = json_text([kind, *key], str).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(text).digest()[:6] + text).decode().rstrip("=")


def decode(kind: str, cursor: str) -> list[Any]:
    """The sort key in a cursor.

    Raises:
        Problem: 400 `invalid_cursor`.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found, *key = json.loads(raw[6:])
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _damaged() from None
    if hashlib.sha256(raw[6:]).digest()[:6] != raw[:6] or found != kind:
        raise _damaged()
    return list(key)


def after(kind: str, query: Listing, *readers: Callable[[Any], Any]) -> list[Any]:
    """The sort key to go on from, read by `readers`; Nones for the first page."""
    if not query.cursor:
        return [None] * len(readers)
    key = decode(kind, query.cursor)
    if len(key) != len(readers):
        raise _damaged()
    try:
        values = [read(part) for read, part in zip(readers, key, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise _damaged() from None
    if not all(map(_storable, values)):
        raise _damaged()
    return values


def _storable(value: Any) -> bool:
    """The checksum keeps nobody from writing a cursor by hand: a value that no row can have never reaches the query."""
    if isinstance(value, datetime):
        return value.tzinfo is not None and 1 < value.year < 9999
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def page(
    request: web.Request, kind: str, query: Listing, items: Sequence[T], key: Callable[[T], Sequence[Any]]
) -> Page[T]:
    """The page out of up to `limit + 1` items: the one too many tells that there are more, or the last row does."""
    kept = list(items[: query.limit])
    more = len(items) > query.limit or bool(kept and _is_cut_after(kept[-1]))
    return linked(request, kind, kept, key(kept[-1]) if more else None)


def linked(request: web.Request, kind: str, items: Any, last: Sequence[Any] | None) -> Page[Any]:
    """The page of these items; `last` is the sort key of the last one where more follow."""
    cursor = encode(kind, last) if last is not None else None
    link = str(public_url(request).update_query(cursor=cursor)) if cursor else None
    return Page.model_construct(items=items, next_cursor=cursor, next=link, has_more=cursor is not None)


def _is_cut_after(item: object) -> bool:
    """Whether the query has left out those after a row, since they would make the page too large."""
    return isinstance(item, Row) and bool(item.get("beyond"))


async def newest_first(
    db: Db, request: web.Request, query: Listing, rows_of: Query, by: str = "created_at", **given: Any
) -> Page[Any]:
    """A page of rows by moment and id, newest first; `rows_of` takes before_at, before_id and limit besides."""
    at, before = after(rows_of.name, query, datetime.fromisoformat, UUID)
    rows = await rows_of.all(db, before_at=at, before_id=before, limit=query.limit + 1, **given)
    return page(request, rows_of.name, query, rows, lambda row: (row[by].isoformat(), row["id"]))


def written(page: Page[Any], items: bytes) -> web.Response:
    """A page whose items are JSON already."""
    return json_response(orjson.dumps(vars(page) | {"items": orjson.Fragment(items)}))


def public_url(request: web.Request) -> URL:
    """The request's URL as the client knows it: under the public base URL, where one is set."""
    base = request[PUBLIC_BASE]
    if base:
        return URL(base.rstrip("/") + str(request.rel_url), encoded=True)
    try:
        return request.url
    except ValueError:
        raise Problem(400, "invalid_host", "The Host header is not the name of a host.") from None


def base_url(request: web.Request) -> str:
    """How clients and messengers reach this service, without a slash at the end."""
    return request[PUBLIC_BASE].rstrip("/") or str(public_url(request).origin())


def _damaged() -> Problem:
    return Problem(400, "invalid_cursor", "The cursor is damaged or belongs to another list; start without one.")
