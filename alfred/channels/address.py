"""Addresses in mail headers: split first, decoded after, since an encoded word can hide a comma."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from alfred.channels.charsets import decoded
from alfred.channels.decoding import as_bytes, from_base64

WORD = re.compile(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
PIECE = re.compile(r'=\?[^?\s]+\?[bBqQ]\?[^?]*\?=|"(?:[^"\\]|\\.)*"|<[^<>]*>|\\.|[^"<>(),:;\\=]+|.', re.DOTALL)
# An address with nothing wrong in it; and one that stands anywhere in a text.
ATOM = r"""[^\s<>()\[\],;:"'@]"""
CLEAN = re.compile(rf"""(?:"[^"]*"|{ATOM}+(?:'{ATOM}+)*)@(?:\[[^\]\s]+\]|{ATOM}+(?<!\.))""")
READABLE = re.compile(r"""(?<![^\s<>()\[\],;:"'=])[^\s<>()\[\],;:"'@=]{1,200}@(?:[\w-]{1,63}\.)*[\w-]{1,63}""")
PLAIN = re.compile(r"[\w.+-]+@[\w.-]*[\w-]", re.ASCII)  # as most headers have it: an address and nothing else
AROUND_AT = re.compile(r"(?<=\S)[ \t]{0,3}@[ \t]{0,3}(?=\S)")
SIGNS = str.maketrans(dict.fromkeys("<>()[]\"',;", " "))
SIGNS_AROUND = " <>\"'"
LONGEST_HEADER = 20_000
ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Mailbox(NamedTuple):
    """An address in lower case and the name before it, decoded."""

    address: str
    name: str | None


def mailbox(header: str | None) -> Mailbox | None:
    """The first of a header's addresses that is one."""
    return next(mailboxes(header or ""), None)


def readable_mailbox(header: str | None) -> Mailbox | None:
    """The first address that can be read, however badly the header is written."""
    if not header:
        return None
    if len(header) <= LONGEST_HEADER and PLAIN.fullmatch(header):
        return Mailbox(header.lower(), None)
    written = header[:LONGEST_HEADER]
    for source in dict.fromkeys((written, decode_words(written))):
        one = mailbox(source)
        if one and CLEAN.fullmatch(one.address):
            return one
    plain = decode_words(written).replace("\uff20", "@").replace("\ufe6b", "@")
    match = READABLE.search(plain) or READABLE.search(AROUND_AT.sub("@", plain))
    if match is None:
        return None
    start = plain.find(match.group())
    called = " ".join(plain[: max(start, 0)].translate(SIGNS).split()).removesuffix("mailto:").strip()
    return Mailbox(match.group().lower(), None if "@" in called else called or None)


def address(header: str | None) -> str | None:
    one = readable_mailbox(header)
    return one.address if one else None


def mailboxes(header: str) -> Iterator[Mailbox]:
    scan = Scan()
    for piece in PIECE.findall(header):
        if scan.depth or piece in "()":
            scan.comment_on(piece)
        elif piece in ",;":
            yield from scan.mailboxes()
            scan = Scan()
        elif piece == ":":  # what stood before was the name of a group, or of a scheme
            scan = Scan()
        else:
            scan.take(piece)
    yield from scan.mailboxes()


@dataclass(slots=True)
class Scan:
    """What was read of one address so far."""

    phrase: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    comment: list[str] = field(default_factory=list)
    angle: str | None = None
    depth: int = 0

    def comment_on(self, piece: str) -> None:
        self.depth = max(0, self.depth + (piece == "(") - (piece == ")"))
        if piece not in "()":
            self.comment.append(piece)

    def take(self, piece: str) -> None:
        if piece.startswith("<") and piece.endswith(">"):
            if self.angle is None or "@" not in self.angle:
                self.angle = piece[1:-1]
            return
        self.bare.append(piece)
        quoted = len(piece) > 1 and piece.startswith('"')
        self.phrase.append(ESCAPED.sub(r"\1", piece[1:-1]) if quoted else re.sub(r"\s+", " ", piece))

    def mailboxes(self) -> Iterator[Mailbox]:
        written = "".join(self.bare) if self.angle is None else self.angle.rpartition(":")[2]
        local, _, domain = written.strip().rpartition("@")
        if not local or not domain or (re.search(r"\s", written.strip()) and not local.startswith('"')):
            return
        remark = "".join(self.comment).strip()
        phrase = "" if self.angle is None else "".join(self.phrase).strip()
        called = f"{phrase} ({remark})" if phrase and remark else phrase or remark
        yield Mailbox(f"{local}@{domain}".lower(), decode_words(called).strip(SIGNS_AROUND) or None)


def decode_words(value: str) -> str:
    """Encoded words (RFC 2047) as text; neighbours of one charset together, as they may share a letter."""
    if "=?" not in value:
        return value
    pieces: list[str] = []
    pending, charset, end = b"", "", 0
    for word in WORD.finditer(value):
        gap = value[end : word.start()]
        if end == 0 or gap.strip() or word.group(1).lower() != charset:
            pieces.append(decoded(pending, charset))
            pieces.append("" if end and not gap.strip() else gap)
            pending, charset = b"", word.group(1).lower()
        pending += _word_bytes(word.group(2), word.group(3))
        end = word.end()
    return "".join((*pieces, decoded(pending, charset), value[end:]))


def _word_bytes(encoding: str, encoded: str) -> bytes:
    source = as_bytes(encoded)
    return from_base64(source) if encoding in "bB" else binascii.a2b_qp(source, header=True)
