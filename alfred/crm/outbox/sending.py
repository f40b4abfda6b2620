"""Store what somebody wants to say to a customer, if the conversation's policy and its provider allow it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.senders.errors import ErrorCode
from alfred.senders.parts import Complaint, Content, OutFile, Template, complaints
from alfred.senders.policy import Line, SendPolicy, kinds_of, policy, refusal
from alfred.senders.registry import ABILITIES
from alfred.terms import MessageAuthor, MessageSource


@dataclass(frozen=True)
class Draft:
    """What to say; with an `external_id` somebody else has sent it, with `scheduled_at` it goes out later."""

    body: str = ""
    reply_to_id: UUID | None = None
    external_id: str | None = None
    author: MessageAuthor = "person"
    source: MessageSource = "api"
    files: tuple[OutFile, ...] = ()
    template: Template | None = None
    subject: str | None = None
    scheduled_at: datetime | None = None
    cancel_on_reply: bool = True

    @property
    def content(self) -> Content:
        """What goes over the wire of it."""
        return Content(body=self.body, files=self.files, template=self.template, subject=self.subject)


class NoSuchConversation(Exception):
    """The resource does not exist."""


class NoSuchMessage(Exception):
    """The message to reply to is not in this conversation."""


class CannotCarry(Exception):
    """The provider of the channel cannot carry it."""

    def __init__(self, found: list[Complaint]) -> None:
        super().__init__("unsupported")
        self.complaints = found


class PolicyRefuses(Exception):
    """The message may not be sent now."""

    def __init__(self, code: ErrorCode, found: SendPolicy) -> None:
        super().__init__(code)
        self.code, self.policy = code, found


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
        NoSuchConversation, NoSuchMessage, CannotCarry, PolicyRefuses.
    """
    about = {"user_id": user_id, "conversation_id": conversation_id}
    if draft.external_id is not None:
        await sql.outbox.hold_id.run(db, **about, external_id=draft.external_id)
    line = await sql.outbox.line.one(db, **about)
    if line is None:
        raise NoSuchConversation
    if draft.reply_to_id and not await sql.messages.is_in.value(db, **about, message_id=draft.reply_to_id):
        raise NoSuchMessage
    if by_rule:
        draft = replace(draft, author="automation", source="rule")
    if draft.external_id is None:
        _refuse(line, draft)
    message_id = uuid7()
    await _store(db, line, draft, about | {"message_id": message_id})
    if draft.scheduled_at is None:
        payload = {"external_id": draft.external_id, "by_rule": by_rule}
        await record(db, user_id, "message.sent", payload, contact_id=line["contact_id"], message_id=message_id,
                     conversation_id=conversation_id)  # fmt: skip
    else:
        payload = {"scheduled_at": draft.scheduled_at.isoformat(), "by_rule": by_rule}
        await record(db, user_id, "message.scheduled", payload, contact_id=line["contact_id"], message_id=message_id,
                     conversation_id=conversation_id)  # fmt: skip
    if draft.external_id is not None:
        await sql.outbox.apply_waiting.run(
            db, user_id=user_id, type=line["channel_type"], external_id=draft.external_id, message_id=message_id
        )
    message = await sql.messages.get.one(db, user_id=user_id, message_id=message_id)
    assert message is not None
    return message


def policy_of(row: Row, now: datetime) -> SendPolicy:
    """The policy of a conversation by a row that has its channel's and connection's facts."""
    return policy(_line_of(row), row["last_inbound_at"], row["opted_out_at"], now)


def _line_of(row: Row) -> Line:
    options = row["options"] or {}
    return Line(
        row["channel_type"], row["provider"], row["channel_active"], human_agent=options.get("human_agent") is True
    )


def _refuse(line: Row, draft: Draft) -> None:
    """A scheduled message is judged by the policy when its time has come."""
    if line["provider"] is not None:
        split_text = (line["options"] or {}).get("split") is not False
        found = complaints(draft.content, ABILITIES[line["provider"]], split_text=split_text)
        if found:
            raise CannotCarry(found)
    if draft.scheduled_at is None:
        now_policy = policy_of(line, line["now"])
        code = refusal(now_policy, kinds_of(draft.content), draft.author)
        if code is not None:
            raise PolicyRefuses(code, now_policy)


async def _store(db: Db, line: Row, draft: Draft, keys: dict[str, Any]) -> None:
    written = {
        "channel_id": line["channel_id"],
        "body": draft.body,
        "reply_to_id": draft.reply_to_id,
        "author": draft.author,
        "source": draft.source,
        "attachments": [file.model_dump(mode="json") | {"external_id": None} for file in draft.files],
        "template": draft.template and draft.template.model_dump(mode="json", exclude_none=True),
        "subject": draft.subject,
    }
    if draft.scheduled_at is not None:
        await sql.outbox.schedule.run(
            db, **keys, **written, scheduled_at=draft.scheduled_at, cancel_on_reply=draft.cancel_on_reply
        )
        return
    status = "sent" if draft.external_id else "queued"
    await sql.outbox.send.run(db, **keys, **written, status=status, external_id=draft.external_id)
