"""The files that are kept: with a tenant's quota, and without what no message names any more."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from alfred.channels.mail_files import MailFile
from alfred.db import Database, connection_lost
from alfred.links import links
from alfred.media_store import Incoming, MediaStore
from alfred.queries import Db, Row, sql

log = structlog.get_logger()

YOUNG = timedelta(minutes=10)  # a file whose row is perhaps not committed yet
UNUSED = timedelta(hours=24)


class TooLarge(Exception):
    """The file is larger than a file may be."""


class QuotaFull(Exception):
    """The tenant has no room for it."""


class Library:
    """The store, and what may be put into it; sizes are bytes."""

    def __init__(self, database: Database, store: MediaStore, *, limit: int, quota: int) -> None:
        self.database = database
        self.store = store
        self.limit = limit
        self.quota = quota

    @asynccontextmanager
    async def incoming(self) -> AsyncIterator[Incoming]:
        """A file to write to, up to the limit."""
        file = self.store.incoming()
        try:
            yield file
        finally:
            file.close()

    def add(self, file: Incoming, chunk: bytes) -> None:
        """Write a piece of it.

        Raises:
            TooLarge.
        """
        if file.size + len(chunk) > self.limit:
            raise TooLarge
        file.write(chunk)

    async def keep(self, user_id: UUID, file: Incoming) -> None:
        """Put it into the store.

        Raises:
            QuotaFull.
        """
        async with self.database.acting_as(user_id) as db:
            used = await sql.media.used.value(db, user_id=user_id)
        if used + file.size > self.quota:
            raise QuotaFull
        await self.store.put(user_id, file)

    async def add_upload(self, user_id: UUID, file: Incoming, mime_type: str | None, file_name: str | None) -> Row:
        """Keep a file that is to be sent; its row.

        Raises:
            QuotaFull.
        """
        await self.keep(user_id, file)
        media_id = uuid7()
        async with self.database.acting_as(user_id) as db:
            await sql.media.add_upload.run(
                db, user_id=user_id, media_id=media_id, sha256=file.sha256, size=file.size, mime_type=mime_type,
                file_name=file_name,
            )  # fmt: skip
            row = await sql.media.of_upload.one(db, user_id=user_id, media_id=media_id)
        assert row is not None
        return row

    async def content_of(self, user_id: UUID, url: str, most: int) -> tuple[bytes, str | None] | None:
        """Content and type of the upload that a link of ours names; None for any other URL, or for one over `most`."""
        media_id = links.upload_in(user_id, url)
        if media_id is None:
            return None
        async with self.database.acting_as(user_id) as db:
            row = await sql.media.of_upload.one(db, user_id=user_id, media_id=media_id)
        if row is None or row["state"] != "stored" or row["size"] > most:
            return None
        try:
            pieces = [piece async for piece in self.store.read(user_id, row["sha256"], 0, row["size"])]
        except FileNotFoundError:
            return None
        return b"".join(pieces), row["mime_type"]

    async def keep_of_mail(self, user_id: UUID, files: Sequence[MailFile | None]) -> list[dict[str, Any] | None]:
        """Put a mail's files into the store before its message is written; what to write of each."""
        return [await self._kept(user_id, file) if file else None for file in files]

    async def _kept(self, user_id: UUID, file: MailFile) -> dict[str, Any]:
        about = {"state": "failed", "sha256": None, "size": None, "error": None, "mime_type": file.mime_type,
                 "file_name": file.name}  # fmt: skip
        async with self.incoming() as incoming:
            try:
                self.add(incoming, file.content)
                await self.keep(user_id, incoming)
            except TooLarge:
                return about | {"error": too_large(self.limit), "size": len(file.content)}
            except QuotaFull:
                return about | {"error": quota_full(), "size": len(file.content)}
            return about | {"state": "stored", "sha256": incoming.sha256, "size": incoming.size}

    async def sweep(self) -> None:
        """Forget uploads that nobody sent, and remove files that no row names any more."""
        try:
            async with self.database.as_service() as db:
                await sql.media.forget_unused.run(db, age=UNUSED.total_seconds())
            async for batch in self.store.listed():
                await self._sweep(before=datetime.now(UTC) - YOUNG, batch=batch)
        except Exception as error:
            if not connection_lost(error):
                raise
            log.warning("media_sweep_waits", error=repr(error))

    async def _sweep(self, before: datetime, batch: Sequence[Any]) -> None:
        old = [each for each in batch if each.modified_at < before]
        if not old:
            return
        async with self.database.as_service() as db:
            rows = await sql.media.unknown.all(
                db, users=[each.user_id for each in old], digests=[each.sha256 for each in old]
            )
        for row in rows:
            await self.store.remove(row["user_id"], row["sha256"])
        if rows:
            log.info("media_swept", files=len(rows))


async def write_of_mail(db: Db, user_id: UUID, message_id: UUID, files: Sequence[dict[str, Any] | None]) -> None:
    """The rows of a mail's files; the same mail once more changes nothing."""
    for position, file in enumerate(files):
        if file is not None:
            await sql.media.keep.run(db, user_id=user_id, message_id=message_id, position=position, **file)


def unavailable(detail: str, *, code: str = "unavailable") -> dict[str, Any]:
    """Why a file is not there, as a row keeps it."""
    return {"code": code, "detail": detail, "remedy": "none", "provider_code": None, "retryable": False}


def too_large(limit: int) -> dict[str, Any]:
    """It is over the cap."""
    return unavailable(f"The file is larger than the {limit // 1024 // 1024} MiB that are kept.", code="too_large")


def quota_full() -> dict[str, Any]:
    """The tenant's room is used up."""
    return unavailable("There is no room for more files: delete conversations, or raise the quota.", code="media_quota")
