"""Messages out: send() stores what the seller writes."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.terms import MessageAuthor, MessageSource


@dataclass(frozen=True)
class Draft:
    """What the seller writes; with an `external_id` somebody else has sent it already."""

    body: str
    reply_to_id: UUID | None = None
    external_id: str | None = None
    author: MessageAuthor = "person"
    source: MessageSource = "api"


class NoSuchConversation(Exception):
    """The resource does not exist."""


class NoSuchMessage(Exception):
    """The message to reply to is not in this conversation."""


async def echoed(db: Db, user_id: UUID, conversation_id: UUID, external_id: str) -> Row | None:
    """The message of this id that the messenger has told of, as one written in its own app; else None.

    Holds the id: until the transaction ends no echo of it is taken in.
    """
    about = {"user_id": user_id, "conversation_id": conversation_id, "external_id": external_id}
    await sql.outbox.hold_id.run(db, **about)
    message_id = await sql.outbox.echo.value(db, **about)
    return message_id and await sql.messages.get.one(db, user_id=user_id, message_id=message_id)


async def send(db: Db, user_id: UUID, conversation_id: UUID, draft: Draft, *, by_rule: bool = False) -> Row:
    """Store an outbound message, and what a messenger has told of it already.

    Raises:
        NoSuchConversation, NoSuchMessage.
    """
    if draft.external_id is not None:
        await sql.outbox.hold_id.run(
            db, user_id=user_id, conversation_id=conversation_id, external_id=draft.external_id
        )
    conversation = await sql.conversations.hold.one(db, user_id=user_id, conversation_id=conversation_id)
    if conversation is None:
        raise NoSuchConversation
    about = {"user_id": user_id, "conversation_id": conversation_id}
    if draft.reply_to_id and not await sql.messages.is_in.value(db, **about, message_id=draft.reply_to_id):
        raise NoSuchMessage
    message_id = uuid7()
    await sql.outbox.send.run(
        db,
        **about,
        message_id=message_id,
        channel_id=conversation["channel_id"],
        external_id=draft.external_id,
        body=draft.body,
        reply_to_id=draft.reply_to_id,
        status="sent" if draft.external_id else "queued",
        author="automation" if by_rule else draft.author,
        source="rule" if by_rule else draft.source,
    )
    payload = {"external_id": draft.external_id, "by_rule": by_rule}
    await record(
        db,
        user_id,
        "message.sent",
        payload,
        contact_id=conversation["contact_id"],
        conversation_id=conversation_id,
        message_id=message_id,
    )
    if draft.external_id is not None:
        await sql.outbox.apply_waiting.run(
            db, user_id=user_id, type=conversation["type"], external_id=draft.external_id, message_id=message_id
        )
    message = await sql.messages.get.one(db, user_id=user_id, message_id=message_id)
    assert message is not None
    return message
