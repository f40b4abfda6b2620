"""Where files are kept: a local folder, or a bucket that several machines share; named by tenant and digest."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

CHUNK = 256 * 1024
LISTED_AT_ONCE = 1000


@dataclass(frozen=True)
class Kept:
    """A file in the store."""

    user_id: UUID
    sha256: str
    modified_at: datetime
    size: int  # bytes


class Incoming:
    """A file on its way in: it grows in a temporary file, never in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 closed by close()
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Add to it."""
        self._digest.update(chunk)
        self._file.write(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """Of what there is so far, in hex."""
        return self._digest.hexdigest()

    def restart(self) -> None:
        """Forget what there is so far."""
        self._file.seek(0)
        self._file.truncate()
        self._digest, self.size = hashlib.sha256(), 0

    def rewound(self) -> IO[bytes]:
        """From its beginning."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        """Forget it."""
        self._file.close()


class MediaStore:
    """Puts, gets and removes files; the same content of a tenant is kept once."""

    def __init__(self, home: Path | None, url: str | None) -> None:
        self._home, self._url = home, url
        self._store: Any = None

    @property
    def store(self) -> Any:
        """Opened when it is first needed; its folder is readable by its owner only."""
        if self._store is None:
            from obstore.store import LocalStore, from_url  # 4 MB, for who keeps files

            if self._url is not None:
                self._store = from_url(self._url)
            else:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = LocalStore(prefix=self._folder)
        return self._store

    @property
    def _folder(self) -> Path:
        return (self._home or Path(tempfile.gettempdir()) / f"alfred-{os.getuid()}") / "media"

    def _is_empty(self) -> bool:
        """Whether nothing was ever kept in the local folder."""
        return self._url is None and not (self._folder.is_dir() and any(self._folder.iterdir()))

    def incoming(self) -> Incoming:
        """A fresh file to write to."""
        return Incoming(None)

    async def put(self, user_id: UUID, file: Incoming) -> str:
        """Keep it; its digest."""
        import obstore

        await obstore.put_async(self.store, _path(user_id, file.sha256), file.rewound())
        return file.sha256

    async def read(self, user_id: UUID, sha256: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `begin` up to `end`, in pieces.

        Raises:
            FileNotFoundError: somebody has removed it.
        """
        if begin >= end:
            return
        import obstore

        found = await obstore.get_async(self.store, _path(user_id, sha256), options={"range": (begin, end)})
        async for chunk in found.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)

    async def listed(self) -> AsyncIterator[Sequence[Kept]]:
        """All files, in batches."""
        if self._is_empty():
            return
        import obstore

        batches = obstore.list(self.store, chunk_size=LISTED_AT_ONCE)
        while batch := await asyncio.to_thread(next, batches, None):
            kept = [_kept(one["path"], one["last_modified"], one["size"]) for one in batch]
            yield [one for one in kept if one is not None]

    async def remove(self, user_id: UUID, sha256: str) -> None:
        """Forget a file; one that is not there is forgotten already."""
        import obstore

        try:
            await obstore.delete_async(self.store, _path(user_id, sha256))
        except FileNotFoundError:
            return


def _path(user_id: UUID, sha256: str) -> str:
    return f"{user_id}/{sha256[:2]}/{sha256}"


def _kept(path: str, modified_at: datetime, size: int) -> Kept | None:
    parts = path.split("/")
    try:
        return Kept(UUID(parts[0]), parts[2], modified_at, size) if len(parts) == 3 else None
    except ValueError:
        return None
