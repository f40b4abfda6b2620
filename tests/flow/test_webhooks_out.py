"""From what happens to a signed call at a subscription's URL, whatever the URL answers."""

import asyncio
import time

import asyncpg
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.conftest import serving
from tests.people import Person
from tests.receivers import receiving

FAST = {
    "private_targets": "127.0.0.0/8",
    "webhook_backoff": ",".join(["0.1"] * 9),
    "secret_key": "a key for tests of more than 32 bytes!",
    "delivery_timeout": 3.0,
}


@pytest.fixture(scope="module")
async def busy(cluster):
    """A service that may call loopback, and is impatient."""
    async with serving(cluster.app(cluster.copy()), **FAST) as address:
        yield address


@pytest.fixture
async def ana(http, busy):
    return await Person.sign_up(http, busy, "Ana")


@pytest.fixture
async def peer():
    async with receiving() as receiver:
        yield receiver


async def subscribed(person, receiver, events=("message.received",), **more):
    return await person.made("/subscriptions", {"url": receiver.url, "events": list(events), **more})


async def deliveries(person, subscription, **filters):
    status, page = await person.get(f"/subscriptions/{subscription['id']}/deliveries", **filters)
    assert status == 200, page
    return page["items"]


async def shown(person, subscription):
    return (await person.get(f"/subscriptions/{subscription['id']}"))[1]


async def test_what_happens_is_sent_signed(ana, peer, eventually):
    subscription = await subscribed(ana, peer, headers={"Authorization": "Bearer hidden"})
    entry = await ana.hears("Olá, preço?")
    (call,) = await peer.seen(1)
    (event,) = await ana.events("message.received")
    assert call.body["id"] == event["id"] == call.headers["webhook-id"]
    assert call.body["data"]["message"]["id"] == entry["message_id"]
    assert "Olá, preço?".encode() in call.raw
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["User-Agent"] == "Alfred-Webhooks/1"
    assert call.headers["Connection"] == "close"
    assert call.headers["Authorization"] == "Bearer hidden"
    assert (call.headers["X-Alfred-Event"], call.headers["X-Alfred-Attempt"]) == ("message.received", "1")
    assert abs(int(call.headers["webhook-timestamp"]) - time.time()) < 5
    call.verify(subscription["secret"])
    (delivery,) = await eventually(lambda: deliveries(ana, subscription, state="delivered"))
    assert (delivery["event_id"], delivery["attempts"], delivery["status"]) == (event["id"], 1, 200)
    _, whole = await ana.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    assert whole["body"].encode() == call.raw
    assert whole["tries"][0]["response"] == "ok"
    assert whole["tries"][0]["error"] is None
    _, polled = await ana.get("/events", after="beginning", type="message.received")
    assert polled["items"][0]["id"] == event["id"]


async def test_only_what_is_wanted_is_sent(ana, peer):
    await subscribed(ana, peer, ["task.*"])
    await ana.hears("oi")
    task = await ana.made("/tasks", {"title": "Ligar"})
    await ana.post(f"/tasks/{task['id']}/complete")
    await peer.seen(2)
    await asyncio.sleep(0.2)
    assert {call.body["type"] for call in peer.calls} <= {"task.created", "task.updated", "task.completed"}


async def test_a_failure_is_repeated_with_the_same_bytes(ana, peer, eventually):
    peer.answers = [500, "reset", (404, {}, "<html>not here</html>"), 200]
    subscription = await subscribed(ana, peer)
    await ana.hears("oi")
    calls = await peer.seen(4)
    assert len({call.raw for call in calls}) == 1
    assert len(set(peer.ids)) == 1
    assert [call.headers["X-Alfred-Attempt"] for call in calls] == ["1", "2", "3", "4"]
    for call in calls:
        call.verify(subscription["secret"])
    (delivery,) = await eventually(lambda: deliveries(ana, subscription, state="delivered"))
    _, whole = await ana.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    codes = [each["error"] and each["error"]["code"] for each in whole["tries"]]
    assert codes == ["status", "connect", "status", None]
    state = await shown(ana, subscription)
    assert (state["consecutive_failures"], state["failing_since"], state["pending"]) == (0, None, 0)


