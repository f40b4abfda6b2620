"""Contacts as a CSV file: all of them out, and many of them in."""

from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
import structlog
from aiohttp import web
from pydantic import Field

from alfred.api.contact_files.cells import COLUMNS, DETAILS, Pair, Refused, cells_of, mentions
from alfred.api.contact_files.csv_table import BOM, Line, Table, UnreadableTable, WrongColumns, read_table, write_row
from alfred.api.contact_files.rows import Import, Outcome, Person
from alfred.api.contact_merges import repeated
from alfred.channels.charsets import codec_of
from alfred.channels.decoding import between, opened, parameter
from alfred.crm.contacts import Batch, Entry, batch_of, find, store
from alfred.crm.suppression import Suppression
from alfred.http.context import REQUEST_ID, Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.inputs import body_of
from alfred.http.models import Output
from alfred.http.problems import Fault, Problem, invalid
from alfred.queries import Db, Row, sql

routes = Routes("Contacts")
log = structlog.get_logger()

MOST_ROWS = 10_000
PAGE = 100
_TYPES = frozenset(
    {"text/csv", "application/csv", "text/plain", "application/octet-stream", "application/vnd.ms-excel"}
)
_ASCII = frozenset({"us-ascii", "ascii"})


class CellError(Output):
    column: str = Field(examples=["base_price"])
    message: str = Field(examples=["Input should be a valid decimal"])
    code: str = Field(examples=["decimal_parsing"])


class ImportedRow(Output):
    line: int = Field(examples=[2], description="Line of the file on which the row begins; the header is line 1.")
    outcome: Literal["created", "updated", "unchanged", "refused"]
    contact_id: UUID | None
    errors: list[CellError] = Field(examples=[[]])


class ImportReport(Output):
    encoding: str = Field(examples=["utf-8"], description="As which the file was read: told by its bytes or its type.")
    created: int = Field(examples=[1])
    updated: int = Field(examples=[0])
    unchanged: int = Field(examples=[0])
    refused: int = Field(examples=[0])
    rows: list[ImportedRow]


_EXAMPLE = (
    "name,handle,channel_type,email,identities,base_price,vip\r\n"
    "Marina Quintela,'+5511900000012,whatsapp,marina@example.com,"
    "whatsapp:+5511900000012|email:marina@example.com,120.00,true\r\n"
)
_TEXT = {"schema": {"type": "string"}, "example": _EXAMPLE}
_EXPORT: dict[str, Any] = {"responses": {"200": {"description": "The file.", "content": {"text/csv": _TEXT}}}}
_FORM = {"type": "object", "properties": {"file": {"type": "string", "contentMediaType": "text/csv"}}}
_IMPORT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": _TEXT,
            "application/octet-stream": {"schema": {"type": "string"}},
            "multipart/form-data": {"schema": _FORM},
        },
    }
}


@routes.on("GET", "/contacts/export", endless=True, document=_EXPORT)
async def export_contacts(request: web.Request, caller: Caller, services: Services) -> web.StreamResponse:
    """Export all contacts as CSV.

    Newest first, in UTF-8 with a byte order mark, so that spreadsheets open it.
    A cell that a spreadsheet would run as a formula (`=`, `+`, `-`, `@`) has an apostrophe in front, which the import
    takes away again: what is exported and imported unchanged changes nothing.
    """
    pages = _pages(services, caller)
    first = await anext(pages)  # before the status is sent: PostgreSQL may be away
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": 'attachment; filename="contacts.csv"',
        "Cache-Control": "no-store",
        "X-Request-ID": request[REQUEST_ID],
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    try:
        await response.write((BOM + write_row(COLUMNS) + first).encode())
        async for text in pages:
            await response.write(text.encode())
    except Exception as error:  # noqa: BLE001 the status has been sent: only a broken line tells that rows are missing
        log.warning("export_broken_off", error=repr(error))
        if request.transport is not None:
            request.transport.abort()
    return response


