"""What is old goes, batch after batch; what is younger or still needed stays, and counts go on."""

from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from alfred.crm.retention import Ages, Retention
from alfred.db import Database
from alfred.positions import Position
from tests.conftest import serving
from tests.people import Person, delivery

DAY = 86_400
AGES = Ages(
    payloads=30 * DAY,
    events=90 * DAY,
    notifications=90 * DAY,
    matches=90 * DAY,
    suggestions=365 * DAY,
    merges=365 * DAY,
)
BATCH = 7
COUNT = 15  # more than two batches
NOBODY_REMOVES = """select exists (select from scan_runs where scan = 'retention')
                       and not exists (select from pg_locks where locktype = 'advisory' and objsubid = 1 and
                           database = (select oid from pg_database where datname = current_database()))"""


# A row's time, and how it is moved: kinds of rows are old when this column is.
TIMES = {
    "message_updates": "created_at",
    "notifications": "seen_at",
    "rule_matches": "matched_at",
    "ai_suggestions": "created_at",
    "contact_merges": "merged_at",
    "idempotency_keys": "claimed_at",
    "rejected_webhooks": "created_at",
    "ignored_items": "received_at",
    "api_tokens": "expires_at",
    "refresh_tokens": "expires_at",
    "stream_tickets": "expires_at",
    "sessions": "expires_at",
    "login_failures": "failed_at",
    "event_retries": "created_at",
    "ai_events": "created_at",
}
# Ana has logged in: that goes on.
HERS = {"sessions", "refresh_tokens"}


class Shop:
    """A service with a database of its own, somebody in it, and what removes the old there."""

    def __init__(self, ana, superuser, database):
        self.ana, self.superuser, self.database = ana, superuser, database
        self.retention = Retention(database, AGES, ["rules", "notifications"], lambda: datetime.now(UTC), batch=BATCH)

    async def age(self, table, days=400):
        """Move every row's time."""
        column = TIMES[table]
        among = "expires_at < now() + interval '1 hour'" if table in HERS else "true"
        await self.superuser.execute(
            f"update {table} set {column} = now() - make_interval(days => $1) where {among}", days
        )

    async def count(self, table, where="true"):
        return await self.superuser.fetchval(f"select count(*) from {table} where {where}")

    async def all_is_read(self):
        """Until the bus has read what there is."""
        return await self.superuser.fetchval(
            """select not exists (select from bus_cursors c join ai_events e using (bucket)
                                   where not pg_visible_in_snapshot(e.xid, c.seen))"""
        )


@pytest.fixture
async def shop(cluster, http, eventually):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    database = Database(cluster.app(name), size=3)
    await database.open()
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        await eventually(lambda: superuser.fetchval(NOBODY_REMOVES))  # what the service does when it starts
        yield Shop(ana, superuser, database)
    await database.close()
    await superuser.close()


async def fill(shop):
    """COUNT rows of each kind at least."""
    ana, hat = shop.ana, [shop.ana.id, COUNT]
    rule = await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    entry = await ana.hears("Quero desconto", id="one")
    for number in range(COUNT):
        await ana.hears(f"desconto {number}", id=f"m{number}")
        await ana.post("/webhooks/whatsapp", delivery(f"unknown{number}", "read"))
        await ana.post("/webhooks/whatsapp", {"unknown": number})
        await ana.call("POST", "/tasks", {"title": "Uma vez"}, headers={"Idempotency-Key": f"once {number}"})
        await ana.made("/tokens", {"name": "n8n", "expires_at": "2099-01-01T00:00:00Z"})
        await ana.made("/notifications/stream-ticket", None)
    for text in (
        """insert into ai_suggestions (user_id, suggestion_id, kind, provider)
           select $1, app.uuid7(), 'reply', 'mock' from generate_series(1, $2)""",
        """insert into ignored_items (user_id, ignored_id, channel_type, kind, reason, payload, size)
           select $1, app.uuid7(), 'whatsapp', 'group', 'x', '{}', 2 from generate_series(1, $2)""",
        """insert into sessions (user_id, session_id, expires_at, ends_at)
           select $1, app.uuid7(), now(), now() from generate_series(1, $2)""",
        """insert into refresh_tokens (user_id, family_id, token_hash, expires_at)
           select user_id, session_id, uuid_send(session_id), now() from sessions where user_id = $1 limit $2""",
        """insert into login_failures (email_key, address)
           select 'nobody-' || $1::text, '127.0.0.1' from generate_series(1, $2)""",
        """insert into event_retries (consumer, number, user_id, next_at, error, state)
           select 'rules', -n, $1, now(), 'x', 'dead' from generate_series(1, $2) n""",
    ):
        await shop.superuser.execute(text, *hat)
    await shop.superuser.execute(
        f"""insert into contact_merges (user_id, merged_id, contact_id, contact, identities, filled)
           select $1, app.uuid7(), $2, '{{}}', '[]', '{{}}' from generate_series(1, {COUNT})""",
        ana.id, entry["contact_id"],
    )  # fmt: skip
    return rule


async def make_payloads_old(superuser):
    """Their ids are times: written anew as of two months ago."""
    old = "overlay(message_id::text placing '018fbebe' from 1 for 8)::uuid"
    async with superuser.transaction():
        await superuser.execute("set local session_replication_role = replica")
        for table in ("message_payloads", "messages"):
            await superuser.execute(f"update {table} set message_id = {old}")


