"""Hand queued messages to somebody else, one of a conversation at a time, and take their word for the outcome."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from alfred.crm.outbox.changing import held
from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error

OnUnknown = Literal["hold", "retry"]
MOST_CLAIMS = 3


class NotQueued(Exception):
    """Another outcome is known already, or Alfred delivers it itself."""


@dataclass(frozen=True)
class Report:
    """What became of a message that somebody else was to send."""

    status: Literal["sent", "failed"]
    external_id: str | None = None
    error: Error | None = None


@dataclass(frozen=True)
class Wish:
    """What somebody wants to be given."""

    most: int
    lease_seconds: int
    max_age: int
    channel_id: UUID | None
    on_unknown: OnUnknown


async def claim(db: Db, user_id: UUID, wish: Wish) -> list[Row]:
    """Queued messages of channels without a connection, oldest first; nobody else gets them while the lease holds."""
    return await sql.outbox.claim.all(
        db,
        user_id=user_id,
        most=wish.most,
        lease_seconds=wish.lease_seconds,
        max_age=wish.max_age,
        channel_id=wish.channel_id,
        on_unknown=wish.on_unknown,
        most_claims=MOST_CLAIMS,
    )


async def report(db: Db, user_id: UUID, message_id: UUID, told: Report) -> Row:
    """Note the outcome; the same again changes nothing.

    Raises:
        NoSuchMessage, NotQueued.
    """
    if told.external_id is not None:
        await sql.outbox.hold_id_of.run(db, user_id=user_id, message_id=message_id, external_id=told.external_id)
    message = await held(db, user_id, message_id)
    if not _is_known(message, told):
        if message["status"] != "queued" or message["delivery_state"] not in {None, "unknown"}:
            raise NotQueued
        await _note(db, user_id, message, told)
    row = await sql.messages.get.one(db, user_id=user_id, message_id=message_id)
    assert row is not None
    return row


def _is_known(message: Row, told: Report) -> bool:
    """Whether this is what was told before, whatever the messenger has said since."""
    reported = (message["claim"] or {}).get("reported")
    if reported is not None:
        return bool(reported == _key(told))
    ended = {"sent", "delivered", "read"} if told.status == "sent" else {"failed"}
    return message["status"] in ended and told.external_id in {None, message["external_id"]}


def _key(told: Report) -> list[str | None]:
    return [told.status, told.external_id]


async def _note(db: Db, user_id: UUID, message: Row, told: Report) -> None:
    message_id: UUID = message["message_id"]
    if told.external_id is not None:
        await sql.outbox.absorb.run(
            db, user_id=user_id, channel_id=message["channel_id"], message_id=message_id, external_id=told.external_id
        )
    failure = told.error and told.error.row()
    await sql.outbox.settle_claim.run(
        db,
        user_id=user_id,
        message_id=message_id,
        status=told.status,
        external_id=told.external_id,
        failure=failure,
        detail=told.error and told.error.detail,
        reported=_key(told),
    )
    payload = {"status": told.status, "external_id": told.external_id}
    about = {name: message[name] for name in ("contact_id", "conversation_id", "message_id")}
    await record(db, user_id, "message.status_changed", payload | ({"error": failure} if failure else {}), **about)
    if told.external_id is not None:
        await sql.outbox.apply_waiting.run(
            db, user_id=user_id, type=message["channel_type"], external_id=told.external_id, message_id=message_id
        )
