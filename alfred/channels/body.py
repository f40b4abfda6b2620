"""From the bytes of a request to what `normalise` takes: JSON, form fields, or a raw mail."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from alfred.channels.charsets import decoded, page_decoded
from alfred.channels.clean import Object, obj, text
from alfred.channels.decoding import as_bytes, between, lossless, opened, parameter
from alfred.channels.headers import read_headers
from alfred.channels.mime import looks_like_mail
from alfred.channels.reports import REPORT_PARTS, media_type_of
from alfred.channels.strict_json import BrokenJson, parse, parsed

__all__ = ["BrokenJson", "Payload", "UnreadableBody", "read_body"]

Payload: TypeAlias = Any  # JSON, a dict of form fields, or the bytes of a mail

MOST_FIELDS = 1000
FIRST_BOUNDARY = re.compile(rb"\s{0,10}--([^\r\n]{1,200}?)[ \t]{0,10}\r?\n")
SURROGATE = re.compile("[\ud800-\udfff]")
FORM = re.compile(rb"[\w.%+*~\[\]-]{1,200}=\S*\s*", re.ASCII)
LONGEST_REPORT = 1 << 18
PAGES = frozenset({"html", "body-html", "stripped-html"})
RAW_MAIL = frozenset({"email", "body-mime"})  # fields of bytes in charsets that only the mail itself tells


class UnreadableBody(ValueError):
    """The body is of no kind that a provider posts; the text says why in one sentence."""


def read_body(body: bytes, content_type: str | None) -> Payload:
    """Raises BrokenJson or UnreadableBody, and nothing else, on any bytes."""
    declared = (content_type or "").partition(";")[0].strip().lower()
    if declared in {"application/json", "text/json"} or declared.endswith("+json"):
        return parse(body)
    if not body.strip():
        raise UnreadableBody("The body is empty.")
    if declared == "message/rfc822":
        return body
    if declared.startswith("multipart/"):
        return _read_multipart(body, content_type or "")
    if declared == "application/x-www-form-urlencoded":
        return _read_form(body, parameter(content_type, "charset"))
    return _read_undeclared(body)


def _read_undeclared(body: bytes) -> Payload:
    """Many providers name no type, or text/plain for whatever they post."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        try:
            return parse(body)
        except BrokenJson as broken:
            raise UnreadableBody(str(broken)) from broken
    if FIRST_BOUNDARY.match(body):
        return _read_multipart(body, "")
    if looks_like_mail(body):
        return body
    if FORM.fullmatch(body):
        return _read_form(body)
    raise UnreadableBody("The body is neither JSON, nor a form, nor a mail.")


def _read_form(body: bytes, charset: str | None = None) -> Payload:
    if body.lstrip().startswith((b"{", b"[")):  # JSON under the type that simple clients name by default
        document = parsed(lossless(body))
        if document is not None:
            return document
    try:
        pairs = parse_qsl(
            lossless(body.strip()),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as broken:
        raise UnreadableBody(f"The form has more than {MOST_FIELDS} fields, or is none.") from broken
    return _first_of_each((name, value if name in RAW_MAIL else _mended(value, charset)) for name, value in pairs)


def _mended(value: str, charset: str | None) -> str:
    """A value whose bytes are no UTF-8."""
    return value if value.isascii() or not SURROGATE.search(value) else decoded(as_bytes(value), charset)


def form_parts(body: bytes, content_type: str) -> "dict[str, Field]":
    """The fields of a multipart form by their names, with the bytes of its files; the first of each name."""
    boundary = parameter(content_type, "boundary") or _first_boundary(body)
    parts = between(body, boundary, MOST_FIELDS) if boundary else []
    fields: dict[str, Field] = {}
    for part in parts:
        if field := _field(part):
            fields.setdefault(field.name, field)
    return fields


def _read_multipart(body: bytes, content_type: str) -> Payload:
    boundary = parameter(content_type, "boundary") or _first_boundary(body)
    parts = between(body, boundary, MOST_FIELDS + 1) if boundary else []
    if len(parts) > MOST_FIELDS:
        raise UnreadableBody(f"The form has more than {MOST_FIELDS} fields.")
    fields = [field for part in parts if (field := _field(part))]
    if not fields:
        raise UnreadableBody("The multipart form has no fields, or its boundary is missing.")
    named = {field.name: field for field in fields}
    charsets = obj(parsed(named["charsets"].written({}))) if "charsets" in named else {}
    return _first_of_each((field.name, field.written(charsets)) for field in fields)


class Field(NamedTuple):
    """A field of a form as it was sent; of a file only its description is kept."""

    name: str
    content: bytes
    charset: str | None
    filename: str | None
    content_type: str | None

    def written(self, charsets: Object) -> Payload:
        if self.name in RAW_MAIL:
            return lossless(self.content)
        if self.filename is not None:
            about = {"filename": self.filename, "type": self.content_type, "size": len(self.content)}
            is_report = media_type_of(self.content_type) in REPORT_PARTS
            return {**about, "content": lossless(self.content[:LONGEST_REPORT])} if is_report else about
        charset = text(charsets.get(self.name)) or self.charset
        return page_decoded(self.content, charset) if self.name in PAGES else decoded(self.content, charset)


def _field(part: bytes) -> Field | None:
    block, content = opened(part)
    headers = read_headers(block)
    disposition, kind = headers.get("content-disposition"), headers.get("content-type")
    name = parameter(disposition, "name")
    filename = parameter(disposition, "filename")
    return Field(name, content, parameter(kind, "charset"), filename, kind) if name else None


def _first_boundary(body: bytes) -> str | None:
    line = FIRST_BOUNDARY.match(body)
    return lossless(line.group(1)) if line else None


def _first_of_each(pairs: Iterable[tuple[str, Any]]) -> Object:
    fields: Object = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields
