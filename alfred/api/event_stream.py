"""Every event as it happens, over Server-Sent Events: what a live inbox stands on."""

from collections.abc import AsyncGenerator, Sequence
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field

from alfred.api import sse
from alfred.api.event_bodies import PARTS, Body, Part, bodies
from alfred.api.log_reading import Expired, Span, Wanted, following, position_of
from alfred.api.sse import Opening, Ticket, frame_of, is_gone, opener_of, pour, stream_document, ticket_for
from alfred.events import EventType, UnknownType, types_of
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.inputs import load_query
from alfred.positions import Position
from alfred.tail import Burst, LoggedEvent, Seat, TooManyStreams
from alfred.wake import Heartbeat

routes = Routes("Events")

_FRAME = 'id: bzR2X3...\nevent: message.received\ndata: {"id":"0190f3a8-...","type":"message.received","data":{}}\n\n'


def _known_types(given: str) -> str:
    try:
        types_of(part.strip() for part in given.split(","))
    except UnknownType as error:
        raise ValueError(f"no event has the type {error}") from None
    return given


def _known_parts(given: str) -> str:
    unknown = [part for part in given.split(",") if part.strip() not in PARTS]
    if unknown:
        raise ValueError(f"there is no part {unknown[0]!r}; take some of {', '.join(PARTS)}")
    return given


@lru_cache(256)
def _types_of(given: str) -> frozenset[EventType]:
    """One set for all streams that ask for the same: it takes 2 KB."""
    return types_of(part.strip() for part in given.split(",") if part.strip())


class EventStreamQuery(Opening):
    types: Annotated[str, Field(max_length=2000), AfterValidator(_known_types)] | None = Field(
        None,
        examples=["message.*,task.created"],
        description="Types separated by commas, exact or `noun.*`; left out: all but `message.classified` and "
        "`notification.created`.",
    )
    include: Annotated[str, Field(max_length=200), AfterValidator(_known_parts)] | None = Field(
        None,
        examples=["message,conversation"],
        description=f"What `data` holds besides the payload, separated by commas: {', '.join(PARTS)}; default all.",
    )
    conversation_id: UUID | None = None

    def wanted_types(self) -> frozenset[EventType]:
        """The types that the stream tells of."""
        return _types_of(self.types or "")

    def wanted_parts(self) -> tuple[Part, ...]:
        """The parts of `data`."""
        chosen = {part.strip() for part in self.include.split(",")} if self.include else set(PARTS)
        return tuple(part for part in PARTS if part in chosen)


@routes.on("POST", "/events/stream-ticket", status=201, scope="read", repeatable=False)
async def create_event_stream_ticket(caller: Caller, services: Services) -> Ticket:
    """Create a single-use ticket for a browser's EventSource, of either stream."""
    return await ticket_for(caller, services)


@routes.on(
    "GET",
    "/events/stream",
    scope=None,
    guarded=True,
    endless=True,
    query_model=EventStreamQuery,
    errors=(400, 422, 429),
    document=stream_document("A stream of events, until either side ends it.", _FRAME),
)
async def stream_events(request: web.Request, services: Services) -> web.StreamResponse:
    """Stream every event as Server-Sent Events.

    Each has `event:` (the type), `id:` (the position in the log) and `data:` (the event). `Last-Event-ID` (or
    `last_event_id`) resumes from the log without a gap; it takes a position of `GET /events?after=` too. A frame
    `event: reset` says that events were left out, since the position had expired or the client read too slowly: read
    your lists anew. A comment says that all that was missed is told, and keeps the line open every 15 seconds. The
    stream ends when the token or session that opened it ends.
    """
    opener = await opener_of(request, services)
    reader, since = _reader_of(request, services, opener.user_id)
    try:
        async with services.tail.seat(opener.user_id, lambda: is_gone(request)) as seat:
            return await pour(request, services, opener, seat, reader.frames(seat, since))
    except TooManyStreams:
        raise sse.too_many_streams() from None


def _reader_of(request: web.Request, services: Services, user_id: UUID) -> "tuple[_Reader, Position | None]":
    """What the query asks for, and from where on; the query itself is not kept, for as long as the stream is open."""
    query = load_query(request, EventStreamQuery)
    last = request.headers.get("Last-Event-ID") or query.last_event_id
    return _Reader(services, user_id, query), position_of(last) if last else None


class _Reader:
    """One stream: which events it tells of, and how."""

    __slots__ = ("_form", "_parts", "_services", "_user_id", "_wanted")

    def __init__(self, services: Services, user_id: UUID, query: EventStreamQuery) -> None:
        self._services, self._user_id, self._form = services, user_id, query.format
        self._wanted = Wanted(query.wanted_types(), query.conversation_id)
        self._parts = query.wanted_parts()

    async def frames(self, seat: Seat, since: Position | None) -> AsyncGenerator[bytes, None]:
        """What was missed, then what happens, and a heartbeat in between."""
        if since is not None:
            async for frame in self._missed(seat, since):
                yield frame
        yield sse.HEARTBEAT  # all that was missed is told
        while not self._services.ending.begun:
            happened = await seat.next()
            if happened is None:
                return
            if isinstance(happened, Heartbeat):
                yield sse.HEARTBEAT
                continue
            if isinstance(happened, Position):
                yield self._reset("too_slow", happened)
                continue
            for frame in await self._told(seat, happened):
                yield frame

    async def _missed(self, seat: Seat, since: Position) -> AsyncGenerator[bytes, None]:
        """The log from a position to where the seat begins."""
        more = True
        while more and not self._services.ending.begun:
            async with self._services.database.acting_as(self._user_id) as db:
                try:
                    page = await following(db, self._user_id, Span(since, seat.start), self._wanted)
                except Expired:
                    yield self._reset("expired", seat.start)
                    return
                told = await bodies(db, self._user_id, page.events)
            for body, position in zip(told, page.positions, strict=True):
                yield self._frame(body, position)
            since, more = page.end, page.has_more

    async def _told(self, seat: Seat, burst: Burst) -> list[bytes]:
        """The frames of a burst; nothing is read of one that tells this stream nothing."""
        wanted = [event for event in burst.events if self._wanted.has(event) and not seat.knows(event)]
        if not wanted:
            return []
        told = await burst.once(self._bodies)
        return [self._frame(told[event.number], burst.position_of(event)) for event in wanted]

    async def _bodies(self, events: Sequence[LoggedEvent]) -> dict[int, Body]:
        async with self._services.database.acting_as(self._user_id) as db:
            told = await bodies(db, self._user_id, events)
        return {body.event.number: body for body in told}

    def _frame(self, body: Body, position: Position) -> bytes:
        return frame_of(body.event.type, str(position), body.json(self._parts), self._form)

    def _reset(self, reason: str, position: Position) -> bytes:
        return frame_of("reset", str(position), f'{{"reason":"{reason}"}}', self._form)
