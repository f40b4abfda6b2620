"""A year of load with and without retention: table sizes, the time of the removal, and that nothing needed went.

python -m bench.year [--messages 300000]

Lays a year's rows for ten tenants by SQL in a service's database: messages with their raw payloads, two events and a
status each, a notification for every third, a match of a rule for every fifth. Then removes what is old with the
default settings, as the hourly job does, beside a cursor that stands in the middle of the year, and events that wait
for another attempt or to be sent, or in the backlog. Takes about two minutes.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence

import psycopg
from psycopg import sql as compose

from alfred.assembly import retention_of
from alfred.db import Database
from alfred.settings import Settings
from bench.ground import Service, service, show, sign_up

TENANTS, MONTHS, CONTACTS = 10, 12, 500
SLOW_AFTER = 6  # the month after which a consumer stands still
CONSUMERS = ("rules", "flows", "notifications", "subscriptions")
PURGED = ("ai_events", "message_payloads", "message_updates", "notifications", "rule_matches", "ai_suggestions")
KEPT = ("messages", "contacts", "conversations")

_ID = """
create function pg_temp.id_of(p_at timestamptz) returns uuid language sql as $$
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
               placing substring(int8send((extract(epoch from p_at) * 1000)::bigint) from 3) from 1 for 6),
           52, 1), 53, 1), 'hex')::uuid $$
