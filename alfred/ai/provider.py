"""What an assistant can do for a seller, whoever provides it."""

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

Sentiment = Literal["positive", "neutral", "negative"]
Urgency = Literal["low", "medium", "high"]
Language = Literal["pt", "en", "es"]


class Value(BaseModel):
    """A value: equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Signal(Value):
    """Why a label was given: the rule, and the characters `span[0]:span[1]` of the text that it saw."""

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


class AIProvider(Protocol):
    """Reads messages; one instance serves the whole process."""

    name: str

    async def classify(self, text: str, *, language: Language | None = None) -> Classification:
        """Read one message, alone; never raises on any text."""
        ...
