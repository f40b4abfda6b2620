"""An event as the taps tell it: its payload, and what it is about as GET shows it, read once for many events."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from pydantic import BaseModel

from alfred.api.conversations import ConversationChannel, ConversationContact, conversation_of
from alfred.api.message_models import message_of
from alfred.api.notifications import notification_of
from alfred.api.rules import Rule
from alfred.api.tasks import task_of
from alfred.events import Event
from alfred.positions import sequence_of
from alfred.queries import Db, Query, Row, sql

Part = Literal["message", "conversation", "contact", "channel", "task", "rule", "notification"]
PARTS: tuple[Part, ...] = get_args(Part)
LARGEST = 20_000  # bytes of `data`, beyond which a message's text is cut
CUT_AT = 4_000  # characters

Beside = Literal["external_id", "handle", "classification"]  # what belongs into a payload, and stands with a part
Shown = Mapping[tuple[Part | Beside, UUID], dict[str, Any]]


@dataclass(frozen=True)
class Body:
    """One event, ready to be written with all its parts or some."""

    event: Event
    parts: Mapping[Part, dict[str, Any] | None]

    def json(self, include: Iterable[Part] = PARTS) -> str:
        """Compact, in UTF-8 as it is; a text that is too long is cut, and that is said."""
        chosen = {part: self.parts[part] for part in include if part in self.parts}
        data: dict[str, Any] = self.event.payload | {str(part): shown for part, shown in chosen.items()}
        written = _written(data)
        message = chosen.get("message")
        if message and len(written.encode()) > LARGEST and len(message["body"]) > CUT_AT:
            data["message"] = message | {"body": message["body"][:CUT_AT]}
            written = _written(data | {"truncated": True})
        event = self.event
        head = {"id": str(event.event_id), "type": event.type, "timestamp": _moment(event.created_at)}
        return f'{_written(head | {"sequence": sequence_of(event.number)})[:-1]},"data":{written}}}'


async def bodies(db: Db, user_id: UUID, events: Sequence[Event]) -> list[Body]:
    """The bodies of one tenant's events: one read for each kind of thing that they are about."""
    about = [_about(event) for event in events]
    shown: dict[tuple[Part | Beside, UUID], dict[str, Any]] = {}
    for part, (query, parameter, shape) in _SOURCES.items():
        wanted = {(part, each[part]) for each in about if part in each} - shown.keys()
        if wanted:
            ids = [each for _, each in wanted]
            for row in await query.for_any(parameter).all(db, user_id=user_id, **{parameter: ids}, **_besides(query)):
                shown |= shape(row)
    return [Body(_whole(event, shown), _parts(each, shown)) for event, each in zip(events, about, strict=True)]


async def written(db: Db, user_id: UUID, events: Sequence[Event]) -> list[str]:
    """The same as they are sent."""
    return [body.json() for body in await bodies(db, user_id, events)]


def _whole(event: Event, shown: Shown) -> Event:
    """What a message brought, and what it was classified as at first, stands with the message and its conversation."""
    if event.message_id is None or event.conversation_id is None:
        return event
    if event.type == "message.classified":
        told = shown.get(("classification", event.message_id), {})
    elif event.type == "message.received":
        told = {**shown.get(("external_id", event.message_id), {}), **shown.get(("handle", event.conversation_id), {})}
    else:
        return event
    return replace(event, payload={**told, **event.payload})


def _about(event: Event) -> dict[Part, UUID]:
    """The ids of what an event is about; a few stand in its payload."""
    ids: dict[Part, UUID | None] = {
        "message": event.message_id,
        "conversation": event.conversation_id,
        "task": event.task_id,
        "contact": event.contact_id,
    }
    for part in ("rule", "notification", "channel"):
        ids[part] = _id(event.payload.get(f"{part}_id"))
    return {part: known for part, known in ids.items() if known is not None}


def _id(given: object) -> UUID | None:
    try:
        return UUID(str(given)) if given else None
    except ValueError:
        return None


def _parts(about: Mapping[Part, UUID], shown: Shown) -> dict[Part, dict[str, Any] | None]:
    """Each part, null where it is gone; a conversation brings its contact and channel along."""
    parts: dict[Part, dict[str, Any] | None] = {part: shown.get((part, known)) for part, known in about.items()}
    conversation = parts.get("conversation")
    if conversation is None and "conversation" in about:
        parts.setdefault("contact", None)
        parts.setdefault("channel", None)
    elif conversation is not None:
        parts |= {"contact": conversation["contact"], "channel": conversation["channel"]}
        parts["conversation"] = {name: conversation[name] for name in _OF_CONVERSATION if name in conversation}
    return {part: parts[part] for part in PARTS if part in parts}


_OF_CONVERSATION = ("id", "status", "tags", "unread_count", "send_policy")


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


def _alone(part: Part, shape: Callable[[Row], BaseModel]) -> Callable[[Row], Shown]:
    return lambda row: {(part, row["id"]): _plain(shape(row))}


def _message(row: Row) -> Shown:
    """With it its id in the channel, and what it was classified as at first."""
    return {
        ("message", row["id"]): _plain(message_of(row)),
        ("external_id", row["id"]): {"external_id": row["external_id"]},
        ("classification", row["id"]): row["first_classification"] or row["classification"] or {},
    }


def _conversation(row: Row) -> Shown:
    """With it the contact need not be read by itself."""
    conversation = _plain(conversation_of(row))
    return {
        ("conversation", row["id"]): conversation,
        ("handle", row["id"]): {"handle": row["contact_handle"]},
        ("contact", row["contact_id"]): conversation["contact"],
    }


# What is read, in this order: by which query, made for one id, and in which shape.
_SOURCES: dict[Part, tuple[Query, str, Callable[[Row], Shown]]] = {
    "message": (sql.messages.told, "message_id", _message),
    "conversation": (sql.conversations.get, "conversation_id", _conversation),
    "task": (sql.tasks.get, "task_id", _alone("task", task_of)),
    "rule": (sql.rules.get, "rule_id", _alone("rule", Rule.read)),
    "notification": (sql.notifications.get, "notification_id", _alone("notification", notification_of)),
    "contact": (sql.contacts.get, "contact_id", _alone("contact", ConversationContact.read)),
    "channel": (sql.channels.get, "channel_id", _alone("channel", ConversationChannel.read)),
}


def _besides(query: Query) -> dict[str, Any]:
    given: dict[str, Any] = {"now": datetime.now(UTC), "longest": LARGEST}
    return {name: value for name, value in given.items() if name in query.parameters}


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
