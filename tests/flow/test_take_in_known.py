"""Plain messages are written by a statement for each table: the same rows as one by one, and no tenant mixed."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from alfred.ai.builtin.provider import MockAIProvider
from alfred.channels import normalise
from alfred.crm.intake import written_as
from alfred.db import prepare
from tests.people import delivery, whatsapp

ASSISTANT = MockAIProvider()
START = 1714564800
# Of a row everything but what differs by nature.
ROWS = """
select 'message' as kind,
       to_jsonb(m) - '{user_id,message_id,conversation_id,channel_id,created_at,queued_at,reply_to_id}'::text[]
       || jsonb_build_object('quotes', (select q.external_id from messages q where q.user_id = m.user_id
                                           and q.message_id = m.reply_to_id)) as row
  from messages m where user_id = $1
union all
select 'conversation', to_jsonb(c) - '{user_id,conversation_id,contact_id,channel_id,created_at,updated_at}'::text[]
       || jsonb_build_object('last_message_id', (select external_id from messages where message_id = last_message_id),
                             'last_inbound_id', (select external_id from messages where message_id = last_inbound_id))
  from conversations c where user_id = $1
union all
select 'payload', payload::jsonb from message_payloads where user_id = $1
union all
select 'event', jsonb_build_object('type', type, 'payload', payload - '{external_id,handle}'::text[], 'of', (
            select external_id from messages m where m.user_id = e.user_id and m.message_id = e.message_id))
  from (select * from ai_events where user_id = $1 order by number) e where type not like 'notification%'
