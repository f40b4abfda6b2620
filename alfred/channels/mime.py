"""Raw mail (RFC 5322 and MIME), read within bounds of depth, parts and header length."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from alfred.channels.address import decode_words
from alfred.channels.charsets import codec_of, decoded, page_decoded
from alfred.channels.clean import Object, text
from alfred.channels.decoding import as_bytes, between, lossless, opened, parameter, transfer_encoding, transferred
from alfred.channels.headers import Headers, body_without_gap, read_headers, without_marks
from alfred.channels.html_text import words
from alfred.channels.item import Attachment, InboundItem
from alfred.channels.mail import Letter, attached, read_letter
from alfred.channels.reports import REPORT_PARTS, ReportPart

MOST_PARTS = 1000
DEEPEST = 30
BODIES = frozenset({"text/plain", "text/html"})
TYPES = frozenset({
    "text", "image", "audio", "video", "application", "message", "multipart", "font", "model", "chemical", "x-world",
})  # fmt: skip
FILE_TEXTS = frozenset({"text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/csv"})
MEDIA_TYPE = re.compile(r"[\s\"']*([\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100})", re.ASCII)
FIRST_LINE = re.compile(rb"(?:\A|\n)--([^\s][^\r\n]{0,200}?)[ \t]{0,10}\r?\n(?=Content-)", re.IGNORECASE)
SHOWN = re.compile(r"cid:([^\s\"'<>)]{1,500})", re.IGNORECASE)
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x10-\x1a\x1c-\x1f]")
LOOKED_AT = 4096
LETTERHEAD = frozenset({
    "from", "to", "date", "subject", "message-id", "mime-version", "received", "return-path", "delivered-to",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a mail, with the parts that it holds."""

    headers: Headers
    body: bytes
    inside: Sequence["Part"] = ()
    is_alone: bool = False  # it is the whole mail

    @property
    def content_type(self) -> str:
        """`type/subtype`; plain text for a type that there is not, and for a multipart that does not come apart."""
        kind = media_type(self.headers) or "text/plain"
        if kind.startswith("multipart/") and not self.inside:
            return "text/plain"
        return kind if kind.partition("/")[0] in TYPES else "text/html" if "html" in kind else "text/plain"

    @property
    def filename(self) -> str | None:
        disposition, kind = (self.headers.get(each) for each in ("content-disposition", "content-type"))
        name = parameter(disposition, "filename") or parameter(kind, "name")
        return text(decode_words(name or ""))

    @property
    def is_attached(self) -> bool:
        disposition = self.headers.get("content-disposition") or ""
        return disposition.lstrip(" \t\"'").lower().startswith("attachment")

    @property
    def is_body(self) -> bool:
        """Body parts can carry a Content-ID too; a file name or `attachment` makes them files."""
        if self.is_alone and self.content_type.startswith("text/") and self.content_type not in FILE_TEXTS:
            return not self.is_attached or not self.filename
        return self.content_type in BODIES and not self.is_attached and not self.filename

    @property
    def content_id(self) -> str | None:
        value = self.headers.get("content-id")
        return value.strip("<> \t") if value is not None and not self.is_attached else None

    @property
    def written(self) -> str:
        """The characters of a text, whatever they mean."""
        charset = parameter(self.headers.get("content-type"), "charset")
        content = self._content(charset)
        return page_decoded(content, charset) if self.content_type == "text/html" else decoded(content, charset)

    def _content(self, charset: str | None) -> bytes:
        """Where plain words are labelled as base64, they are the content."""
        encoding = self.headers.get("content-transfer-encoding")
        content = transferred(self.body, encoding)
        is_wide = (codec_of(charset) or "").startswith(("utf-16", "utf-32"))
        if transfer_encoding(encoding) == "base64" and not is_wide and CONTROLS.search(content[:LOOKED_AT]):
            return self.body if not CONTROLS.search(self.body[:LOOKED_AT]) else content
        return content

    @property
    def content(self) -> bytes:
        return transferred(self.body, self.headers.get("content-transfer-encoding"))


@dataclass(frozen=True, slots=True)
class Mime:
    """A mail taken apart; `text` is what its reader sees of its texts, one after another."""

    headers: Headers
    text: str | None
    page: str | None
    files: tuple[Attachment, ...]
    report: tuple[ReportPart, ...] = field(default=())

    @property
    def raw(self) -> Object:
        files = [file.model_dump(mode="json") for file in self.files]
        return {"headers": [*self.headers], "text": self.text, "html": self.page, "attachments": files}

    def letter(self, raw: Object) -> Letter:
        return Letter(raw=raw, headers=self.headers, plain=self.text, files=self.files, report=self.report)


