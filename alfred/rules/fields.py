"""What a condition can ask about: each field with its operators and its values, brought to one form."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from alfred.terms import (
    LONGEST_TAG,
    AttachmentType,
    ChannelType,
    ConversationStatus,
    Language,
    NegotiationMode,
    Sentiment,
    Urgency,
)

FieldName = Literal[
    "message.text", "message.sentiment", "message.urgency", "message.negotiation",
    "message.should_create_task", "message.intent", "message.language", "message.attachments", "channel.type",
    "contact.vip", "contact.name", "contact.handle", "contact.negotiation_mode", "contact.first_conversation",
    "conversation.status",
    "conversation.tags", "conversation.unread_count", "time.hour", "time.weekday",
]  # fmt: skip
Op = Literal[
    "eq", "ne", "in", "contains", "contains_any", "contains_all", "gt", "gte", "lt", "lte", "between",
]  # fmt: skip
Scalar = bool | int | str

MAX_TEXT = 1_000
MAX_LIST = 100
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LIST_OPS = frozenset({"in", "contains_any", "contains_all"})


class Value(BaseModel):
    """A value: equal by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, defer_build=True)


@dataclass(frozen=True)
class Kind:
    """A field's operators and the reader of one value; `levels` orders words, `wraps` goes round."""

    ops: frozenset[str]
    read: Callable[[object], Scalar]
    wraps: bool = False
    levels: tuple[str, ...] = ()


def refuse(code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError("invalid_" + code, "{reason}", {"reason": message})


def plain_text(raw: object, most: int) -> str:
    """A text that can be stored and found: not blank, no NUL, no lone surrogate."""
    if not isinstance(raw, str) or not raw.strip():
        raise refuse("value", "must be a text that is not empty")
    if len(raw) > most:
        raise refuse("value", f"must have at most {most:,} characters")
    if "\0" in raw or any("\ud800" <= char <= "\udfff" for char in raw):
        raise refuse("value", "must not hold NUL characters or lone surrogates")
    return raw


def _flag(raw: object) -> bool:
    known = {"true": True, "false": False}
    word = raw.strip().lower() if isinstance(raw, str) else None
    if isinstance(raw, bool):
        return raw
    if word not in known:
        raise refuse("value", "must be true or false")
    return known[word]


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(raw: object) -> int:
        if isinstance(raw, str) and len(raw) < 12 and raw.strip().isdecimal():
            raw = int(raw)
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if not isinstance(raw, int) or isinstance(raw, bool) or not low <= raw <= high:
            raise refuse("value", f"must be a whole number from {low} to {high}")
        return raw

    return read


def _weekday(raw: object) -> int:
    names = {name[:size]: day for day, name in enumerate(WEEKDAYS, 1) for size in (3, len(name))}
    if isinstance(raw, str) and raw.strip().lower() in names:
        return names[raw.strip().lower()]
    try:
        return _whole(1, 7)(raw)
    except PydanticCustomError:
        raise refuse("value", "must be 1 (Monday) to 7 (Sunday), or a day's English name") from None


def _one_of(literal: object) -> Callable[[object], str]:
    allowed = get_args(literal)

    def read(raw: object) -> str:
        word = raw.strip().lower() if isinstance(raw, str) else ""
        if literal is Language:
            word = word.replace("_", "-").partition("-")[0]
        if word not in allowed:
            raise refuse("value", f"must be one of {', '.join(allowed)}")
        return word

    return read


def _text(raw: object) -> str:
    return plain_text(raw, MAX_TEXT)


def _tag(raw: object) -> str:
    return plain_text(raw, LONGEST_TAG)


_EQUALITY = frozenset({"eq", "ne"})
_CHOICE = _EQUALITY | {"in"}
_CONTAINS = frozenset({"contains", "contains_any", "contains_all"})
_ORDER = frozenset({"gt", "gte", "lt", "lte"})
_TEXT = Kind(_CHOICE | _CONTAINS, _text)
_NUMBER = _CHOICE | _ORDER | {"between"}
_FLAG = Kind(_EQUALITY, _flag)

KINDS: dict[FieldName, Kind] = {
    "message.text": _TEXT,
    "message.sentiment": Kind(_CHOICE, _one_of(Sentiment)),
    "message.urgency": Kind(_CHOICE | _ORDER, _one_of(Urgency), levels=get_args(Urgency)),
    "message.negotiation": _FLAG,
    "message.should_create_task": _FLAG,
    "message.intent": Kind(_CHOICE, _text),
    "message.language": Kind(_CHOICE, _one_of(Language)),
    "message.attachments": Kind(_CONTAINS, _one_of(AttachmentType)),
    "channel.type": Kind(_CHOICE, _one_of(ChannelType)),
    "contact.vip": _FLAG,
    "contact.name": _TEXT,
    "contact.handle": _TEXT,
    "contact.negotiation_mode": Kind(_CHOICE, _one_of(NegotiationMode)),
    "contact.first_conversation": _FLAG,
    "conversation.status": Kind(_CHOICE, _one_of(ConversationStatus)),
    "conversation.tags": Kind(_CONTAINS, _tag),
    "conversation.unread_count": Kind(_NUMBER, _whole(0, 1_000_000)),
    "time.hour": Kind(_NUMBER, _whole(0, 23), wraps=True),
    "time.weekday": Kind(_NUMBER, _weekday, wraps=True),
}


def check_op(field: FieldName, op: Op) -> Op:
    if op not in KINDS[field].ops:
        possible = ", ".join(each for each in get_args(Op) if each in KINDS[field].ops)
        raise refuse("op", f"{field} cannot be asked with {op}; it takes {possible}")
    return op


def read_value(field: FieldName, op: Op, raw: object) -> Scalar | tuple[Scalar, ...]:
    """The value in its one stored form: days as 1 to 7, "true" as true, lists as tuples."""
    kind = KINDS[field]
    if op == "between":
        return _range(kind, raw)
    if op not in _LIST_OPS:
        return kind.read(raw)
    if not isinstance(raw, list | tuple) or not 1 <= len(raw) <= MAX_LIST:
        raise refuse("value", f"{op} takes a list of 1 to {MAX_LIST} values")
    return tuple(kind.read(each) for each in raw)


def _range(kind: Kind, raw: object) -> tuple[Scalar, ...]:
    if not isinstance(raw, list | tuple) or len(raw) != 2:
        raise refuse("value", "between takes [low, high], both included")
    low, high = (kind.read(each) for each in raw)
    if not kind.wraps and int(low) > int(high):
        raise refuse("value", "between takes [low, high] with low not above high")
    return low, high
