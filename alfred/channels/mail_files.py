"""The files of a mail, in the order of its attachments: their bytes come with the post and nowhere else."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from alfred.channels.body import form_parts
from alfred.channels.clean import Object, obj, rows, text
from alfred.channels.decoding import as_bytes, from_base64
from alfred.channels.item import Attachment
from alfred.channels.mime import file_parts
from alfred.channels.strict_json import parsed


class MailFile(NamedTuple):
    """A file; its name and type as the mail tells them."""

    name: str | None
    mime_type: str | None
    content: bytes


def files_of(body: bytes, content_type: str, attachments: Sequence[Attachment]) -> list[MailFile | None]:
    """One for each attachment; None where the post does not hold it. `body` is what was posted."""
    if not attachments:
        return []
    declared = content_type.partition(";")[0].strip().lower()
    if declared.startswith("multipart/") or body.lstrip().startswith(b"--"):
        return _of_form(body, content_type, attachments)
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        payload = parsed(body.decode("utf-8", "replace"))
        return _in_order(_of_json(payload if isinstance(payload, dict) else {}), attachments)
    return _in_order(_of_mime(body), attachments)


def _in_order(files: Iterator[MailFile], attachments: Sequence[Attachment]) -> list[MailFile | None]:
    """The normaliser lists a mail's files in the same order."""
    found = list(files)
    return list(found) if len(found) == len(attachments) else [None] * len(attachments)


def _of_mime(source: bytes) -> Iterator[MailFile]:
    for part in file_parts(source):
        yield MailFile(part.filename, part.content_type, part.content)


def _of_form(body: bytes, content_type: str, attachments: Sequence[Attachment]) -> list[MailFile | None]:
    """SendGrid and Mailgun: an attachment is known by its field; a raw mail is a field itself."""
    parts = form_parts(body, content_type)
    for name in ("email", "body-mime"):
        if name in parts and len(parts[name].content) > 1:
            return _in_order(_of_mime(parts[name].content), attachments)
    named: Mapping[str, Any] = parts
    found = (named.get(attachment.id_or_url or "") for attachment in attachments)
    return [MailFile(part.filename, part.content_type, part.content) if part else None for part in found]


def _of_json(payload: Object) -> Iterator[MailFile]:
    if "Attachments" in payload:  # Postmark
        for file in rows(payload.get("Attachments")):
            if isinstance(file, dict) and not text(file.get("ContentID")):
                content = from_base64(as_bytes(str(file.get("Content") or file.get("Data") or "")))
                yield MailFile(text(file.get("Name")), text(file.get("ContentType")), content)
        return
    inner = obj(parsed(payload.get("Message"))) if "Message" in payload else payload  # Amazon's notification
    if text(inner.get("content")):
        source = as_bytes(str(inner["content"]))
        encoding = text(obj(obj(inner.get("receipt")).get("action")).get("encoding")) or ""
        yield from _of_mime(from_base64(source) if encoding.upper() == "BASE64" else source)
