"""Reading the log from a client's position on, page by page."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from alfred.events import EVENT_TYPES, Event, EventType
from alfred.http.problems import Problem
from alfred.positions import NOTHING, DamagedPosition, Here, Position, Snapshot
from alfred.queries import Db, sql
from alfred.tail import LoggedEvent

PAGE = 200


class Expired(Exception):
    """A position from before the log's beginning, or of another log."""


@dataclass(frozen=True)
class LogPage:
    """Some events in the order of the log, the position after each, and where a reader of all of them is."""

    events: list[LoggedEvent]
    positions: list[Position]
    end: Position
    has_more: bool


@dataclass(frozen=True)
class Span:
    """From a client's position to one of now."""

    since: Position
    upto: Here


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events a client asks for."""

    types: Collection[EventType] = EVENT_TYPES
    conversation_id: UUID | None = None

    def has(self, event: Event) -> bool:
        """Whether it is one of them."""
        return event.type in self.types and self.conversation_id in (None, event.conversation_id)


def position_of(given: str) -> Position:
    """The position in a text that a client has kept.

    Raises:
        Problem: 400 `invalid_cursor`.
    """
    try:
        return Position.read(given)
    except DamagedPosition:
        detail = "This position is damaged, or none of ours; begin without one."
        raise Problem(400, "invalid_cursor", detail) from None


def beginning(now: Position) -> Position:
    """Before the oldest event that is kept."""
    return Position(now.log, now.at, NOTHING)


async def following(db: Db, user_id: UUID, span: Span, wanted: Wanted, limit: int = PAGE) -> LogPage:
    """What happened within a span.

    Raises:
        Expired: the log does not reach back to there.
    """
    since, upto = span.since, span.upto
    furthest = Snapshot.read(since.upto or since.seen).next_xid
    if since.log != upto.log or furthest > Snapshot.read(upto.seen).next_xid or since.at < upto.begins_at:
        raise Expired
    look = Position(since.log, int(time.time()), since.seen, since.upto or upto.seen, since.number)
    rows = await sql.events.following.all(
        db,
        user_id=user_id,
        seen=look.seen,
        upto=look.upto,
        after_number=look.number,
        types=list(wanted.types),
        conversation_id=wanted.conversation_id,
        limit=limit + 1,
    )
    events = [LoggedEvent.of(row) for row in rows[:limit]]
    positions = [look.cut_at(event.number) for event in events]
    if len(rows) > limit:
        return LogPage(events, positions, positions[-1], True)
    end = Position(look.log, look.at, look.upto)
    positions[-1:] = [end] if positions else []
    return LogPage(events, positions, end, end.seen != upto.seen)
