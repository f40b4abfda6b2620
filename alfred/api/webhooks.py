"""Webhooks in: a sender's raw payload is read, stored and answered in one round trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID

import orjson
import structlog
from aiohttp import web
from pydantic import Field

from alfred import metrics
from alfred.api.message_models import ClassificationOut
from alfred.api.rejected_posts import Posted, Unreadable, as_read, keep_rejected, rejected_of
from alfred.channels import CHANNEL_TYPES
from alfred.channels.body import BrokenJson, UnreadableBody
from alfred.channels.item import Attachment, InboundItem, Reading, Sender
from alfred.channels.mail_files import files_of
from alfred.channels.posts import read_post
from alfred.crm.inbox import KeptFiles, TakenIn
from alfred.crm.media.library import write_of_mail
from alfred.heavy_work import TookTooLong
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Output, json_response
from alfred.http.problems import Problem, not_found
from alfred.log import add_fields
from alfred.settings import Settings
from alfred.stages import next_stage
from alfred.terms import ChannelType

routes = Routes("Webhooks")
log = structlog.get_logger()

MOST_ITEMS = 1000
_LARGE = 32_768


class TakenItem(Output):
    """One normalised item, and what became of it."""

    kind: Literal["message", "echo", "status", "reaction"]
    external_id: str | None = Field(examples=["wamid.HBgM"])
    duplicate: bool
    message_id: UUID | None
    conversation_id: UUID | None
    contact_id: UUID | None
    sender: Sender
    recipient: str | None = Field(examples=["109900000000001"])
    text: str | None = Field(examples=["Preciso disso hoje, é urgente"])
    attachments: tuple[Attachment, ...]
    reply_to: str | None
    status: str | None
    sent_at: datetime | None
    classification: ClassificationOut | None


class Receipt(Output):
    channel: ChannelType
    received: int = Field(examples=[1])
    duplicates: int = Field(examples=[0])
    ignored: int = Field(examples=[0], description="Of no interest; see `GET /webhooks/ignored`.")
    rejected: int = Field(
        examples=[0], description="Of the ignored, what no shape fits; it is kept under `/webhooks/rejected`."
    )
    messages: list[TakenItem]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a post: a `Receipt` that is JSON already, but for ids and times; a test holds it to the model."""

    channel: ChannelType
    received: int
    duplicates: int
    ignored: int
    rejected: int
    messages: list[dict[str, Any]]

    def written(self) -> web.Response:
        """As it is answered: to validate what was just made takes longer than to write it."""
        return json_response(orjson.dumps(self, option=orjson.OPT_UTC_Z))


_JSON = {"type": "object", "additionalProperties": True, "description": "The payload; an array of them is read too."}
_EXAMPLE = {
    "message_id": "m-1",
    "from": "+5511900000012",
    "from_name": "Marina",
    "body": "Preciso disso hoje, é urgente",
}
DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _JSON, "example": _EXAMPLE},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "multipart/form-data": {"schema": {"type": "object"}},
            "message/rfc822": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


def _body_limit(settings: Settings, path: Mapping[str, str]) -> int:
    return settings.mail_body_limit if path["channel_type"] == "email" else settings.hook_body_limit


@routes.on(
    "POST",
    "/webhooks/{channel_type}",
    scope="webhooks",
    repeatable=True,
    lenient=True,
    has_tail=True,
    errors=(400, 404, 413, 422),
    body_limit=_body_limit,
    document=DOCUMENT,
)
async def post_webhook(
    request: web.Request, caller: Caller, services: Services, channel_type: str, raw: bytes
) -> Receipt:
    """Receive a payload from a messenger, a mail service or n8n.

    Answers after the commit: what was answered 200 is stored.
    Takes JSON, forms (urlencoded and multipart), `message/rfc822` and text. The provider is recognised by the payload.
    """
    if channel_type not in CHANNEL_TYPES:
        raise not_found("channel type")
    posted = Posted(raw, request.headers.get("Content-Type", ""), channel_type)
    receipt: Any = (await _receive(services, caller.user_id, posted)).written()
    return receipt  # type: ignore[no-any-return]


async def _receive(services: Services, user_id: UUID, posted: Posted) -> Taken:
    try:
        reading = await read(services, user_id, posted)
    except Unreadable as trouble:
        await keep_rejected(services, user_id, trouble.kept, trouble.problem.detail)
        metrics.posts_rejected.labels(posted.channel_type, trouble.problem.code).inc()
        log.warning("webhook_rejected", channel=posted.channel_type, code=trouble.problem.code, size=len(posted.body))
        raise trouble.problem from None
    if await services.hooks.is_hook_only(user_id, {(item.channel_type, item.recipient) for item in reading.items}):
        raise Problem(403, "hook_only", "This channel takes posts by its hook's address only.")
    taken = await take_in_posted(services, user_id, posted, reading)
    if reading.rejected:  # after the others: if this fails, a repetition finds them as duplicates
        await keep_rejected(services, user_id, *rejected_of(posted, reading))
    return taken


