"""What every mail becomes, whichever provider brought it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alfred.channels.address import Mailbox, address, decode_words, readable_mailbox
from alfred.channels.building import ignored
from alfred.channels.clean import first, moment, name, text
from alfred.channels.headers import Headers
from alfred.channels.html_text import words
from alfred.channels.item import Attachment, IgnoredKind, InboundItem, Sender, Thread
from alfred.channels.redaction import kept
from alfred.channels.reports import Report, ReportPart, failed_delivery
from alfred.channels.whatsapp import by_mime

MESSAGE_ID = re.compile(r"<([^<>]*)>")
MOST_WRITERS = 10
MACHINES = frozenset({"mailer-daemon", "postmaster"})
# Marks of a machine; the standard's one and what older programs write.
SUBMISSIONS = ("auto-submitted", "x-autoreply", "x-autorespond", "x-auto-respond")
TELLING = frozenset((*SUBMISSIONS, "content-type", "precedence", "return-path"))


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as its provider describes it; what is not given here is looked for in the headers."""

    raw: Any
    headers: Headers = field(default_factory=Headers)
    writer: str | None = None
    name: object = None
    recipient: object = None
    provider_id: object = None
    provider_time: object = None
    subject: object = None
    reply_only: object = None
    plain: object = None
    page: object = None
    files: Sequence[Attachment] = ()
    report: Sequence[ReportPart] = ()


def read_letter(letter: Letter) -> InboundItem:
    """One message, even when it is empty; machines are not answered, and who wrote it must be readable."""
    report = failed_delivery(letter.report)
    if report:
        return _failed(letter, report)
    writers = (readable_mailbox(one) for one in (letter.writer, *letter.headers.all("from")[:MOST_WRITERS]))
    writer = next((mailbox for mailbox in writers if mailbox), None)
    if kind := _machine(letter, writer):
        return ignored("email", kind, letter.raw)
    if writer is None:
        return ignored("email", "no_sender", letter.raw).model_copy(update={"rejected": True})
    headers = letter.headers
    return InboundItem(
        kind="message",
        channel_type="email",
        external_id=_external_id(letter),
        sender=Sender(handle=writer.address, name=name(first(letter.name, writer.name), writer.address)),
        recipient=_recipient(letter),
        sent_at=_sent_at(letter),
        text=_written(letter),
        attachments=tuple(letter.files),
        reply_to=message_id(headers.get("in-reply-to")) or _last_reference(headers),
        subject=text(decode_words(first(letter.subject, headers.get("subject")) or "")),
        thread=_thread(headers),
        raw=kept(letter.raw),
    )


def _failed(letter: Letter, report: Report) -> InboundItem:
    """One of our mails could not be delivered; the report's own sender is a machine."""
    failure = report.failure
    return InboundItem(
        kind="status",
        channel_type="email",
        external_id=report.message_id,
        sender=Sender(handle=report.recipient),
        recipient=_recipient(letter),
        sent_at=_sent_at(letter),
        status="failed",
        error=": ".join(part for part in (failure.provider_code, failure.detail) if part) or None,
        failure=failure,
        raw=kept(letter.raw),
    )


def attached(mime: object, where: object) -> Attachment:
    kind = first((text(mime) or "").partition(";")[0])
    return Attachment(type=by_mime(kind), mime=kind, id_or_url=text(where))


def message_id(header: str | None) -> str | None:
    """The first id in a header, without its brackets."""
    if not header:
        return None
    ids = MESSAGE_ID.findall(header) or header.split()
    return next((one for each in ids if (one := text(each))), None)


def _last_reference(headers: Headers) -> str | None:
    header = " ".join(headers.all("references"))
    if not header:
        return None
    ids = MESSAGE_ID.findall(header) or header.split()
    return next((one for each in reversed(ids) if (one := text(each))), None)


def _machine(letter: Letter, writer: Mailbox | None) -> IgnoredKind | None:
    """What the mail is, if a machine sent it; bulk mail and lists are read like any other."""
    headers = letter.headers
    is_machine = writer is not None and writer.address.rpartition("@")[0] in MACHINES
    if not headers.has_any(TELLING):
        return "machine_mail" if is_machine else None
    if (headers.get("content-type") or "").lstrip(" \"'").lower().startswith("multipart/report"):
        return "delivery_report"
    is_automatic = any(_first_word(headers, mark) not in {"", "no"} for mark in SUBMISSIONS)
    precedence = _first_word(headers, "precedence").replace("-", "_")
    bounces = any("".join(path.split()) == "<>" for path in headers.all("return-path"))
    return "machine_mail" if is_automatic or precedence == "auto_reply" or bounces or is_machine else None


def _first_word(headers: Headers, name: str) -> str:
    """What a header says, in lower case, without parameters and comments."""
    value = headers.get(name)
    return value.partition(";")[0].partition("(")[0].strip().lower() if value else ""


def _external_id(letter: Letter) -> str | None:
    return message_id(letter.headers.get("message-id")) or text(letter.provider_id)


def _thread(headers: Headers) -> Thread:
    return Thread(
        message_id=headers.get("message-id"),
        in_reply_to=headers.get("in-reply-to"),
        references=" ".join(headers.all("references")) or None,
    )


def _recipient(letter: Letter) -> str | None:
    headers = (one for each in ("delivered-to", "x-original-to", "to") for one in letter.headers.all(each))
    return next((handle for one in (text(letter.recipient), *headers) if (handle := address(one))), None)


def _sent_at(letter: Letter) -> datetime | None:
    dates = (*letter.headers.all("date"), letter.provider_time)
    return next((at for date in dates if (at := moment(date))), None)


def _written(letter: Letter) -> str | None:
    return first(letter.reply_only, letter.plain) or text(words(text(letter.page) or ""))