async def test_after_the_last_attempt_it_is_dead_and_can_be_sent_again(ana, peer, eventually):
    peer.default = 500
    subscription = await subscribed(ana, peer)
    await ana.hears("oi")
    await peer.seen(10)
    (delivery,) = await eventually(lambda: deliveries(ana, subscription, state="dead"))
    assert (delivery["attempts"], delivery["error"]["code"], delivery["next_attempt_at"]) == (10, "status", None)
    await asyncio.sleep(0.3)
    assert len(peer.calls) == 10
    assert (await shown(ana, subscription))["dead"] == 1
    peer.default = 200
    path = f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}/retry"
    assert (await ana.post(path))[0] == 202
    assert await eventually(lambda: deliveries(ana, subscription, state="delivered"))
    assert (await ana.post(path))[0] == 202  # a delivered one too
    await peer.seen(12)
    assert len(set(peer.ids)) == 1
    assert peer.calls[-1].headers["X-Alfred-Attempt"] == "1"


async def test_gone_disables_it(ana, peer, eventually):
    peer.answers = [410]
    subscription = await subscribed(ana, peer)
    await ana.hears("oi", "+5511900000001")
    await peer.seen(1)
    state = await eventually(lambda: shown(ana, subscription), lambda state: not state["enabled"])
    assert (state["disabled_reason"], state["pending"]) == ("gone", 1)
    await asyncio.sleep(0.4)
    assert len(peer.calls) == 1
    delivery = (await deliveries(ana, subscription))[0]
    status, problem = await ana.post(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}/retry")
    assert (status, problem["code"]) == (409, "disabled")
    await ana.patch(f"/subscriptions/{subscription['id']}", {"enabled": True})
    await peer.seen(2)
    assert len(set(peer.ids)) == 1


async def test_who_asks_for_patience_gets_it(ana, peer, eventually):
    peer.answers = [(429, {"Retry-After": "2"}, "")]
    subscription = await subscribed(ana, peer)
    await ana.hears("oi", "+5511900000001")
    await peer.seen(1)
    assert await eventually(lambda: deliveries(ana, subscription, state="waiting"))
    await ana.hears("oi", "+5511900000002")
    calls = await peer.seen(3)
    assert calls[1].at - calls[0].at > 1.9
    assert len(set(peer.ids)) == 2


async def test_nothing_is_followed(ana, peer, eventually):
    async with receiving() as elsewhere:
        peer.default = (302, {"Location": elsewhere.url}, "")
        subscription = await subscribed(ana, peer)
        await ana.hears("oi")
        await peer.seen(2)
        (delivery,) = await eventually(lambda: deliveries(ana, subscription), lambda found: found and found[0]["error"])
        assert delivery["error"]["code"] == "redirect"
        assert elsewhere.calls == []


async def test_an_endpoint_that_hangs_holds_nobody_else(ana, peer, eventually):
    async with receiving() as hanging:
        hanging.default = "hang"
        slow = await subscribed(ana, hanging)
        await subscribed(ana, peer)
        for number in range(6):
            await ana.hears("oi", f"+551190000000{number}")
        await peer.seen(6)
        found = await eventually(lambda: deliveries(ana, slow), lambda found: any(each["error"] for each in found))
        assert "timeout" in {each["error"]["code"] for each in found if each["error"]}
        hanging.release.set()


async def test_the_answer_is_kept_to_a_kibibyte(ana, peer, eventually):
    peer.default = (200, {}, "é" * 5000)
    subscription = await subscribed(ana, peer)
    await ana.hears("oi")
    (delivery,) = await eventually(lambda: deliveries(ana, subscription, state="delivered"))
    _, whole = await ana.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    assert len(whole["tries"][0]["response"].encode()) <= 1024


async def test_in_order_when_it_is_asked_for(ana, peer, eventually):
    peer.answers = [500, 500]
    subscription = await subscribed(ana, peer, ["task.created"], ordered=True)
    titles = [f"{number}" for number in range(12)]
    for title in titles:
        await ana.made("/tasks", {"title": title})
    await peer.seen(14)
    sent = [call.body["data"]["task"]["title"] for call in peer.calls]
    assert sent == ["0", "0", *titles]
    sequences = [call.body["sequence"] for call in peer.calls]
    assert sequences == sorted(sequences)
    state = await eventually(lambda: shown(ana, subscription), lambda state: state["pending"] == 0)
    assert state["last_success_at"]


