"""The moment that a rule or a flow is asked about: a message, its contact, its conversation, the time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, ConfigDict, Field, field_validator, model_validator

from alfred.rules.comparing import Text
from alfred.rules.fields import KINDS, Value
from alfred.terms import (
    LONGEST_HANDLE,
    LONGEST_OUTBOUND_BODY,
    MOST_TAGS,
    AttachmentType,
    ChannelType,
    ConversationStatus,
    Language,
    NegotiationMode,
    Sentiment,
    Urgency,
)

# Characters of a message that conditions compare; whoever writes a book to a shop is not searched for words.
LONGEST_COMPARED = 20_000


class Contact(Value):
    """Who writes."""

    name: str | None = None
    handle: str | None = None
    vip: bool = False
    negotiation_mode: NegotiationMode = "suggest"
    first_conversation: bool = False


class Conversation(Value):
    """Where it is written."""

    status: ConversationStatus = "open"
    tags: tuple[str, ...] = ()
    unread_count: int = Field(default=0, ge=0)


class Situation(Value):
    """Everything that a condition can ask; `timezone` is the user's, known to the IANA database."""

    text: str = ""
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    negotiation: bool = False
    should_create_task: bool = False
    intent: str | None = None
    language: Language | None = None
    attachments: tuple[AttachmentType, ...] = ()
    channel: ChannelType | None = None
    contact: Contact = Contact()
    conversation: Conversation = Conversation()
    at: AwareDatetime
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, LookupError) as error:
            raise ValueError("is not a time zone of the IANA database") from error
        return name

    @cached_property
    def local(self) -> datetime:
        """The moment on the user's clock; where their calendar ends (year 1 or 9999), in UTC."""
        try:
            return self.at.astimezone(ZoneInfo(self.timezone))
        except OverflowError:
            return self.at.replace(tzinfo=UTC)

    @cached_property
    def words(self) -> dict[str, Text]:
        """The texts by their field, made ready once for all comparisons."""
        texts = {
            "message.text": self.text[:LONGEST_COMPARED], "contact.name": self.contact.name,
            "contact.handle": self.contact.handle, "message.intent": self.intent,
        }  # fmt: skip
        return {field: Text.of(text) for field, text in texts.items() if text is not None}

    @cached_property
    def tags(self) -> tuple[Text, ...]:
        return tuple(Text.of(tag) for tag in self.conversation.tags)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Each field's actual value."""
        return {
            "message.text": self.text,
            "message.sentiment": self.sentiment,
            "message.urgency": self.urgency,
            "message.negotiation": self.negotiation,
            "message.should_create_task": self.should_create_task,
            "message.intent": self.intent,
            "message.language": self.language,
            "message.attachments": list(self.attachments),
            "channel.type": self.channel,
            "contact.vip": self.contact.vip,
            "contact.name": self.contact.name,
            "contact.handle": self.contact.handle,
            "contact.negotiation_mode": self.contact.negotiation_mode,
            "contact.first_conversation": self.contact.first_conversation,
            "conversation.status": self.conversation.status,
            "conversation.tags": list(self.conversation.tags),
            "conversation.unread_count": self.conversation.unread_count,
            "time.hour": self.local.hour,
            "time.weekday": self.local.isoweekday(),
        }


class Classified(Protocol):
    """What was read out of the text; an assistant's classification fits."""

    @property
    def sentiment(self) -> Sentiment | None: ...
    @property
    def urgency(self) -> Urgency | None: ...
    @property
    def negotiation(self) -> bool: ...
    @property
    def should_create_task(self) -> bool: ...
    @property
    def intent(self) -> str | None: ...
    @property
    def language(self) -> Language | None: ...


class _Given(Value):
    """A part of a request: null and the empty strings that form builders send mean "not given"."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, raw: object) -> object:
        if not isinstance(raw, dict):
            return raw
        return {key: value for key, value in raw.items() if key == "text" or value not in ("", None)}


class ContactInput(_Given):
    """The contact of a situation to try."""

    name: str | None = Field(default=None, max_length=200)
    handle: str | None = Field(default=None, max_length=LONGEST_HANDLE)
    vip: bool | None = None
    negotiation_mode: NegotiationMode | None = None
    first_conversation: bool | None = None


class ConversationInput(_Given):
    """The conversation of a situation to try."""

    status: ConversationStatus | None = None
    tags: tuple[str, ...] | None = Field(default=None, max_length=MOST_TAGS)
    unread_count: int | None = Field(default=None, ge=0, le=1_000_000)


class SituationInput(_Given):
    """A situation to try a rule or a flow on; what is not given is classified or takes its default."""

    text: str = Field(max_length=LONGEST_OUTBOUND_BODY)
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    negotiation: bool | None = None
    should_create_task: bool | None = None
    intent: str | None = Field(default=None, max_length=200)
    language: Language | None = None
    attachments: tuple[AttachmentType, ...] | None = Field(default=None, max_length=20)
    channel: ChannelType | None = None
    at: datetime | None = None
    contact: ContactInput | None = None
    conversation: ConversationInput | None = None

    @field_validator("at")
    @classmethod
    def _naive_is_utc(cls, at: datetime | None) -> datetime | None:
        return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at

    @field_validator("language", mode="before")
    @classmethod
    def _without_region(cls, raw: object) -> object:
        return KINDS["message.language"].read(raw) if isinstance(raw, str) else raw


CLASSIFIED = ("sentiment", "urgency", "negotiation", "should_create_task", "intent", "language")


def situation_of(row: Mapping[str, Any], at: datetime) -> Situation:
    """A row of sql/rules.sql as conditions ask it, at that moment."""
    read = row["classification"] or {}
    return Situation(
        text=row["text"],
        channel=row["channel"],
        attachments=tuple(row["attachments"]),
        at=at,
        timezone=row["timezone"],
        contact=Contact(
            name=row["contact_name"],
            handle=row["contact_handle"],
            vip=row["vip"],
            negotiation_mode=row["negotiation_mode"],
            first_conversation=row["first_conversation"],
        ),
        conversation=Conversation(status=row["status"], tags=tuple(row["tags"]), unread_count=row["unread_count"]),
        **{name: read[name] for name in CLASSIFIED if name in read},
    )


def fill(given: SituationInput, classified: Classified, now: datetime, timezone: str) -> Situation:
    """The whole situation: what was given, else what was classified, else the default; `now` is aware."""
    values = {name: getattr(classified, name) for name in CLASSIFIED}
    said = given.model_dump(exclude_none=True)
    return Situation.model_validate({"at": now, "timezone": timezone, **values, **said})
