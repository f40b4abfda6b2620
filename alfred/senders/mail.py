"""E-mail: the mail as bytes, its place in a thread, and what an SMTP server's answers mean."""

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Literal

from alfred.http_calls import NoAnswer
from alfred.senders import outcomes
from alfred.senders.addresses import unreachable
from alfred.senders.outcomes import Outcome
from alfred.senders.parts import Abilities, Part

CAN = Abilities(text_limit=None, mail=True, seconds=60.0)

MOST_REFERENCES = 20
MOST_FILE_BYTES = 20 * 1024 * 1024  # of all files of a mail

_ANY_SERVER = SMTP.clone(cte_type="7bit")  # also those that take no eight-bit text

Step = Literal["connect", "tls", "auth", "mail", "rcpt", "data"]


@dataclass(frozen=True)
class File:
    """A file that goes with a mail."""

    name: str
    mime_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Envelope:
    """Whom a delivery goes to, and when."""

    to: str
    delivery_id: str
    now: datetime


@dataclass(frozen=True)
class Mail:
    """What the SMTP client is given."""

    message_id: str  # without its angle brackets: the external id
    sender: str
    recipient: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class SmtpAnswer:
    """The server's last word; `step` is what it answered to."""

    status: int
    words: str = field(default="", repr=False)
    step: Step = "data"


def mail_of(part: Part, envelope: Envelope, config: Mapping[str, Any], files: Sequence[File] = ()) -> Mail:
    """The mail; the same delivery has the same Message-ID each time.

    Raises:
        Unsendable: the handle is no address that a header can hold.
    """
    smtp = config["smtp"]
    sender = str(smtp["from_address"])
    message_id = f"{envelope.delivery_id}@{sender.rpartition('@')[2]}"
    mail = EmailMessage(policy=_ANY_SERVER)
    try:
        mail["From"] = Address(display_name=str(smtp.get("from_name") or ""), addr_spec=sender)
        mail["To"] = Address(addr_spec=envelope.to)
    except (ValueError, IndexError, TypeError):
        raise unreachable() from None
    mail["Date"] = format_datetime(envelope.now)
    mail["Subject"] = one_line(part.subject or "")
    mail["Message-ID"] = f"<{message_id}>"
    if part.references:
        mail["In-Reply-To"] = f"<{part.references[-1]}>"
        mail["References"] = " ".join(f"<{each}>" for each in part.references)
    if smtp.get("reply_to"):
        mail["Reply-To"] = str(smtp["reply_to"])
    if part.automation:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(part.text or "", charset="utf-8")
    for file in files:
        kind, _, subtype = file.mime_type.partition("/")
        mail.add_attachment(file.content, maintype=kind, subtype=subtype or "octet-stream", filename=file.name)
    return Mail(message_id, sender, envelope.to, mail.as_bytes())


def outcome(answer: SmtpAnswer | NoAnswer, message_id: str) -> Outcome:
    """What came of it."""
    if isinstance(answer, NoAnswer):
        return outcomes.of_silence(answer)
    status, words = answer.status, answer.words
    if 200 <= status < 300 and answer.step == "data":
        return outcomes.ok(message_id)
    if answer.step == "tls":
        return outcomes.of("network_error", status, words)
    if status in {530, 534, 535, 538}:
        return outcomes.of("auth_failed", status, words)
    if 400 <= status < 500:
        return outcomes.transient(status, words)
    if status in {550, 551, 553} or " 5.1." in f" {words}" or words.startswith("5.1."):
        return outcomes.of("recipient_unreachable", status, words)
    if status == 552:
        return outcomes.of("content_rejected", status, words)
    return outcomes.refused(status, words) if 500 <= status < 600 else outcomes.unknown()


def references_of(references: Sequence[str], message_id: str | None) -> tuple[str, ...]:
    """The thread that an answer to this mail has: its first and its last ones stay."""
    chain = [each for each in references if each != message_id] + ([message_id] if message_id else [])
    if len(chain) > MOST_REFERENCES:
        chain = [chain[0], *chain[-(MOST_REFERENCES - 1) :]]
    return tuple(chain)


def subject_of(given: str | None, answered: str | None, base: str) -> str:
    """The given one, else that of the answered mail with one `Re:`, else the channel's."""
    if given:
        return one_line(given)
    if answered and answered.strip():
        bare = one_line(answered)
        while bare[:3].lower() == "re:":
            bare = bare[3:].lstrip()
        return f"Re: {bare}"
    return one_line(base)


def one_line(text: str) -> str:
    """Without line breaks: what a header can hold."""
    return " ".join(text.split())


def type_of(file_name: str, told: str | None) -> str:
    """The media type of a file: as told, else by its name."""
    if told and "/" in told and told.isascii() and not any(letter.isspace() for letter in told):
        return told.partition(";")[0].lower()
    return mimetypes.guess_type(file_name)[0] or "application/octet-stream"
