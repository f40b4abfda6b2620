"""A large post of customers who are new: the same rows as one by one, all of them or none."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from alfred.db import prepare
from tests.flow.test_take_in_known import ROWS, START, items, known, later, root, take
from tests.people import whatsapp

__all__ = ["root", "take"]

PEOPLE = """
select 'contact' as kind, to_jsonb(c) - '{user_id,contact_id,created_at,updated_at}'::text[] as row
  from contacts c where user_id = $1
union all
select 'identity', to_jsonb(i) - '{user_id,contact_id,created_at}'::text[]
       || jsonb_build_object('handle', (select handle from contacts c where c.contact_id = i.contact_id))
  from contact_identities i where user_id = $1
union all
select 'channel', to_jsonb(c) - '{user_id,channel_id,created_at}'::text[] from channels c where user_id = $1
"""
LOG = """
select coalesce(c.handle, e.payload ->> 'handle'), array_agg(e.type order by e.number)
  from ai_events e left join conversations c on c.conversation_id = e.conversation_id
 where e.user_id = $1 and e.type not like 'notification%' group by 1 order by 1
"""


def senders(count):
    return [f"+551199{number:07}" for number in range(count)]


def post_of(*people):
    return [later("É urgente!", number, sender) for number, sender in enumerate(people)]


async def state(root, person):
    rows = [tuple(row) for query in (ROWS, PEOPLE) for row in await root.fetch(query, person.id)]
    return sorted(map(str, rows)), await root.fetch(LOG, person.id)


@pytest.mark.parametrize("acquainted", [0, 2])
async def test_writes_the_same_rows_as_one_by_one(ana, bruno, take, root, acquainted):
    """More than go into one statement; a number may have two ways to write it."""
    people = senders(120)
    for person in (ana, bruno):
        if acquainted:
            await known((person,), *people[:acquainted])
        post = [*post_of(*people), later("e agora?", 500, people[7]), later("oi", 501, "+12025550100")]
        way = "take_in" if person is ana else "take_in_new"
        assert [each["duplicate"] for each in await take(way, await items(person, *post))] == [False] * len(post)
    (one_by_one, log), (together, same_log) = await state(root, ana), await state(root, bruno)
    assert (together, same_log) == (one_by_one, log)


async def test_each_tenant_meets_their_own(ana, bruno, take):
    people = senders(3)
    batch = [*await items(ana, *post_of(*people), post=0), *await items(bruno, *post_of(*people[:2]), post=1)]
    outcomes = await take("take_in_new", batch)
    for person, own in ((ana, outcomes[:3]), (bruno, outcomes[3:])):
        found = {each["id"]: each["contact"]["id"] for each in await person.conversations()}
        assert found == {each["conversation_id"]: each["contact_id"] for each in own}


@pytest.mark.parametrize("case", ["duplicate", "told twice", "two ways to write", "closed", "named later"])
async def test_of_a_post_that_is_not_plain_nothing_is_written(ana, take, root, case):
    post = post_of(*senders(110))
    match case:
        case "duplicate":
            await ana.post("/webhooks/whatsapp", post[105])
        case "told twice":
            post.append(post[3])
        case "two ways to write":
            post.append(later("oi", 700, "+551190000005"))
        case "closed":
            await known((ana,), senders(1)[0])
            (talk,) = await ana.conversations()
            await ana.patch(f"/conversations/{talk['id']}", {"status": "closed"})
        case "named later":
            post[0] = whatsapp("oi", senders(1)[0], id="unnamed", at=START, name=None)
            post.append(later("oi", 701, senders(1)[0]))
    before = await state(root, ana)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await take("take_in_new", await items(ana, *post))
    assert refused.value.sqlstate in {"AL409", "23505"}
    assert await state(root, ana) == before


@pytest.mark.parametrize(("case", "reason"), [("there", "a message is there already"),
                                              ("there of others", "a message is there already"),
                                              ("told twice", "a message is told twice")])  # fmt: skip
async def test_what_is_not_all_new_is_refused_before_anybody_is_met(ana, take, case, reason):
    post = post_of(*senders(110))
    match case:
        case "there":
            await ana.post("/webhooks/whatsapp", post[105])
        case "there of others":
            await ana.post("/webhooks/whatsapp", later("oi", 105, "+551188000105"))
        case "told twice":
            post.append(post[105])
    with pytest.raises(asyncpg.PostgresError) as refused:
        await take("take_in_new", await items(ana, *post))
    assert (refused.value.sqlstate, refused.value.args[0]) == ("AL409", reason)


MET = "select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'contact', $1::uuid, 'whatsapp', $2::text), 0))"


async def test_two_posts_of_the_same_new_customers_in_opposite_order_do_not_deadlock(
    ana, take, root, cluster, database
):
    """Each has begun when it comes to a customer whom somebody holds."""
    await known((ana,))  # the channel is there
    people = senders(3)
    least = min((await items(ana, later("oi", 0, people[1])))[0]["handles"])
    other = await asyncpg.connect(cluster.app(database))
    await prepare(other)
    async with root.transaction():
        await root.execute(MET, UUID(ana.id), least)
        first = asyncio.create_task(take("take_in_new", await items(ana, *post_of(*people))))
        await asyncio.sleep(0.2)
        batch = await items(ana, *(later("oi", 10 + n, sender) for n, sender in enumerate(reversed(people))))
        second = asyncio.create_task(other.fetchval("select app.take_in_new($1)", batch))
        await asyncio.sleep(0.2)
    outcomes = [*await first, *await second]
    await other.close()
    assert len({each["contact_id"] for each in outcomes}) == 3


async def test_a_large_post_is_taken_in_and_known_when_it_comes_again(ana):
    payload = whatsapp("É urgente!", id="large")
    value = payload["entry"][0]["changes"][0]["value"]
    (message,) = value["messages"]
    value["messages"] = [message | {"from": sender.lstrip("+"), "id": f"large{sender}"} for sender in senders(250)]
    for duplicate in (False, True):
        status, answer = await ana.post("/webhooks/whatsapp", payload)
        assert (status, {entry["duplicate"] for entry in answer["messages"]}) == (200, {duplicate})
        assert len({entry["contact_id"] for entry in answer["messages"]}) == 250
    assert len(await ana.conversations(limit=200)) == 200