async def test_both_secrets_sign_while_one_replaces_the_other(ana, peer):
    subscription = await subscribed(ana, peer)
    old = subscription["secret"]
    path = f"/subscriptions/{subscription['id']}/rotate"
    new = (await ana.post(path, {"grace_seconds": 3600}))[1]["secret"]
    await ana.hears("oi", "+5511900000001")
    (call,) = await peer.seen(1)
    assert len(call.headers["webhook-signature"].split(" ")) == 2
    call.verify(new)
    call.verify(old, previous=True)
    newest = (await ana.post(path, {"grace_seconds": 0}))[1]["secret"]
    await ana.hears("oi", "+5511900000002")
    call = (await peer.seen(2))[1]
    call.verify(newest)
    assert "X-Alfred-Signature-Previous" not in call.headers
    for gone in (old, new):
        with pytest.raises(WebhookVerificationError):
            call.verify(gone)


async def test_a_sample_is_sent_on_demand(ana, peer):
    subscription = await subscribed(ana, peer, enabled=False)
    path = f"/subscriptions/{subscription['id']}/test"
    _, told = await ana.post(path)
    assert (told["delivered"], told["status"], told["response"], told["error"]) == (True, 200, "ok", None)
    peer.calls[0].verify(subscription["secret"])
    assert peer.calls[0].body["type"] == "ping"
    _, told = await ana.post(path, {"type": "message.received"})
    assert peer.calls[1].body["data"]["message"]["body"]
    peer.default = 500
    _, told = await ana.post(path)
    assert (told["delivered"], told["status"], told["error"]["code"]) == (False, 500, "status")
    assert (await ana.post(path, {"type": "lost"}))[0] == 422
    assert await deliveries(ana, subscription) == []


async def test_replays_by_moment_event_and_failure(ana, peer, eventually, monkeypatch):
    events = []
    for number in range(6):
        await ana.made("/tasks", {"title": f"{number}"})
    events = list(reversed(await ana.events("task.created")))
    subscription = await subscribed(ana, peer, ["task.created"])
    path = f"/subscriptions/{subscription['id']}/replay"
    status, answer = await ana.post(path, {"since": events[2]["created_at"]})
    assert status == 202
    assert 1 <= answer["queued"] <= 4  # what the bus had not read yet, it queues itself
    await peer.seen(4)
    assert set(peer.ids) == {each["id"] for each in events[2:]}
    assert await eventually(lambda: deliveries(ana, subscription, state="delivered"), lambda found: len(found) == 4)
    assert await ana.post(path, {"after_event_id": events[3]["id"]}) == (202, {"queued": 2})
    await peer.seen(6)
    peer.default = 500
    await ana.made("/tasks", {"title": "fails"})
    assert await eventually(lambda: deliveries(ana, subscription, state="dead"))
    peer.default = 200
    monkeypatch.setattr("alfred.crm.subscriptions.queueing.MOST_REPLAYED", 0)
    status, problem = await ana.post(path, {"failed_since": events[0]["created_at"]})
    assert (status, problem["code"], problem["count"]) == (422, "too_many", 1)
    monkeypatch.undo()
    assert (await ana.post(path, {"failed_since": events[0]["created_at"]}))[1] == {"queued": 1}
    assert await eventually(lambda: deliveries(ana, subscription, state="dead"), lambda found: found == []) == []
    for bad in (
        {},
        {"since": "x"},
        {"since": events[0]["created_at"], "after_event_id": events[0]["id"]},
        {"after_event_id": subscription["id"]},
    ):
        assert (await ana.post(path, bad))[0] == 422
    assert await ana.post(path, {"failed_since": events[0]["created_at"]}) == (202, {"queued": 0})


async def test_a_replay_is_bounded(ana, peer, monkeypatch):
    monkeypatch.setattr("alfred.crm.subscriptions.queueing.MOST_REPLAYED", 2)
    for number in range(3):
        await ana.made("/tasks", {"title": f"{number}"})
    subscription = await subscribed(ana, peer, ["task.created"])
    path = f"/subscriptions/{subscription['id']}/replay"
    status, problem = await ana.post(path, {"since": "2026-01-01T00:00:00Z"})
    assert (status, problem["code"], problem["count"]) == (422, "too_many", 3)


