"""The types of events for those who read them: what each means, the shape of its body, and a sample."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from alfred.api.conversations import ConversationChannel, ConversationContact
from alfred.api.event_bodies import PARTS, Part
from alfred.api.message_models import Message
from alfred.api.notifications import Notification
from alfred.api.rules import Rule
from alfred.api.tasks import Task
from alfred.events import EventType
from alfred.http.models import Output
from alfred.http.openapi import example
from alfred.positions import sequence_of
from alfred.terms import ConversationStatus

PING = "ping"


class EventConversation(Output):
    """The conversation that an event is about."""

    model_config = ConfigDict(from_attributes=True, extra="allow")

    id: str = Field(examples=["01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"])
    status: ConversationStatus = Field(examples=["open"])
    tags: list[str] = Field(examples=[["vip"]])
    unread_count: int = Field(examples=[1])


class LoggedEventOut(Output):
    """An event, the same on every tap: stream, polling and webhook."""

    id: str = Field(examples=["0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11"], description="The same on every tap and attempt.")
    type: str = Field(examples=["message.received"])
    timestamp: datetime = Field(description="When it happened.")
    sequence: str = Field(
        examples=[sequence_of(4711)], description="Opaque, of one length; sorts as text in the order of the log."
    )
    data: dict[str, Any] = Field(
        examples=[{"channel_type": "whatsapp"}],
        description="The payload, and what it is about as GET shows it; `truncated` where a text was cut.",
    )


_MODELS: dict[Part, type[BaseModel]] = {
    "message": Message,
    "conversation": EventConversation,
    "contact": ConversationContact,
    "channel": ConversationChannel,
    "task": Task,
    "rule": Rule,
    "notification": Notification,
}
_IN_CHAT: tuple[Part, ...] = ("conversation", "contact", "channel")
_WITH_MESSAGE: tuple[Part, ...] = ("message", *_IN_CHAT)

# What each type means, what is always in its data, and a payload.
_TOLD: dict[EventType, tuple[str, tuple[Part, ...], dict[str, Any]]] = {
    "message.received": (
        "A customer's message was taken in.",
        _WITH_MESSAGE,
        {"channel_type": "whatsapp", "external_id": "wamid.1"},
    ),
    "message.classified": (
        "A customer's message was classified; it doubles `message.received`, which shows the classification too.",
        _WITH_MESSAGE,
        {"sentiment": "negative", "urgency": "high", "intent": "complaint"},
    ),
    "message.reclassified": (
        "A model from outside has read a customer's message otherwise than the built-in assistant.",
        _WITH_MESSAGE,
        {"sentiment": "negative", "urgency": "high", "intent": "complaint", "provider": "openai"},
    ),
    "message.sent": ("A message to a customer was stored or seen.", _WITH_MESSAGE, {"external_id": "wamid.2"}),
    "message.status_changed": (
        "A message to a customer was delivered, read, or failed.",
        _WITH_MESSAGE,
        {"status": "read", "external_id": "wamid.2"},
    ),
    "message.edited": ("A message was edited by who wrote it.", _WITH_MESSAGE, {"external_id": "wamid.1"}),
    "message.deleted": ("A message was deleted by who wrote it.", _WITH_MESSAGE, {"external_id": "wamid.1"}),
    "message.reaction": ("A message got a reaction, or lost it.", _WITH_MESSAGE, {"emoji": "❤️"}),
    "message.scheduled": ("A message was scheduled for later.", _WITH_MESSAGE, {}),
    "message.cancelled": ("A message that waited was cancelled.", _WITH_MESSAGE, {}),
    "conversation.created": ("A conversation began.", _IN_CHAT, {}),
    "conversation.updated": ("A conversation's status or tags changed.", _IN_CHAT, {"status": "pending"}),
    "conversation.read": ("A conversation was read.", _IN_CHAT, {}),
    "contact.created": ("A contact was made.", ("contact",), {}),
    "contact.updated": ("A contact changed.", ("contact",), {}),
    "contact.merged": ("Two contacts became one, the one that is shown.", ("contact",), {}),
    "task.created": ("A task was made.", ("task",), {"title": "Enviar orçamento", "priority": "high"}),
    "task.updated": ("A task changed.", ("task",), {"title": "Enviar orçamento"}),
    "task.completed": ("A task was done.", ("task",), {"title": "Enviar orçamento"}),
    "task.overdue": (
        "A task is overdue.",
        ("task",),
        {"title": "Enviar orçamento", "due_date": "2026-05-01T12:00:00Z"},
    ),
    "lead.stalled": ("A conversation has been silent for days.", _IN_CHAT, {"last_message_at": "2026-05-01T12:00:00Z"}),
    "rule.matched": ("A rule matched and acted.", ("rule",), {"title": "Desconto", "actions": [{"action": "notify"}]}),
    "flow.matched": (
        "A flow matched; nothing was done.",
        (),
        {"flow_name": "Fluxo", "actions": [{"action": "notify"}]},
    ),
    "notification.created": (
        "A person was notified; it doubles the event that was the reason.",
        ("notification",),
        {"type": "urgent_message"},
    ),
    "channel.error": ("A channel no longer sends.", ("channel",), {}),
    "channel.recovered": ("A channel sends again.", ("channel",), {}),
    "subscription.disabled": (
        "A subscription was disabled, since its URL was gone or failed for days.",
        (),
        {"subscription_id": "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e", "host": "example.com", "reason": "failing"},
    ),
}
DESCRIPTIONS: Mapping[str, str] = {name: told[0] for name, told in _TOLD.items()} | {
    PING: "A test of a subscription; it is not in the log."
}


def _name_of(event_type: str) -> str:
    return "Event" + "".join(word.capitalize() for word in event_type.replace(".", "_").split("_"))


def _model_of(event_type: str, parts: tuple[Part, ...]) -> type[LoggedEventOut]:
    """The shape of a type's body; what its data may hold besides is open."""
    fields: dict[str, Any] = {part: (_MODELS[part] | None, ...) for part in parts}
    open_end = ConfigDict(extra="allow", defer_build=True)
    data = create_model(f"{_name_of(event_type)}Data", __config__=open_end, truncated=(bool, False), **fields)
    word: Any = Literal[event_type]
    return create_model(_name_of(event_type), __base__=LoggedEventOut, type=(word, ...), data=(data, ...))


_PARTS_OF: dict[str, tuple[Part, ...]] = {name: told[1] for name, told in _TOLD.items()} | {PING: ()}
_PAYLOADS: dict[str, dict[str, Any]] = {name: told[2] for name, told in _TOLD.items()} | {PING: {"text": "It works."}}


def models() -> dict[str, type[LoggedEventOut]]:
    """The shape of each type's body, for the OpenAPI document."""
    return {name: _model_of(name, parts) for name, parts in _PARTS_OF.items()}


def sample_of(event_type: str) -> dict[str, Any]:
    """A whole body of a type, as it might be sent."""
    shown = {part: example(_MODELS[part]) for part in PARTS if part in _PARTS_OF[event_type]}
    whole: dict[str, Any] = example(LoggedEventOut)
    return whole | {"type": event_type, "data": _PAYLOADS[event_type] | shown}
