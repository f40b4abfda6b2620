"""How bytes travel in mails and forms: transfer encodings, the parts between boundaries, parameters of headers."""

import binascii
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from alfred.channels.charsets import decoded

LONGEST_FIELD = 4000  # of a header's parameters
FIRST_WORD = re.compile(r"(?:\s|\([^)]*\)|[\"'])*([\w-]+)", re.ASCII)
NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")
MOST_SIGNS = 2  # in a line that is damaged base64
FULL_LINE = 60  # shorter lines that are no base64 are words
UU_BEGIN = re.compile(rb"^begin [0-7]{3,4}[^\r\n]*\r?\n", re.MULTILINE)
UU_END = re.compile(rb"^end[ \t]*\r?$\n?", re.MULTILINE)
SEGMENT = re.compile(r'(?:[^";]+|"(?:[^"\\]|\\.)*(?:"|\\?$))+', re.DOTALL)
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?$)', re.DOTALL)
# A parameter that no semicolon parts from the one before it.
FOLLOWER = re.compile(r"[\s,](?:charset|boundary|name|filename|format|type|report-type|delsp)\s?=", re.IGNORECASE)
QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
APOSTROPHES = 2
PIECE = re.compile(r"([\w-]+?)(?:\*([0-9]{1,3}))?(\*)?", re.ASCII)


def as_bytes(value: str) -> bytes:
    """The bytes that a lossless reading kept in the string."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def lossless(source: bytes) -> str:
    """UTF-8, with what is none kept for a later reader who knows the charset."""
    return source.decode("utf-8", "surrogateescape")


def transferred(source: bytes, encoding: str | None) -> bytes:
    """The bytes before they were made fit for mail; what is not encoded stays as it is."""
    match transfer_encoding(encoding):
        case "base64":
            return _from_base64_lines(source)
        case "quotedprintable":
            return binascii.a2b_qp(source)
        case "uuencode" | "uue":
            return from_uuencode(source)
    return source


def transfer_encoding(header: str | None) -> str:
    """The first word of the header without signs: `base64`, `quotedprintable`, `uuencode`."""
    word = FIRST_WORD.match((header or "")[:LONGEST_FIELD])
    return re.sub("[^a-z0-9]", "", word.group(1).lower().removeprefix("x-")) if word else ""


def from_base64(source: bytes) -> bytes:
    """What can be read of it; a `=` ends a piece, behind which another may start."""
    letters = NOT_BASE64.sub(b"", source)
    return b"".join(_piece(piece) for piece in re.split(rb"=+", letters) if piece)


def _piece(letters: bytes) -> bytes:
    whole = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _from_base64_lines(source: bytes) -> bytes:
    """The encoded lines; what a list or a scanner wrote under them as plain words stays as it is."""
    lines = source.splitlines(keepends=True)
    plain = next((number for number, line in enumerate(lines) if not _is_base64(line)), len(lines))
    return _apart(from_base64(b"".join(lines[:plain])), b"".join(lines[plain:]))


def _is_base64(line: bytes) -> bool:
    """Words have spaces or several signs; a stray sign, or a long line of letters with spaces in it, is damage."""
    written = line.strip()
    signs = len(NOT_BASE64.findall(written))
    return signs < MOST_SIGNS or (len(written) >= FULL_LINE and signs < len(written) // 20)


def from_uuencode(source: bytes) -> bytes:
    """The files of a uuencoded text, with the words before and after them."""
    start = UU_BEGIN.search(source)
    if start is None:
        return source
    end = UU_END.search(source, start.end())
    encoded = source[start.end() : end.start() if end else len(source)]
    rest = source[end.end() :] if end else b""
    return source[: start.start()] + _apart(b"".join(_uu_lines(encoded)), rest.lstrip(b"\r\n"))


def _apart(first: bytes, second: bytes) -> bytes:
    return first + b"\n" + second if first.strip() and second.strip() and not first.endswith(b"\n") else first + second


def _uu_lines(encoded: bytes) -> Iterator[bytes]:
    for line in encoded.splitlines():
        if not line.strip():
            continue
        length = (((line[0] - 32) & 63) + 2) // 3 * 4
        try:
            yield binascii.a2b_uu(line)
        except binascii.Error:
            try:
                yield binascii.a2b_uu(line[: length + 1])  # a checksum or blanks too many at its end
            except binascii.Error:
                yield line  # no uuencode: it is kept as it is


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
    plain: str | None = None
    pieces: dict[int, tuple[str, bool]] = {}
    for key, value in parameters((header or "")[:LONGEST_FIELD]):
        piece = PIECE.fullmatch(key)
        if piece is None or piece.group(1) != name:
            continue
        if piece.group(2) is None and piece.group(3) is None:
            plain = value if plain is None else plain
        else:
            pieces.setdefault(int(piece.group(2) or 0), (value, piece.group(3) is not None))
    return _joined(pieces) if pieces else plain


@lru_cache(256)
def parameters(header: str) -> tuple[tuple[str, str], ...]:
    """Names in lower case and values, of a header that may lack semicolons or closing quotes."""
    return tuple(pair for segment in SEGMENT.findall(header) for pair in _pairs(segment))


def _pairs(segment: str) -> Iterator[tuple[str, str]]:
    while "=" in segment:
        before, _, value = segment.partition("=")
        names, value = before.replace(",", " ").split(), value.strip()
        quoted = QUOTED.match(value)
        if quoted:
            content, segment = QUOTED_PAIR.sub(r"\1", quoted.group(1)), value[quoted.end() :]
        else:
            follower = FOLLOWER.search(value)
            content, segment = (value[: follower.start()], value[follower.start() :]) if follower else (value, "")
        if names:
            yield names[-1].lower(), content.strip() if quoted else content.strip(" \t\n,'")


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """`charset'language'percent-encoded`, perhaps in several numbered pieces."""
    charset, content = None, b""
    for number, (value, encoded) in sorted(pieces.items()):
        written = value
        if encoded and number == min(pieces) and value.count("'") >= APOSTROPHES:
            charset, _, written = value.split("'", APOSTROPHES)
        content += unquote_to_bytes(as_bytes(written)) if encoded else as_bytes(written)
    return decoded(content, charset).strip()
