"""Server-Sent Events: who may open a stream, how its frames are written, when it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal, Protocol

import structlog
from aiohttp import hdrs, web
from pydantic import Field, SecretStr

from alfred.heartbeats import Beating
from alfred.http.auth import bearer, caller_of
from alfred.http.context import REQUEST_ID, Caller, Services
from alfred.http.models import Input, Output
from alfred.http.problems import Problem, unauthorized
from alfred.identity import digest, new_token
from alfred.log import add_fields
from alfred.queries import sql
from alfred.stream_trust import Opener

log = structlog.get_logger()

RETRY_MILLISECONDS = 2000
TICKET_SECONDS = 60
WRITE_SECONDS = 30.0
HEARTBEAT = b": still here\n\n"


class Opening(Input):
    """What every stream takes."""

    last_event_id: str | None = Field(
        None, max_length=20_000, description="Same as the header `Last-Event-ID`, for a first request."
    )
    ticket: SecretStr | None = Field(
        None, description="From `POST /events/stream-ticket` or `POST /notifications/stream-ticket`."
    )
    format: Literal["message"] | None = Field(None, description="`message` leaves out the `event:` line.")


class Ticket(Output):
    ticket: str = Field(examples=["alf_0_t_..."])
    expires_in: int = Field(examples=[60], description="Seconds until the ticket expires. It opens one stream.")


class Source(Beating, Protocol):
    """What a stream reads from."""

    def close(self) -> None:
        """End it."""


def stream_document(description: str, example: str) -> dict[str, Any]:
    """What OpenAPI says of a stream's answer."""
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": example}}
    return {"responses": {"200": {"description": description, "content": content}}}


def too_many_streams() -> Problem:
    """The account's quota of open streams is used up."""
    detail = "This account has too many streams open here; close one first."
    return Problem(429, "too_many_streams", detail, headers={"Retry-After": "5"})


async def ticket_for(caller: Caller, services: Services) -> Ticket:
    """A ticket that carries what the caller is known by.

    Raises:
        Problem: 429 `too_many_tickets`.
    """
    services.tickets.take(caller.user_id)
    ticket = new_token("t")
    async with services.database.acting_as(caller.user_id) as db:
        await sql.streams.issue_ticket.run(
            db,
            user_id=caller.user_id,
            ticket_hash=digest(ticket),
            ttl=TICKET_SECONDS,
            token_id=caller.token_id,
            session_id=caller.session_id,
            until=caller.expires_at,
        )
    return Ticket(ticket=ticket, expires_in=TICKET_SECONDS)


async def opener_of(request: web.Request, services: Services) -> Opener:
    """Who opens a stream, by header or ticket, and by what right; before any other parameter is looked at.

    Raises:
        Problem: 401, 403.
    """
    ticket = request.query.get("ticket")
    if not ticket:
        caller = await caller_of(bearer(request), services)
        if not caller.may("read"):
            log.info("scope_refused", scope="read", token_id=str(caller.token_id))
            raise Problem(403, "insufficient_scope", "This token lacks the scope `read`.")
        opener = Opener(caller.user_id, caller.token_id, caller.session_id, caller.expires_at)
    else:
        async with services.auth.as_service() as db:
            row = await sql.streams.redeem_ticket.one(db, ticket_hash=digest(ticket))
        if row is None:
            raise unauthorized("The ticket is spent or has expired.", "invalid_ticket")
        opener = Opener(*row)
    add_fields(user_id=str(opener.user_id))
    return opener


async def pour(
    request: web.Request, services: Services, opener: Opener, seat: Source, frames: AsyncGenerator[bytes, None]
) -> web.StreamResponse:
    """Write frames until either side ends the stream, or its opener may not go on."""
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "X-Request-ID": request[REQUEST_ID],
        }
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    try:
        await response.write(f"retry: {RETRY_MILLISECONDS}\n: welcome\n\n".encode())
        response.headers.clear()  # they are out, and take 3 KB of each open stream
        response.content_type = "text/event-stream"
        services.heartbeats.start(seat)
        with services.stream_trust.of(opener, seat.close) as trust:
            async with aclosing(frames):
                async for frame in frames:
                    if not trust.holds:
                        break
                    async with asyncio.timeout(WRITE_SECONDS):
                        await response.write(frame)
    except TimeoutError:
        if request.transport is not None:  # it does not read: a goodbye would wait for it too
            request.transport.abort()
    except (ConnectionError, asyncio.CancelledError):
        pass  # the client went away; it resumes by its last id
    finally:
        services.heartbeats.stop(seat)
    return response


def is_gone(request: web.Request) -> bool:
    """Whether the client has hung up."""
    return request.transport is None or request.transport.is_closing()


def frame_of(name: str, id: str, data: str, form: str | None) -> bytes:
    """One event as it is written."""
    named = "" if form == "message" else f"event: {name}\n"
    return f"id: {id}\n{named}data: {data}\n\n".encode()
