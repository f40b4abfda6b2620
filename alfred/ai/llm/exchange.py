"""What is asked of a model and what comes back, whichever protocol carries it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from alfred.http_calls import Answer, NoAnswer
from alfred.terms import FallbackReason, ModelProtocol

# How the shape of the answer is asked for: by a schema, as any JSON object, or in words only.
Rung = Literal["schema", "object", "prompt"]
_SHAPED = (b"response_format", b"json_schema", b"json_object", b"tool_choice", b"tool use", b"support tools")
_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_AUTH, _OVERLOADED = frozenset((401, 402, 403, 404)), frozenset((408, 425, 500, 502, 503, 504, 529))


@dataclass(frozen=True)
class Account:
    """Where a model is; `trusted` is the operator's own, which the address rules do not bind."""

    protocol: ModelProtocol
    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    trusted: bool = False


@dataclass(frozen=True)
class Prompt:
    """One question: fixed instructions, data in JSON, and the JSON schema of the answer."""

    system: str
    user: str = field(repr=False)
    schema: Mapping[str, Any] = field(repr=False)
    most_tokens: int = 300
    since: float | None = None  # when whoever waits began to, monotonic: the deadline counts from there


@dataclass(frozen=True)
class Said:
    """What a model said, and the tokens and the money that it told."""

    text: str = field(repr=False)
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None


class Failed(Exception):
    """No usable answer; `again` tells that another attempt may help, `after` in how many seconds.

    `lower` tells that the server does not take the way in which the shape was asked for.
    """

    def __init__(self, reason: FallbackReason, *, again: bool = False, after: float = 0.0, lower: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.again, self.after, self.lower = reason, again, after, lower


def content_of(answer: Answer | NoAnswer, rung: Rung) -> dict[str, Any]:
    """The JSON object of a good answer.

    Raises:
        Failed: there is none.
    """
    if isinstance(answer, NoAnswer):
        if answer.reason in {"private_address", "insecure_url", "invalid_url"}:
            raise Failed("auth")
        # A server that was not reached may be tried again; one that fell silent has had its time.
        raise Failed("timeout", again=answer.reason != "timeout" and answer.when == "before")
    if answer.status == 429:
        raise Failed("rate_limited", again=True, after=_retry_after(answer))
    if rung != "prompt" and (answer.status in {400, 422} or (answer.status >= 400 and _names_the_shape(answer))):
        raise Failed("invalid_output", lower=True)
    if answer.status in _AUTH:
        raise Failed("auth")
    if answer.status in _OVERLOADED:
        raise Failed("timeout", again=True, after=_retry_after(answer))
    content = answer.object() if answer.status == 200 else None
    if content is None:
        raise Failed("invalid_output")
    return content


def _names_the_shape(answer: Answer) -> bool:
    """Whether an error is about how the shape was asked for: some servers tell it as 404, 500 or 501."""
    return any(name in answer.body for name in _SHAPED)


def count(value: Any) -> int | None:
    """A number of tokens, where it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else None


def money(value: Any) -> Decimal | None:
    """A cost in dollars, where a server tells it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    return Decimal(str(value)).quantize(Decimal("0.000001"))


def _retry_after(answer: Answer) -> float:
    """Seconds, as they are told or until the moment that is told."""
    told = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(told):
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return 0.0
    return max((moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
