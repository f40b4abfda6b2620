"""A person is erased: no row that names them stays, and the same messages delivered again do not bring them back."""

from datetime import UTC, datetime
from uuid import UUID

from alfred.channels.phones import variants
from alfred.crm.suppression import Suppression
from alfred.db import Database
from alfred.queries import Db, Query, sql

PORTION = 1_000  # messages
HISTORY = 10_000  # messages, and events of an account, in a transaction: half a second
_KEYS = ("dedupe_key", "external_id")
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
SHORTEST_WORD = 5  # a handle of fewer letters stands in what is about others too


async def erase_account(database: Database, user_id: UUID) -> None:
    """A tenant and everything in it."""
    await _forget_by_portions(database, user_id, sql.erasures.forget_history)
    async with database.acting_as(user_id) as db:
        await sql.erasures.forget_account.run(db)
        await sql.users.erase_own.run(db)


async def erase_channel(database: Database, user_id: UUID, channel_id: UUID) -> bool:
    """A channel and its conversations; False where it is not there."""
    await _forget_by_portions(database, user_id, sql.erasures.forget_channel, channel_id=channel_id)
    async with database.acting_as(user_id) as db:
        return bool(await sql.channels.remove.run(db, user_id=user_id, channel_id=channel_id))


async def _forget_by_portions(database: Database, user_id: UUID, query: Query, **about: UUID) -> None:
    """What there is most of goes first, a portion in each transaction: however long the history is, none of them takes
    long, and a call that ends too early is gone on with by the next one.
    """
    erased = HISTORY
    while erased == HISTORY:
        async with database.acting_as(user_id) as db:
            erased = await query.value(db, user_id=user_id, limit=HISTORY, **about)


async def erase_contact(db: Db, suppression: Suppression, user_id: UUID, contact_id: UUID) -> bool:
    """All that is kept about a contact; False where it is not there."""
    about = {"user_id": user_id, "contact_id": contact_id}
    if not await sql.contacts.hold.value(db, **about):
        return False
    conversations = [row["conversation_id"] for row in await sql.erasures.conversations_of.all(db, **about)]
    for conversation_id in conversations:
        await _forget_messages(db, suppression, user_id, conversation_id)
    await _forget_person(db, suppression, user_id, contact_id, conversations)
    await sql.erasures.forget_attempts.run(db, **about, conversations=conversations)
    await sql.erasures.forget_tasks.run(db, user_id=user_id, conversations=conversations)
    await sql.contacts.forget.run(db, **about)
    await sql.erasures.forget_events.run(db, user_id=user_id, conversations=conversations)
    return bool(await sql.contacts.remove.run(db, **about))


async def _forget_messages(db: Db, suppression: Suppression, user_id: UUID, conversation_id: UUID) -> None:
    """What was told of each, under whichever key; the keys stay as hashes."""
    place = {"after_at": _LONG_AGO, "after_id": UUID(int=0)}
    about = {"user_id": user_id, "conversation_id": conversation_id}
    while rows := await sql.erasures.messages_of.all(db, **about, **place, limit=PORTION):
        known = {(row["channel_type"], row[name]) for row in rows for name in _KEYS if row[name]}
        hashes = [each for pair in known for each in suppression.of_message(user_id, *pair)[:1]]
        await sql.erasures.note.run(db, user_id=user_id, hashes=hashes)
        types, ids = [pair[0] for pair in known], [pair[1] for pair in known]
        await sql.erasures.forget_updates.run(db, user_id=user_id, channel_types=types, external_ids=ids)
        place = {"after_at": rows[-1]["sent_at"], "after_id": rows[-1]["message_id"]}


async def _forget_person(
    db: Db, suppression: Suppression, user_id: UUID, contact_id: UUID, conversations: list[UUID]
) -> None:
    """What names the contact without a key to it; each identity stays as a hash, in all ways to write it."""
    rows = await sql.erasures.identities_of.all(db, user_id=user_id, contact_id=contact_id)
    known = {(row["channel_type"], way) for row in rows for way in ways(row["channel_type"], row["value"])}
    hashes = [each for pair in known for each in suppression.of_person(user_id, *pair)[:1]]
    await sql.erasures.note.run(db, user_id=user_id, hashes=hashes)
    words = sorted({value.lstrip("+") for _, value in known if len(value.lstrip("+")) >= SHORTEST_WORD})
    for query in (sql.erasures.forget_updates_naming, sql.erasures.forget_ignored, sql.erasures.forget_rejected):
        await query.run(db, user_id=user_id, words=words)
    ids = [str(each) for each in (contact_id, *conversations)]
    await sql.erasures.forget_answers.run(db, user_id=user_id, words=[*words, *ids])


def ways(channel_type: str, value: str) -> list[str]:
    """An identity in all ways to write it."""
    return list(variants(value)) if channel_type == "whatsapp" else [value]