@routes.on("POST", "/contacts/import", errors=(400, 413, 415, 422), document=_IMPORT)
async def import_contacts(request: web.Request, caller: Caller, services: Services) -> ImportReport:
    """Import contacts from CSV.

    Creates and updates contacts by their identities. Importing the same file twice changes nothing more.
    The first row names the columns, in any order: name, handle, channel_type, email, phone, notes, identities
    (`type:value`, separated by `|` or spaces), negotiation_enabled, negotiation_mode, base_price, custom_price,
    currency, vip, preferred_tone. A row needs a handle or identities; it updates whom one of them belongs to and adds
    the others, else it creates a contact. An empty cell leaves what is there. A row that is not valid, or names two
    contacts, or would bring back a person who was erased, is refused, and the others go on. UTF-8, UTF-16
    or Windows-1252 (the answer says which); commas, semicolons or tabs; at most 10,000 rows.
    """
    raw, charset = await _file(request)
    lines, encoding = await services.heavy.in_thread(_read, raw, charset)

    async def work(db: Db) -> list[Outcome]:
        return await _take_in(db, services, caller, lines)

    outcomes = await repeated(services, caller, work, asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError)
    services.bus.announce([caller.user_id])
    counts = Counter(outcome.outcome for outcome in outcomes)
    log.info("contacts_imported", **counts)
    return ImportReport(
        encoding=encoding,
        created=counts["created"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        refused=counts["refused"],
        rows=await services.heavy.in_thread(_reported, outcomes),
    )


def _reported(outcomes: list[Outcome]) -> list[ImportedRow]:
    return [ImportedRow.model_validate(outcome) for outcome in outcomes]


async def _pages(services: Services, caller: Caller) -> AsyncIterator[str]:
    """The rows, some at a time; no transaction waits for a slow reader. The first may be empty."""
    filters = {"user_id": caller.user_id, "limit": PAGE, "q": None, "vip": None, "channel": None, "opted_out": None}
    key: tuple[datetime | None, UUID | None] = (None, None)
    while True:
        async with services.database.acting_as(caller.user_id) as db:
            rows = await sql.contacts.page.all(db, **filters, before_at=key[0], before_id=key[1])
        yield await services.heavy.in_thread(_written, rows)
        if len(rows) < PAGE:
            return
        key = (rows[-1]["created_at"], rows[-1]["id"])


def _written(rows: list[Row]) -> str:
    return "".join(write_row(_cells(row)) for row in rows)


def _cells(row: Row) -> list[str]:
    person = _person(row)
    return cells_of(person.values, person.identities, Pair(row["channel_type"], row["handle"]))


def _person(row: Row) -> Person:
    identities = [Pair(each["channel_type"], each["value"]) for each in row["identities"]]
    values = {name: row[name] for name in DETAILS}
    return Person(UUID(str(row["id"])), values, identities, (values, tuple(identities)))


async def _file(request: web.Request) -> tuple[bytes, str | None]:
    """The file in the body, and what its encoding is said to be.

    Raises:
        Problem: 400, 413 or 415.
    """
    raw, content_type = await body_of(request), request.headers.get("Content-Type", "text/csv")
    declared = content_type.partition(";")[0].strip().lower()
    if declared == "multipart/form-data":
        return _part(raw, content_type), None
    if declared not in _TYPES:
        raise Problem(415, "unsupported_media_type", "Send the file as text/csv, or in a multipart form.")
    charset = parameter(content_type, "charset")
    if charset and codec_of(charset) is None and charset.lower() not in _ASCII:
        words = f"The encoding {charset[:40]} is not known; save the file as CSV in UTF-8 and send it again."
        raise Problem(400, "invalid_encoding", words)
    return raw, charset


def _part(raw: bytes, content_type: str) -> bytes:
    boundary = parameter(content_type, "boundary")
    files = [content for part in between(raw, boundary, 20) for head, content in [opened(part)]
             if b"filename" in head.lower()] if boundary else []  # fmt: skip
    if len(files) != 1:
        raise Problem(400, "invalid_form", "Send one file in the form.")
    return files[0]


def _read(raw: bytes, charset: str | None) -> Table:
    try:
        return read_table(raw, COLUMNS, MOST_ROWS, charset)
    except UnreadableTable as error:
        status = 422 if error.code in {"too_many_rows", "empty_file"} else 400
        raise Problem(status, error.code, str(error)) from None
    except WrongColumns as error:
        faults = [Fault(f"/{name}", words, code) for name, (code, words) in error.faults.items()]
        raise invalid(faults) from None


async def _take_in(db: Db, services: Services, caller: Caller, lines: list[Line]) -> list[Outcome]:
    named, types, values = await services.heavy.in_thread(_named, lines)
    rows = await find(db, caller.user_id, types, values)
    erased = await _erased(db, services, caller, named)
    outcomes, batch = await services.heavy.in_thread(_taken, rows, erased, lines)
    await store(db, caller.user_id, batch)
    return outcomes


def _taken(rows: list[Row], erased: set[Pair], lines: list[Line]) -> tuple[list[Outcome], Batch]:
    """What becomes of the rows of a file, and whom they add and change."""
    taking = Import(map(_person, rows), erased)
    outcomes = taking.take_all(lines)
    added = [_entry(person) for person in taking.people.values() if person.stored is None]
    changed = [_entry(person) for person in taking.people.values() if person.stored is not None and person.is_changed]
    return outcomes, batch_of(added, changed)


async def _erased(db: Db, services: Services, caller: Caller, named: Collection[Pair]) -> set[Pair]:
    """Those of the identities that belong to erased people."""
    pairs = await services.heavy.in_thread(_hashed, caller, services.suppression, named)
    rows = await sql.erasures.known.all(db, user_id=caller.user_id, hashes=list(pairs))
    return {pairs[row["hash"]] for row in rows}


def _hashed(caller: Caller, suppression: Suppression, named: Collection[Pair]) -> dict[bytes, Pair]:
    return {each: pair for pair in named for each in suppression.of_person(caller.user_id, *pair)}


def _entry(person: Person) -> Entry:
    known = person.stored[1] if person.stored else ()
    return Entry(person.contact_id, person.values, [pair for pair in person.identities if pair not in known])


def _named(lines: list[Line]) -> tuple[Collection[Pair], list[str], list[str]]:
    """Every identity that the rows name, once, in all ways to write it; then their types, and their values.

    What is no text for PostgreSQL is nobody's.
    """
    named: dict[Pair, None] = {}
    for line in lines:
        try:
            for mention in mentions(line.cells):
                pairs = (mention.written, *mention.canonical.ways())
                named |= {pair: None for pair in pairs if "\0" not in pair.value}
        except Refused:
            continue
    return named, [pair.channel_type for pair in named], [pair.value for pair in named]