def recognise(source: bytes) -> bool:
    return bool(read_headers(opened(without_marks(source))[0]).names & LETTERHEAD)


def looks_like_mail(source: bytes) -> bool:
    """One header name can stand at the start of any text, two hardly."""
    return len(read_headers(opened(without_marks(source))[0]).names & LETTERHEAD) > 1


def read(source: bytes) -> list[InboundItem]:
    mail = take_apart(source)
    return [read_letter(mail.letter(mail.raw))]


def take_apart(source: bytes) -> Mime:
    mail = _tree(without_marks(source))
    leaves = list(_leaves(mail))
    pages = [part.written for part in leaves if part.is_body and part.content_type == "text/html"]
    files = _files(leaves, pages)
    return Mime(
        headers=mail.headers,
        text=text(_seen(mail)),
        page=text("\n".join(pages)),
        files=tuple(_file(part) for part in files),
        report=tuple(_report_parts(leaves)) if media_type(mail.headers) == "multipart/report" else (),
    )


def file_parts(source: bytes) -> list[Part]:
    """The parts that are files, in the order of the attachments."""
    leaves = list(_leaves(_tree(without_marks(source))))
    pages = [part.written for part in leaves if part.is_body and part.content_type == "text/html"]
    return _files(leaves, pages)


def _files(leaves: Sequence[Part], pages: Sequence[str]) -> list[Part]:
    """What is neither the text nor a picture in it."""
    shown = {cid for page in pages for cid in _shown(page)}
    return [part for part in leaves if not part.is_body and not (part.content_id and part.content_id in shown)]


def _report_parts(leaves: Sequence[Part]) -> Iterator[ReportPart]:
    return (ReportPart(part.content_type, part.content) for part in leaves if part.content_type in REPORT_PARTS)


def media_type(headers: Headers) -> str | None:
    """What the header's `type/subtype` is, whatever follows it."""
    match = MEDIA_TYPE.match(headers.get("content-type") or "")
    return match.group(1).lower() if match else None


def _file(part: Part) -> Attachment:
    return attached(part.headers.get("content-type"), part.filename)


def _shown(page: str) -> Iterator[str]:
    """The Content-IDs of the pictures in a page."""
    for match in SHOWN.finditer(page):
        written = html.unescape(match.group(1))
        yield from (written, unquote(written))


def _tree(source: bytes) -> Part:
    """The mail as parts in parts, at most so many and so deep."""
    budget = [MOST_PARTS]
    return _part(source, 0, budget)


def _part(source: bytes, depth: int, budget: list[int]) -> Part:
    head, body = opened(source)
    headers = read_headers(head)
    if depth == 0 and not body:
        body = body_without_gap(head)
    if not (media_type(headers) or "").startswith("multipart/") or depth >= DEEPEST:
        return Part(headers, body, is_alone=depth == 0)
    boundary = parameter(headers.get("content-type"), "boundary")
    sources = _sources(body, boundary, budget[0])
    budget[0] -= len(sources)
    inside = [_part(one, depth + 1, budget) for one in sources]
    if any(part.inside or part.body.strip() or part.filename for part in inside):
        return Part(headers, body, inside, is_alone=depth == 0)
    return Part(headers, _around(body, boundary), is_alone=depth == 0)


def _sources(body: bytes, boundary: str | None, most: int) -> list[bytes]:
    """The parts by the boundary that the header names, else by the one that the body begins with."""
    parts = between(body, boundary, most) if boundary else []
    if not parts and (first := FIRST_LINE.search(body)):
        parts = between(body, lossless(first.group(1)), most)
    return parts


def _around(body: bytes, boundary: str | None) -> bytes:
    """The text of a multipart in whose parts there is nothing: what stands before them, else all of it."""
    before = body.partition(b"--" + as_bytes(boundary))[0] if boundary else b""
    return before if before.strip() else body


def _leaves(part: Part) -> Iterator[Part]:
    if not part.inside:
        yield part
    for one in part.inside:
        yield from _leaves(one)


def _seen(part: Part) -> str:
    """The texts of a mail in its order; of alternatives only one, the plain one if there is something in it."""
    if not part.inside:
        if not part.is_body:
            return ""
        written = part.written
        return (words(written) or "") if part.content_type == "text/html" else written
    if media_type(part.headers) != "multipart/alternative":
        return "\n".join(seen for one in part.inside if (seen := _seen(one)).strip())
    choices = [(not _has_plain(one), number, _seen(one)) for number, one in enumerate(part.inside)]
    return next((seen for _, _, seen in sorted(choices) if seen.strip()), "")


def _has_plain(part: Part) -> bool:
    return any(one.content_type == "text/plain" and one.is_body for one in _leaves(part))
