"""What was told is sent again on demand, and goes with its contact or after a while."""

import asyncio

import asyncpg

from tests.conftest import serving
from tests.flow.commands import URGENT
from tests.flow.subscribing import IMPATIENT, deliveries, subscribed
from tests.people import Person


async def test_replays_by_moment_event_and_failure(olga, receiver, eventually, monkeypatch):
    events = []
    for number in range(6):
        await olga.made("/tasks", {"title": f"{number}"})
    events = list(reversed(await olga.events("task.created")))
    subscription = await subscribed(olga, receiver, ["task.created"])
    path = f"/subscriptions/{subscription['id']}/replay"
    status, answer = await olga.post(path, {"since": events[2]["created_at"]})
    assert status == 202
    assert 1 <= answer["queued"] <= 4  # what the bus had not read yet, it queues itself
    await receiver.seen(4)
    assert set(receiver.ids) == {each["id"] for each in events[2:]}
    assert await eventually(lambda: deliveries(olga, subscription, state="delivered"), lambda found: len(found) == 4)
    assert await olga.post(path, {"after_event_id": events[3]["id"]}) == (202, {"queued": 2})
    await receiver.seen(6)
    receiver.default = 500
    await olga.made("/tasks", {"title": "fails"})
    assert await eventually(lambda: deliveries(olga, subscription, state="dead"))
    receiver.default = 200
    monkeypatch.setattr("alfred.crm.subscriptions.queueing.MOST_REPLAYED", 0)
    status, problem = await olga.post(path, {"failed_since": events[0]["created_at"]})
    assert (status, problem["code"], problem["count"]) == (422, "too_many", 1)
    monkeypatch.undo()
    assert (await olga.post(path, {"failed_since": events[0]["created_at"]}))[1] == {"queued": 1}
    assert await eventually(lambda: deliveries(olga, subscription, state="dead"), lambda found: found == []) == []
    for bad in (
        {},
        {"since": "x"},
        {"since": events[0]["created_at"], "after_event_id": events[0]["id"]},
        {"after_event_id": subscription["id"]},
    ):
        assert (await olga.post(path, bad))[0] == 422
    assert await olga.post(path, {"failed_since": events[0]["created_at"]}) == (202, {"queued": 0})


async def test_a_replay_is_bounded(olga, receiver, monkeypatch):
    monkeypatch.setattr("alfred.crm.subscriptions.queueing.MOST_REPLAYED", 2)
    for number in range(3):
        await olga.made("/tasks", {"title": f"{number}"})
    subscription = await subscribed(olga, receiver, ["task.created"])
    path = f"/subscriptions/{subscription['id']}/replay"
    status, problem = await olga.post(path, {"since": "2026-01-01T00:00:00Z"})
    assert (status, problem["code"], problem["count"]) == (422, "too_many", 3)


async def test_a_replay_of_many_that_nobody_wanted_sends_each(olga, receiver, eventually, monkeypatch):
    monkeypatch.setattr("alfred.crm.subscriptions.queueing.BODIES_AT_ONCE", 2)
    for number in range(5):
        await olga.made("/tasks", {"title": f"{number}"})
    await olga.hears(URGENT)
    assert await eventually(olga.notifications)  # the bus has read them all, and made no bodies
    events = await olga.events("task.created")
    subscription = await subscribed(olga, receiver, ["task.created"])
    path = f"/subscriptions/{subscription['id']}/replay"
    assert await olga.post(path, {"since": events[-1]["created_at"]}) == (202, {"queued": 5})
    await receiver.seen(5)
    assert set(receiver.ids) == {each["id"] for each in events}


async def test_what_waits_survives_disabling_and_is_not_doubled_by_a_replay(olga, receiver):
    receiver.answers = [500]
    subscription = await subscribed(olga, receiver)
    path = f"/subscriptions/{subscription['id']}"
    await olga.hears("oi")
    await receiver.seen(1)
    await olga.patch(path, {"enabled": False})
    await asyncio.sleep(0.5)
    count = len(receiver.calls)
    if count == 1:
        assert (await olga.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}))[1] == {"queued": 0}
        await olga.patch(path, {"enabled": True})
        await receiver.seen(2)
    assert len(set(receiver.ids)) == 1


async def test_erasing_a_contact_erases_what_was_told_of_it(olga, receiver, eventually):
    subscription = await subscribed(olga, receiver, ["*"])
    entry = await olga.hears("segredo")
    await receiver.seen(4)
    await olga.delete(f"/contacts/{entry['contact_id']}")
    assert await eventually(lambda: deliveries(olga, subscription), lambda found: found == []) == []


async def test_what_is_old_goes_and_what_waits_too_long_is_given_up(cluster, http, receiver, eventually):
    name = cluster.copy()
    async with serving(cluster.app(name), **IMPATIENT | {"webhook_backoff": "600"}) as address:
        olga = await Person.sign_up(http, address)
        taken = await subscribed(olga, receiver, ["task.created"])
        await olga.made("/tasks", {"title": "old"})
        await receiver.seen(1)
        assert await eventually(lambda: deliveries(olga, taken, state="delivered"))
        receiver.default = 500
        failing = await subscribed(olga, receiver, ["contact.created"])
        for number in range(4):
            await olga.made("/contacts", {"handle": f"+551190000003{number}"})
        await receiver.seen(5)
        root = await asyncpg.connect(cluster.superuser(name))
        await root.execute("update webhook_deliveries set updated_at = now() - interval '31 days'")
        await root.execute("update webhook_bodies set created_at = now() - interval '31 days'")
        await root.execute("select app.sweep_webhooks('30 days', '90 days', 3, 100)")
        await root.close()
        assert await deliveries(olga, taken) == []
        states = [each["state"] for each in await deliveries(olga, failing)]
        assert sorted(states) == ["dead", "waiting", "waiting", "waiting"]
        assert (await deliveries(olga, failing, state="dead"))[0]["error"]["code"] == "expired"
