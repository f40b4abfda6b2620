"""Postmark's inbound posts."""

from typing import Any

from alfred.channels.building import ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.decoding import as_bytes, from_base64
from alfred.channels.headers import Headers
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.channels.reports import REPORT_PARTS, ReportPart, media_type_of
from alfred.terms import ChannelType

CONTENTS = frozenset({"Content", "Data"})


def recognise(payload: Object) -> bool:
    return "FromFull" in payload or "RecordType" in payload or _is_mail(payload)


def _is_mail(payload: Object) -> bool:
    return {"From", "MessageID"} <= payload.keys() or {"MessageStream", "MessageID"} <= payload.keys()


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    if "RecordType" in payload:  # news of a mail that was sent
        return [ignored(channel, "mail_event", payload)]
    writer = obj(payload.get("FromFull"))
    files = [file for file in rows(payload.get("Attachments")) if isinstance(file, dict)]
    letter = Letter(
        raw={**payload, "Attachments": [_without_content(file) for file in files]},
        headers=_headers(payload),
        writer=text(writer.get("Email")),
        name=writer.get("Name") or payload.get("FromName"),
        recipient=payload.get("OriginalRecipient"),
        provider_id=payload.get("MessageID"),
        subject=payload.get("Subject"),
        reply_only=payload.get("StrippedTextReply"),
        plain=payload.get("TextBody"),
        page=payload.get("HtmlBody"),
        files=[_file(file) for file in files if not text(file.get("ContentID"))],
        report=_report(files),
    )
    return [read_letter(letter)]


def _headers(payload: Object) -> Headers:
    pairs = ((obj(row).get("Name"), obj(row).get("Value")) for row in rows(payload.get("Headers")))
    to = first(*(obj(one).get("Email") for one in rows(payload.get("ToFull"))), payload.get("To"))
    given = Headers((("from", payload.get("From")), ("to", to), ("date", payload.get("Date"))))
    return Headers(pairs) | given


def _file(file: Object) -> Attachment:
    return attached(file.get("ContentType"), file.get("Name"))


def _report(files: list[Object]) -> list[ReportPart]:
    kinds = ((media_type_of(file.get("ContentType")), first(file.get("Content"), file.get("Data"))) for file in files)
    return [
        ReportPart(kind, from_base64(as_bytes(content))) for kind, content in kinds if kind in REPORT_PARTS and content
    ]


def _without_content(file: Object) -> dict[str, Any]:
    return {key: value for key, value in file.items() if key not in CONTENTS}
