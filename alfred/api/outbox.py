"""What waits to go out: hand it to somebody else, take their word for it, change, cancel or retry it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from alfred.api.conversations import refuse_past
from alfred.api.message_models import ClaimedMessage, ClaimedMessages, Message, message_of, shown
from alfred.api.new_message import Body, ExternalId
from alfred.crm import outbox
from alfred.crm.outbox import Report
from alfred.crm.outbox.changing import Changes
from alfred.crm.outbox.claiming import Wish
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Moment
from alfred.http.problems import Fault, Problem, bad_reference, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error

routes = Routes("Messages")

FARTHEST = timedelta(days=366)


class MessageChange(Input):
    """What is left out stays as it is."""

    body: IfGiven[Annotated[Body, StringConstraints(min_length=1)]] = None
    scheduled_at: IfGiven[Moment] = None
    cancel_on_reply: IfGiven[bool] = None


class MessageClaim(Input):
    most: int = Field(20, ge=1, le=50, description="How many messages at most.")
    lease_seconds: int = Field(120, ge=30, le=900, description="How long nobody else gets them.")
    channel_id: UUID | None = None
    on_unknown: Literal["hold", "retry"] = Field(
        "hold",
        description="What happens when the lease ends without an outcome: the message is held for a person to look at, "
        "or handed out again, three times in all.",
    )


class ReportedError(Input):
    code: Annotated[str, StringConstraints(max_length=100)] | None = Field(None, examples=["131026"])
    detail: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class MessageOutcome(Input):
    status: Literal["sent", "failed"]
    external_id: ExternalId | None = Field(None, description="The provider's id: delivery statuses refer to it.")
    error: ReportedError | None = None


class MessageRetry(Input):
    risk_duplicate: bool = Field(False, description="Try again although the message may have arrived.")


@routes.on("POST", "/messages/claim")
async def claim_messages(db: Db, caller: Caller, services: Services, body: MessageClaim) -> ClaimedMessages:
    """Claim queued messages to send them by other means.

    Only messages of channels without a connection, oldest first and one of a conversation at a time. Report each
    with its outcome before the lease ends.
    """
    wish = Wish(body.most, body.lease_seconds, services.settings.delivery_max_age, body.channel_id, body.on_unknown)
    leases = {row["id"]: row for row in await outbox.claim(db, caller.user_id, wish)}
    if body.channel_id is not None and not leases:
        await _channel_of(db, caller, body.channel_id)
    rows = {row["id"]: row for row in await sql.messages.several.all(db, user_id=caller.user_id, ids=list(leases))}
    order = sorted(leases, key=lambda message_id: (leases[message_id]["queued_at"], message_id))
    return ClaimedMessages(items=[_claimed(rows[message_id], leases[message_id]) for message_id in order])


@routes.on("PATCH", "/messages/{message_id}", errors=(404, 409))
async def update_message(db: Db, caller: Caller, services: Services, message_id: UUID, body: MessageChange) -> Message:
    """Update a scheduled message."""
    if body.scheduled_at is not None:
        refuse_moment(body.scheduled_at, services.clock())
    return await _answered(lambda: outbox.change(db, caller.user_id, message_id, Changes(**body.given())))


@routes.on("POST", "/messages/{message_id}/outcome", errors=(404, 409))
async def report_message_outcome(db: Db, caller: Caller, message_id: UUID, body: MessageOutcome) -> Message:
    """Report what became of a claimed message.

    The same report again changes nothing.
    """
    error = _error_of(body.error) if body.status == "failed" else None
    told = Report(body.status, body.external_id, error)
    return await _answered(lambda: outbox.report(db, caller.user_id, message_id, told))


@routes.on("POST", "/messages/{message_id}/cancel", errors=(404, 409))
async def cancel_message(db: Db, caller: Caller, message_id: UUID) -> Message:
    """Cancel a message that has not gone out."""
    return await _answered(lambda: outbox.cancel(db, caller.user_id, message_id))


@routes.on("POST", "/messages/{message_id}/retry", status=202, errors=(404, 409))
async def retry_message(db: Db, caller: Caller, services: Services, message_id: UUID, body: MessageRetry) -> Message:
    """Retry a failed message.

    Parts that have gone out are not sent again.
    """
    age, risk = services.settings.delivery_max_age, body.risk_duplicate
    return await _answered(lambda: outbox.retry(db, caller.user_id, message_id, max_age=age, risk_duplicate=risk))


async def _channel_of(db: Db, caller: Caller, channel_id: UUID) -> None:
    if await sql.channels.get.one(db, user_id=caller.user_id, channel_id=channel_id) is None:
        raise bad_reference("/channel_id", "channel")


def _claimed(row: Row, lease: Row) -> ClaimedMessage:
    return ClaimedMessage(**shown(row), lease_until=lease["lease_until"], attempts=lease["attempts"])


def _error_of(told: ReportedError | None) -> Error:
    """Words of whoever sent it; a code of ours is taken as it is, another is the provider's."""
    if told is None:
        return Error.of("provider_error", retryable=False)
    try:
        return Error.of(told.code or "provider_error").model_copy(update={"detail": told.detail})  # type: ignore[arg-type]
    except KeyError:
        known = Error.of("provider_error", told.code, retryable=False)
        return known.model_copy(update={"detail": told.detail})


def refuse_moment(moment: datetime, now: datetime) -> None:
    """A message waits for a moment to come, and for a year at most."""
    refuse_past(moment, now, "/scheduled_at")
    if moment > now.astimezone(UTC) + FARTHEST:
        raise invalid([Fault("/scheduled_at", "This is too far away; choose a moment within a year.", "not_in_future")])


async def _answered(verb: Callable[[], Awaitable[Row]]) -> Message:
    """The message after a verb, or what kept it from happening."""
    try:
        return message_of(await verb())
    except outbox.NoSuchMessage:
        raise not_found("message") from None
    except _REFUSED as error:
        raise refused(error) from None


_CONFLICTS: dict[type[Exception], tuple[str, str]] = {
    outbox.NotScheduled: ("not_scheduled", "Only a scheduled message can be changed."),
    outbox.NotCancellable: ("not_cancellable", "This message is under way or has gone out, so it cannot be cancelled."),
    outbox.NotQueued: ("not_queued", "This message has another outcome already, or Alfred delivers it itself."),
    outbox.NotRetryable: ("not_retryable", "This message has not failed, so there is nothing to try again."),
    outbox.NotConnected: (
        "not_connected",
        "Connect the channel first, or claim the message to send it by other means.",
    ),
    outbox.OutcomeUnknown: (
        "outcome_unknown",
        "This message may have arrived. Check that first, then try again and accept that it may arrive twice.",
    ),
}
_REFUSED: tuple[type[Exception], ...] = (*_CONFLICTS, outbox.CannotCarry, outbox.PolicyRefuses)
_REFUSALS = {
    "window_closed": "The time in which this customer may be answered freely is over.",
    "channel_inactive": "This channel is switched off; switch it on to send.",
    "recipient_opted_out": "This customer does not want automatic messages.",
}


def refused(error: Exception) -> Problem:
    """Why a message may not be sent, changed or tried again."""
    if isinstance(error, outbox.CannotCarry):
        return invalid([Fault(each.pointer, each.message, each.code) for each in error.complaints])
    if isinstance(error, outbox.PolicyRefuses):
        told = {"send_policy": error.policy.model_dump(mode="json"), "remedy": error.policy.remedy}
        return Problem(409, error.code, _REFUSALS[error.code], extra=told)
    code, detail = _CONFLICTS[type(error)]
    return Problem(409, code, detail)
