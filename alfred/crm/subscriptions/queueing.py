"""From the log to the queue: the body of each event is made once, and queued for every subscription that wants it."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from alfred.bus import Consumer
from alfred.events import EVENT_TYPES, Event, types_of
from alfred.queries import Db, sql

# The bodies of one tenant's events, as they are sent.
Describe = Callable[[Db, UUID, Sequence[Event]], Awaitable[Sequence[str]]]

MOST_REPLAYED = 10_000  # by one call
BODIES_AT_ONCE = 500
BATCH_SECONDS = 0.1  # of a transaction of the bus; the other tenants of the batch have their turns


class TooMany(Exception):
    """More events than one call replays; with their number."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class NoSuchEvent(Exception):
    """The event to begin after is not in the log."""


class Queueing:
    """The consumer `subscriptions`, and replays."""

    def __init__(self, describe: Describe, queued: Callable[[], None]) -> None:
        self._describe = describe
        self._queued = queued

    @property
    def consumer(self) -> Consumer:
        """For the bus; tenants without an enabled subscription cost it nothing."""
        return Consumer(
            name="subscriptions",
            types=EVENT_TYPES,
            act=self._act,
            act_on_all=self._act_on_all,
            users="users_with_subscriptions",
        )

    async def _act(self, db: Db, event: Event) -> None:
        await self._queue(db, event.user_id, [event])

    async def _act_on_all(self, db: Db, events: Sequence[Event]) -> Sequence[Event]:
        """Tenant by tenant, each under its own hat; what the time does not suffice for is left."""
        ends_at = time.monotonic() + BATCH_SECONDS
        of_users: dict[UUID, list[Event]] = defaultdict(list)
        for event in events:
            of_users[event.user_id].append(event)
        left: list[Event] = []
        for user_id, own in of_users.items():
            if time.monotonic() > ends_at:
                left += own
                continue
            await db.execute(f"select app.act_as('{user_id}')")
            await self._queue(db, user_id, own)
        await db.execute("select set_config('app.user_id', '', true)")
        return left

    async def _queue(self, db: Db, user_id: UUID, events: Sequence[Event]) -> None:
        listening = await sql.subscriptions.listening.all(db, user_id=user_id)
        wanted = frozenset[str]().union(*(types_of(row["events"]) for row in listening))
        told = [event for event in events if event.type in wanted]
        if not told:
            return
        bodies = await self._describe(db, user_id, told)
        made = await sql.subscriptions.queue.value(
            db,
            user_id=user_id,
            numbers=[event.number for event in told],
            bodies=list(bodies),
            subscription_ids=[row["subscription_id"] for row in listening],
        )
        if made:
            self._queued()

    async def replay_since(self, db: Db, user_id: UUID, subscription_id: UUID, since: datetime) -> int:
        """All that it wants of what happened from then on; how many are queued by it.

        Raises:
            TooMany
        """
        return await self._replay(db, user_id, subscription_id, since=since, after_number=0)

    async def replay_after(self, db: Db, user_id: UUID, subscription_id: UUID, event_id: UUID) -> int:
        """The same for what happened after an event.

        Raises:
            NoSuchEvent, TooMany
        """
        number = await sql.subscriptions.number_of.value(db, user_id=user_id, event_id=event_id)
        if number is None:
            raise NoSuchEvent
        return await self._replay(db, user_id, subscription_id, since=None, after_number=number)

    async def replay_failed(self, db: Db, user_id: UUID, subscription_id: UUID, since: datetime) -> int:
        """What has become dead since then.

        Raises:
            TooMany
        """
        about = {"user_id": user_id, "subscription_id": subscription_id}
        rows = await sql.subscriptions.failed.all(db, **about, since=since, limit=MOST_REPLAYED + 1)
        if len(rows) > MOST_REPLAYED:
            raise TooMany(await sql.subscriptions.failed_count.value(db, **about, since=since))
        return int(await sql.subscriptions.replay.value(db, **about, numbers=[row["number"] for row in rows]))

    async def _replay(self, db: Db, user_id: UUID, subscription_id: UUID, **begin: Any) -> int:
        about = {"user_id": user_id, "subscription_id": subscription_id}
        rows = await sql.subscriptions.replayable.all(db, **about, **begin, limit=MOST_REPLAYED + 1)
        if len(rows) > MOST_REPLAYED:
            raise TooMany(await sql.subscriptions.replayable_count.value(db, **about, **begin))
        bare = [Event.of(row) for row in rows if not row["has_body"]]
        for at in range(0, len(bare), BODIES_AT_ONCE):
            part = bare[at : at + BODIES_AT_ONCE]
            bodies = await self._describe(db, user_id, part)
            numbers = [event.number for event in part]
            await sql.subscriptions.queue.run(
                db, user_id=user_id, numbers=numbers, bodies=list(bodies), subscription_ids=[]
            )
        return int(await sql.subscriptions.replay.value(db, **about, numbers=[row["number"] for row in rows]))
