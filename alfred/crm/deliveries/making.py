"""The consumer: what is queued on a connected channel becomes rows, in the transaction of the event's cursor."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from alfred.bus import Consumer
from alfred.events import Event, record
from alfred.queries import Db, Row, sql
from alfred.senders import mail
from alfred.senders.errors import Error, ErrorCode
from alfred.senders.parts import Abilities, Content, OutFile, Part, Template, parts_of
from alfred.senders.policy import Line, kinds_of, policy, refusal
from alfred.senders.registry import ABILITIES
from alfred.senders.text_limits import TooLong

READ_SECONDS = 300  # in which a read receipt is worth a call
TYPING_SECONDS = 10

_MESSAGE_IDS = re.compile(r"<([^<>\s]+)>")


class Making:
    """Makes rows of what is to be sent; `expect` tells the worker of this process that there will be some."""

    def __init__(self, max_age: int, expect: Callable[[], None]) -> None:
        self._max_age = max_age
        self._expect = expect
        self.consumer = Consumer(
            name="deliveries",
            types=("message.sent", "message.status_changed", "message.received", "conversation.read",
                   "channel.recovered"),
            act=self.act,
            only={"message.sent": {"external_id": None}, "message.status_changed": {"retried": True}},
            may_wait=True,
        )  # fmt: skip

    async def act(self, db: Db, event: Event) -> None:
        """Do what an event calls for."""
        match event.type:
            case "message.sent" | "message.status_changed":
                await self._make(db, event)
            case "message.received":
                await _call_off(db, event)
            case "conversation.read":
                await _tell_read(db, event)
            case "channel.recovered":
                if channel_id := event.payload.get("channel_id"):  # none, where the account has no channel yet
                    about = {"user_id": event.user_id, "channel_id": UUID(channel_id)}
                    await sql.deliveries.release_channel.run(db, **about)
        self._expect()

    async def _make(self, db: Db, event: Event) -> None:
        about = {"user_id": event.user_id, "message_id": event.message_id}
        if not await sql.outbox.hold_conversation.value(db, **about):
            return
        message = await sql.deliveries.message.one(db, **about)
        if message is None or message["status"] != "queued" or message["external_id"] is not None:
            return
        if message["from_before"]:
            return  # of a time without a connection: it may be stale, so that a person decides
        code = _refusal_of(message)
        if code is not None:
            await _fail(db, event, Error.of(code))
            return
        if message["provider"] is None or not _can_send(message):
            return
        if event.payload.get("retried"):
            age = {"max_age": self._max_age}
            if await sql.deliveries.renew.value(db, **about, **age):
                return
        await self._insert(db, event, message)

    async def _insert(self, db: Db, event: Event, message: Row) -> None:
        can = ABILITIES[message["provider"]]
        try:
            parts = await _parts_of(db, message, can)
        except TooLong:
            await _fail(db, event, Error.of("content_rejected"))
            return
        await sql.deliveries.make.run(
            db,
            user_id=event.user_id,
            message_id=message["message_id"],
            conversation_id=message["conversation_id"],
            channel_id=message["channel_id"],
            parts=[part.row() for part in parts],
            rate=(message["options"] or {}).get("rate_per_second") or can.rate,
            max_age=self._max_age,
        )


async def show_typing(db: Db, user_id: UUID, conversation_id: UUID) -> bool:
    """Show the customer that somebody is typing, where the messenger can; False where there is no such conversation."""
    line = await sql.deliveries.receipt_line.one(db, user_id=user_id, conversation_id=conversation_id)
    if line is None:
        return False
    if line["provider"] is not None and ABILITIES[line["provider"]].types:
        await _add_receipt(db, user_id, line, "typing", TYPING_SECONDS)
    return True


async def _tell_read(db: Db, event: Event) -> None:
    """Where the shop wants that, the customer sees that the message was read."""
    line = await sql.deliveries.receipt_line.one(db, user_id=event.user_id, conversation_id=event.conversation_id)
    if line is None or line["provider"] is None or (line["options"] or {}).get("mark_read") is not True:
        return
    if ABILITIES[line["provider"]].reads:
        await _add_receipt(db, event.user_id, line, "read", READ_SECONDS)


async def _add_receipt(db: Db, user_id: UUID, line: Row, kind: str, seconds: int) -> None:
    needs_id = line["provider"] not in {"messenger", "instagram"}
    if needs_id and line["last_external_id"] is None and (kind == "read" or line["provider"] == "whatsapp_cloud"):
        return
    payload: dict[str, Any] = {"kind": kind, "reply_to": line["last_external_id"]}
    where = {"conversation_id": line["conversation_id"], "channel_id": line["channel_id"]}
    await sql.deliveries.add_receipt.run(db, user_id=user_id, **where, kind=kind, payload=payload, seconds=seconds)


async def _call_off(db: Db, event: Event) -> None:
    """What was to be said only if the customer kept silent."""
    failure = Error.of("cancelled_by_reply").row()
    where = {"user_id": event.user_id, "conversation_id": event.conversation_id}
    for row in await sql.deliveries.called_off.all(db, **where, failure=failure, at=event.created_at):
        about = {**event.about(), "message_id": row["message_id"]}
        await record(db, event.user_id, "message.cancelled", {"error": failure}, **about)


async def _fail(db: Db, event: Event, error: Error) -> None:
    """A message that will not go: its time, its window or its content is wrong by now."""
    await sql.outbox.set_failed.run(
        db, user_id=event.user_id, message_id=event.message_id, failure=error.row(), detail=error.detail
    )
    payload = {"status": "failed", "error": error.row()}
    await record(db, event.user_id, "message.status_changed", payload, **event.about())


def _refusal_of(message: Row) -> ErrorCode | None:
    options = message["options"] or {}
    line = Line(message["channel_type"], message["provider"], message["channel_active"],
                human_agent=options.get("human_agent") is True)  # fmt: skip
    found = policy(line, message["last_inbound_at"], message["opted_out_at"], message["now"])
    return refusal(found, kinds_of(_content_of(message)), message["author"])


def _can_send(message: Row) -> bool:
    return message["provider"] != "email" or "smtp" in (message["config"] or {})


def _content_of(message: Row) -> Content:
    template = message["template"]
    return Content(
        body=message["body"],
        files=tuple(OutFile.model_validate(file) for file in message["attachments"]),
        template=None if template is None else Template.model_validate(template),
        subject=message["subject"],
    )


async def _parts_of(db: Db, message: Row, can: Abilities) -> list[Part]:
    parts = parts_of(_content_of(message), can)
    automation = message["author"] == "automation"
    first = parts[0].model_copy(update={"reply_to": message["reply_to_external_id"]})
    if can.mail:
        first = first.model_copy(update=await _thread_of(db, message))
    return [part.model_copy(update={"automation": automation}) for part in [first, *parts[1:]]]


async def _thread_of(db: Db, message: Row) -> dict[str, Any]:
    """Subject and references of a mail: it answers the mail that is named, else the customer's last one."""
    answered = await sql.deliveries.answered_mail.one(
        db, user_id=message["user_id"], conversation_id=message["conversation_id"], reply_to_id=message["reply_to_id"]
    )
    base = ((message["config"] or {}).get("smtp") or {}).get("base_subject") or message["channel_name"]
    if answered is None:
        return {"subject": mail.subject_of(message["subject"], None, base)}
    before = _MESSAGE_IDS.findall(answered["references_"] or "")
    return {
        "subject": mail.subject_of(message["subject"], answered["subject"], base),
        "references": mail.references_of(before, answered["external_id"]),
        "reply_to": answered["external_id"],
    }
