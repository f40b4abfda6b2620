"""Events: what happened, in the past tense; recorded in the transaction of the change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, get_args
from uuid import UUID

from alfred.queries import Db, Row, sql

BUCKETS = 16
SWEEP_SECONDS = 1.0  # between two looks at the log that no bell asked for

ENTITIES = ("contact_id", "conversation_id", "message_id", "task_id")

EventType = Literal[
    "message.received",
    "message.classified",
    "message.reclassified",
    "message.scheduled",
    "message.sent",
    "message.cancelled",
    "message.status_changed",
    "message.edited",
    "message.deleted",
    "message.reaction",
    "conversation.created",
    "conversation.updated",
    "conversation.read",
    "contact.created",
    "contact.updated",
    "contact.merged",
    "task.created",
    "task.updated",
    "task.completed",
    "task.overdue",
    "lead.stalled",
    "rule.matched",
    "flow.matched",
    "notification.created",
    "channel.error",
    "channel.recovered",
    "subscription.disabled",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
# Each doubles another event: whoever does not ask for them by name is spared them.
DOUBLED: frozenset[EventType] = frozenset({"message.classified", "notification.created"})


class UnknownType(ValueError):
    """A pattern that fits no type of event."""


def types_of(patterns: Iterable[str]) -> frozenset[EventType]:
    """The types that a list of exact types, `noun.*` and `*` names; an empty one names all but the doubled.

    Raises:
        UnknownType: with the pattern that fits none.
    """
    wanted: set[EventType] = set()
    for pattern in patterns:
        noun = pattern.removesuffix("*")
        whole = pattern == noun
        fits = {each for each in EVENT_TYPES if (each == pattern if whole else each.startswith(noun))}
        if not fits or not (whole or noun == "" or noun.endswith(".")):
            raise UnknownType(pattern)
        wanted |= fits
    return frozenset(wanted) or frozenset(EVENT_TYPES) - DOUBLED


@dataclass(frozen=True)
class Event:
    """One line of the log, as its consumers read it."""

    number: int
    user_id: UUID
    event_id: UUID
    type: str
    contact_id: UUID | None
    conversation_id: UUID | None
    message_id: UUID | None
    task_id: UUID | None
    payload: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> Self:
        """A row of sql/events.sql."""
        return cls(*(row[name] for name in cls.__match_args__))

    def about(self) -> dict[str, UUID | None]:
        """The entities that it is about, as `record` takes them."""
        return {name: getattr(self, name) for name in ENTITIES}


def bucket_of(user_id: UUID) -> int:
    """The bucket of a user's events: app.bucket() in SQL."""
    return user_id.bytes[15] % BUCKETS


async def record(db: Db, user_id: UUID, type: EventType, payload: Mapping[str, Any], **about: UUID | None) -> None:
    """Add to the log; `about` names what it is about: contact_id, conversation_id, message_id, task_id."""
    entities = dict.fromkeys(ENTITIES) | about
    await sql.events.record.run(db, user_id=user_id, type=type, payload=dict(payload), **entities)
