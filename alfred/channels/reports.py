"""Reports of mail servers on mails that we sent (RFC 3464): whose delivery failed, and of which mail."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from alfred.channels.clean import Object, one_line, text
from alfred.channels.decoding import as_bytes
from alfred.channels.headers import Headers, read_headers
from alfred.channels.item import Failure

STATUS_PARTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
MAIL_PARTS = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
REPORT_PARTS = STATUS_PARTS | MAIL_PARTS
MOST_RECIPIENTS = 1000
LONGEST_PART = 1 << 18
MESSAGE_ID = re.compile(r"<([^<>]*)>")
GAP = re.compile(rb"\r?\n[ \t]*\r?\n")


def media_type_of(content_type: object) -> str:
    """A content type without its parameters, in lower case."""
    return (text(content_type) or "").partition(";")[0].strip().lower()


def form_report(form: Object, file_field: re.Pattern[str]) -> list["ReportPart"]:
    """The report's parts among the files of a posted form."""
    files = (part for name, part in form.items() if file_field.fullmatch(name) and isinstance(part, dict))
    return [
        ReportPart(media_type_of(file.get("type")), as_bytes(file["content"]))
        for file in files
        if media_type_of(file.get("type")) in REPORT_PARTS and isinstance(file.get("content"), str)
    ]


class ReportPart(NamedTuple):
    content_type: str
    content: bytes


class Report(NamedTuple):
    """A failed delivery: of the mail with this Message-ID (without <>), to this address in lower case."""

    message_id: str
    recipient: str | None
    failure: Failure


def failed_delivery(parts: Sequence[ReportPart]) -> Report | None:
    """The first delivery that failed, if the report says of which mail."""
    groups = [group for part in parts if part.content_type in STATUS_PARTS for group in _groups(part.content)]
    failed = next((group for group in groups if _word(group.get("action")) == "failed"), None)
    message_id = next((one for part in parts if part.content_type in MAIL_PARTS if (one := _id(part.content))), None)
    if failed is None or message_id is None:
        return None
    recipient = _typed(failed.get("final-recipient")) or _typed(failed.get("original-recipient"))
    code = (failed.get("status") or "").partition(" ")[0].partition("(")[0] or None
    words = one_line(_typed(failed.get("diagnostic-code")))
    return Report(message_id, recipient.lower() if recipient else None, Failure(provider_code=code, detail=words))


def _groups(content: bytes) -> list[Headers]:
    """One block of fields about the report, then one for each recipient."""
    return [read_headers(block.lstrip()) for block in GAP.split(content[:LONGEST_PART])[:MOST_RECIPIENTS]]


def _id(content: bytes) -> str | None:
    block = GAP.split(content[:LONGEST_PART].lstrip(), maxsplit=1)[0]
    header = read_headers(block).get("message-id") or ""
    match = MESSAGE_ID.search(header)
    return (match.group(1) if match else header).strip() or None


def _word(value: str | None) -> str:
    """The first word, in lower case, without a comment behind it."""
    return (value or "").partition("(")[0].partition(";")[0].strip().lower()


def _typed(value: str | None) -> str | None:
    """What stands behind the type: `rfc822; ana@example.com`."""
    kind, semicolon, content = (value or "").partition(";")
    written = (content if semicolon else kind).strip().strip("<>")
    return written or None
