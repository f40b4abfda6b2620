"""Two contacts become one person, and part again; many come at once: merge(), unmerge(), find(), store()."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.events import record
from alfred.queries import Db, Row, sql

# What follows a person back, in the order in which it moves: later ones ask where their conversations are.
RETURNS = (
    sql.contact_merges.return_conversations,
    sql.contact_merges.return_tasks,
    sql.contact_merges.return_notes,
    sql.contact_merges.return_notifications,
    sql.contact_merges.return_events,
    sql.contact_merges.return_merges,
)

# What a merge notes of each.
_NOTED = ("conversations", "tasks", "notes", "notifications", "events", "merges")
_WORDS = ("name", "email", "phone", "notes")
_MONEY = ("base_price", "custom_price", "currency")
_COLUMNS = (
    *_WORDS,
    *_MONEY,
    "handle",
    "channel_type",
    "negotiation_enabled",
    "negotiation_mode",
    "vip",
    "preferred_tone",
    "opted_out_at",
)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
PORTION = 1_000  # of a file, in one statement
T = TypeVar("T")


class NoSuchContact(Exception):
    """The resource does not exist."""

    def __init__(self, contact_id: UUID) -> None:
        super().__init__(f"no contact {contact_id}")
        self.contact_id = contact_id


class NothingToUndo(Exception):
    """The contact is not known to be two people."""


class LastIdentity(Exception):
    """Taking the identities apart would leave a contact with none."""


@dataclass(frozen=True)
class Entry:
    """A contact to be written; its handle is the first of its new identities when it is new itself."""

    contact_id: UUID
    values: Mapping[str, Any]
    new_identities: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Batch:
    """Contacts to be written together, and the new identities of all, in the order in which batches of messages take
    them."""

    added: Sequence[Entry]
    changed: Sequence[Entry]
    identities: Sequence[dict[str, Any]]


def batch_of(added: Sequence[Entry], changed: Sequence[Entry]) -> Batch:
    """Makes many ready: call it in a thread."""
    identities = [
        {"contact_id": str(entry.contact_id), "channel_type": channel_type, "value": value, "place": place}
        for entry in (*added, *changed)
        for place, (channel_type, value) in enumerate(entry.new_identities)
    ]
    return Batch(added, changed, sorted(identities, key=itemgetter("channel_type", "value")))


async def merge(db: Db, user_id: UUID, contact_id: UUID, merged_id: UUID) -> None:
    """Everything about one contact goes over to another, who also takes what it lacks itself; then the one is gone.

    What a payload tells of two contacts does the same on the way in, into the older one.

    Raises:
        NoSuchContact.
    """
    await _alone(db, user_id)
    await _hold(db, user_id, contact_id, merged_id)
    await sql.contact_merges.merge.run(db, user_id=user_id, contact_id=contact_id, merged_id=merged_id)


async def unmerge(db: Db, user_id: UUID, contact_id: UUID) -> UUID:
    """Undo the last merge; where there was none, part the identity that was last recognised by another one.

    What a payload tells does not join them again. Returns the id of the contact that is there again, or now.

    Raises:
        NoSuchContact, NothingToUndo, LastIdentity.
    """
    await _alone(db, user_id)
    await _hold(db, user_id, contact_id)
    merged = await sql.contact_merges.newest.one(db, user_id=user_id, contact_id=contact_id)
    if merged is None:
        return await _part(db, user_id, contact_id)
    about = {"user_id": user_id, "merged_id": merged["merged_id"]}
    await sql.contact_merges.bring_back.run(db, **about)
    await sql.contact_merges.return_identities.run(db, **about, contact_id=contact_id)
    await sql.contact_merges.restore_identities.run(db, **about)
    await _follow(db, user_id, contact_id, dict(merged))
    await _mend(db, user_id, contact_id, merged["filled"])
    await sql.contact_merges.keep_parted.run(db, **about, contact_id=contact_id)
    await sql.contact_merges.forget.run(db, **about)
    return UUID(str(merged["merged_id"]))


async def find(db: Db, user_id: UUID, types: Sequence[str], values: Sequence[str]) -> list[Row]:
    """Who has one of these identities, held until the transaction ends; nothing else comes from a file meanwhile."""
    await sql.contact_files.alone.run(db, user_id=user_id)
    given = {"user_id": user_id, "types": types, "values": values}
    await sql.contact_files.hold_known.run(db, **given)
    return await sql.contact_files.known.all(db, **given)


async def store(db: Db, user_id: UUID, batch: Batch) -> None:
    """Many contacts in few statements.

    Raises:
        asyncpg.UniqueViolationError: an identity has come to somebody else meanwhile.
    """
    for some in _portions(batch.added):
        await sql.contact_files.add.run(db, user_id=user_id, people=[_columns(entry) for entry in some])
    for some in _portions(batch.changed):
        await sql.contact_files.change.run(db, user_id=user_id, people=[_columns(entry) for entry in some])
    for portion in _portions(batch.identities):
        await sql.contact_files.add_identities.run(db, user_id=user_id, identities=portion)
    for some in _portions(batch.added):
        await sql.contact_files.tell.run(db, user_id=user_id, contact_ids=[entry.contact_id for entry in some])


def _portions(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """A few at a time, so that nobody else waits while they are made ready."""
    for start in range(0, len(things), PORTION):
        yield things[start : start + PORTION]


async def _alone(db: Db, user_id: UUID) -> None:
    """First no import, which may take seconds: nobody who has the other lock, which stops messages, may wait for it."""
    await sql.contact_files.alone.run(db, user_id=user_id)
    await sql.contact_merges.alone.run(db, user_id=user_id)


async def _hold(db: Db, user_id: UUID, *contact_ids: UUID) -> None:
    rows = await sql.contact_merges.hold.all(db, user_id=user_id, contact_ids=list(contact_ids))
    found = {UUID(str(row["contact_id"])) for row in rows}
    for contact_id in contact_ids:
        if contact_id not in found:
            raise NoSuchContact(contact_id)


async def _follow(db: Db, user_id: UUID, contact_id: UUID, merged: Mapping[str, Any]) -> None:
    """What is the other's, or has come since, goes to the contact `merged_id`."""
    noted = {name: merged[name] for name in _NOTED}
    noted |= {"since": merged["merged_at"], "user_id": user_id, "contact_id": contact_id}
    for back in RETURNS:
        given = {name: value for name, value in noted.items() if name in back.parameters}
        await back.run(db, **given, merged_id=merged["merged_id"])