async def read(services: Services, user_id: UUID, posted: Posted) -> Reading:
    """A large body is read in another process, so that other requests do not wait for it.

    Raises:
        Unreadable.
    """
    given = (posted.body, posted.content_type, posted.channel_type)
    try:
        if len(posted.body) > _LARGE:
            reading = await services.heavy.run(user_id, read_post, *given)
        else:
            await next_stage()
            reading = read_post(*given)
    except TookTooLong:
        problem = Problem(422, "too_complex", "The body takes too long to read; it is kept.")
        raise Unreadable(posted, problem) from None
    except BrokenJson as error:
        raise Unreadable(posted, Problem(400, "invalid_json", f"The body is not valid JSON: {error}")) from None
    except UnreadableBody as error:
        problem = Problem(422, "unrecognised_payload", f"The body cannot be read: {error}")
        raise Unreadable(posted, problem) from None
    if not reading.recognised:
        detail = "No known sender's shape was recognised in this payload; it is kept under /webhooks/rejected."
        raise Unreadable(as_read(posted, reading), Problem(422, "unrecognised_payload", detail))
    if len(reading.items) > MOST_ITEMS:
        detail = f"One post holds at most {MOST_ITEMS} items; it is kept."
        raise Unreadable(posted, Problem(422, "too_many_items", detail))
    return reading


async def take_in_posted(services: Services, user_id: UUID, posted: Posted, reading: Reading) -> Taken:
    """Store what was read; the files of a mail are in the store before its message is written, with them."""
    mails = [item for item in reading.items if item.kind == "message" and item.attachments]
    if posted.channel_type != "email" or len(mails) != 1:
        return await take_in(services, user_id, posted.channel_type, reading)
    given = (posted.body, posted.content_type, mails[0].attachments)
    found = await services.heavy.run(user_id, files_of, *given) if len(posted.body) > _LARGE else files_of(*given)
    files = await services.library.keep_of_mail(user_id, found)
    taken = await take_in(services, user_id, posted.channel_type, reading, files)
    again = next((entry for entry in taken.messages if entry["duplicate"] and entry["attachments"]), None)
    if again is not None and again["message_id"] is not None:  # it may have come without its files before
        async with services.database.acting_as(user_id) as db:
            await write_of_mail(db, user_id, again["message_id"], files)
    return taken


async def take_in(
    services: Services, user_id: UUID, channel_type: ChannelType, reading: Reading, files: KeptFiles = ()
) -> Taken:
    """Store what was read, and say what became of it; `files` are those of the message that has attachments."""
    outcomes = await services.inbox.take_in(user_id, reading.items, files)
    told = [(item, each) for item, each in zip(reading.items, outcomes, strict=True) if item.kind != "ignored"]
    taken = Taken(
        channel=told[0][0].channel_type if told else channel_type,
        received=len(told),
        duplicates=sum(outcome.duplicate for _, outcome in told),
        ignored=len(reading.items) - len(told),
        rejected=sum(item.rejected for item in reading.items),
        messages=[_entry(item, outcome) for item, outcome in told],
    )
    _tell(taken)
    return taken


def _tell(receipt: Taken) -> None:
    """Count what was taken in, and say so in the request's line of the log."""
    for outcome, count in (
        ("new", receipt.received - receipt.duplicates),
        ("duplicate", receipt.duplicates),
        ("ignored", receipt.ignored),
    ):
        counter = _counter(receipt.channel, outcome)  # there from the first post on, with 0 too
        if count:
            counter.inc(count)
    add_fields(channel=receipt.channel, received=receipt.received,
        duplicates=receipt.duplicates, ignored=receipt.ignored, rejected=receipt.rejected)  # fmt: skip


_counter = cache(metrics.items_taken_in.labels)  # to find it among its labels takes longer than to count


def _entry(item: InboundItem, taken: TakenIn) -> dict[str, Any]:
    reading = taken.classification if item.kind == "message" else None
    return {
        "kind": item.kind,
        "external_id": item.external_id,
        "duplicate": taken.duplicate,
        "message_id": taken.message_id,
        "conversation_id": taken.conversation_id,
        "contact_id": taken.contact_id,
        "sender": {"handle": item.sender.handle, "name": item.sender.name},
        "recipient": item.recipient,
        "text": item.text,
        "attachments": [attachment.model_dump(mode="json") for attachment in item.attachments],
        "reply_to": item.reply_to,
        "status": item.status,
        "sent_at": item.sent_at,
        "classification": reading.without_signals() if reading else None,
    }
