"""Large bodies: read up to a limit of their own, and only a few of them at a time."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from aiohttp import web

from alfred.http.inputs import arriving
from alfred.http.packed_bodies import is_packed, unpacked
from alfred.http.problems import Problem

LARGE = 4 * 1024 * 1024
MOST_AT_ONCE = 4
MOST_OF_ONE = 2


def at_once(request: web.Request, limit: int) -> bytes | None:
    """The body of a small post that came whole with its headers, as most do: nothing has to be waited for."""
    if not request.content.is_eof() or is_packed(request):
        return None
    return request.content.read_nowait() if 0 < (request.content_length or 0) <= min(limit, LARGE) else None


class LargeBodies:
    """The large bodies that are in memory now."""

    def __init__(self) -> None:
        self._held: Counter[UUID] = Counter()

    @asynccontextmanager
    async def body_of(self, request: web.Request, user_id: UUID, limit: int) -> AsyncIterator[bytes]:
        """The whole body, for as long as it is worked on.

        Raises:
            Problem: 400, 408, 415, 413 where it is longer than `limit`, 503 while too many large ones are held already.
        """
        if (request.content_length or 0) > limit:
            raise _too_large()
        holds, body = False, bytearray()
        try:
            if (request.content_length or 0) > LARGE:
                holds = self._take(user_id)
            async with arriving():
                async for chunk in request.content.iter_any():
                    body.extend(chunk)
                    if len(body) > limit:
                        raise _too_large()
                    if len(body) > LARGE and not holds:
                        holds = self._take(user_id)
            if is_packed(request) and limit > LARGE and not holds:
                holds = self._take(user_id)
            yield await unpacked(request, bytes(body), limit)
        finally:
            if holds:
                self._held[user_id] -= 1
                self._held += Counter()  # forgets those that hold none

    def _take(self, user_id: UUID) -> bool:
        if self._held.total() >= MOST_AT_ONCE or self._held[user_id] >= MOST_OF_ONE:
            detail = "Too many large bodies are being read; send this one again in a moment."
            raise Problem(503, "busy", detail, headers={"Retry-After": "5", "Connection": "close"})
        self._held[user_id] += 1
        return True


def _too_large() -> Problem:
    detail = "The body is larger than this server takes."
    return Problem(413, "too_large", detail, headers={"Connection": "close"})
