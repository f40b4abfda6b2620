"""One call to a messenger or a mail server, outside of any transaction: a claimed row becomes an outcome."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import structlog

from alfred.crm.connections import Connection
from alfred.http_calls import Answer, HttpCall, NoAnswer
from alfred.links import links
from alfred.outbound_http import OutboundHttp
from alfred.outbound_smtp import SmtpRefused, SmtpSilent, smtp_session
from alfred.queries import Row
from alfred.senders import mail, outcomes, sender_of
from alfred.senders.addresses import Unsendable
from alfred.senders.errors import Error
from alfred.senders.mail import Envelope, File, Mail, SmtpAnswer
from alfred.senders.outcomes import Outcome
from alfred.senders.parts import OutFile, Part
from alfred.senders.policy import Line, advised, needs_human_tag, policy, refusal
from alfred.senders.registry import receipt_outcome

log = structlog.get_logger()

FETCH_SECONDS = 30.0

# Content and type of an upload that a link of ours names; None for any other URL.
ContentOf: TypeAlias = Callable[[UUID, str, int], Awaitable[tuple[bytes, str | None] | None]]

_UNREADABLE = "The stored credentials cannot be read: ALFRED_SECRET_KEY lacks the key that encrypted them."
_SECRETS = frozenset({
    "access_token", "api_key", "instance_token", "client_token", "auth_tokens", "api_key_secret", "password",
})  # fmt: skip


class Unreadable:
    """A connection whose secrets cannot be decrypted (any more)."""


@dataclass(frozen=True)
class Reach:
    """What a call may use: the door to other hosts, our own address, and the uploads that we keep ourselves."""

    door: OutboundHttp
    public_url: str | None = None
    content_of: ContentOf | None = None


async def call(reach: Reach, row: Row, connection: Connection | Unreadable) -> Outcome:
    """What came of a claimed row; whatever speaks against the call is told without one."""
    now = datetime.now(UTC)
    if row["give_up_at"] <= now:
        return Outcome("permanent", error=Error.of("expired"))
    if isinstance(connection, Unreadable):
        return Outcome("auth", error=Error.of("auth_failed").model_copy(update={"detail": _UNREADABLE}))
    part = Part.model_validate(row["payload"])
    refused = _refused(row, part, now)
    if refused is not None:
        return refused
    settings = dict(connection.settings)
    if reach.public_url and connection.hook_path:
        settings["hook_url"] = reach.public_url.rstrip("/") + connection.hook_path
    try:
        if part.kind == "mail":
            return await _mail(reach, row, part, settings)
        return await _http(reach.door, row, _with_fresh_link(part, row["user_id"]), settings)
    except Unsendable as error:
        return Outcome("permanent", error=error.error)


def _refused(row: Row, part: Part, now: datetime) -> Outcome | None:
    """A window may have closed while the part waited."""
    if part.kind in {"read", "typing"}:
        return None
    kind = part.kind if part.kind in {"attachment", "template"} else "text"
    found = policy(_line_of(row), row["last_inbound_at"], row["opted_out_at"], now)
    code = refusal(found, [kind], "automation" if part.automation else "person")
    if code is None:
        return None
    remedy = found.remedy if code == "window_closed" else None
    error = Error.of(code, remedy=remedy)
    return Outcome("window_closed" if code == "window_closed" else "permanent", error=error)


def _line_of(row: Row) -> Line:
    human_agent = (row["options"] or {}).get("human_agent") is True
    return Line(row["channel_type"], row["provider"], row["channel_active"], human_agent=human_agent)


async def _http(door: OutboundHttp, row: Row, part: Part, settings: Mapping[str, Any]) -> Outcome:
    if needs_human_tag(_line_of(row), row["last_inbound_at"], datetime.now(UTC)):
        part = part.model_copy(update={"human_tag": True})
    sender = sender_of(row["provider"])
    answer = await door.call(sender.request(part, row["handle"], settings, str(row["delivery_id"])))
    if part.kind in {"read", "typing"}:
        return receipt_outcome(answer)
    found = _with_words_cleaned(sender.outcome(answer, row["attempts"]), settings)
    return found if found.error is None else replace(found, error=advised(found.error, row["channel_type"]))


def _with_fresh_link(part: Part, user_id: UUID) -> Part:
    """The messenger may take its time to fetch an upload of ours, so its link gets a day to live."""
    if part.file is None:
        return part
    return part.model_copy(update={"file": part.file.model_copy(update={"url": links.renewed(user_id, part.file.url)})})


async def _mail(reach: Reach, row: Row, part: Part, settings: Mapping[str, Any]) -> Outcome:
    files = await _fetched(reach, row["user_id"], part.files, settings)
    if isinstance(files, Outcome):
        return files
    envelope = Envelope(row["handle"], str(row["delivery_id"]), datetime.now(UTC))
    letter = mail.mail_of(part, envelope, settings, files)
    answer = await _posted(reach.door, letter, settings["smtp"])
    return _with_words_cleaned(mail.outcome(answer, letter.message_id), settings)


async def _posted(door: OutboundHttp, letter: Mail, smtp: Mapping[str, Any]) -> SmtpAnswer | NoAnswer:
    """MAIL, RCPT and DATA; what fails before the server has all of it can be said again."""
    step: mail.Step = "mail"
    try:
        async with smtp_session(door, smtp, mail.CAN.seconds) as client:
            await client.mail(letter.sender)
            step = "rcpt"
            await client.rcpt(letter.recipient)
            step = "data"
            said = await client.data(letter.content)
            return SmtpAnswer(said.code, said.message, "data")
    except SmtpSilent as silent:
        return silent.answer
    except SmtpRefused as refused:
        return SmtpAnswer(refused.status, refused.words, refused.step)
    except aiosmtplib.SMTPResponseException as error:
        return SmtpAnswer(error.code, str(error.message), step)
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        return NoAnswer("after" if step == "data" else "before", "broken")


async def _fetched(
    reach: Reach, user_id: UUID, files: Sequence[OutFile], settings: Mapping[str, Any]
) -> list[File] | Outcome:
    """The files of a mail; what cannot be had is tried again, and then the message's own fault."""
    fetched: list[File] = []
    left = mail.MOST_FILE_BYTES
    for number, file in enumerate(files, 1):
        kept = await reach.content_of(user_id, file.url, left) if reach.content_of else None
        if kept is not None:  # an upload of ours: no call to ourselves
            name = file.file_name or f"file-{number}"
            fetched.append(File(name, mail.type_of(name, file.mime_type or kept[1]), kept[0]))
            left -= len(kept[0])
            continue
        own = urlsplit(file.url).hostname == settings["smtp"]["host"]
        answer = await reach.door.call(HttpCall("GET", file.url, seconds=FETCH_SECONDS, most_bytes=left, own_host=own))
        if isinstance(answer, NoAnswer):
            if answer.reason in {"private_address", "insecure_url", "invalid_url"}:
                return Outcome("permanent", error=Error.of("content_rejected", answer.reason))
            return Outcome("transient", error=Error.of("content_rejected", answer.reason))
        if answer.cut:
            return outcomes.of("content_rejected", words="the files of a mail may have 20 MB in all")
        if answer.status != 200:
            return Outcome("transient", error=Error.of("content_rejected", answer.status))
        name = file.file_name or _name_in(file.url) or f"file-{number}"
        fetched.append(File(name, mail.type_of(name, file.mime_type or _type_in(answer)), answer.body))
        left -= len(answer.body)
    return fetched


def _name_in(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _type_in(answer: Answer) -> str | None:
    return answer.headers.get("content-type")


def _with_words_cleaned(outcome: Outcome, settings: Mapping[str, Any]) -> Outcome:
    """No secret of the connection stands in what is told, however short it is."""
    error = outcome.error
    if error is None or "messenger says" not in error.detail:
        return outcome
    detail = error.detail
    for secret in _secrets_in(settings):
        detail = detail.replace(secret, "…")
    return replace(outcome, error=error.model_copy(update={"detail": detail}))


def _secrets_in(settings: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for name, value in settings.items():
        if isinstance(value, Mapping):
            found += _secrets_in(value)
        elif name in _SECRETS:
            found += value if isinstance(value, list | tuple) else [value]
    return [secret for secret in found if isinstance(secret, str) and secret]
