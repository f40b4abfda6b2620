"""The headers of a mail, from a header block or from whatever fields a provider gives."""

from collections.abc import Iterable, Iterator
from email.parser import BytesHeaderParser
from typing import Any

from alfred.channels.clean import text
from alfred.channels.decoding import as_bytes, decoded


class Headers:
    """Names without regard to case; a name can come several times; empty values are none."""

    def __init__(self, pairs: Iterable[tuple[object, object]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._add(name, value)

    def _add(self, name: object, value: object) -> None:
        for one in value if isinstance(value, list) else [value]:
            key, found = text(name), text(one)
            if key and found:
                self._values.setdefault(key.lower(), []).append(found.replace("\n", ""))

    def get(self, name: str) -> str | None:
        return self.all(name)[0] if self.all(name) else None

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


def read_headers(block: str | bytes) -> Headers:
    """A header block; bytes beyond ASCII are UTF-8, or else Latin-1."""
    message = BytesHeaderParser().parsebytes(as_bytes(block) if isinstance(block, str) else block)
    pairs: Iterable[tuple[str, Any]] = message.raw_items()
    return Headers((name, decoded(as_bytes(str(value)), None)) for name, value in pairs)
