"""Rules act once, also with several replicas, after a kill, and where a rule or its subject breaks."""

import asyncio

import asyncpg
import pytest

from tests.conftest import serving
from tests.flow.rules import matches, outbound, rule, says, tasks
from tests.people import Person


async def test_a_redelivered_message_fires_nothing_again(ana, all_done):
    made = await rule(ana, {"action": "create_task", "title": "x"}, when=says("oi"))
    for _ in range(4):
        await ana.hears("oi", id="wamid.again")
    await asyncio.gather(*(ana.hears("oi", id="wamid.again") for _ in range(10)))
    await all_done(ana)
    assert (len(await matches(ana, made["id"])), len(await tasks(ana))) == (1, 1)


async def test_two_replicas_fire_each_message_once(shop, http, all_done):
    ana = shop.ana
    made = await rule(ana, {"action": "create_task", "title": "x"}, {"action": "notify"}, when=says("oi"))
    async with serving(shop.dsn) as elsewhere, serving(shop.dsn) as third:
        people = [ana, Person(http, elsewhere, ana.session), Person(http, third, ana.session)]
        for start in range(0, 60, 20):
            await asyncio.gather(
                *(people[n % 3].hears(f"oi {n}", sender=f"+55119000001{n:02}") for n in range(start, start + 20))
            )
        await all_done(ana)
    assert len(await matches(ana, made["id"])) == len(await tasks(ana)) == 60
    assert (await ana.get(f"/rules/{made['id']}"))[1]["match_count"] == 60


async def test_a_consumer_killed_in_the_middle_begins_again_and_nothing_is_doubled(shop, eventually, all_done):
    """The tag and the reply are written, the task is not yet: then the connection breaks, twice."""
    ana = shop.ana
    made = await rule(
        ana,
        {"action": "add_tag", "tag": "x"},
        {"action": "send_reply", "body": "Já vamos."},
        {"action": "create_task", "title": "Ligar"},
        when=says("oi"),
    )
    entry = await ana.hears("primeira", at=1714564000)
    async with shop.holding_up("tasks"):
        await ana.hears("oi")
        for _ in range(2):
            (pid,) = await eventually(shop.held_up)
            assert await shop.superuser.fetchval("select pg_terminate_backend($1)", pid)
            await eventually(shop.held_up, lambda pids, killed=pid: killed not in pids)
        assert (await outbound(ana, entry), await matches(ana)) == ([], [])
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1
    assert (await outbound(ana, entry), [each["title"] for each in await tasks(ana)]) == (["Já vamos."], ["Ligar"])
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["x"]


async def test_a_service_stopped_in_the_middle_leaves_the_rest_to_the_next(cluster, http, eventually):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        await rule(ana, {"action": "send_reply", "body": "Já vamos."}, {"action": "create_task", "title": "Ligar"})
        await superuser.execute("begin; lock table tasks in share mode")
        entry = await ana.hears("oi")
        waiting = "select count(*) from pg_locks where not granted"
        assert await eventually(lambda: superuser.fetchval(waiting))
    await superuser.execute("rollback")
    async with serving(cluster.app(name)) as address:
        ana = Person(http, address, ana.session)
        assert len(await eventually(lambda: matches(ana), seconds=10)) == 1
        assert (await outbound(ana, entry), len(await tasks(ana))) == (["Já vamos."], 1)
    await superuser.close()


async def test_a_rule_that_cannot_be_read_stops_nobody_else(shop, http, all_done, eventually, monkeypatch):
    monkeypatch.setattr("alfred.dispatch.FIRST_WAIT_SECONDS", 0.01)
    ana = shop.ana
    bruno = await Person.sign_up(http, ana.address, "Bruno")
    for person in (ana, bruno):
        await rule(person, {"action": "create_task", "title": "x"}, when=says("oi"))
    broken = await rule(ana, {"action": "create_task", "title": "y"}, when=says("oi"))
    spoil = "update rules set compiled = jsonb_set(compiled, '{when}', $2) where rule_id = $1"
    await shop.superuser.execute(spoil, broken["id"], '{"field": "moon.phase", "op": "eq", "value": 1}')
    await ana.hears("oi")
    await bruno.hears("oi")
    await all_done(bruno)
    assert [each["title"] for each in await tasks(bruno)] == ["x"]

    async def set_aside():
        return await shop.superuser.fetch("select attempts from event_retries where consumer = 'rules'")

    assert len(await eventually(set_aside)) == 1
    assert await tasks(ana) == []
    await ana.delete(f"/rules/{broken['id']}")
    assert [each["title"] for each in await eventually(lambda: tasks(ana))] == ["x"]
    await all_done(ana)


@pytest.mark.parametrize("gone", ["contacts", "channels"])
async def test_what_is_forgotten_before_the_rules_come_is_passed_over(shop, all_done, gone):
    ana = shop.ana
    made = await rule(
        ana,
        {"action": "create_task", "title": "x"},
        {"action": "add_tag", "tag": "x"},
        {"action": "send_reply", "body": "x"},
        when={"not": says("ponto final")},
    )
    async with shop.superuser.transaction():
        await shop.superuser.execute("select from bus_cursors for update")
        await ana.hears("oi")
        (thing,) = (await ana.get(f"/{gone}"))[1]["items"]
        assert (await ana.delete(f"/{gone}/{thing['id']}"))[0] == 204
    await all_done(ana)
    assert await shop.superuser.fetch("select error from event_retries") == []
    assert (await tasks(ana), await matches(ana, made["id"])) == ([], [])