"""


async def items(person, *payloads, post=0):
    """What messengers post, as it is written."""
    made = []
    for payload in payloads:
        for item in normalise(payload, "whatsapp").items:
            reading = await ASSISTANT.classify(item.text or "") if item.kind == "message" else None
            made.append(written_as(UUID(person.id), item, reading) | {"post": post})
    return made


@pytest.fixture
async def root(cluster, database):
    connection = await asyncpg.connect(cluster.superuser(database))
    await prepare(connection)
    yield connection
    await connection.close()


@pytest.fixture
async def take(app_db):
    async def call(way, batch):
        async with app_db.transaction():
            return await app_db.fetchval(f"select app.{way}($1)", batch)

    return call


async def known(people, *senders):
    for person in people:
        for sender in senders or ("+5511900000012",):
            await person.hears("primeira", sender=sender, id=f"first{sender}", at=START)


def later(text, number, sender="+5511900000012", **more):
    return whatsapp(text, sender, id=f"m{number}", at=START + number, **more)


async def test_writes_the_same_rows_as_one_by_one(ana, bruno, take, root):
    """But for what events are told of by their message and its conversation."""
    senders = ("+5511900000012", "+5511900000013")
    await known((ana, bruno), *senders)
    posts = [later(f"É urgente! {n}", n, senders[n % 2]) for n in range(1, 7)]
    posts.append(later("e agora?", 9))
    posts[-1]["entry"][0]["changes"][0]["value"]["messages"][0]["context"] = {"id": "m2"}
    one_by_one = await take("take_in", await items(ana, *posts))
    together = await take("take_in_known", await items(bruno, *posts))
    assert [each["duplicate"] for each in together] == [each["duplicate"] for each in one_by_one] == [False] * 7
    rows = [[tuple(row) for row in await root.fetch(ROWS, person.id)] for person in (ana, bruno)]
    by_one, as_set = [[row for row in each if row[0] != "event"] for each in rows]
    key = lambda row: (row[0], str(row[1]))  # noqa: E731
    assert sorted(as_set, key=key) == sorted(by_one, key=key)
    assert [row for row in rows[1] if row[0] == "event"] == [row for row in rows[0] if row[0] == "event"]


async def test_a_batch_of_several_tenants_keeps_them_apart(ana, bruno, stranger, take, root):
    """The same customer, account and ids with each: nothing of one is seen or written with another."""
    await known((ana, bruno))
    batch = [
        item | {"post": post}
        for post, person in enumerate([ana, bruno, bruno, ana])
        for item in await items(person, later(f"de {post}", 10 + post))
    ]
    outcomes = await take("take_in_known", batch)
    for person, own in ((ana, (0, 3)), (bruno, (1, 2))):
        (conversation,) = await person.conversations()
        assert {outcomes[post]["conversation_id"] for post in own} == {conversation["id"]}
        assert {outcomes[post]["contact_id"] for post in own} == {conversation["contact"]["id"]}
        bodies = [message["body"] for message in await person.messages(conversation["id"])]
        assert bodies == [f"de {own[1]}", f"de {own[0]}", "primeira"]
        events = await root.fetch("select user_id, conversation_id from ai_events where message_id is not null"
                                  " and conversation_id = $1", conversation["id"])  # fmt: skip
        assert {str(row["user_id"]) for row in events} == {person.id}


async def test_anothers_customer_is_unknown(ana, bruno, take):
    await known((ana,))
    await bruno.hears("oi", sender="+5511900000099")
    assert await take("take_in_known", await items(bruno, later("oi", 1))) == [None]


@pytest.mark.parametrize(
    "case", ["unknown", "duplicate", "told twice", "read before", "closed", "older", "new name", "second way to write"]
)
async def test_what_is_not_plain_is_left_and_nothing_written(ana, take, root, case):
    await known((ana,))
    (conversation,) = await ana.conversations()
    post = [later("oi", 5)]
    match case:
        case "unknown":
            post = [later("oi", 5, "+5511900000055")]
        case "duplicate":
            await ana.post("/webhooks/whatsapp", post[0])
        case "told twice":
            post *= 2
        case "read before":
            await ana.post("/webhooks/whatsapp", delivery("m5", "read"))
        case "closed":
            await ana.patch(f"/conversations/{conversation['id']}", {"status": "closed"})
        case "older":
            post = [whatsapp("oi", id="old", at=START - 1)]
        case "new name":
            await root.execute("update contacts set name = null where contact_id = $1", conversation["contact"]["id"])
        case "second way to write":
            post = [later("oi", 5, "+551190000012"), later("oi", 6, "+55119900000012")]
    before = await root.fetch(ROWS, ana.id)
    assert set(await take("take_in_known", await items(ana, *post))) == {None}
    assert await root.fetch(ROWS, ana.id) == before


async def test_a_post_is_taken_in_whole_or_not_at_all(ana, take):
    await known((ana,))
    batch = [
        *await items(ana, later("um", 1), later("dois", 2, "+5511900000055"), post=0),
        *await items(ana, later("três", 3), post=1),
    ]
    outcomes = await take("take_in_known", batch)
    assert [outcome is None for outcome in outcomes] == [True, True, False]


async def test_waits_for_no_conversation_that_somebody_holds(ana, bruno, take, root):
    await known((ana, bruno))
    (conversation,) = await ana.conversations()
    async with root.transaction():
        await root.execute("select from conversations where conversation_id = $1 for update", conversation["id"])
        batch = [*await items(ana, later("oi", 1)), *await items(bruno, later("oi", 1), post=1)]
        async with asyncio.timeout(20):
            outcomes = await take("take_in_known", batch)
    assert [outcome is None for outcome in outcomes] == [True, False]


PEOPLE = "select pg_advisory_xact_lock(app.people_lock($1))"
ID = "select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', $1::uuid, 'whatsapp', 'm1'), 0))"


@pytest.mark.parametrize("lock", [PEOPLE, ID], ids=["the people", "its id"])
async def test_waits_for_a_merge_and_for_a_status_of_the_same_id(ana, root, app_db, lock):
    await known((ana,))
    batch = await items(ana, later("oi", 1))
    async with root.transaction():
        await root.execute(lock, UUID(ana.id))
        await app_db.execute("set statement_timeout = 300")
        with pytest.raises(asyncpg.QueryCanceledError):
            await app_db.fetchval("select app.take_in_known($1)", batch)


async def test_the_same_message_at_the_same_moment_is_kept_once(ana, bruno):
    """Through all that is there: the queue, both ways to write, several at once."""
    await known((ana, bruno))
    posts = [(person, later(f"oi {n}", n)) for person in (ana, bruno) for n in range(20, 30) for _ in range(3)]
    answers = await asyncio.gather(*(person.post("/webhooks/whatsapp", post) for person, post in posts))
    assert {status for status, _ in answers} == {200}
    assert sum(receipt["duplicates"] for _, receipt in answers) == 40
    for person in (ana, bruno):
        (conversation,) = await person.conversations()
        assert conversation["unread_count"] == 11
        assert len(await person.messages(conversation["id"])) == 11


async def test_what_comes_at_the_same_moment_by_another_way_leaves_the_batch(ana, take, root):
    await known((ana,))
    batch = await items(ana, later("oi", 1), later("e agora?", 2))
    async with root.transaction():
        await root.execute(
            """insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id,
                                     dedupe_key, body, status, sent_at)
               select user_id, app.uuid7(), conversation_id, channel_id, direction, 'm2', 'm2', body, status, sent_at
                 from messages where user_id = $1""",
            ana.id,
        )
        taking = asyncio.create_task(take("take_in_known", batch))
        await asyncio.sleep(0.2)
        assert not taking.done()
    with pytest.raises(asyncpg.UniqueViolationError):
        await taking
    counted = "select count(*) from messages where user_id = $1"
    assert await root.fetchval(counted, ana.id) == 2
    assert (await ana.hears("e agora?", id="m2", at=START + 2))["duplicate"]
    assert not (await ana.hears("oi", id="m1", at=START + 1))["duplicate"]
    assert await root.fetchval(counted, ana.id) == 3


async def test_a_mail_is_plain_too_though_it_names_no_account(ana, take):
    def mail(ident, at):
        return {"message_id": ident, "from": "mara@example.com", "from_name": "Mara", "body": "Bom dia", "sent_at": at}

    status, _ = await ana.post("/webhooks/email", mail("mail-1@example.com", START))
    assert status == 200
    (item,) = normalise(mail("mail-2@example.com", START + 1), "email").items
    written = written_as(UUID(ana.id), item, await ASSISTANT.classify(item.text or "")) | {"post": 0}
    assert written["recipient"] is None
    (outcome,) = await take("take_in_known", [written])
    (conversation,) = await ana.conversations()
    assert outcome["conversation_id"] == conversation["id"]


MORE = """
insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key, body,
                      status, sent_at)
select user_id, app.uuid7(), conversation_id, channel_id, direction, g || 'x', g || 'x', body, status, sent_at
  from messages, generate_series($2::integer, $2 + 24) g where user_id = $1 and external_id = 'first+5511900000012'
"""


async def test_a_message_is_looked_up_by_its_key_not_among_its_channels(ana, root):
    """A session plans once, while its tables may be empty or small; the plan must be good for full ones."""
    await known((ana,))
    batch = await items(ana, later("a", 1))
    await root.execute("load 'auto_explain'; set auto_explain.log_min_duration = 0; set client_min_messages = log;"
                       "set auto_explain.log_nested_statements = on; set auto_explain.log_format = json")  # fmt: skip
    plans = []
    root.add_log_listener(lambda _, message: plans.append(message.message))
    for number in range(0, 500, 25):
        await root.execute("discard plans")
        await root.fetchval("select app.take_in_known($1)", batch)
        await root.execute(MORE, UUID(ana.id), number)
    lines = [line.strip() for plan in plans for line in plan.splitlines() if "sha256(" in line and "Cond" in line]
    assert len(lines) >= 20, plans
    assert all(line.startswith('"Index Cond"') for line in lines), lines
