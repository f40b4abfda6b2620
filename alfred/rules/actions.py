"""What a rule or a flow can do, as the API shows it."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from alfred.rules.fields import Value, plain_text, refuse
from alfred.terms import LONGEST_NAME, LONGEST_OUTBOUND_BODY, LONGEST_TAG, ConversationStatus, Priority

MAX_DELAY = timedelta(days=366)

_NUMBER = r"(\d{1,9}(?:[.,]\d{1,6})?)"
_DURATION = re.compile(
    rf"P(?=.)(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_SECONDS = (365 * 86_400, 30 * 86_400, 7 * 86_400, 86_400, 3_600, 60, 1)


def delay(duration: str) -> timedelta:
    """How long an ISO 8601 duration is; a month counts 30 days, a year 365. ValueError when it is none."""
    found = _DURATION.fullmatch(duration)
    if found is None:
        raise ValueError("is not an ISO 8601 duration such as PT2H or P1D")
    counts = (float((each or "0").replace(",", ".")) for each in found.groups())
    return timedelta(seconds=sum(count * unit for count, unit in zip(counts, _SECONDS, strict=True)))


def _bounded_delay(duration: str) -> str:
    try:
        length = delay(duration)
    except (ValueError, OverflowError) as error:
        raise refuse("duration", "must be an ISO 8601 duration such as PT2H or P1D") from error
    if length > MAX_DELAY:
        raise refuse("duration", f"must be at most {MAX_DELAY.days} days")
    return duration


def _storable(text: str) -> str:
    return plain_text(text, LONGEST_OUTBOUND_BODY)


Title = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_storable)]
Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG), AfterValidator(_storable)]
Body = Annotated[str, Field(min_length=1, max_length=LONGEST_OUTBOUND_BODY), AfterValidator(_storable)]
Duration = Annotated[str, Field(max_length=50), AfterValidator(_bounded_delay)]


def optional() -> Any:
    """A field that is not shown when it is not set, whoever dumps it: stored rules come back as written."""
    return Field(default=None, exclude_if=lambda value: value is None)


class Notify(Value):
    """Tells the user; every match is told anyway, so this gives the notification its title."""

    action: Literal["notify"]
    title: Title | None = optional()


class CreateTask(Value):
    """Makes a task about the conversation, due `due_in` after the match."""

    action: Literal["create_task"]
    title: Title
    priority: Priority | None = optional()
    due_in: Duration | None = optional()


class AddTag(Value):
    """Tags the conversation."""

    action: Literal["add_tag"]
    tag: Tag


class SetStatus(Value):
    """Moves the conversation."""

    action: Literal["set_status"]
    status: ConversationStatus


class SendReply(Value):
    """Answers the customer in the conversation."""

    action: Literal["send_reply"]
    body: Body


Action = Annotated[
    Notify | CreateTask | AddTag | SetStatus | SendReply,
    Field(discriminator="action"),
]
