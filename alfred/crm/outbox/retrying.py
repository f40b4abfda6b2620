"""Try again what failed, or what nobody knows the outcome of."""

from uuid import UUID

from alfred.crm.outbox.changing import content_of, held
from alfred.crm.outbox.claiming import MOST_CLAIMS
from alfred.crm.outbox.sending import PolicyRefuses, policy_of
from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.senders.policy import kinds_of, refusal


class NotRetryable(Exception):
    """It is under way, or has gone out."""


class NotConnected(Exception):
    """Nobody but the one who claims it could send it, and they still can."""


class OutcomeUnknown(Exception):
    """It may have arrived: whoever tries again has to say that they accept it twice."""


async def retry(db: Db, user_id: UUID, message_id: UUID, *, max_age: int, risk_duplicate: bool) -> Row:
    """Put it into the queue again; the parts that are out stay out.

    Raises:
        NoSuchMessage, NotRetryable, NotConnected, OutcomeUnknown, PolicyRefuses.
    """
    message = await held(db, user_id, message_id)
    unknown = (message["failure"] or {}).get("code") == "outcome_unknown"
    _refuse(message, max_age, unknown=unknown)
    if unknown and not risk_duplicate:
        raise OutcomeUnknown
    if message["provider"] is not None:
        found = policy_of(message, message["now"])
        code = refusal(found, kinds_of(content_of(message)), message["author"])
        if code is not None:
            raise PolicyRefuses(code, found)
    await sql.outbox.requeue.run(db, user_id=user_id, message_id=message_id)
    about = {name: message[name] for name in ("contact_id", "conversation_id", "message_id")}
    await record(db, user_id, "message.status_changed", {"status": "queued", "retried": True}, **about)
    row = await sql.messages.get.one(db, user_id=user_id, message_id=message_id)
    assert row is not None
    return row


def _refuse(message: Row, max_age: int, *, unknown: bool) -> None:
    if message["status"] == "failed" or (message["status"] == "queued" and unknown):
        return
    if message["status"] != "queued" or message["delivery_state"] is not None:
        raise NotRetryable
    claim = message["claim"] or {}
    if message["claim_state"] == "leased" and message["due_at"] and message["due_at"] > message["now"]:
        raise NotRetryable
    if message["provider"] is not None:
        return
    queued_at = message["queued_at"]
    is_old = queued_at is None or (message["now"] - queued_at).total_seconds() > max_age
    if not is_old and claim.get("attempts", 0) < MOST_CLAIMS:
        raise NotConnected
