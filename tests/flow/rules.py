"""Rules of a person, what they have matched, and a shop in which scans run only when a test says so."""

import contextlib
from datetime import UTC, datetime, timedelta

ALWAYS = {"field": "conversation.unread_count", "op": "gte", "value": 0}
URGENT = "Preciso disso hoje, é urgente!"
NOTIFY = {"action": "notify"}
DAY = timedelta(days=1)


def says(*words):
    return {"field": "message.text", "op": "contains_any", "value": list(words)}


async def rule(person, *actions, when=ALWAYS, trigger="message.received", **more):
    compiled = {"version": 1, "trigger": trigger, "when": when, "then": list(actions)}
    return await person.made("/rules", {"name": "x", "compiled": compiled, **more})


async def matches(person, rule_id=None):
    """What rules have fired on, oldest first."""
    events = await person.events("rule.matched", limit=200)
    return [each for each in events[::-1] if rule_id in {None, each["payload"]["rule_id"]}]


async def tasks(person):
    return (await person.get("/tasks", limit=200))[1]["items"]


async def outbound(person, entry):
    found = await person.messages(entry["conversation_id"])
    return [each["body"] for each in found[::-1] if each["direction"] == "outbound"]


class Clock:
    now = datetime(2030, 5, 8, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


class Shop:
    """A service with a database of its own: its user, scans with a clock, a superuser, and the login."""

    def __init__(self, ana, scans, clock, superuser, dsn):
        self.ana, self.scans, self.clock, self.superuser, self.dsn = ana, scans, clock, superuser, dsn

    @contextlib.asynccontextmanager
    async def holding_up(self, table):
        """Whoever wants to write into this table waits."""
        async with self.superuser.transaction():
            await self.superuser.execute(f"lock table {table} in share mode")
            yield

    async def held_up(self):
        """Connections that wait for a lock."""
        return [row[0] for row in await self.superuser.fetch("select pid from pg_locks where not granted")]
