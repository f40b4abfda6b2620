"""How fast the bus reads what nobody wants, and what everybody is told of."""

import asyncio
import time

import psycopg

from bench.ground import Service

EVENTS = 100_000
USERS = 1000
# What pgqueuer 1.6 made of jobs that do nothing, on two cores of 2.6 GHz: a figure of another run.
PGQUEUER = 14_060

_USERS = f"""
insert into users (user_id, name, email) select app.uuid7(), 'User', 'told-' || n || '@example.com'
  from generate_series(1, {USERS}) n
"""
_EVENTS = """
insert into ai_events (user_id, type, message_id, payload)
select user_id, %s, app.uuid7(), %s from users join generate_series(1, %s) on true where email like 'told-%%'
"""
_READ = """
select not exists (select from bus_cursors c where upto is not null or not pg_visible_in_snapshot(%s::text::xid8, seen))
   and not exists (select from event_backlog)
"""


async def drained(at: Service) -> list[tuple[str, ...]]:
    """100,000 events that nobody wants, and 10,000 that make a notification each."""
    rows: list[tuple[str, ...]] = []
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        superuser.execute(_USERS.encode())
        for what, kind, payload, must in (
            ("events that nobody wants", "message.received", "{}", "20"),
            ("events that make a notification each", "message.classified", '{"urgency": "high"}', "1"),
        ):
            seconds = await asyncio.to_thread(_drain, superuser, kind, payload, EVENTS // USERS)
            ratio = f"{EVENTS / seconds / PGQUEUER:.1f}"
            rows.append(
                (f"{EVENTS:,} {what}, against pgqueuer", f"{EVENTS / seconds:,.0f}/s", f"{PGQUEUER:,}/s", ratio, must)
            )
    return rows


async def told(at: Service) -> tuple[str, ...]:
    """One notification to each of 1,000 users, from the first write until all are written."""
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        seconds = await asyncio.to_thread(_drain, superuser, "message.classified", '{"urgency": "high"}', 1)
    return (f"one notification to each of {USERS:,} users", f"{seconds:.2f} s", "", "", "1 s")


def _drain(superuser: "psycopg.Connection[tuple[object, ...]]", kind: str, payload: str, each: int) -> float:
    """Seconds from the commit of the events until every consumer has read them."""
    began = time.perf_counter()
    with superuser.transaction():
        superuser.execute(_EVENTS.encode(), (kind, payload, each))
        row = superuser.execute("select pg_current_xact_id()::text").fetchone()
    if each > 1:  # to write so many takes as long as to read them
        began = time.perf_counter()
    assert row is not None
    superuser.execute("select pg_notify('alfred_bus', '0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15')")
    while True:
        found = superuser.execute(_READ.encode(), (row[0],)).fetchone()
        if found is not None and found[0]:
            return time.perf_counter() - began
        time.sleep(0.01)
