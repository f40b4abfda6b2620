"""What an assistant can do for a seller, whoever provides it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from alfred.terms import Language, NegotiationMode, Sentiment, Tone, Urgency


class NoBasePrice(Exception):
    """No price is known, so none can be suggested."""


class Value(BaseModel):
    """A value: equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(slots=True)
class Signal:
    """Why a label was given: the rule, and the characters `span[0]:span[1]` of the text that it saw."""

    # A plain class: a long message has 25 of them, and a model takes five times as long to make.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    label: str
    rule: str
    span: tuple[int, int]


class Classification(Value):
    """How one message reads; `sentiment_score` is -1 to 1, `confidence` 0 to 1."""

    sentiment: Sentiment
    sentiment_score: float
    urgency: Urgency
    negotiation: bool
    should_create_task: bool
    intent: str
    language: Language | None
    confidence: float
    provider: str
    signals: tuple[Signal, ...] = ()

    def without_signals(self) -> dict[str, Any]:
        """As a message keeps and shows it: JSON already."""
        return {name: getattr(self, name) for name in _SHOWN}


_SHOWN = tuple(name for name in Classification.model_fields if name != "signals")


class Turn(Value):
    """The customer's last turn: every message since the seller's last, oldest first.

    `language` is asked for outright; else the texts' own counts, the conversation's, the user's.
    """

    texts: tuple[str, ...] = ()
    language: Language | None = None
    conversation_language: Language | None = None
    user_language: Language | None = None
    contact_name: str | None = None
    seed: str = ""


class ReplyRequest(Turn):
    """What a reply may build on; `facts` (price, offer, address, hours, ...) is all that it may claim."""

    tone: Tone = "neutral"
    facts: dict[str, str] = Field(default_factory=dict)
    negotiation_enabled: bool = False
    negotiation_mode: NegotiationMode = "off"


class PriceRequest(Turn):
    """What a price may build on; `custom_price` is this contact's own and goes before `base_price`."""

    base_price: Decimal | None = Field(default=None, ge=0)
    custom_price: Decimal | None = Field(default=None, ge=0)
    currency: str = "BRL"
    floor: Decimal | None = Field(default=None, ge=0)  # no suggestion is lower
    vip: bool = False
    negotiation_enabled: bool = False
    negotiation_mode: NegotiationMode = "off"


class FollowUpRequest(Turn):
    """What a follow-up may build on; `timezone` is the user's, an IANA name."""

    now: AwareDatetime
    timezone: str = "UTC"


class ReplySuggestion(Value):
    """A reply to send or to change; a missing fact stands in it as `{{its name}}`."""

    reply: str
    tone: Tone
    language: Language
    rationale: str
    provider: str


class PriceSuggestion(Value):
    """A price for one unit: never under `minimum`, never over `maximum`."""

    minimum: Decimal
    suggested: Decimal
    maximum: Decimal
    currency: str
    rationale: str
    provider: str


class FollowUpSuggestion(Value):
    """When to come back to a customer (in UTC), a task's title, and what to write."""

    due_date: datetime
    title: str
    message: str
    rationale: str
    provider: str


class AIProvider(Protocol):
    """Reads messages and suggests answers; one instance serves the whole process."""

    name: str

    async def classify(self, text: str, *, language: Language | None = None) -> Classification:
        """Read one message, alone; never raises on any text."""
        ...

    async def suggest_reply(self, request: ReplyRequest) -> ReplySuggestion:
        """Answer the customer's last turn, with nothing but the facts at hand."""
        ...

    async def suggest_price(self, request: PriceRequest) -> PriceSuggestion:
        """Price one unit; raises `NoBasePrice` where no price is known."""
        ...

    async def suggest_follow_up(self, request: FollowUpRequest) -> FollowUpSuggestion:
        """Say when to come back and with what; never in the past."""
        ...
