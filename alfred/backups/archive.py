"""The archive: a gzipped tar that is written and read in one pass, whatever its size."""

import gzip
import json
import os
import sys
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

PIECE = 1 << 20  # bytes in memory at a time, and of a table in one member of the archive
MOST_OF_A_TEXT = 1 << 24  # bytes of a member that is read whole
_BLOCK = tarfile.BLOCKSIZE


class BadBackup(Exception):
    """A backup that cannot be made or restored; the text is for the operator."""


class Writer:
    """Adds members one after the other."""

    def __init__(self, out: IO[bytes]) -> None:
        self._zip = gzip.GzipFile(fileobj=out, mode="wb", compresslevel=3)

    def add(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """A member of so many bytes."""
        header = tarfile.TarInfo(name)
        header.size, header.mode, header.mtime = size, 0o600, int(time.time())
        self._zip.write(header.tobuf(tarfile.GNU_FORMAT))
        written = sum(self._zip.write(piece) for piece in pieces)
        if written != size:
            raise BadBackup(f"{name} changed while it was read")
        self._zip.write(bytes(-size % _BLOCK))

    def add_text(self, name: str, content: bytes) -> None:
        """A member that is in memory."""
        self.add(name, len(content), [content])

    def add_json(self, name: str, content: Any) -> None:
        """The same, of a value."""
        self.add_text(name, json.dumps(content, indent=1).encode())

    def close(self) -> None:
        """Say where it ends."""
        self._zip.write(bytes(2 * _BLOCK))
        self._zip.close()


class Reader:
    """Goes through the members once; none is kept."""

    def __init__(self, source: IO[bytes]) -> None:
        self._zip = gzip.GzipFile(fileobj=source, mode="rb")
        self._tar = tarfile.open(fileobj=self._zip, mode="r|", bufsize=PIECE)  # noqa: SIM115 - ends with the source
        self._member = self._tar.next()

    def members(self, prefix: str) -> Iterator[str]:
        """The names, without the prefix, of those that follow and begin so; read each before the next."""
        while self._member is not None and self._member.name.startswith(prefix):
            yield self._member.name.removeprefix(prefix)
            self._advance()

    def pieces(self) -> Iterator[bytes]:
        """What the current member holds."""
        assert self._member is not None
        if not self._member.isreg() or (file := self._tar.extractfile(self._member)) is None:
            raise BadBackup(f"{self._member.name} is no file")
        while piece := file.read(PIECE):
            yield piece

    def text(self) -> bytes:
        """The current member whole: a small one."""
        assert self._member is not None
        if self._member.size > MOST_OF_A_TEXT:
            raise BadBackup(f"{self._member.name} is too long")
        return b"".join(self.pieces())

    def json(self, name: str) -> dict[str, Any]:
        """The member of that name, which must come next."""
        if self._member is None or self._member.name != name:
            raise BadBackup(f"{name} is missing: this is no backup of Alfred, or a part of one")
        value = json.loads(self.text())
        if not isinstance(value, dict):
            raise BadBackup(f"{name} is not as it must be")
        self._advance()
        return value

    def finish(self) -> None:
        """Read to the end, whose checksum covers all."""
        while self._member is not None:
            self._advance()
        while self._zip.read(PIECE):
            pass

    def _advance(self) -> None:
        vars(self._tar)["members"] = []  # else each member's header stays in memory
        self._member = self._tar.next()


@contextmanager
def reading(source: str) -> Iterator[Reader]:
    """The archive in a file, or `-` for standard input.

    Raises:
        BadBackup: it cannot be read.
    """
    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as file:
            yield Reader(file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise BadBackup(f"{source} is no backup of Alfred, or is damaged") from error


@contextmanager
def writing(target: str) -> Iterator[tuple[Writer, str]]:
    """A new archive and its name: a file, one in a folder, or `-` for standard output. Whole, or not there."""
    if target == "-":
        writer = Writer(sys.stdout.buffer)
        yield writer, "standard output"
        writer.close()
        sys.stdout.buffer.flush()
        return
    file = Path(target)
    if file.is_dir():
        file /= f"alfred-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.tar.gz"
    if file.exists():
        raise BadBackup(f"{file} is there already")
    half = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            writer = Writer(out)
            yield writer, str(file)
            writer.close()
            out.flush()
            os.fsync(out.fileno())
        half.rename(file)
    finally:
        half.unlink(missing_ok=True)
