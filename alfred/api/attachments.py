"""Files: those that messages brought, and uploads that are to be sent; by token or by a signed link."""

import json
import re
from time import time
from typing import Any
from uuid import UUID

import structlog
from aiohttp import BodyPartReader, MultipartReader, web
from pydantic import Field

from alfred.api.message_models import Content, content_of
from alfred.crm.media.library import Library, QuotaFull, TooLarge
from alfred.http.auth import authenticate
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.idempotency import once
from alfred.http.inputs import path_part
from alfred.http.models import Output, json_response
from alfred.http.openapi import BASE
from alfred.http.pages import base_url
from alfred.http.problems import Problem, not_found
from alfred.links import SENT_SECONDS, links
from alfred.media_store import Incoming
from alfred.queries import Db, Row, sql

log = structlog.get_logger()

routes = Routes("Files")

# What a browser may show in a page; SVG can hold scripts, so it is no picture here.
_SHOWN = re.compile(r"(image/(?!svg)|audio/|video/)[\w.+-]{1,100}")
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})")
_LONGEST_NAME = 200
_FILE = {
    "responses": {
        "200": {
            "description": "The file.",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}, "example": ""}},
        },
    }
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "catalogue.pdf"},
            }
        },
    }
}


class Upload(Output):
    """A file to send: put its `url` into `attachments` of a message."""

    id: UUID
    url: str = Field(examples=["https://crm.example.org/api/v1/media/01930d3c?expires=1&signature=ab"])
    mime_type: str | None = Field(examples=["image/jpeg"])
    size: int = Field(examples=[48211])


@routes.on("GET", "/messages/{message_id}/attachments/{number}", scope=None, guarded=True, lenient=True, endless=True,
           errors=(404, 409, 410, 416), document=_FILE)  # fmt: skip
async def download_attachment(
    request: web.Request, services: Services, message_id: str, number: str
) -> web.StreamResponse:
    """Download a file of a message.

    With a token, or by the signed `content.url` of the attachment, which needs none. `Range` is
    answered 206; while the file is being fetched the answer is 409 with `Retry-After`.
    """
    caller = None if "signature" in request.query else await authenticate(request, services, "read")
    about: dict[str, Any] = {"message_id": path_part(message_id, UUID), "position": _position(number)}
    if caller is None:
        row = await _linked(request, services, media_id=None, **about)
    else:
        async with services.database.acting_as(caller.user_id) as db:
            row = await sql.media.of_attachment.one(db, user_id=caller.user_id, **about)
    if row is None:
        raise not_found("attachment")
    return await _served(request, services.library, row)


@routes.on("POST", "/messages/{message_id}/attachments/{number}/retry", status=202, errors=(404, 409))
async def retry_attachment(db: Db, caller: Caller, services: Services, message_id: UUID, number: str) -> Content:
    """Retry the download of a file that could not be fetched."""
    about: dict[str, Any] = {"user_id": caller.user_id, "message_id": message_id, "position": _position(number)}
    row = await sql.media.of_attachment.one(db, **about)
    if row is None:
        raise not_found("attachment")
    if not await sql.media.again.run(db, user_id=caller.user_id, media_id=row["media_id"]):
        raise Problem(409, "not_retryable", "This file is here already.")
    services.fetcher.poke()
    row = await sql.media.of_attachment.one(db, **about)
    assert row is not None
    return content_of(caller.user_id, message_id, _position(number), dict(row))


@routes.on("POST", "/media", status=201, streamed=True, errors=(400, 409, 413, 415, 422), document=_UPLOAD)
async def upload_file(request: web.Request, caller: Caller, services: Services) -> Upload:
    """Upload a file to send.

    The form's field is `file`. The link that is answered works for a day; a message that uses it keeps the file, and
    what no message uses goes after a day.
    """
    await _refuse_unreachable(services, caller)
    if not request.content_type.startswith("multipart/"):
        raise Problem(415, "unsupported_media_type", "Send the file as multipart/form-data.")
    async with services.library.incoming() as file:
        mime_type, name = await _received(request, services.library, file)

        async def keep() -> web.Response:
            try:
                row = await services.library.add_upload(caller.user_id, file, mime_type, name)
            except QuotaFull:
                detail = "There is no room for more files; delete some conversations first."
                raise Problem(409, "media_quota", detail) from None
            return _told(request, caller, row)

        same = json.dumps([file.sha256, mime_type, name]).encode()  # the form's boundary is another each time
        answer: Any = await once(request, services, caller.user_id, same, keep)
    return answer  # type: ignore[no-any-return]


def _told(request: web.Request, caller: Caller, row: Row) -> web.Response:
    link = links.sign(caller.user_id, f"{BASE}/media/{row['media_id']}", SENT_SECONDS)
    made = Upload(id=row["media_id"], url=base_url(request) + link, mime_type=row["mime_type"], size=row["size"])
    return json_response(made.model_dump_json().encode(), status=201)


@routes.on("GET", "/media/{media_id}", scope=None, guarded=True, lenient=True, endless=True,
           errors=(404, 409, 410, 416), document=_FILE)  # fmt: skip
async def download_file(request: web.Request, services: Services, media_id: str) -> web.StreamResponse:
    """Download an uploaded file.

    With a token, or by its signed link. `Range` is answered 206.
    """
    caller = None if "signature" in request.query else await authenticate(request, services, "read")
    file_id = path_part(media_id, UUID)
    if caller is None:
        row = await _linked(request, services, media_id=file_id, message_id=None, position=None)
    else:
        async with services.database.acting_as(caller.user_id) as db:
            row = await sql.media.of_upload.one(db, user_id=caller.user_id, media_id=file_id)
    if row is None:
        raise not_found("file")
    return await _served(request, services.library, row)


async def _linked(request: web.Request, services: Services, **about: Any) -> Row | None:
    """The row, if the link to it is signed by us and still good."""
    row = await services.auth.find(sql.media.by_link, **about)
    if row is None:
        return None
    expires, signature = request.query.get("expires", ""), request.query["signature"]
    good = expires.isascii() and expires.isdigit() and len(expires) < 12
    if not good or not links.is_signed(row["user_id"], request.path, int(expires), signature):
        log.info("link_refused", reason="bad_signature")
        raise Problem(403, "bad_signature", "This link is not one that Alfred has made.")
    if int(expires) < time():
        raise Problem(410, "link_expired", "This link has expired; get the message again for a fresh one.")
    return row


async def _refuse_unreachable(services: Services, caller: Caller) -> None:
    """A messenger fetches the file from us: without a public address it could not."""
    if services.settings.public_url is not None:
        return
    async with services.database.acting_as(caller.user_id) as db:
        if not await sql.media.sends_mail.value(db, user_id=caller.user_id):
            detail = "Messengers fetch files from this server: whoever runs it has to set ALFRED_PUBLIC_URL first."
            raise Problem(422, "no_public_url", detail)


async def _received(request: web.Request, library: Library, file: Incoming) -> tuple[str | None, str | None]:
    """Write the form's file; its type and name."""
    try:
        parts = await request.multipart()
        while (part := await parts.next()) is not None:
            if isinstance(part, BodyPartReader) and part.name == "file":
                return await _written(parts, part, library, file)
    except (ValueError, AssertionError):
        raise Problem(400, "unreadable_body", "The form cannot be read.") from None
    except TooLarge:
        detail = "The file is larger than this server keeps."
        raise Problem(413, "too_large", detail, headers={"Connection": "close"}) from None
    raise Problem(422, "missing", "The form has no field `file`.")


async def _written(
    parts: MultipartReader, part: BodyPartReader, library: Library, file: Incoming
) -> tuple[str | None, str | None]:
    """The form is read to its end: a file that was cut short is none."""
    name = (part.filename or "").replace("\x00", "")[:_LONGEST_NAME] or None
    mime_type = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()[:100] or None
    while chunk := await part.read_chunk(65_536):
        library.add(file, chunk)
    while (further := await parts.next()) is not None:
        if isinstance(further, BodyPartReader) and further.name == "file":
            raise Problem(422, "too_many", "Send one file in a request.")
    return mime_type, name


async def _served(request: web.Request, library: Library, row: Row) -> web.StreamResponse:
    if row["state"] == "pending":
        detail = "The file is still being fetched; try again in a moment."
        raise Problem(409, "attachment_pending", detail, headers={"Retry-After": "5"})
    if row["state"] != "stored":
        raise Problem(410, "attachment_unavailable", "The file could not be fetched from the messenger.")
    size = row["size"]
    begin, end = _range(request.headers.get("Range"), size)
    response = web.StreamResponse(status=200 if (begin, end) == (0, size) else 206, headers=_headers_of(row))
    response.content_length = end - begin
    response.headers["Accept-Ranges"] = "bytes"
    if response.status == 206:
        response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    pieces = library.store.read(row["user_id"], row["sha256"], begin, end)
    try:
        first = await anext(pieces, b"") if request.method != "HEAD" else b""
    except FileNotFoundError:
        raise Problem(410, "attachment_unavailable", "The file is not in the store any more.") from None
    await response.prepare(request)
    if request.method != "HEAD":
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
    await response.write_eof()
    return response


def _headers_of(row: Row) -> dict[str, str]:
    mime = (row["mime_type"] or "").partition(";")[0].strip().lower()
    shown = _SHOWN.fullmatch(mime) is not None
    name = re.sub(r"[^\w. ()-]", "_", (row["file_name"] or "file").rpartition("/")[2], flags=re.ASCII)[:_LONGEST_NAME]
    return {
        "Content-Type": mime if shown or mime == "application/pdf" else "application/octet-stream",
        "Content-Security-Policy": "sandbox",
        "Content-Disposition": "inline" if shown else f'attachment; filename="{name}"',
        "Cache-Control": "private, max-age=900",
    }


def _range(header: str | None, size: int) -> tuple[int, int]:
    """The bytes to send; a header that is not one range of bytes counts as none."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    begin = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if begin >= size or begin >= end:
        raise Problem(
            416, "range_not_satisfiable", "The file has no such bytes.", headers={"Content-Range": f"bytes */{size}"}
        )
    return begin, end


def _position(number: str) -> int:
    position = path_part(number, str)
    if not position.isascii() or not position.isdigit() or len(position) > 4:
        raise not_found("attachment")
    return int(position)
