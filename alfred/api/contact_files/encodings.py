"""Which encoding a file of a spreadsheet is in: Excel saves Windows-1252 or UTF-16 unless it is told otherwise."""

import codecs
import re

from alfred.channels.charsets import codec_of

UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # Excel's own formats
LOOKED_AT = 1000
NAMES = {"utf-16-le": "utf-16", "utf-16-be": "utf-16", "cp1252": "windows-1252", "utf-8-sig": "utf-8"}
CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")


class UnknownEncoding(Exception):
    """The bytes are no text that we know; the message is one sentence for the person who sent them."""


def decoded(raw: bytes, charset: str | None = None) -> tuple[str, str]:
    """The text and the name of its encoding; a byte order mark says more than `charset`, that more than the bytes.

    Raises:
        UnknownEncoding: it is no text.
    """
    if raw.startswith(WORKBOOKS):
        raise UnknownEncoding("The file is a workbook, not CSV; save it as CSV and send it again.")
    codec = _codec(raw, charset)
    try:
        text = raw.decode(codec).removeprefix("\ufeff")
    except ValueError:
        raise UnknownEncoding("The file is no text; save it as CSV in UTF-8 and send it again.") from None
    if codec == "cp1252" and CONTROLS.search(text):
        raise UnknownEncoding("The file is no text; save it as CSV in UTF-8 and send it again.")
    return text, NAMES.get(codec, codec)


def _codec(raw: bytes, charset: str | None) -> str:
    if raw.startswith(codecs.BOM_UTF8):
        return "utf-8"
    for mark, codec in UTF_16.items():
        if raw.startswith(mark):
            return codec
    if (named := codec_of(charset)) and named != "utf-8":
        return named
    return _wide(raw) or ("utf-8" if _is_utf8(raw) else "cp1252")


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: in Western text every other byte is nothing."""
    head = raw[:LOOKED_AT]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if len(raw) % 2 or max(even, odd) * 4 < len(head) or min(even, odd):
        return None
    return "utf-16-le" if odd else "utf-16-be"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except ValueError:
        return False
    return True