async def test_what_waits_survives_disabling_and_is_not_doubled_by_a_replay(ana, peer):
    peer.answers = [500]
    subscription = await subscribed(ana, peer)
    path = f"/subscriptions/{subscription['id']}"
    await ana.hears("oi")
    await peer.seen(1)
    await ana.patch(path, {"enabled": False})
    await asyncio.sleep(0.5)
    count = len(peer.calls)
    if count == 1:
        assert (await ana.post(f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}))[1] == {"queued": 0}
        await ana.patch(path, {"enabled": True})
        await peer.seen(2)
    assert len(set(peer.ids)) == 1


async def test_is_disabled_after_days_of_failures_and_told_of_once(cluster, http, peer, eventually):
    peer.default = 500
    async with serving(cluster.app(cluster.copy()), **FAST | {"webhook_disable_after": 1}) as address:
        ana = await Person.sign_up(http, address)
        subscription = await subscribed(ana, peer, ["task.created", "subscription.disabled"])
        async with receiving() as other:
            await subscribed(ana, other, ["subscription.*"])
            for number in range(6):
                await ana.made("/tasks", {"title": f"{number}"})
            state = await eventually(lambda: shown(ana, subscription), lambda state: not state["enabled"], 15)
            assert state["disabled_reason"] == "failing"
            assert state["consecutive_failures"] >= 20
            (told,) = await other.seen(1)
            assert told.body["data"]["subscription_id"] == subscription["id"]
            bells = await eventually(lambda: ana.notifications(type="subscription.disabled"))
            assert len(bells) == 1
            assert "127.0.0.1" in bells[0]["title"]
            await asyncio.sleep(0.3)
            assert len(await ana.notifications(type="subscription.disabled")) == 1
            assert all(call.body["type"] == "task.created" for call in peer.calls)


async def test_two_replicas_send_each_once(cluster, http, peer, eventually):
    dsn = cluster.app(cluster.copy())
    async with serving(dsn, **FAST) as here, serving(dsn, **FAST) as there:
        ana = await Person.sign_up(http, here)
        ana_there = Person(http, there, ana.session)
        await subscribed(ana, peer, ["task.created"])
        await asyncio.gather(
            *((ana if number % 2 else ana_there).made("/tasks", {"title": f"{number}"}) for number in range(30))
        )
        await peer.seen(30)
        await asyncio.sleep(0.5)
        assert len(peer.ids) == len(set(peer.ids)) == 30


async def test_erasing_a_contact_erases_what_was_told_of_it(ana, peer, eventually):
    subscription = await subscribed(ana, peer, ["*"])
    entry = await ana.hears("segredo")
    await peer.seen(4)
    await ana.delete(f"/contacts/{entry['contact_id']}")
    assert await eventually(lambda: deliveries(ana, subscription), lambda found: found == []) == []


async def test_what_is_old_goes_and_what_waits_too_long_is_given_up(cluster, http, peer, eventually):
    name = cluster.copy()
    async with serving(cluster.app(name), **FAST | {"webhook_backoff": "600"}) as address:
        ana = await Person.sign_up(http, address)
        taken = await subscribed(ana, peer, ["task.created"])
        await ana.made("/tasks", {"title": "old"})
        await peer.seen(1)
        assert await eventually(lambda: deliveries(ana, taken, state="delivered"))
        peer.default = 500
        failing = await subscribed(ana, peer, ["contact.created"])
        for number in range(4):
            await ana.made("/contacts", {"handle": f"+551190000003{number}"})
        await peer.seen(5)
        root = await asyncpg.connect(cluster.superuser(name))
        await root.execute("update webhook_deliveries set updated_at = now() - interval '31 days'")
        await root.execute("update webhook_bodies set created_at = now() - interval '31 days'")
        await root.execute("select app.sweep_webhooks('30 days', '90 days', 3, 100)")
        await root.close()
        assert await deliveries(ana, taken) == []
        states = [each["state"] for each in await deliveries(ana, failing)]
        assert sorted(states) == ["dead", "waiting", "waiting", "waiting"]
        assert (await deliveries(ana, failing, state="dead"))[0]["error"]["code"] == "expired"
