"""What customers sent, out of the store and back, one piece in memory at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import TypeVar
from uuid import UUID

from alfred.backups.archive import BadBackup, Reader, Writer
from alfred.media_store import MediaStore

T = TypeVar("T")


def dump_files(store: MediaStore, archive: Writer) -> int:
    """Write members `media/<user>/<digest>`; how many. One that is swept meanwhile is left out."""
    count = 0
    with asyncio.Runner() as runner:
        for batch in _steps(runner, store.listed()):
            for kept in batch:
                pieces = _steps(runner, store.read(kept.user_id, kept.sha256, 0, kept.size))
                try:
                    first = next(pieces, b"")
                except FileNotFoundError:
                    continue
                archive.add(f"media/{kept.user_id}/{kept.sha256}", kept.size, chain([first], pieces))
                count += 1
    return count


def load_files(store: MediaStore, archive: Reader) -> int:
    """Read those members into the store; how many.

    Raises:
        BadBackup: a file is not what its name says.
    """
    count = 0
    with asyncio.Runner() as runner:
        for name in archive.members("media/"):
            user_id, _, sha256 = name.partition("/")
            file = store.incoming()
            try:
                for piece in archive.pieces():
                    file.write(piece)
                if file.sha256 != sha256:
                    raise BadBackup(f"the file {name} is damaged")
                runner.run(store.put(UUID(user_id), file))
            finally:
                file.close()
            count += 1
    return count


def _steps(runner: asyncio.Runner, source: AsyncIterator[T]) -> Iterator[T]:
    async def step() -> T | None:
        return await anext(source, None)

    while (item := runner.run(step())) is not None:
        yield item
