"""Inbound files are fetched from the messengers in the background; a message never waits for its file."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import uniform
from typing import Any
from uuid import UUID

import structlog

from alfred.bus import Consumer
from alfred.channels.item import InboundItem
from alfred.crm.connections import Connection, load
from alfred.crm.leases import Room, Work, lease_seconds
from alfred.crm.media.library import Library, QuotaFull, TooLarge, quota_full, too_large, unavailable
from alfred.events import Event
from alfred.http_calls import Answer, HttpCall, NoAnswer
from alfred.media_store import Incoming
from alfred.outbound_http import OutboundHttp
from alfred.outbound_http import TooLarge as Cut
from alfred.queries import Db, Row, sql
from alfred.senders import fetching
from alfred.senders.fetching import File, Unfetchable
from alfred.vault import DamagedSecret, UnknownKey, Vault

log = structlog.get_logger()

MOST_ATTEMPTS = 8
GIVEN_UP = timedelta(hours=24)
MOST_OF_A_CHANNEL = 4


@dataclass(frozen=True)
class Claimed:
    """A file to fetch."""

    user_id: UUID
    media_id: UUID
    lane: UUID  # its channel
    attempts: int


class Failed(Exception):
    """It could not be fetched now; `final` tells that another attempt would meet the same."""

    def __init__(self, error: dict[str, Any], *, final: bool = False) -> None:
        super().__init__(error["code"])
        self.error, self.final = error, final


@dataclass(frozen=True)
class Fetched:
    """What the provider told of the file, besides its content."""

    mime_type: str | None = None
    file_name: str | None = None


@dataclass(frozen=True)
class Fetcher:
    """Fetches files with their channels' connections; `backoff` are seconds between attempts."""

    library: Library
    outbound: OutboundHttp
    vault: Vault
    take_in: Callable[[UUID, Sequence[InboundItem]], Awaitable[Any]]
    backoff: Sequence[float]
    longest: float | None = None

    def work(self) -> Work[Claimed]:
        """What the worker does."""
        return Work("media", self._claim, self._fetch, self._due_in)

    async def _claim(self, db: Db, room: Room) -> Sequence[Claimed]:
        busy = [lane for lane, count in room.lanes.items() if count >= MOST_OF_A_CHANNEL]
        lease = timedelta(seconds=lease_seconds(fetching.SECONDS, self.longest))
        rows = await sql.media.claim.all(db, most=room.most, lease=lease, busy=busy)
        return [Claimed(row["user_id"], row["media_id"], row["channel_id"], row["attempts"]) for row in rows]

    async def _due_in(self, db: Db) -> float | None:
        seconds = await sql.media.due_in.value(db)
        return None if seconds is None else max(seconds, 0.0)

    async def _fetch(self, claimed: Claimed) -> None:
        about = {"user_id": claimed.user_id, "media_id": claimed.media_id}
        connection: Connection | None = None
        async with self.library.database.acting_as(claimed.user_id) as db:
            row = await sql.media.to_fetch.one(db, **about)
            if row is not None:
                try:
                    connection = await load(db, self.vault, claimed.user_id, claimed.lane)
                except (UnknownKey, DamagedSecret):
                    connection = None
        if row is None:
            return
        async with self.library.incoming() as file:
            try:
                if row["position"] < 0:
                    await self._fill(claimed, connection, row)
                else:
                    await self._keep(claimed, file, await self._downloaded(connection, row, file))
            except Failed as failed:
                await self._settle_failure(claimed, row, failed)

    async def _fill(self, claimed: Claimed, connection: Connection | None, row: Row) -> None:
        """Bring the words of a mail into its message, as an edit of it."""
        if connection is None or row["email_id"] is None or row["message_external_id"] is None:
            raise Failed(unavailable("The mail service does not tell where this mail is."), final=True)
        answer = _complete(await self.outbound.call(fetching.mail_text(connection.settings, row["email_id"])))
        try:
            words = fetching.text_in_mail(answer)
        except Unfetchable:
            raise Failed(unavailable("The mail service gave no mail.", code="provider_error")) from None
        edit = InboundItem(
            kind="status", channel_type="email", provider="resend", external_id=row["message_external_id"],
            recipient=row["account"], status="edited", text=words, from_business=False, sent_at=datetime.now(UTC),
        )  # fmt: skip
        await self.take_in(claimed.user_id, [edit])
        async with self.library.database.acting_as(claimed.user_id) as db:
            await sql.media.drop_text.run(db, user_id=claimed.user_id, media_id=claimed.media_id)

    async def _downloaded(self, connection: Connection | None, row: Row, file: Incoming) -> Fetched:
        if connection is None:
            raise Failed(unavailable("The channel is not connected any more.", code="not_connected"), final=True)
        source = File.of(row["attachment"] or {}, row["message_external_id"], row["email_id"])
        provider, settings = connection.provider, connection.settings
        try:
            call = fetching.look_up(provider, source, settings, self.library.limit)
            found = None
            if call is not None:
                found = fetching.found_in(provider, _complete(await self.outbound.call(call)))
            if found is not None and found.content is not None:
                self.library.add(file, found.content)
            else:
                further = fetching.download(provider, found.url, settings) if found else None
                await self._download(connection, further or fetching.as_told(provider, source, settings), file)
        except Unfetchable:
            raise Failed(unavailable("The messenger does not tell where this file is."), final=True) from None
        except TooLarge:
            raise Failed(too_large(self.library.limit), final=True) from None
        if found is not None and not fetching.fits(found.sha256, file.sha256):
            raise Failed(unavailable("The file arrived damaged.", code="damaged"))
        return Fetched(found.mime_type, found.file_name) if found else Fetched()

    async def _download(self, connection: Connection, call: HttpCall, file: Incoming) -> None:
        answer = await self._run(call, file)
        further = fetching.redirected(call, connection.provider, answer, connection.settings)
        if further is not None:
            answer = await self._run(further, file)
        if not 200 <= answer.status < 300:
            raise _refused(answer.status)

    async def _run(self, call: HttpCall, file: Incoming) -> Answer:
        too_much = False

        async def keep(chunk: bytes) -> None:
            nonlocal too_much
            try:
                self.library.add(file, chunk)
            except TooLarge:
                too_much = True
                raise Cut from None

        begun = file.size
        answer = await self.outbound.download(call, keep)
        if too_much:
            raise TooLarge
        if isinstance(answer, NoAnswer):
            raise _silent(answer)
        if not 200 <= answer.status < 300 and file.size > begun:
            file.restart()
        return answer

    async def _keep(self, claimed: Claimed, file: Incoming, fetched: Fetched) -> None:
        try:
            await self.library.keep(claimed.user_id, file)
        except QuotaFull:
            raise Failed(quota_full(), final=True) from None
        async with self.library.database.acting_as(claimed.user_id) as db:
            await sql.media.settle.run(
                db, user_id=claimed.user_id, media_id=claimed.media_id, state="stored", sha256=file.sha256,
                size=file.size, mime_type=fetched.mime_type, file_name=fetched.file_name, error=None,
                wait=0,
            )  # fmt: skip
        log.info("file_fetched", media_id=str(claimed.media_id), size=file.size)

    async def _settle_failure(self, claimed: Claimed, row: Row, failed: Failed) -> None:
        now = datetime.now(UTC)
        over = failed.final or claimed.attempts >= MOST_ATTEMPTS or now - row["created_at"] > GIVEN_UP
        wait = self.backoff[min(claimed.attempts, len(self.backoff)) - 1] * uniform(0.8, 1.2)  # noqa: S311
        async with self.library.database.acting_as(claimed.user_id) as db:
            await sql.media.settle.run(
                db, user_id=claimed.user_id, media_id=claimed.media_id, state="failed" if over else "pending",
                sha256=None, size=None, mime_type=None, file_name=None, error=failed.error,
                wait=wait,
            )  # fmt: skip
        log.info("file_not_fetched", media_id=str(claimed.media_id), code=failed.error["code"], final=over)


