"""What an answer to a webhook means: taken, failed, to be paused for, or gone. Pure."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from alfred.http_calls import Answer, NoAnswer

MOST_RESPONSE_BYTES = 1024
MOST_PAUSE_SECONDS = 86_400.0
_GONE = 410
_PAUSING = frozenset({429, 502, 503, 504})

Code = Literal["status", "redirect", "timeout", "connect", "tls", "private_address", "too_large", "secret", "expired"]
DETAILS: dict[Code, str] = {
    "status": "The URL answered with a status that is no success.",
    "redirect": "The URL redirects, and nothing is followed; change the subscription's URL to where it leads.",
    "timeout": "The URL did not answer in time.",
    "connect": "The URL's host could not be reached.",
    "tls": "The certificate of the URL's host is not valid.",
    "private_address": "The URL leads to a private address that ALFRED_PRIVATE_TARGETS does not allow.",
    "too_large": "The answer is too large.",
    "secret": "The secret cannot be decrypted with ALFRED_SECRET_KEY; rotate the subscription's secret.",
    "expired": "It waited too long, or too many waited after it.",
}
_REASONS: dict[str, Code] = {
    "refused": "connect",
    "unresolved": "connect",
    "broken": "connect",
    "invalid_url": "connect",
    "timeout": "timeout",
    "insecure": "tls",
    "private_address": "private_address",
    "insecure_url": "private_address",
}


@dataclass(frozen=True)
class Outcome:
    """What came of one call; `retry_after` in seconds, where the answer says so."""

    delivered: bool
    status: int | None = None
    code: Code | None = None
    response: str | None = None
    gone: bool = False
    pause: bool = False
    retry_after: float | None = None

    @property
    def error(self) -> dict[str, str] | None:
        """As it is shown."""
        return None if self.code is None else {"code": self.code, "detail": DETAILS[self.code]}


def outcome_of(answer: Answer | NoAnswer, now: datetime) -> Outcome:
    """Judge an answer."""
    if isinstance(answer, NoAnswer):
        return Outcome(False, code=_REASONS.get(answer.reason, "connect"))
    response = answer.body[:MOST_RESPONSE_BYTES].decode("utf-8", "replace").replace("\x00", "�")
    if 200 <= answer.status < 300:
        return Outcome(True, answer.status, response=response)
    if 300 <= answer.status < 400:
        return Outcome(False, answer.status, "redirect", response)
    pause = answer.status in _PAUSING
    wait = seconds_of(answer.headers.get("retry-after"), now) if pause else None
    return Outcome(False, answer.status, "status", response, answer.status == _GONE, pause, wait)


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """A Retry-After in seconds, at most a day; None where there is none that can be read."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MOST_PAUSE_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=now.tzinfo)
    return min(max((at - now).total_seconds(), 0.0), MOST_PAUSE_SECONDS)
