"""Reads a model's answer as the JSON that was asked for, also where it is wrapped in words or a fence."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationError

from alfred.ai.llm.exchange import Failed
from alfred.terms import Intent, Language, Sentiment, Urgency

M = TypeVar("M", bound=BaseModel)
LONGEST_READ = 20_000
MOST_TRIES = 20  # braces at which an object may begin


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class _Told(BaseModel):
    """What a model told; it may tell more than was asked."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Wording(_Told):
    """A text for the customer, and the facts that it rests on by their short names."""

    text: StrictStr = Field(min_length=1, max_length=4000)
    language: Annotated[Language, BeforeValidator(_lower)]
    used: tuple[StrictStr, ...] = Field((), max_length=50)


class Refinement(_Told):
    """How a message reads."""

    sentiment: Annotated[Sentiment, BeforeValidator(_lower)]
    sentiment_score: float = Field(ge=-1, le=1)
    urgency: Annotated[Urgency, BeforeValidator(_lower)]
    negotiation: bool
    should_create_task: bool
    intent: Annotated[Intent, BeforeValidator(_lower)]
    confidence: float = Field(ge=0, le=1)


def read_as(model: type[M], text: str) -> M:
    """The first JSON object of the text that has the shape.

    Raises:
        Failed: there is none; another attempt may bring it.
    """
    text, at, decoder = text[:LONGEST_READ], -1, json.JSONDecoder()
    for _ in range(MOST_TRIES):
        at = text.find("{", at + 1)
        if at < 0:
            break
        try:
            found, _end = decoder.raw_decode(text, at)
            return model.model_validate(found)
        except (ValueError, RecursionError, ValidationError):
            continue
    raise Failed("invalid_output", again=True)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema in the small dialect that servers enforce: closed objects, everything required, no bounds."""
    schema = model.model_json_schema()
    properties = {name: _plain(schema["properties"][name]) for name in schema["properties"]}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _plain(field: dict[str, Any]) -> dict[str, Any]:
    kept = {name: field[name] for name in ("type", "enum") if name in field}
    return kept | ({"items": _plain(field["items"])} if "items" in field else {})