async def expect(db: Db, event: Event) -> None:
    """What a message brings is to be fetched; what it carried is forgotten with it."""
    about = {"user_id": event.user_id, "message_id": event.message_id}
    if event.type == "message.deleted":
        await sql.media.forget.run(db, **about)
    elif event.type == "message.received" or event.payload.get("source") == "native_app":
        await sql.media.expect.run(db, **about)
    else:
        await sql.media.adopt_uploads.run(db, **about)


async def expect_words(db: Db, event: Event) -> None:
    """A mail that came without its words: they are to be fetched."""
    await sql.media.expect_text.run(db, user_id=event.user_id, message_id=event.message_id)


async def with_files(db: Db, events: Sequence[Event]) -> list[Event]:
    """Of a batch, the events that are to be looked at one by one: most messages carry no file."""
    rows = await sql.media.with_files.all(
        db, users=[event.user_id for event in events], messages=[event.message_id for event in events]
    )
    places = {row[0] for row in rows}
    return [event for at, event in enumerate(events, 1) if event.type == "message.deleted" or at in places]


CONSUMER = Consumer(
    name="media",
    types=("message.received", "message.sent", "message.deleted"),
    act=expect,
    act_on_all=with_files,
    may_wait=True,
)
# Apart, since most mails have neither files nor words to be fetched.
WORDS = Consumer(
    name="words",
    types=("message.received",),
    only={"message.received": {"channel_type": "email"}},
    act=expect_words,
    users="users_who_fetch_words",
    may_wait=True,
)


def _complete(answer: Answer | NoAnswer) -> Answer:
    if isinstance(answer, NoAnswer):
        raise _silent(answer)
    if not 200 <= answer.status < 300:
        raise _refused(answer.status)
    return answer


def _silent(answer: NoAnswer) -> Failed:
    if answer.reason in {"private_address", "insecure_url", "invalid_url"}:
        return Failed(
            unavailable("The file lies at an address that may not be called.", code="private_address"), final=True
        )
    return Failed(unavailable("The messenger's storage could not be reached.", code="network_error"))


def _refused(status: int) -> Failed:
    detail = f"The messenger's storage answered {status}."
    return Failed(
        unavailable(detail, code="provider_error") | {"provider_code": str(status)}, final=status in {404, 410}
    )
