"""Posts to the webhooks that were refused and that a gateway never repeats: counted, and told once an hour."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from time import monotonic
from uuid import UUID

from alfred.db import Database
from alfred.events import record
from alfred.queries import Row, sql

KINDS = {401: "unauthorized", 404: "not_found", 413: "too_large"}
TELL_SECONDS = 3600
WRITE_SECONDS = 5.0  # between two writes of one tenant's counts; what is counted meanwhile waits in memory
MOST_TENANTS = 10_000

_WORDS = {
    "unauthorized": "with credentials that are not valid (401)",
    "not_found": "at a path that is not there (404)",
    "too_large": "too large (413)",
}


class LostPosts:
    """The counts of this process on their way to the database."""

    def __init__(self, database: Database, auth: Database, announce: Callable[[Iterable[UUID]], None]) -> None:
        self._database = database
        self._auth = auth
        self._announce = announce
        self._counts: defaultdict[UUID, Counter[str]] = defaultdict(Counter)
        self._written_at: dict[UUID, float] = {}

    async def owner_of(self, token_hash: bytes) -> UUID | None:
        """Whose API token it is, also after it has expired."""
        owner: UUID | None = await self._auth.once(sql.lost_posts.owner_of_token, token_hash=token_hash)
        return owner

    async def note(self, user_id: UUID, status: int) -> None:
        """Count a refused post of a tenant; the first of an hour is told at once."""
        self._counts[user_id][KINDS[status]] += 1
        if monotonic() - self._written_at.get(user_id, -WRITE_SECONDS) < WRITE_SECONDS:
            return
        if len(self._written_at) >= MOST_TENANTS:
            self._written_at.clear()
        self._written_at[user_id] = monotonic()
        counts = self._counts.pop(user_id)
        async with self._database.acting_as(user_id) as db:
            added = {kind: counts[kind] for kind in KINDS.values()}
            row = await sql.lost_posts.count.one(db, user_id=user_id, pause_seconds=TELL_SECONDS, **added)
            assert row is not None
            if row["is_due"]:
                await sql.lost_posts.told.run(db, user_id=user_id)
                await record(db, user_id, "channel.error", _told(row))
        if row["is_due"]:
            self._announce([user_id])


def _told(row: Row) -> dict[str, object]:
    counts = {kind: row[kind] for kind in KINDS.values() if row[kind]}
    words = ", ".join(f"{count} {_WORDS[kind]}" for kind, count in counts.items())
    detail = f"Posts to the webhooks were refused, and their senders do not repeat them: {words}."
    return {"about": "webhooks", "channel": "webhooks", "code": "posts_refused", "counts": counts, "detail": detail,
            "since": row["since"].isoformat()}  # fmt: skip
