"""Who reads the log: what each consumer wants of it, and what it does with an event."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

from alfred.db import Database
from alfred.events import Event, EventType
from alfred.queries import Db


class Done(NamedTuple):
    """In which buckets a consumer has acted, whether there is more for it, and whether some waits in the backlog."""

    buckets: Collection[int]
    more: bool
    backlog: bool


@dataclass(frozen=True)
class Consumer:
    """What wants to know of events.

    `act` runs for one event under its tenant's hat, in the transaction of the cursor; it stops after about 50 ms, and
    returns True to be called again for the same event. `act_on_all`, where there is one, comes first: it does for a
    whole batch what it can in a few statements, without a hat, and returns the events to act on one by one.
    `act_at_once` reads a batch from some buckets itself, does it and moves the cursors, in one statement, and hands out
    what it made; where that fails, the events are acted on one by one.
    """

    name: str
    types: Sequence[EventType]
    act: Callable[[Db, Event], Awaitable[bool | None]]
    act_on_all: Callable[[Db, Sequence[Event]], Awaitable[Sequence[Event]]] | None = None
    act_at_once: Callable[[Database, Sequence[int], int], Awaitable[Done]] | None = None
    # What the payload must contain, by type, where not all events of the type are wanted.
    only: Mapping[EventType, Mapping[str, Any]] = field(default_factory=dict)
    # app.<users>(uuid[]) returns for which of some tenants there is anything to do; None: for all.
    users: str | None = None
    may_wait: bool = False  # under load: nobody sees whether its effects come 50 ms later

    def telling(self, told: Callable[[], None]) -> "Consumer":
        """The same, which also tells before it acts on a single event: its rows are somebody's work."""

        async def act(db: Db, event: Event) -> bool | None:
            told()
            return await self.act(db, event)

        return replace(self, act=act)

    @cached_property
    def wants(self) -> dict[str, Mapping[str, Any]]:
        """The types, each with what its payload must contain."""
        return {name: self.only.get(name, {}) for name in self.types}


def asked(consumers: Sequence[Consumer]) -> dict[str, Any]:
    """What consumers want, as PostgreSQL is asked."""
    return {
        "consumers": [consumer.name for consumer in consumers],
        "wants": [consumer.wants for consumer in consumers],
        "users": [consumer.users for consumer in consumers],
    }
