"""What came of one call, and the part of judging that all providers share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from alfred.http_calls import Answer, NoAnswer
from alfred.senders.errors import Error, ErrorCode

LONGEST_RETRY_AFTER = 3600.0

Kind = Literal["ok", "permanent", "transient", "rate_limited", "auth", "window_closed", "unknown_outcome"]
Limit = Literal["pair", "channel"]
Judge = Callable[[int, dict[str, Any]], "Outcome | None"]


@dataclass(frozen=True)
class Outcome:
    """`retry_after` is seconds; `limit` tells whom a rate limit concerns; `handle` is how the messenger calls `to`."""

    kind: Kind
    external_id: str | None = None
    error: Error | None = None
    limit: Limit | None = None
    retry_after: float | None = None
    handle: str | None = None
    without_reply: bool = False  # the same once more, without the message that it answers


def ok(external_id: str | None, handle: str | None = None) -> Outcome:
    """The provider accepted it."""
    return Outcome("ok", external_id=external_id, handle=handle)


def unknown() -> Outcome:
    """The request may have arrived; nothing valid says what became of it."""
    return Outcome("unknown_outcome", error=Error.of("outcome_unknown"))


def of(code: ErrorCode, provider_code: object = None, words: object = None, **more: Any) -> Outcome:
    """The outcome that a neutral code means."""
    error = Error.of(code, provider_code, words=words)
    match code:
        case "window_closed":
            return Outcome("window_closed", error=error, **more)
        case "auth_failed":
            return Outcome("auth", error=error, **more)
        case "rate_limited":
            return Outcome("rate_limited", error=error, **({"limit": "channel"} | more))
        case "channel_down" | "network_error":
            return Outcome("transient", error=error, **more)
        case "outcome_unknown":
            return Outcome("unknown_outcome", error=error, **more)
        case _:
            return Outcome("permanent", error=error, **more)


def transient(provider_code: object = None, words: object = None) -> Outcome:
    """The provider's own trouble, which passes."""
    return Outcome("transient", error=Error.of("provider_error", provider_code, words=words))


def refused(provider_code: object = None, words: object = None) -> Outcome:
    """An error that no table knows, and that a repetition would meet again."""
    return Outcome("permanent", error=Error.of("provider_error", provider_code, words=words, retryable=False))


def judged(answer: Answer | NoAnswer, id_of: Callable[[dict[str, Any]], str | None], judge: Judge) -> Outcome:
    """The outcome of a POST: `id_of` finds the message's id in a success, `judge` knows the provider's errors.

    Only a complete JSON object counts as an answer; what `judge` leaves open is unknown.
    """
    if isinstance(answer, NoAnswer):
        return of_silence(answer)
    if 300 <= answer.status < 400:
        return refused(answer.status, "the address answers with a redirect")
    body = answer.object()
    if 200 <= answer.status < 300:
        external_id = id_of(body) if body is not None else None
        if external_id is not None:
            return ok(external_id)
        outcome = judge(answer.status, body) if body is not None else None
        return outcome or unknown()
    if answer.status == 429:
        found = (judge(answer.status, body) if body is not None else None) or of("rate_limited", 429)
        return waiting(found, answer.headers)
    outcome = judge(answer.status, body) if body is not None else None
    if outcome is None and answer.status == 401:
        outcome = of("auth_failed", 401)
    return waiting(outcome, answer.headers) if outcome else unknown()


def of_silence(silence: NoAnswer) -> Outcome:
    """What no answer means: before the first byte nothing can have happened, after it anything may."""
    if silence.reason in {"private_address", "insecure_url"}:
        return of("private_address")
    if silence.when == "before":
        return of("network_error")
    return unknown()


def waiting(outcome: Outcome, headers: Mapping[str, str]) -> Outcome:
    """A rate limit with the time that the answer's header asks for."""
    if outcome.kind != "rate_limited" or outcome.retry_after is not None:
        return outcome
    return replace(outcome, retry_after=retry_after(headers.get("retry-after"), datetime.now(UTC)))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that the header asks for (a number or a date), at most an hour; None where it says nothing."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def text_in(value: object) -> str | None:
    """A non-empty text; a whole number is one too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def object_in(value: object) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}
