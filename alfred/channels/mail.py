"""What every mail becomes, whichever provider brought it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alfred.channels.address import Mailbox, address, mailbox
from alfred.channels.building import ignored
from alfred.channels.clean import first, moment, name, text
from alfred.channels.headers import Headers
from alfred.channels.html_text import words
from alfred.channels.item import Attachment, InboundItem, Sender
from alfred.channels.redaction import kept
from alfred.channels.whatsapp import by_mime

MESSAGE_ID = re.compile(r"<([^<>]*)>")
MACHINES = frozenset({"mailer-daemon", "postmaster"})


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
    reply_only: object = None
    plain: object = None
    page: object = None
    files: Sequence[Attachment] = ()


def read_letter(letter: Letter) -> InboundItem:
    """One message, even when it is empty; machines are not answered."""
    writers = (mailbox(one) for one in (letter.writer, *letter.headers.all("from")))
    writer = next((found for found in writers if found), None)
    if writer is None or _is_automatic(letter, writer):
        return ignored("email", letter.raw)
    headers = letter.headers
    return InboundItem(
        kind="message",
        channel_type="email",
        external_id=message_id(headers.get("message-id")) or text(letter.provider_id),
        sender=Sender(handle=writer.address, name=name(first(letter.name, writer.name), writer.address)),
        recipient=_recipient(letter),
        sent_at=_sent_at(letter),
        text=_written(letter),
        attachments=tuple(letter.files),
        reply_to=message_id(headers.get("in-reply-to")) or _last_reference(headers),
        raw=kept(letter.raw),
    )


def attached(mime: object, where: object) -> Attachment:
    kind = first((text(mime) or "").partition(";")[0])
    return Attachment(type=by_mime(kind), mime=kind, id_or_url=text(where))


def message_id(header: str | None) -> str | None:
    """The first id in a header, without its brackets."""
    found = MESSAGE_ID.findall(header or "") or (header or "").split()
    return next((one for each in found if (one := text(each))), None)


def _last_reference(headers: Headers) -> str | None:
    header = " ".join(headers.all("references"))
    found = MESSAGE_ID.findall(header) or header.split()
    return next((one for each in reversed(found) if (one := text(each))), None)


def _is_automatic(letter: Letter, writer: Mailbox) -> bool:
    submitted = (letter.headers.get("auto-submitted") or "no").partition(";")[0].strip().lower()
    return submitted != "no" or writer.address.rpartition("@")[0] in MACHINES


def _recipient(letter: Letter) -> str | None:
    headers = (one for each in ("delivered-to", "x-original-to", "to") for one in letter.headers.all(each))
    return next((found for one in (text(letter.recipient), *headers) if (found := address(one))), None)


def _sent_at(letter: Letter) -> datetime | None:
    dates = (*letter.headers.all("date"), letter.provider_time)
    return next((found for date in dates if (found := moment(date))), None)


def _written(letter: Letter) -> str | None:
    return first(letter.reply_only, letter.plain) or text(words(text(letter.page) or ""))
