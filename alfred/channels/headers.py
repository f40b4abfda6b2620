"""The headers of a mail, from a header block or from whatever fields a provider gives."""

import re
from collections.abc import Iterable, Iterator

from alfred.channels.charsets import decoded
from alfred.channels.clean import text
from alfred.channels.decoding import as_bytes

MOST_HEADERS = 2000  # of a block; mailing lists come to some hundred
LONGEST_BLOCK = 262_144
NAME = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
FOLD = re.compile(r"\n[ \t]*|\r")
MARKS = re.compile(rb"\A(?:\xef\xbb\xbf|\s)+")


class Headers:
    """Names without regard to case; a name can come several times; empty values are none."""

    def __init__(self, pairs: Iterable[tuple[object, object]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._add(name, value)

    def _add(self, name: object, value: object) -> None:
        for one in value if isinstance(value, list) else [value]:
            content = text(one)
            key = text(name) if content else None  # most fields of a payload are left out
            if content and key:
                is_folded = "\n" in content or "\r" in content
                unfolded = FOLD.sub(_unfolded, content) if is_folded else content
                self._values.setdefault(key.lower(), []).append(unfolded)

    def get(self, name: str) -> str | None:
        values = self._values.get(name)
        return values[0] if values else None

    def has_any(self, names: Iterable[str]) -> bool:
        return not self._values.keys().isdisjoint(names)

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for name, values in self._values.items() for value in values)

    def __or__(self, fallback: "Headers") -> "Headers":
        """These, and behind them those of another source."""
        return Headers((*self, *fallback))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._values)


def _unfolded(fold: re.Match[str]) -> str:
    return " " if len(fold.group()) > 1 else ""


def without_marks(source: bytes) -> bytes:
    """A mail without the byte order mark and the empty lines that some programs put before its headers."""
    return MARKS.sub(b"", source, count=1)


def read_headers(block: str | bytes) -> Headers:
    """A header block, without lines that are no headers; bytes beyond ASCII are UTF-8, or else windows-1252."""
    source = as_bytes(block) if isinstance(block, str) else block
    return Headers((name, decoded(value, None)) for name, value in _fields(source[:LONGEST_BLOCK]))


def _fields(block: bytes) -> Iterator[tuple[str, bytes]]:
    name, lines = "", list[bytes]()
    read = 0
    for line in block.splitlines(keepends=True):
        if line[:1] in b" \t":
            lines.append(line)
            continue
        if name:
            read += 1
            yield name, b"".join(lines)
        match = NAME.match(line) if read < MOST_HEADERS else None
        name = match.group(1).decode("latin-1") if match else ""
        lines = [line[match.end() :]] if match else []
    if name:
        yield name, b"".join(lines)


def body_without_gap(block: bytes) -> bytes:
    """What follows the headers of a block in which no empty line ends them."""
    lines = block.splitlines(keepends=True)
    last = len(lines)
    while last and not NAME.match(lines[last - 1]) and lines[last - 1][:1] not in b" \t":
        last -= 1
    return b"".join(lines[last:])
