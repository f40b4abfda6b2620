"""What consumers do for a whole batch: a handful of statements, and no tenant mixed with another."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from alfred.bus import Bus
from alfred.crm import notifications
from alfred.crm.deliveries.making import Making
from alfred.crm.media import fetching
from alfred.db import Database
from alfred.dispatch import LOCK_MILLISECONDS, Share, act
from alfred.events import Event
from alfred.hub import Hub
from tests.conftest import serving
from tests.people import Person

URGENT = '{"urgency": "high"}'


@pytest.fixture
async def many(cluster):
    """A database with 1,000 users, one contact and one conversation each; a superuser, and the login."""
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await superuser.execute(
        """
        insert into users (user_id, name, email, locale)
        select app.uuid7(), 'User', n || '@example.com', (array['pt-BR', 'en-US'])[1 + n % 2]
          from generate_series(1, 1000) n;
        insert into channels (user_id, channel_id, type, name) select user_id, user_id, 'whatsapp', 'Shop' from users;
        insert into contacts (user_id, contact_id, name, handle, channel_type)
        select user_id, user_id, 'Customer of ' || email, '+5511900000001', 'whatsapp' from users;
        insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, snippet)
        select user_id, user_id, user_id, user_id, '+5511900000001', 'Now, ' || email from users;
        select app.bus_join('notifications');
        """
    )
    yield superuser, cluster.app(name)
    await superuser.close()


class Counted:
    """A bus with one consumer, whose statements for whole batches are counted."""

    def __init__(self, dsn, made):
        self.statements, self.batches, self.at_once, self.alone = [], [], [], []
        self.database = Database(dsn, size=4)
        self.bus = Bus(self.database, dsn, Hub(self.database))
        consumer = made(self.bus.hub)
        self._act, self._act_on_all, self._act_at_once = consumer.act, consumer.act_on_all, consumer.act_at_once
        self.bus.subscribe(
            replace(
                consumer,
                act=self.act,
                act_on_all=self._act_on_all and self.act_on_all,
                act_at_once=self._act_at_once and self.act_at_once,
            )
        )

    async def act(self, db, event):
        self.alone.append(event)
        return await self._act(db, event)

    async def act_on_all(self, db, events):
        self.batches.append(events)
        db.add_query_logger(self.note)
        try:
            return await self._act_on_all(db, events)
        finally:
            db.remove_query_logger(self.note)

    async def act_at_once(self, *asked):
        done = await self._act_at_once(*asked)
        self.at_once.append(done)
        return done

    def note(self, record):
        if "app." in record.query:  # the driver also asks for types
            self.statements.append(record.query)

    async def __aenter__(self):
        await self.database.open()
        self._task = asyncio.create_task(self.bus.run())
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait([self._task])
        await self.database.close()


async def test_a_thousand_users_are_told_by_one_statement(many, eventually):
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select user_id, 'message.classified', user_id, user_id, user_id, $1 from users""", URGENT,
    )  # fmt: skip
    count = "select count(*) from notifications"
    async with Counted(dsn, notifications.consumer) as counted:
        assert await eventually(lambda: superuser.fetchval(count), lambda told: told == 1000) == 1000
        await eventually(lambda: asyncio.sleep(0, counted.at_once))  # told when the commit is seen here
    told, *others = [done for done in counted.at_once if done.buckets]
    assert (sorted(told.buckets), others, counted.alone) == (list(range(16)), [], [])
    rows = await superuser.fetch("select email, title, body from notifications join users using (user_id)")
    for row in rows:
        assert row["title"].endswith(f" Customer of {row['email']}")
        assert row["body"] == f"Now, {row['email']}"
    assert {row["title"].split()[0] for row in rows} == {"Urgent", "Mensagem"}
    assert await superuser.fetchval("select count(*) from ai_events where type = 'notification.created'") == 1000


async def test_an_event_about_somebody_elses_customer_shows_nothing_of_it(many, eventually):
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select u.user_id, 'message.classified', null, o.user_id, o.user_id, $1
             from users u, users o where u.email = '1@example.com' and o.email = '2@example.com'""", URGENT,
    )  # fmt: skip
    rows = "select title, body, email from notifications join users using (user_id)"
    async with Counted(dsn, notifications.consumer):
        (told,) = await eventually(lambda: superuser.fetch(rows))
    assert tuple(told) == ("Urgent message from ?", "", "1@example.com")


async def test_of_two_events_for_the_same_notification_one_is_told(many, eventually):
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select user_id, 'message.classified', user_id, user_id, user_id, $1
             from users, generate_series(1, 2) where email < '11'""", URGENT,
    )  # fmt: skip
    users = await superuser.fetchval("select count(*) from users where email < '11'")
    async with Counted(dsn, notifications.consumer) as counted:
        await eventually(lambda: asyncio.sleep(0, counted.at_once))  # told when the commit is seen here
    assert (len(counted.at_once), counted.alone) == (1, [])
    assert await superuser.fetchval("select count(*) from notifications") == users


