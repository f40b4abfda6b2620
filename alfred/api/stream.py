"""Notifications as they happen, over Server-Sent Events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from typing import Literal
from uuid import UUID

import structlog
from aiohttp import hdrs, web
from pydantic import Field, SecretStr

from alfred.api.notifications import notification_of
from alfred.db import UnknownUser
from alfred.http.auth import bearer, caller_of
from alfred.http.context import REQUEST_ID, Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.inputs import load_query
from alfred.http.models import Input, Output
from alfred.http.problems import Problem, unauthorized
from alfred.hub import Seat
from alfred.identity import digest, new_token
from alfred.queries import Row, sql

routes = Routes("Notifications")

HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2000
TICKET_SECONDS = 60
WRITE_SECONDS = 30.0
TRUST_SECONDS = 1.0
PAGE = 200


class StreamQuery(Input):
    last_event_id: str | None = Field(
        None, max_length=100, description="Same as the header `Last-Event-ID`, for a first request."
    )
    ticket: SecretStr | None = Field(None, max_length=200, description="From POST /notifications/stream-ticket.")
    format: Literal["message"] | None = Field(None, description="`message` leaves out the `event:` line.")


class Ticket(Output):
    ticket: str = Field(examples=["alf_0_t_..."])
    expires_in: int = Field(examples=[60], description="Seconds until the ticket expires. It opens one stream.")


_FRAME = 'id: 01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e\nevent: notification\ndata: {"id": "01930d3c-..."}\n\n'
_DOCUMENT = {
    "responses": {
        "200": {
            "description": "A stream of notifications, until either side ends it.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _FRAME}},
        }
    }
}


@routes.on("POST", "/notifications/stream-ticket", status=201, scope="read", repeatable=False)
async def create_stream_ticket(caller: Caller, services: Services) -> Ticket:
    """Create a single-use ticket for a browser's EventSource."""
    ticket = new_token("t")
    async with services.database.acting_as(caller.user_id) as db:
        await sql.notifications.issue_ticket.run(
            db,
            user_id=caller.user_id,
            ticket_hash=digest(ticket),
            expires_at=services.clock() + timedelta(seconds=TICKET_SECONDS),
        )
    return Ticket(ticket=ticket, expires_in=TICKET_SECONDS)


@routes.on(
    "GET",
    "/notifications/stream",
    scope=None,
    guarded=True,
    endless=True,
    query_model=StreamQuery,
    errors=(400, 422),
    document=_DOCUMENT,
)
async def stream_notifications(request: web.Request, services: Services) -> web.StreamResponse:
    """Stream notifications as Server-Sent Events.

    Each event has `id:` (the notification's id), `event: notification` and `data:` (the Notification).
    `Last-Event-ID` resumes without a gap; a comment keeps the line open every 15 seconds.
    """
    query = load_query(request, StreamQuery)
    caller = await _caller(request, services, query)
    structlog.contextvars.bind_contextvars(user_id=str(caller.user_id))
    last = request.headers.get("Last-Event-ID") or query.last_event_id
    async with services.hub.seat(caller.user_id) as (seat, newest):
        since = newest if last is None else await _number_of(services, caller, last)
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
            trust = _Trust(services, caller)
            async with aclosing(_frames(services, caller, seat, (since, newest))) as frames:
                async for frame in frames:
                    if not await trust.holds():
                        break
                    async with asyncio.timeout(WRITE_SECONDS):
                        await response.write(_named(frame, query.format))
        except TimeoutError:
            if request.transport is not None:  # it does not read: a goodbye would wait for it too
                request.transport.abort()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client went away; it resumes by its last id
    return response


class _Trust:
    """Whether an open stream may go on: its token may be revoked, or its user erased, at any time."""

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services, self._caller = services, caller
        self._asked_at = asyncio.get_running_loop().time()

    async def holds(self) -> bool:
        """Asked before each frame, and a moment's answer is good for that moment."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at < TRUST_SECONDS:
            return True
        self._asked_at = now
        try:
            async with self._services.database.acting_as(self._caller.user_id) as db:
                return self._caller.token_id is None or bool(
                    await sql.tokens.holds.value(db, user_id=self._caller.user_id, token_id=self._caller.token_id)
                )
        except UnknownUser:
            return False


async def _caller(request: web.Request, services: Services, query: StreamQuery) -> Caller:
    if query.ticket is None:
        caller = await caller_of(bearer(request), services)
        if not caller.may("read"):
            raise Problem(403, "insufficient_scope", "This token lacks the scope `read`.")
        return caller
    async with services.database.as_service() as db:
        user_id = await sql.notifications.redeem_ticket.value(db, ticket_hash=digest(query.ticket.get_secret_value()))
    if user_id is None:
        raise unauthorized("The ticket is spent or has expired.", "invalid_ticket")
    return Caller.ticket(user_id)


async def _number_of(services: Services, caller: Caller, last: str) -> int:
    try:
        notification_id = UUID(last)
    except ValueError:
        raise Problem(400, "invalid_cursor", "Last-Event-ID is not the id of a notification.") from None
    async with services.database.acting_as(caller.user_id) as db:
        number = await sql.notifications.number_of.value(db, user_id=caller.user_id, notification_id=notification_id)
    return int(number)


async def _frames(
    services: Services, caller: Caller, seat: Seat, span: tuple[int, int]
) -> AsyncGenerator[tuple[str, str] | None, None]:
    """What was missed, then what happens; None is a heartbeat."""
    since, newest = span
    while since < newest:
        async with services.database.acting_as(caller.user_id) as db:
            missed = await sql.notifications.between.all(
                db, user_id=caller.user_id, after=since, upto=newest, limit=PAGE
            )
        for row in missed:
            yield _frame(row)
        since = missed[-1]["number"] if len(missed) == PAGE else newest
    while not services.ending.begun:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                happened = await seat.queue.get()
        except TimeoutError:
            yield None
            continue
        if happened is None:
            return
        yield _frame(happened)


def _frame(row: Row) -> tuple[str, str]:
    notification = notification_of(row)
    return str(notification.id), notification.model_dump_json()


def _named(frame: tuple[str, str] | None, form: str | None) -> bytes:
    if frame is None:
        return b": still here\n\n"
    name = "" if form == "message" else "event: notification\n"
    return f"id: {frame[0]}\n{name}data: {frame[1]}\n\n".encode()
