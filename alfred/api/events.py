"""The event log: what happened, newest first, or from a position on without a gap."""

import asyncio
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field, field_validator

from alfred.api.event_bodies import bodies
from alfred.api.event_shapes import DESCRIPTIONS, LoggedEventOut, sample_of
from alfred.api.log_reading import Expired, LogPage, Span, Wanted, beginning, following, position_of
from alfred.api.sse import is_gone
from alfred.events import EVENT_TYPES, EventType
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Listing, Output, Page, json_response
from alfred.http.pages import after, page
from alfred.http.problems import Fault, Problem, invalid
from alfred.positions import Position
from alfred.queries import sql
from alfred.tail import Burst, Seat, TooManyStreams, here

routes = Routes("Events")


class EventFilter(Listing):
    after: str | None = Field(
        None,
        max_length=20_000,
        description="Begin after this position, oldest first, without a gap: the `after` of the answer before. Empty "
        "or `now` begins now, `beginning` with the oldest event kept. The answer is then an EventPoll.",
    )
    wait: int = Field(
        0, ge=0, le=25, description="With `after`: seconds to wait for an event where there is none; default 0."
    )
    type: EventType | None = None
    conversation_id: UUID | None = None

    @field_validator("wait", mode="before")
    @classmethod
    def _none_is_zero(cls, given: Any) -> Any:
        return 0 if given is None else given


class EventOut(Output):
    id: UUID
    type: EventType = Field(examples=["message.received"])
    contact_id: UUID | None
    conversation_id: UUID | None
    message_id: UUID | None
    task_id: UUID | None
    payload: dict[str, Any] = Field(examples=[{"channel_type": "whatsapp"}])
    created_at: datetime


class EventPoll(Output):
    """Events in the order of the log, and where the next call begins."""

    items: list[LoggedEventOut]
    after: str = Field(examples=["c2V2ZW50eS..."], description="Keep it; it is the next call's `after`.")
    has_more: bool = Field(examples=[False], description="Whether the next call has more at once.")


class EventTypeOut(Output):
    type: str = Field(examples=["message.received"])
    description: str = Field(examples=["A customer's message was taken in."])
    sample: LoggedEventOut


class EventTypes(Output):
    items: list[EventTypeOut]


@routes.on("GET", "/events", errors=(400, 410))
async def list_events(
    caller: Caller, services: Services, request: web.Request, query: EventFilter
) -> Page[EventOut] | EventPoll | web.Response:
    """List events, newest first, or poll for those after a position.

    With `after`, events come oldest first and each is told exactly once, in the order of the log within a page and
    within a conversation. A position that the log no longer reaches back to is 410 `cursor_expired`: begin again with
    `after=beginning`.
    """
    if "after" in request.query:
        if query.cursor is not None:
            raise invalid([Fault("cursor", "Give either after or cursor.", "exclusive")])
        return await _poll(caller, services, request, query)
    (before,) = after("events", query, int)
    async with services.database.acting_as(caller.user_id) as db:
        rows = await sql.events.page.all(
            db,
            user_id=caller.user_id,
            type=query.type,
            conversation_id=query.conversation_id,
            before=before,
            limit=query.limit + 1,
        )
    return page(request, "events", query, rows, lambda row: (row["number"],)).of(EventOut.read)


@routes.on("GET", "/event-types")
async def list_event_types() -> EventTypes:
    """List the types of events, each with a sample of its whole body."""
    return _event_types()


@cache
def _event_types() -> EventTypes:
    """Always the same, and dear to make."""
    types = [
        EventTypeOut(type=name, description=words, sample=LoggedEventOut(**sample_of(name)))
        for name, words in DESCRIPTIONS.items()
    ]
    return EventTypes(items=types)


async def _poll(caller: Caller, services: Services, request: web.Request, query: EventFilter) -> web.Response:
    async with services.database.acting_as(caller.user_id) as db:
        now = here(await sql.events.here.one(db))
    since = {None: now, "now": now, "beginning": beginning(now)}.get(query.after) or position_of(str(query.after))
    poll = _Poll(caller.user_id, services, query)
    try:
        text = await poll.read(Span(since, now))
        if text is None and query.wait:
            try:
                async with services.tail.seat(caller.user_id, lambda: is_gone(request)) as seat:
                    text = await poll.wait(Span(since, now), seat)
            except TooManyStreams:
                pass  # then without waiting
    except Expired:
        detail = "The log does not reach back to this position; begin with `after=beginning`."
        raise Problem(410, "cursor_expired", detail) from None
    return json_response((text or poll.nothing()).encode())


class _Poll:
    """One call: reads pages, and waits where there is nothing."""

    def __init__(self, user_id: UUID, services: Services, query: EventFilter) -> None:
        self._user_id, self._services, self._query = user_id, services, query
        self._wanted = Wanted((query.type,) if query.type else EVENT_TYPES, query.conversation_id)
        self._end: Position | None = None

    async def read(self, span: Span) -> str | None:
        """The answer, or None where there is nothing to tell yet."""
        async with self._services.database.acting_as(self._user_id) as db:
            found = await following(db, self._user_id, span, self._wanted, self._query.limit)
            while found.has_more and not found.events:
                found = await following(db, self._user_id, Span(found.end, span.upto), self._wanted, self._query.limit)
            self._end = found.end
            return await self._written(db, found) if found.events else None

    async def wait(self, span: Span, seat: Seat) -> str | None:
        """The same, once there is something, or when the time is over."""
        deadline = asyncio.get_running_loop().time() + self._query.wait
        text = await self.read(Span(self._end or span.since, seat.start))
        while text is None:
            try:
                async with asyncio.timeout_at(deadline):
                    happened = await seat.next()
            except TimeoutError:
                return None
            if happened is None:
                return None
            if not isinstance(happened, Burst) or any(map(self._wanted.has, happened.events)):
                async with self._services.database.acting_as(self._user_id) as db:
                    now = here(await sql.events.here.one(db))
                text = await self.read(Span(self._end or span.since, now))
        return text

    def nothing(self) -> str:
        """The answer where nothing has happened."""
        return f'{{"items":[],"after":"{self._end}","has_more":false}}'

    async def _written(self, db: Any, found: LogPage) -> str:
        told = await bodies(db, self._user_id, found.events)
        items = ",".join(body.json() for body in told)
        return f'{{"items":[{items}],"after":"{found.end}","has_more":{str(found.has_more).lower()}}}'
