"""Notifications as they happen, over Server-Sent Events."""

from collections.abc import AsyncGenerator
from uuid import UUID

from aiohttp import web

from alfred.api import sse
from alfred.api.notifications import notification_of
from alfred.api.sse import Opening, Ticket, frame_of, opener_of, pour, stream_document, ticket_for
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.inputs import load_query
from alfred.http.problems import Problem
from alfred.hub import Seat
from alfred.queries import Row, sql
from alfred.tail import TooManyStreams
from alfred.wake import Heartbeat

routes = Routes("Notifications")

PAGE = 200
_FRAME = 'id: 01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e\nevent: notification\ndata: {"id": "01930d3c-..."}\n\n'


@routes.on("POST", "/notifications/stream-ticket", status=201, scope="read", repeatable=False)
async def create_stream_ticket(caller: Caller, services: Services) -> Ticket:
    """Create a single-use ticket for a browser's EventSource."""
    return await ticket_for(caller, services)


@routes.on(
    "GET",
    "/notifications/stream",
    scope=None,
    guarded=True,
    endless=True,
    query_model=Opening,
    errors=(400, 422, 429),
    document=stream_document("A stream of notifications, until either side ends it.", _FRAME),
)
async def stream_notifications(request: web.Request, services: Services) -> web.StreamResponse:
    """Stream notifications as Server-Sent Events.

    Each event has `id:` (the notification's id), `event: notification` and `data:` (the Notification).
    `Last-Event-ID` resumes without a gap; a comment keeps the line open every 15 seconds.
    """
    opener = await opener_of(request, services)
    query = load_query(request, Opening)
    last = request.headers.get("Last-Event-ID") or query.last_event_id
    try:
        async with services.hub.seat(opener.user_id) as (seat, newest):
            since = newest if last is None else await _number_of(services, opener.user_id, last)
            frames = _frames(services, opener.user_id, seat, (since, newest), query.format)
            return await pour(request, services, opener, seat, frames)
    except TooManyStreams:
        raise sse.too_many_streams() from None


async def _number_of(services: Services, user_id: UUID, last: str) -> int:
    try:
        notification_id = UUID(last)
    except ValueError:
        raise Problem(400, "invalid_cursor", "Last-Event-ID is not the id of a notification.") from None
    async with services.database.acting_as(user_id) as db:
        number = await sql.notifications.number_of.value(db, user_id=user_id, notification_id=notification_id)
    return int(number)


async def _frames(
    services: Services, user_id: UUID, seat: Seat, span: tuple[int, int], form: str | None
) -> AsyncGenerator[bytes, None]:
    """What was missed, then what happens, and a heartbeat in between."""
    since, newest = span
    while since < newest:
        async with services.database.acting_as(user_id) as db:
            missed = await sql.notifications.between.all(db, user_id=user_id, after=since, upto=newest, limit=PAGE)
        for row in missed:
            yield _frame(row, form)
        since = missed[-1]["number"] if len(missed) == PAGE else newest
    while not services.ending.begun:
        happened = await seat.next()
        if happened is None:
            return
        yield sse.HEARTBEAT if isinstance(happened, Heartbeat) else _frame(happened, form)


def _frame(row: Row, form: str | None) -> bytes:
    notification = notification_of(row)
    return frame_of("notification", str(notification.id), notification.model_dump_json(), form)