async def _part(db: Db, user_id: UUID, contact_id: UUID) -> UUID:
    match = await sql.contact_merges.newest_match.one(db, user_id=user_id, contact_id=contact_id)
    if match is None:
        raise NothingToUndo
    parted, handle, channel_type = uuid7(), match["value"], match["channel_type"]
    phone = handle if channel_type == "whatsapp" and handle.startswith("+") else None
    made = dict.fromkeys(("name", "email", "notes")) | {"handle": handle, "channel_type": channel_type, "phone": phone}
    await sql.contacts.add.run(db, user_id=user_id, contact_id=parted, **made)
    await sql.contact_merges.part.run(
        db, user_id=user_id, contact_id=contact_id, merged_id=parted, channel_type=channel_type, value=handle
    )
    nothing: dict[str, Any] = {name: [] for name in _NOTED}
    await _follow(db, user_id, contact_id, nothing | {"merged_id": parted, "merged_at": _LONG_AGO})
    await _mend(db, user_id, contact_id, {})
    await sql.contact_merges.keep_parted.run(db, user_id=user_id, contact_id=contact_id, merged_id=parted)
    payload = {"name": None, "handle": handle, "channel_type": channel_type}
    await record(db, user_id, "contact.created", payload, contact_id=parted)
    return parted


async def _mend(db: Db, user_id: UUID, contact_id: UUID, filled: Mapping[str, str]) -> None:
    """The contact that stays: without what it had taken over, and with a handle of its own."""
    about = {"user_id": user_id, "contact_id": contact_id}
    if not await sql.contact_merges.identity_count.value(db, **about):
        raise LastIdentity
    await sql.contact_merges.mend_handle.run(db, **about)
    await sql.contact_merges.empty_filled.run(db, **about, filled=dict(filled))


async def rewrite(db: Db, user_id: UUID, row: Row, changes: Mapping[str, Any]) -> None:
    """Store a row of sql/contacts.sql with changes."""
    values = {name: row[name] for name in _COLUMNS} | dict(changes)
    await sql.contacts.update.run(db, user_id=user_id, contact_id=row["id"], **values)


def _columns(entry: Entry) -> dict[str, Any]:
    channel_type, handle = next(iter(entry.new_identities), (None, None))
    named = {"contact_id": str(entry.contact_id), "handle": handle, "channel_type": channel_type}
    prices = {name: None if entry.values[name] is None else str(entry.values[name]) for name in _MONEY}
    return {**entry.values, **named, **prices}
