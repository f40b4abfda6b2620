"""From bytes to text and back: charsets that may lie, transfer encodings, the parts between boundaries."""

import binascii
import codecs
import re
from email.message import Message
from email.utils import collapse_rfc2231_value

# Text codecs that are slow, or that let the text say more than its characters.
NO_CHARSETS = frozenset({"punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape"})
LONGEST_FIELD = 2000  # the standard parser of parameters takes quadratic time
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def as_bytes(value: str) -> bytes:
    """The bytes that a lossless reading kept in the string."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def lossless(source: bytes) -> str:
    """UTF-8, with what is none kept for a later reader who knows the charset."""
    return source.decode("utf-8", "surrogateescape")


def decoded(source: bytes, charset: str | None) -> str:
    """Text in the given charset; where none is given, or none that exists: UTF-8, else Latin-1."""
    known = _codec(charset)
    try:
        return source.decode(known or "utf-8", "replace" if known else "strict")
    except (ValueError, LookupError):
        return source.decode("latin-1")


def _codec(charset: str | None) -> str | None:
    try:
        found = codecs.lookup((charset or "ascii").strip()).name
    except (ValueError, LookupError):
        return None
    return None if found in NO_CHARSETS or found == "ascii" else found


def transferred(source: bytes, encoding: str | None) -> bytes:
    """The bytes before they were made fit for mail; a broken base64 gives what can be read of it."""
    match (encoding or "").strip().lower():
        case "base64":
            return from_base64(source)
        case "quoted-printable":
            return binascii.a2b_qp(source)
    return source


def from_base64(source: bytes) -> bytes:
    letters = NOT_BASE64.sub(b"", source)
    whole = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def between(source: bytes, boundary: str, most: int) -> list[bytes]:
    """The parts that a boundary separates, at most so many; a missing last boundary ends the last part."""
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(as_bytes(boundary)) + rb"(--)?[ \t]*(?=\r?\n|$)")
    parts: list[bytes] = []
    start = None
    for mark in line.finditer(source):
        if start is not None:
            parts.append(source[start : mark.start()])
        start = None if mark.group(1) else mark.end()
        if start is None or len(parts) >= most:
            break
    if start is not None and len(parts) < most:
        parts.append(source[start:])
    return [part.removeprefix(b"\r").removeprefix(b"\n") for part in parts]


def opened(part: bytes) -> tuple[bytes, bytes]:
    """Header block and body of a part; a part that begins with an empty line has no headers."""
    if part.startswith((b"\n", b"\r\n")):
        return b"", part.removeprefix(b"\r").removeprefix(b"\n")
    gap = re.search(rb"\r?\n\r?\n", part)
    return (part[: gap.start()], part[gap.end() :]) if gap else (part, b"")


def parameter(header: str | None, name: str) -> str | None:
    """A parameter of a header such as Content-Type, its RFC 2231 pieces put together."""
    message = Message()
    message["content-type"] = (header or "")[:LONGEST_FIELD]
    try:
        found = message.get_param(name)
        return collapse_rfc2231_value(found).strip() if found is not None else None
    except (ValueError, LookupError, TypeError, AttributeError):
        return None  # pieces that do not fit together
