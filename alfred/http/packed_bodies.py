"""Bodies that come packed (gzip, deflate): unpacked up to their limit, away from the event loop.

The server does not unpack: it would go on doing so with what is refused, and a body of 400 KB can become 400 MB.
"""

import asyncio
import zlib

from aiohttp import hdrs, web

from alfred.http.problems import Problem

_GZIP, _ZLIB, _BARE = 31, 15, -15  # as zlib names them


def is_packed(request: web.Request) -> bool:
    """Whether the body has to be unpacked."""
    return _encoding(request) not in {"", "identity"}


async def unpacked(request: web.Request, raw: bytes, limit: int) -> bytes:
    """The body as it was before it was packed, of at most `limit` bytes.

    Raises:
        Problem: 400, 413 or 415.
    """
    if not is_packed(request):
        return raw
    if _encoding(request) not in {"gzip", "x-gzip", "deflate"}:
        raise Problem(415, "unsupported_media_type", "Send the body as it is, or packed by gzip or deflate.")
    try:
        return await asyncio.to_thread(_unpack, raw, _form_of(_encoding(request), raw), limit)
    except zlib.error:
        detail = f"The body cannot be read: it is not packed by {_encoding(request)}, as its Content-Encoding says."
        raise Problem(400, "unreadable_body", detail) from None


def _encoding(request: web.Request) -> str:
    return request.headers.get(hdrs.CONTENT_ENCODING, "").strip().lower()


def _form_of(encoding: str, raw: bytes) -> int:
    """Some that say deflate leave out the head of zlib."""
    if encoding != "deflate":
        return _GZIP
    return _ZLIB if raw[:1] and raw[0] & 0xF == 8 else _BARE


def _unpack(raw: bytes, form: int, limit: int) -> bytes:
    unpacking = zlib.decompressobj(form)
    body = unpacking.decompress(raw, limit + 1)
    if len(body) > limit:
        raise Problem(413, "too_large", "The body is larger than this server takes, once it is unpacked.")
    if not unpacking.eof or unpacking.unused_data:
        raise zlib.error
    return body
