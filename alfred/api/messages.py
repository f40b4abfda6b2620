"""Messages: write them now or later, hand them out, tell what became of them."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints

from alfred.api.conversation_pages import messages_around, newer_messages
from alfred.api.message_models import (
    Accepted,
    Body,
    ClaimedMessage,
    ClaimedMessages,
    ExternalId,
    Message,
    NewMessage,
    PartDeliveries,
    PartDelivery,
    message_of,
    shown,
)
from alfred.crm import outbox
from alfred.crm.deliveries import show_typing
from alfred.crm.outbox import Draft, Report
from alfred.crm.outbox.changing import Changes
from alfred.crm.outbox.claiming import Wish
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import Input, Listing, Moment, Page
from alfred.http.pages import after, newest_first, page
from alfred.http.problems import Fault, Problem, bad_reference, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error
from alfred.terms import Direction, MessageAuthor, MessageStatus

routes = Routes("Messages")

FARTHEST = timedelta(days=366)


class MessageFilter(Listing):
    status: MessageStatus | None = None
    channel_id: UUID | None = None
    conversation_id: UUID | None = None
    direction: Direction | None = None


class MessageQuery(Listing):
    around: UUID | None = Field(None, description="The id of a message: half a page on both sides of it.")
    after: UUID | None = Field(None, description="The id of a message: the newer ones, oldest first.")


class MessageChange(Input):
    """What is left out stays as it is."""

    body: Annotated[Body, StringConstraints(min_length=1)] | None = None
    scheduled_at: Moment | None = None
    cancel_on_reply: bool | None = None


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


@routes.on("GET", "/messages")
async def list_all_messages(db: Db, caller: Caller, request: web.Request, query: MessageFilter) -> Page[Message]:
    """List messages of all conversations, newest first.

    Filters combine. `status=failed` and `status=scheduled` show what needs a look.
    """
    (before,) = after("messages", query, UUID)
    given = query.model_dump(exclude={"limit", "cursor"})
    rows = await sql.messages.list.all(db, user_id=caller.user_id, before=before, limit=query.limit + 1, **given)
    return page(request, "messages", query, rows, lambda row: (str(row["id"]),)).of(message_of)


@routes.on("POST", "/messages/claim")
async def claim_messages(db: Db, caller: Caller, services: Services, body: MessageClaim) -> ClaimedMessages:
    """Claim queued messages to send them by other means.

    Only messages of channels without a connection, oldest first and one of a conversation at a time. Report each
    with its outcome before the lease ends.
    """
    wish = Wish(body.most, body.lease_seconds, services.settings.delivery_max_age, body.channel_id, body.on_unknown)
    leases = {row["id"]: row for row in await outbox.claim(db, caller.user_id, wish)}
    rows = {row["id"]: row for row in await sql.messages.several.all(db, user_id=caller.user_id, ids=list(leases))}
    order = sorted(leases, key=lambda message_id: (leases[message_id]["queued_at"], message_id))
    return ClaimedMessages(items=[_claimed(rows[message_id], leases[message_id]) for message_id in order])


@routes.on("GET", "/messages/{message_id}", errors=(404,))
async def get_message(db: Db, caller: Caller, message_id: UUID) -> Message:
    """Get a message."""
    row = await sql.messages.get.one(db, user_id=caller.user_id, message_id=message_id)
    if row is None:
        raise not_found("message")
    return message_of(row)


@routes.on("GET", "/messages/{message_id}/deliveries", errors=(404,))
async def list_message_deliveries(db: Db, caller: Caller, message_id: UUID) -> PartDeliveries:
    """List the deliveries of a message, one for each part that goes over the wire."""
    about = {"user_id": caller.user_id, "message_id": message_id}
    if await sql.messages.get.one(db, **about) is None:
        raise not_found("message")
    rows = await sql.deliveries.of_message.all(db, **about)
    return PartDeliveries(items=[PartDelivery.read(row) for row in rows])


@routes.on("PATCH", "/messages/{message_id}", errors=(404, 409))
async def update_message(db: Db, caller: Caller, services: Services, message_id: UUID, body: MessageChange) -> Message:
    """Update a scheduled message."""
    if body.scheduled_at is not None:
        _refuse_moment(body.scheduled_at, services.clock())
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


@routes.on("GET", "/conversations/{conversation_id}/messages", errors=(404,))
async def list_messages(
    db: Db, caller: Caller, request: web.Request, conversation_id: UUID, query: MessageQuery
) -> Page[Message]:
    """List a conversation's messages, newest first.

    Ordered by the sender's time. `around` shows half a page on both sides of a message, and the cursor goes on with
    older ones. `after` lists the messages that are newer than one, oldest first.
    """
    about = {"user_id": caller.user_id, "conversation_id": conversation_id}
    if query.around and query.after:
        raise invalid([Fault("after", "Give either this or `around`.", "not_both")])
    if query.after:
        return (await newer_messages(db, request, query, about, query.after)).of(message_of)
    if query.around and not query.cursor:
        return (await messages_around(db, request, query, about, query.around)).of(message_of)
    found = await newest_first(db, request, query, sql.messages.page, "sent_at", **about)
    if not found.items and not await sql.conversations.get.one(db, **about):
        raise not_found("conversation")
    return found.of(message_of)


@routes.on("POST", "/conversations/{conversation_id}/typing", status=202, repeatable=False, errors=(404,))
async def show_typing_in_conversation(db: Db, caller: Caller, services: Services, conversation_id: UUID) -> Accepted:
    """Show the customer that somebody is typing.

    Does nothing where the messenger cannot show it.
    """
    if not await show_typing(db, caller.user_id, conversation_id):
        raise not_found("conversation")
    services.deliveries.expect()
    return Accepted()


@routes.on("POST", "/conversations/{conversation_id}/messages", status=201, also=(200,), errors=(404, 409))
async def send_message(
    db: Db, caller: Caller, services: Services, conversation_id: UUID, body: NewMessage
) -> Answer[Message]:
    """Send a message to the customer, now or later.

    With the `external_id` of a message that the provider has reported already (one written in its own app), that
    message is the answer (200).
    """
    if body.is_empty:
        raise invalid([Fault("/body", "Give a body, an attachment or a template.", "empty_message")])
    if body.scheduled_at is not None:
        if body.external_id is not None:
            raise invalid([Fault("/scheduled_at", "A message that was sent already cannot be scheduled.", "sent")])
        _refuse_moment(body.scheduled_at, services.clock())
    try:
        if body.external_id is not None:
            told = await outbox.echoed(db, caller.user_id, conversation_id, body.external_id)
            if told is not None:
                return Answer(message_of(told), 200)
        row = await outbox.send(db, caller.user_id, conversation_id, _draft(body, caller))
    except outbox.NoSuchConversation:
        raise not_found("conversation") from None
    except outbox.NoSuchMessage:
        raise bad_reference("/reply_to_id", "message in this conversation") from None
    except (outbox.CannotCarry, outbox.PolicyRefuses) as error:
        raise _problem(error) from None
    return Answer(message_of(row))


def _draft(body: NewMessage, caller: Caller) -> Draft:
    author: MessageAuthor = "person" if caller.token_id is None else "automation"
    return Draft(
        body=body.body,
        reply_to_id=body.reply_to_id,
        external_id=body.external_id,
        author=body.author or author,
        files=body.files,
        template=body.chosen_template,
        subject=body.subject,
        scheduled_at=body.scheduled_at,
        cancel_on_reply=body.cancel_on_reply is not False,
    )


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


def _refuse_moment(moment: datetime, now: datetime) -> None:
    if moment <= now:
        raise invalid([Fault("/scheduled_at", "This lies in the past; choose a moment to come.", "not_in_future")])
    if moment > now.astimezone(UTC) + FARTHEST:
        raise invalid([Fault("/scheduled_at", "This is too far away; choose a moment within a year.", "not_in_future")])


async def _answered(verb: Callable[[], Awaitable[Row]]) -> Message:
    """The message after a verb, or what kept it from happening."""
    try:
        return message_of(await verb())
    except outbox.NoSuchMessage:
        raise not_found("message") from None
    except _REFUSED as error:
        raise _problem(error) from None


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


def _problem(error: Exception) -> Problem:
    if isinstance(error, outbox.CannotCarry):
        return invalid([Fault(each.pointer, each.message, each.code) for each in error.complaints])
    if isinstance(error, outbox.PolicyRefuses):
        told = {"send_policy": error.policy.model_dump(mode="json"), "remedy": error.policy.remedy}
        return Problem(409, error.code, _REFUSALS[error.code], extra=told)
    code, detail = _CONFLICTS[type(error)]
    return Problem(409, code, detail)
