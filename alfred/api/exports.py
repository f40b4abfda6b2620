"""All that is kept for a user, or about one contact: an archive of JSON and CSV files, made while it is read."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import IO, Any
from uuid import UUID

import structlog
from aiohttp import web

from alfred.api.contact_files.csv_table import BOM, write_row
from alfred.http.context import REQUEST_ID, Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.pages import ROOM
from alfred.http.problems import not_found
from alfred.queries import Row, sql

routes = Routes("Exports")
log = structlog.get_logger()

PAGE = 100
_Texts = Callable[[list[dict[str, Any]], bool], Iterator[str]]
_KINDS = {
    "contacts": sql.exports.contacts,
    "notes": sql.exports.notes,
    "conversations": sql.exports.conversations,
    "messages": sql.exports.messages,
    "tasks": sql.exports.tasks,
    "notifications": sql.exports.notifications,
    "rules": sql.exports.rules,
    "flows": sql.exports.flows,
    "deliveries": sql.exports.deliveries,
    "subscriptions": sql.exports.subscriptions,
}
_ARCHIVE: dict[str, Any] = {
    "responses": {
        "200": {
            "description": "The archive.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}, "example": "PK..."}},
        }
    }
}


@routes.on("GET", "/me/export", endless=True, document=_ARCHIVE)
async def export_me(request: web.Request, caller: Caller, services: Services) -> web.StreamResponse:
    """Export the account's data.

    A zip archive: for each kind (contacts, notes, conversations, messages, tasks, notifications, rules, flows,
    deliveries, subscriptions) a JSON and a CSV file. Secrets and raw payloads are not in it.
    """
    return await _sent(request, Archive(services, caller.user_id, None), "alfred.zip")


@routes.on("GET", "/contacts/{contact_id}/export", endless=True, errors=(404,), document=_ARCHIVE)
async def export_contact(
    request: web.Request, caller: Caller, services: Services, contact_id: UUID
) -> web.StreamResponse:
    """Export what is kept about a contact.

    A zip archive as that of the account, for a customer who asks for their data.
    """
    archive = Archive(services, caller.user_id, contact_id)
    if not await archive.page("contacts", UUID(int=0)):
        raise not_found("contact")
    return await _sent(request, archive, f"contact-{contact_id}.zip")


class Archive:
    """The bytes of the archive, as they come."""

    def __init__(self, services: Services, user_id: UUID, contact_id: UUID | None) -> None:
        self._services = services
        self._user_id = user_id
        self._about = {"user_id": user_id, "contact_id": contact_id}
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)

    async def page(self, kind: str, after: UUID) -> list[Row]:
        """The next rows of a kind; no transaction waits for a slow reader."""
        async with self._services.database.acting_as(self._user_id) as db:
            given = self._about | {"after": after, "limit": PAGE} | ({"room": ROOM} if kind == "messages" else {})
            return await _KINDS[kind].all(db, **given)

    async def chunks(self) -> AsyncIterator[bytes]:
        """File after file; each page is packed away from the event loop."""
        for kind in _KINDS:
            for suffix, texts in (("json", _json), ("csv", _csv)):
                with self._zip.open(f"{kind}.{suffix}", "w", force_zip64=True) as file:
                    async for rows, is_first in self._pages(kind):
                        await self._services.heavy.in_thread(_pack, file, texts, rows, is_first)
                        yield self._sink.taken()
                    if suffix == "json":
                        file.write(b"]\n")
        self._zip.close()
        yield self._sink.taken()

    async def _pages(self, kind: str) -> AsyncIterator[tuple[list[dict[str, Any]], bool]]:
        after, is_first = UUID(int=0), True
        while True:
            rows = await self.page(kind, after)
            if rows or is_first:
                yield [row["row"] for row in rows], is_first
            if not rows:
                return
            after, is_first = rows[-1]["id"], False


def _pack(file: IO[bytes], texts: _Texts, rows: list[dict[str, Any]], is_first: bool) -> None:
    file.write("".join(texts(rows, is_first)).encode())


class _Sink(io.RawIOBase):
    """Where the archive is written to: it cannot be sought in, and hands out what it has."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _json(rows: list[dict[str, Any]], is_first: bool) -> Iterator[str]:
    """A part of a JSON array, a row a line."""
    if is_first:
        yield "[\n"
    for number, row in enumerate(rows):
        yield ("" if is_first and number == 0 else ",") + json.dumps(row, ensure_ascii=False) + "\n"


def _csv(rows: list[dict[str, Any]], is_first: bool) -> Iterator[str]:
    """Rows with the columns of the first one; what is no text is JSON."""
    if is_first and rows:
        yield BOM + write_row(rows[0])
    for row in rows:
        yield write_row(_cell(value) for value in row.values())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


async def _sent(request: web.Request, archive: Archive, name: str) -> web.StreamResponse:
    chunks = archive.chunks()
    first = await anext(chunks)  # before the status is sent: PostgreSQL may be away
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Request-ID": request[REQUEST_ID],
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        await response.write(first)
        async for chunk in chunks:
            await response.write(chunk)
    except Exception as error:  # noqa: BLE001 the status has been sent: only a broken line tells that data is missing
        log.warning("export_broken_off", error=type(error).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response
