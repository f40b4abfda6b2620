"""What is due: scheduled messages go into the queue, leases that ran out are judged, doubts end after a day."""

from collections.abc import Callable, Iterable
from uuid import UUID

import structlog

from alfred.crm.outbox.changing import call_off, held
from alfred.crm.outbox.claiming import MOST_CLAIMS
from alfred.crm.outbox.sending import NoSuchMessage
from alfred.db import Database, UnknownUser, connection_lost
from alfred.events import record
from alfred.log import kind_of
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error

log = structlog.get_logger()

MOST_DUE = 200  # of one look
HOLD_SECONDS = 86_400  # after which nobody waits for a proof any more


class Sweep:
    """One look at all that is due; replicas may look at once, since each message is locked and judged anew."""

    def __init__(self, database: Database, announce: Callable[[Iterable[UUID]], None]) -> None:
        self._database = database
        self._announce = announce

    async def __call__(self) -> None:
        """Look at what has been due for longest; the next look goes on."""
        async with self._database.as_service() as db:
            rows = await sql.outbox.due.all(db, limit=MOST_DUE)
        for row in rows:
            try:
                async with self._database.acting_as(row["user_id"]) as db:
                    await look_again(db, row["user_id"], row["message_id"])
            except UnknownUser:
                continue
            except Exception as error:
                if connection_lost(error):
                    raise
                log.warning("due_message_failed", error=kind_of(error), message_id=str(row["message_id"]))
        if rows:
            self._announce({row["user_id"] for row in rows})


async def look_again(db: Db, user_id: UUID, message_id: UUID) -> None:
    """Do with a message what its time has come for; whoever looks second finds nothing to do."""
    try:
        message = await held(db, user_id, message_id)
    except NoSuchMessage:
        return
    if message["due_at"] is None or message["due_at"] > message["now"]:
        return
    if message["status"] == "scheduled":
        await _release(db, user_id, message)
    elif message["status"] == "queued" and message["claim_state"] == "leased":
        await _judge_lease(db, user_id, message)
    elif message["status"] == "queued" and message["delivery_state"] == "unknown":
        await _fail(db, user_id, message)
    else:
        await sql.outbox.forget_due.run(db, user_id=user_id, message_id=message_id)


async def _release(db: Db, user_id: UUID, message: Row) -> None:
    """The customer may have written meanwhile, and nobody has seen it yet."""
    wrote = message["last_inbound_at"] is not None and message["last_inbound_at"] > message["created_at"]
    if message["cancel_on_reply"] and wrote:
        await call_off(db, message, Error.of("cancelled_by_reply"))
        return
    await sql.outbox.release.run(db, user_id=user_id, message_id=message["message_id"])
    await record(
        db, user_id, "message.sent", {"external_id": None, "by_rule": message["source"] == "rule"}, **_about(message)
    )


async def _judge_lease(db: Db, user_id: UUID, message: Row) -> None:
    """Whoever was given it never told: unless they said that a repetition does no harm, it is held."""
    claim = message["claim"]
    if claim["on_unknown"] == "hold":
        failure = Error.of("outcome_unknown").row()
        await sql.outbox.hold_back.run(
            db, user_id=user_id, message_id=message["message_id"], failure=failure, attempts=claim["attempts"],
            seconds=HOLD_SECONDS,
        )  # fmt: skip
        payload = {"status": "queued", "error": failure}
        await record(db, user_id, "message.status_changed", payload, **_about(message))
    elif claim["attempts"] >= MOST_CLAIMS:
        await _fail(db, user_id, message)
    else:
        await sql.outbox.forget_due.run(db, user_id=user_id, message_id=message["message_id"])


async def _fail(db: Db, user_id: UUID, message: Row) -> None:
    error = Error.of("outcome_unknown")
    await sql.outbox.set_failed.run(
        db, user_id=user_id, message_id=message["message_id"], failure=error.row(), detail=error.detail
    )
    payload = {"status": "failed", "error": error.row()}
    await record(db, user_id, "message.status_changed", payload, **_about(message))


def _about(message: Row) -> dict[str, UUID | None]:
    return {name: message[name] for name in ("contact_id", "conversation_id", "message_id")}