async def test_the_old_goes_and_the_young_stays(shop, eventually):
    rule = await fill(shop)
    ana = shop.ana
    rows = await eventually(lambda: ana.notifications(limit=100), lambda found: len(found) >= COUNT + 1, 10)
    assert (await ana.post("/notifications/seen", {"all": True}))[0] == 200
    assert await eventually(shop.all_is_read, seconds=10)
    (before,) = [each for each in (await ana.get("/rules"))[1]["items"] if each["id"] == rule["id"]]
    assert before["match_count"] == COUNT + 1 <= len(rows)

    young = {table: await shop.count(table) for table in TIMES}
    assert min(young.values()) >= COUNT, young
    counts = await shop.retention.run()
    assert {kind for kind, count in counts.items() if count} == set(), counts

    for table in TIMES:
        await shop.age(table)
    await make_payloads_old(shop.superuser)
    counts = await shop.retention.run()
    assert {table: counts[table] for table in TIMES} == {
        table: count - (table in HERS) for table, count in young.items()
    }
    assert counts["message_payloads"] == COUNT + 1
    for table in (*TIMES, "message_payloads"):
        assert await shop.count(table) == (table in HERS), table
    assert await shop.count("messages") == COUNT + 1
    assert await shop.count("contacts") == 1
    (after,) = [each for each in (await ana.get("/rules"))[1]["items"] if each["id"] == rule["id"]]
    assert after["match_count"] == before["match_count"]
    assert after["last_matched_at"] < before["last_matched_at"]  # as it was moved


async def test_payloads_go_batch_by_batch_whosever_they_are(shop, eventually):
    await shop.superuser.execute(
        """set session_replication_role = replica;
           insert into users (user_id, name, email) select app.uuid7(), 'User', n from generate_series(1, 203) n;
           insert into message_payloads (user_id, message_id, payload)
           select user_id, '018fbebe-0000-7000-8000-000000000000', '{}' from users;
           set session_replication_role = origin"""
    )
    retention = Retention(shop.database, AGES, [], lambda: datetime.now(UTC), batch=50)
    await retention.run()

    async def all_gone():  # the service may look at the same time, and take a part
        return await shop.count("message_payloads") == 0

    await eventually(all_gone)


async def test_what_is_still_needed_stays(shop, eventually):
    ana, root = shop.ana, shop.superuser
    for number in range(COUNT):
        await ana.hears(f"oi {number}")
    await eventually(shop.all_is_read)
    await shop.age("ai_events")
    numbers = [row["number"] for row in await root.fetch("select number from ai_events order by number")]
    in_retry, in_backlog, *_ = numbers
    await root.execute(
        "insert into event_retries (consumer, number, user_id, next_at, error) values ('rules', $1, $2, $3, 'x')",
        in_retry, ana.id, datetime(2999, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    await root.execute("insert into event_backlog values ($1, 'notifications', $2)", ana.id, in_backlog)
    unread = "(select xid from ai_events order by xid desc limit 1)"
    await root.execute(
        f"""insert into bus_cursors (consumer, bucket, seen)
            select 'slow', b, format('%s:%s:', {unread}, {unread})::pg_snapshot from generate_series(0, 15) b"""
    )
    slow = await shop.count("ai_events", f"xid >= {unread}")
    patient = Retention(shop.database, AGES, ["rules", "notifications", "slow"], lambda: datetime.now(UTC), batch=BATCH)
    assert (await patient.run())["ai_events"] == len(numbers) - 2 - slow
    assert in_retry in [row["number"] for row in await root.fetch("select number from ai_events")]
    # A consumer that is no more holds nothing.
    assert (await shop.retention.run())["ai_events"] == slow


async def test_unseen_notifications_and_waiting_retries_and_pending_matches_stay(shop):
    ana, root = shop.ana, shop.superuser
    rule = await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    await root.execute(
        """insert into notifications (user_id, type, dedupe_key, title, created_at)
           values ($1, 'rule_match', 'x', 'x', now() - interval '9 years')""",
        ana.id,
    )
    await root.execute(
        """insert into rule_matches (user_id, rule_id, subject, pending, matched_at)
           values ($1, $2, 'x', true, now() - interval '9 years')""",
        ana.id, rule["id"],
    )  # fmt: skip
    await root.execute(
        """insert into event_retries (consumer, number, user_id, next_at, error, created_at)
           values ('nobody', -1, $1, now() + interval '1 day', 'x', now() - interval '9 years')""",
        ana.id,
    )
    await shop.retention.run()
    for table in ("notifications", "rule_matches", "event_retries"):
        assert await shop.count(table) == 1, table


async def test_a_place_before_the_log_is_told(shop, eventually):
    ana = shop.ana
    start = (await ana.get("/events", after="now"))[1]["after"]
    await ana.hears("oi")
    assert await eventually(shop.all_is_read)
    await shop.age("ai_events", days=91)
    assert (await shop.retention.run())["ai_events"] > 0
    assert (await ana.get("/events", after=start))[0] == 200
    place = Position.read(start)
    status, answer = await ana.get("/events", after=str(replace(place, at=place.at - 91 * DAY)))
    assert (status, answer["code"]) == (410, "cursor_expired")


async def test_nothing_younger_than_a_day_goes_whatever_is_asked_for(shop, eventually):
    await shop.ana.hears("oi")
    assert await eventually(shop.all_is_read)
    ages = Ages(payloads=1, events=1, notifications=1, matches=1, suggestions=1, merges=1)
    counts = await Retention(shop.database, ages, [], lambda: datetime.now(UTC)).run()
    assert set(counts.values()) == {0}


async def test_one_replica_at_a_time(shop):
    await shop.superuser.execute("insert into login_failures values ('x', 'x', now() - interval '9 days')")
    async with shop.database.as_service() as db:
        await db.execute("select pg_advisory_xact_lock(hashtextextended('scan retention', 0))")
        assert set((await shop.retention.run()).values()) == {0}
    assert (await shop.retention.run())["login_failures"] == 1