async def test_what_is_about_a_held_conversation_comes_when_it_is_free(many, eventually, monkeypatch):
    monkeypatch.setattr("alfred.dispatch.FIRST_WAIT_SECONDS", 0.01)
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select user_id, 'message.classified', user_id, user_id, user_id, $1 from users where email < '11'""", URGENT,
    )  # fmt: skip
    users = await superuser.fetchval("select count(*) from users where email < '11'")
    told = "select count(*) from notifications"
    async with Counted(dsn, notifications.consumer) as counted:
        async with superuser.transaction():
            await superuser.fetch(
                "select from conversations join users using (user_id) where email = '10@example.com' for update"
            )
            assert await eventually(lambda: superuser.fetchval(told), lambda count: count == users - 1) == users - 1
            assert await eventually(lambda: asyncio.sleep(0, counted.alone))
        assert await eventually(lambda: superuser.fetchval(told), lambda count: count == users) == users


@pytest.mark.parametrize("first", ["free", "held"])
async def test_who_holds_something_waits_for_nobody(many, first):
    """What somebody else holds is left by a transaction that has acted; one that has not waits for it."""
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select user_id, 'message.classified', user_id, user_id, user_id, $1 from users where email < '11'""", URGENT,
    )  # fmt: skip
    rows = await superuser.fetch("select e.*, payload::text as payload from ai_events e order by number limit 3")
    events = [Event.of(dict(row) | {"payload": {"urgency": "high"}}) for row in rows]
    held = events[1 if first == "free" else 0]
    database = Database(dsn, size=2)
    await database.open()
    async with superuser.transaction():
        await superuser.execute("select from conversations where user_id = $1 for update", held.user_id)
        async with database.as_service(lock_milliseconds=LOCK_MILLISECONDS) as db:
            left = await act(db, notifications.CONSUMER, events, Share(1))
    await database.close()
    assert left == ([held] if first == "free" else events[1:])  # the waiting took all of the turn
    assert await superuser.fetchval("select count(*) from notifications") == (2 if first == "free" else 0)
    assert await superuser.fetchval("select count(*) from event_retries") == (first == "held")


async def test_what_cannot_be_told_does_not_hold_up_the_others(many, eventually):
    superuser, dsn = many
    await superuser.execute(
        """insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
           select user_id, 'message.classified', user_id, user_id, nullif(user_id, (
                      select user_id from users where email = '7@example.com')), $1
             from users where email < '11' or email = '7@example.com'""", URGENT,
    )  # fmt: skip
    users = await superuser.fetchval("select count(*) from users where email < '11' and email <> '7@example.com'")
    told = "select count(*) from notifications"
    async with Counted(dsn, notifications.consumer) as counted:
        assert await eventually(lambda: superuser.fetchval(told), lambda count: count == users) == users
        assert await eventually(lambda: superuser.fetchval("select count(*) from event_retries"))
    assert counted.at_once == []
    refused = "select email from event_retries join users using (user_id)"
    assert await superuser.fetch(refused) == [("7@example.com",)]


async def test_in_a_batch_too_a_rule_sees_what_an_earlier_one_did(cluster, http, eventually):
    """A batch is asked at once; a match may change what its tenant's later events find."""
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await superuser.execute("select app.bus_join('rules')")
    async with serving(cluster.app(name)) as address:
        ana, bruno = [await Person.sign_up(http, address, who) for who in ("Ana", "Bruno")]
        await superuser.execute("begin; select from bus_cursors where consumer = 'rules' for update")
        tag = {"action": "add_tag", "tag": "first"}
        says = {"field": "message.text", "op": "contains", "value": "preço"}
        await ana.made("/rules", {"compiled": {"when": says, "then": [tag]}})
        tagged = {"all": [{"field": "conversation.tags", "op": "contains", "value": "first"}]}
        await ana.made(
            "/rules", {"compiled": {"when": tagged, "then": [{"action": "set_status", "status": "pending"}]}}
        )
        await bruno.made("/rules", {"compiled": {"when": says, "then": [tag]}})
        for person in (ana, bruno):
            await person.hears("oi")
        await ana.hears("qual o preço?")
        await ana.hears("alô?")
        await superuser.execute("rollback")

        async def status():
            return (await ana.conversations())[0]["status"]

        assert await eventually(status, lambda found: found == "pending") == "pending"
        assert (await bruno.conversations())[0]["tags"] == []
    await superuser.close()


async def test_only_messages_with_files_or_with_something_to_call_off_are_handed_on(many, eventually):
    """Of a thousand messages the look at the log finds what carries a file, and what a reply cancels."""
    superuser, dsn = many
    await superuser.execute("select app.bus_join('media'), app.bus_join('deliveries')")
    await superuser.execute(
        """
        insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at, attachments)
        select user_id, user_id, user_id, user_id, 'inbound', 'received', now(),
               case when email = '7@example.com' then '[{"type": "image"}]'::jsonb else '[]' end from users;
        insert into messages (user_id, message_id, conversation_id, channel_id, direction, status, sent_at, created_at,
                              scheduled_at, cancel_on_reply)
        select user_id, app.uuid7(), user_id, user_id, 'outbound', 'scheduled', now(), now() - interval '1 hour',
               now() + interval '1 hour', true from users where email = '8@example.com';
        insert into ai_events (user_id, type, contact_id, conversation_id, message_id)
        select user_id, 'message.received', user_id, user_id, user_id from users;
        """
    )
    emails = dict(map(tuple, await superuser.fetch("select user_id, email from users")))
    making = Making(60, lambda: None).consumer
    for consumer, email in ((fetching.CONSUMER, "7@example.com"), (making, "8@example.com")):
        async with Counted(dsn, lambda _, consumer=consumer: consumer) as counted:
            await eventually(lambda counted=counted: asyncio.sleep(0, counted.alone))
            await asyncio.sleep(0.2)
        assert [emails[event.user_id] for event in counted.alone] == [email]
        assert sum(map(len, counted.batches)) == len(counted.statements) <= 1
    cancelled = "select email from messages join users using (user_id) where messages.status = 'cancelled'"
    assert await superuser.fetchval(cancelled) == "8@example.com"
