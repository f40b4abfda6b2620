"""Change or cancel what has not gone out yet."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alfred.crm.outbox.sending import CannotCarry, NoSuchMessage
from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error
from alfred.senders.parts import Content, OutFile, Template, complaints
from alfred.senders.registry import ABILITIES


class NotScheduled(Exception):
    """It has gone out, or was never to wait."""


class NotCancellable(Exception):
    """It is under way, has gone out, or somebody else was given it."""


class Changes(BaseModel):
    """What to change; a field that is not set stays as it is."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    body: str | None = None
    scheduled_at: datetime | None = None
    cancel_on_reply: bool | None = None


async def change(db: Db, user_id: UUID, message_id: UUID, changes: Changes) -> Row:
    """Change a scheduled message.

    Raises:
        NoSuchMessage, NotScheduled, CannotCarry.
    """
    message = await held(db, user_id, message_id)
    if message["status"] != "scheduled":
        raise NotScheduled
    if changes.body is not None and message["provider"] is not None:
        found = complaints(content_of(message, changes.body), ABILITIES[message["provider"]])
        if found:
            raise CannotCarry(found)
    await sql.outbox.change.run(db, user_id=user_id, message_id=message_id, **changes.model_dump())
    return await _shown(db, user_id, message_id)


async def cancel(db: Db, user_id: UUID, message_id: UUID) -> Row:
    """Cancel a message; the second time nothing happens.

    Raises:
        NoSuchMessage, NotCancellable.
    """
    message = await held(db, user_id, message_id)
    if message["status"] == "cancelled":
        return await _shown(db, user_id, message_id)
    if message["status"] == "queued":
        leased = message["claim_state"] == "leased" and message["due_at"] and message["due_at"] > message["now"]
        if (
            leased
            or message["delivery_state"] == "unknown"
            or not await sql.outbox.withdraw.value(db, user_id=user_id, message_id=message_id)
        ):
            raise NotCancellable
    elif message["status"] != "scheduled":
        raise NotCancellable
    await call_off(db, message, None)
    return await _shown(db, user_id, message_id)


async def call_off(db: Db, message: Row, error: Error | None) -> None:
    """What was not sent will not be; the message and its conversation are held by the caller."""
    failure = error and error.row()
    about = {name: message[name] for name in ("contact_id", "conversation_id", "message_id")}
    user_id: UUID = message["user_id"]
    await sql.outbox.set_cancelled.run(db, user_id=user_id, message_id=message["message_id"], failure=failure)
    await record(db, user_id, "message.cancelled", {"error": failure} if failure else {}, **about)


async def held(db: Db, user_id: UUID, message_id: UUID) -> Row:
    """An outbound message with what is known of its line, locked after its conversation.

    Raises:
        NoSuchMessage.
    """
    conversation_id = await sql.outbox.hold_conversation.value(db, user_id=user_id, message_id=message_id)
    message = conversation_id and await sql.outbox.hold.one(db, user_id=user_id, message_id=message_id)
    if not message:
        raise NoSuchMessage
    return message


def content_of(message: Row, body: str | None = None) -> Content:
    """What a stored message says."""
    return Content(
        body=message["body"] if body is None else body,
        files=tuple(OutFile.model_validate(file) for file in message["attachments"]),
        template=message["template"] and Template.model_validate(message["template"]),
        subject=message["subject"],
    )


async def _shown(db: Db, user_id: UUID, message_id: UUID) -> Row:
    row = await sql.messages.get.one(db, user_id=user_id, message_id=message_id)
    assert row is not None
    return row