"""
_TENANT = (
    "insert into channels (user_id, channel_id, type, name) values (%(user)s, %(user)s, 'whatsapp', 'Loja')",
    """insert into contacts (user_id, contact_id, name, handle, channel_type)
       select %(user)s, app.uuid7(), 'Cliente ' || n, '+5511' || lpad(n::text, 9, '0'), 'whatsapp'
         from generate_series(1, %(contacts)s) n""",
    """insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at)
       select user_id, app.uuid7(), contact_id, user_id, handle, now() from contacts where user_id = %(user)s""",
    """insert into rules (user_id, rule_id, name, language, compiled, explanation, enabled)
       values (%(user)s, %(user)s, 'x', 'pt', '{}', 'x', false)""",
)
_MONTH = (
    """create temp table laid on commit drop as
       select %(user)s::uuid as user_id, pg_temp.id_of(at) as message_id, c.conversation_id, c.contact_id, at, n
         from (select n, now() - make_interval(days => 365 - 30 * %(month)s, secs => -n * 86400.0 * 30 / %(many)s) as at
                 from generate_series(1, %(many)s) n) m
         join (select *, row_number() over () as place from conversations where user_id = %(user)s) c
           on c.place = 1 + n %% %(contacts)s""",
    """insert into messages (user_id, message_id, conversation_id, channel_id, direction, body, status, sent_at,
                             created_at, external_id)
       select user_id, message_id, conversation_id, user_id, 'inbound', 'Bom dia, a mesa ainda está à venda? ' || n,
              'received', at, at, message_id::text from laid""",
    """insert into message_payloads (user_id, message_id, payload)
       select user_id, message_id, json_build_object('id', message_id, 'text', repeat(md5(n::text), 20)) from laid""",
    """insert into message_updates (user_id, channel_type, external_id, kind, detail, happened_at, created_at)
       select user_id, 'whatsapp', message_id::text, 'read', '', at, at from laid""",
    """insert into ai_events (user_id, type, message_id, conversation_id, contact_id, created_at)
       select user_id, type, message_id, conversation_id, contact_id, at
         from laid join (values ('message.received'), ('message.classified')) t (type) on true order by at""",
    """insert into notifications (user_id, type, dedupe_key, title, message_id, created_at, seen_at)
       select user_id, 'urgent_message', message_id::text, 'Urgente', message_id, at,
              case when n %% 30 > 0 then at end from laid where n %% 3 = 0""",
    """insert into rule_matches (user_id, rule_id, subject, matched_at, pending)
       select user_id, user_id, message_id::text, at, n %% 1000 = 0 from laid where n %% 5 = 0""",
    """insert into ai_suggestions (user_id, suggestion_id, kind, provider, created_at)
       select user_id, message_id, 'reply', 'mock', at from laid where n %% 10 = 0""",
)
_SLOW = """insert into bus_cursors (consumer, bucket, seen) select 'slow', b, pg_current_snapshot()
             from generate_series(0, 15) b"""
_HELD = (
    """insert into event_retries (consumer, number, user_id, next_at, error)
       select 'rules', number, user_id, now() + interval '1 day', 'x' from ai_events order by number limit 50""",
    """insert into event_backlog (user_id, consumer, number)
       select user_id, 'slow', number from ai_events order by number offset 50 limit 50""",
    """insert into subscriptions (user_id, subscription_id, url, events, secret, enabled)
       select user_id, user_id, 'https://example.com', '{message.received}', '', false from channels""",
    """insert into webhook_bodies (user_id, event_id, type, body)
       select user_id, event_id, type, '{}' from ai_events order by number offset 100 limit 50""",
    """insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, due_at)
       select user_id, app.uuid7(), user_id, event_id, type, number, now() + interval '1 day'
         from webhook_bodies join ai_events using (user_id, event_id, type)""",
)
_READ = """select not exists (select from bus_cursors c join ai_events e using (bucket)
            where c.consumer <> 'slow' and not pg_visible_in_snapshot(e.xid, c.seen))"""
_NEEDED = {
    "messages": "messages",
    "events that a consumer has not read": """ai_events e join bus_cursors c using (bucket)
        where c.consumer = 'slow' and not pg_visible_in_snapshot(e.xid, c.seen)""",
    "events that wait for another attempt": "event_retries r join ai_events e using (user_id, number)",
    "events in the backlog": "event_backlog b join ai_events e using (user_id, number)",
    "webhooks that wait": "webhook_deliveries join webhook_bodies using (user_id, event_id) where state = 'waiting'",
    "notifications that nobody has seen": "notifications where seen_at is null",
    "matches that are pending": "rule_matches where pending",
}


def main() -> None:
    """Lay a year, remove what is old, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--messages", type=int, default=300_000)
    messages = asked.parse_args().messages
    with service() as at, psycopg.connect(at.dsn("postgres"), autocommit=True) as root:
        users = [sign_up(at).user_id for _ in range(TENANTS)]
        _lay(root, users, messages // TENANTS // MONTHS)
        _await(root, _READ)
        before, needed = _sizes(root), _needed(root)
        seconds, gone = asyncio.run(_remove(at, (*CONSUMERS, "slow")))
        held = _needed(root)
        root.execute("delete from bus_cursors where consumer = 'slow'")
        more_seconds, more = asyncio.run(_remove(at, CONSUMERS))
        after = _sizes(root)
        for table in (*PURGED, *KEPT):
            root.execute(compose.SQL("vacuum (full, analyze) {}").format(compose.Identifier(table)))
        _report(before, after, _sizes(root))
    print(
        f"removed {sum(gone.values()):,} rows in {seconds:.1f} s, {sum(more.values()):,} more in {more_seconds:.1f} s"
    )
    print("once the slow consumer was gone; each batch rests as long as it has taken")
    show("What is still needed: rows before, and after the removal", ("", "before", "after"),
         [(kind, f"{count:,}", f"{held[kind]:,}") for kind, count in needed.items()])  # fmt: skip
    if needed != held:
        raise SystemExit("Something that is still needed has gone.")


def _lay(root: psycopg.Connection, users: Sequence[str], many: int) -> None:
    root.execute("set session_replication_role = replica")  # the rows are made to fit
    root.execute(_ID.encode())
    for user in users:
        for statement in _TENANT:
            root.execute(statement.encode(), {"user": user, "contacts": CONTACTS})
    for month in range(MONTHS):
        for user in users:
            values = {"user": user, "month": month, "many": many, "contacts": CONTACTS}
            with root.transaction():
                for statement in _MONTH:
                    root.execute(statement.encode(), values)
        if month == SLOW_AFTER - 1:
            root.execute(_SLOW.encode())
    for statement in _HELD:
        root.execute(statement.encode())
    for table in (*PURGED, *KEPT):
        root.execute(compose.SQL("vacuum (analyze) {}").format(compose.Identifier(table)))


def _await(root: psycopg.Connection, question: str) -> None:
    """Until consumers have read what there is."""
    until = time.monotonic() + 120
    while not _one(root, question):
        if time.monotonic() > until:
            raise SystemExit("The consumers did not read the log within two minutes.")
        time.sleep(0.2)


def _one(root: psycopg.Connection, question: str) -> int:
    row = root.execute(question.encode()).fetchone()
    return int(row[0]) if row else 0


def _needed(root: psycopg.Connection) -> dict[str, int]:
    """What a cursor, a retry, the backlog or a person still needs, however old it is."""
    return {kind: _one(root, f"select count(*) from {where}") for kind, where in _NEEDED.items()}


async def _remove(at: Service, consumers: Sequence[str]) -> tuple[float, dict[str, int]]:
    """As the hourly job does, with default settings."""
    database = Database(at.dsn("alfred_bus_app"), size=2)
    await database.open()
    try:
        began = time.perf_counter()
        counts = await retention_of(database, Settings(jwt_secret="x" * 32), consumers).run()
        return time.perf_counter() - began, counts
    finally:
        await database.close()


Sizes = dict[str, tuple[int, float]]


def _sizes(root: psycopg.Connection) -> Sizes:
    """Rows and MB of each table, indexes included."""
    return {
        table: (_one(root, f"select count(*) from {table}"),
                _one(root, f"select pg_total_relation_size('{table}')") / 1e6)
        for table in (*PURGED, *KEPT)
    }  # fmt: skip


def _report(before: Sizes, after: Sizes, compact: Sizes) -> None:
    rows = [
        (table, f"{count:,}", f"{size:.0f} MB", f"{after[table][0]:,}", f"{after[table][1]:.0f} MB",
         f"{compact[table][1]:.0f} MB")
        for table, (count, size) in before.items()
    ]  # fmt: skip
    header = ("", "rows without", "size", "rows with", "size at once", "size when compact")
    show("A year with and without retention", header, rows)


if __name__ == "__main__":
    main()
