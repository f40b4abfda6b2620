"""Calls at a subscription's URL, whatever it answers: tried again, given up, disabled."""

import asyncio

from tests.conftest import serving
from tests.flow.subscribing import IMPATIENT, deliveries, shown, subscribed
from tests.people import Person
from tests.receivers import receiving


async def test_a_failure_is_repeated_with_the_same_bytes(olga, receiver, eventually):
    receiver.answers = [500, "reset", (404, {}, "<html>not here</html>"), 200]
    subscription = await subscribed(olga, receiver)
    await olga.hears("oi")
    calls = await receiver.seen(4)
    assert len({call.raw for call in calls}) == 1
    assert len(set(receiver.ids)) == 1
    assert [call.headers["X-Alfred-Attempt"] for call in calls] == ["1", "2", "3", "4"]
    for call in calls:
        call.verify(subscription["secret"])
    (delivery,) = await eventually(lambda: deliveries(olga, subscription, state="delivered"))
    _, whole = await olga.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    codes = [each["error"] and each["error"]["code"] for each in whole["tries"]]
    assert codes == ["status", "connect", "status", None]
    state = await shown(olga, subscription)
    assert (state["consecutive_failures"], state["failing_since"], state["pending"]) == (0, None, 0)


async def test_after_the_last_attempt_it_is_dead_and_can_be_sent_again(olga, receiver, eventually):
    receiver.default = 500
    subscription = await subscribed(olga, receiver)
    await olga.hears("oi")
    await receiver.seen(10)
    (delivery,) = await eventually(lambda: deliveries(olga, subscription, state="dead"))
    assert (delivery["attempts"], delivery["error"]["code"], delivery["next_attempt_at"]) == (10, "status", None)
    await asyncio.sleep(0.3)
    assert len(receiver.calls) == 10
    assert (await shown(olga, subscription))["dead"] == 1
    receiver.default = 200
    path = f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}/retry"
    assert (await olga.post(path))[0] == 202
    assert await eventually(lambda: deliveries(olga, subscription, state="delivered"))
    assert (await olga.post(path))[0] == 202  # a delivered one too
    await receiver.seen(12)
    assert len(set(receiver.ids)) == 1
    assert receiver.calls[-1].headers["X-Alfred-Attempt"] == "1"


async def test_gone_disables_it(olga, receiver, eventually):
    receiver.answers = [410]
    subscription = await subscribed(olga, receiver)
    await olga.hears("oi", "+5511900000001")
    await receiver.seen(1)
    state = await eventually(lambda: shown(olga, subscription), lambda state: not state["enabled"])
    assert (state["disabled_reason"], state["pending"]) == ("gone", 1)
    await asyncio.sleep(0.4)
    assert len(receiver.calls) == 1
    delivery = (await deliveries(olga, subscription))[0]
    status, problem = await olga.post(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}/retry")
    assert (status, problem["code"]) == (409, "disabled")
    await olga.patch(f"/subscriptions/{subscription['id']}", {"enabled": True})
    await receiver.seen(2)
    assert len(set(receiver.ids)) == 1


async def test_who_asks_for_patience_gets_it(olga, receiver, eventually):
    receiver.answers = [(429, {"Retry-After": "2"}, "")]
    subscription = await subscribed(olga, receiver)
    await olga.hears("oi", "+5511900000001")
    await receiver.seen(1)
    assert await eventually(lambda: deliveries(olga, subscription, state="waiting"))
    await olga.hears("oi", "+5511900000002")
    calls = await receiver.seen(3)
    assert calls[1].at - calls[0].at > 1.9
    assert len(set(receiver.ids)) == 2


async def test_nothing_is_followed(olga, receiver, eventually):
    async with receiving() as elsewhere:
        receiver.default = (302, {"Location": elsewhere.url}, "")
        subscription = await subscribed(olga, receiver)
        await olga.hears("oi")
        await receiver.seen(2)
        (delivery,) = await eventually(
            lambda: deliveries(olga, subscription), lambda found: found and found[0]["error"]
        )
        assert delivery["error"]["code"] == "redirect"
        assert elsewhere.calls == []


async def test_an_endpoint_that_hangs_holds_nobody_else(olga, receiver, eventually):
    async with receiving() as hanging:
        hanging.default = "hang"
        slow = await subscribed(olga, hanging)
        await subscribed(olga, receiver)
        for number in range(6):
            await olga.hears("oi", f"+551190000000{number}")
        await receiver.seen(6)
        found = await eventually(lambda: deliveries(olga, slow), lambda found: any(each["error"] for each in found))
        assert "timeout" in {each["error"]["code"] for each in found if each["error"]}
        hanging.release.set()


async def test_is_disabled_after_days_of_failures_and_told_of_once(cluster, http, receiver, eventually):
    receiver.default = 500
    async with serving(cluster.app(cluster.copy()), **IMPATIENT | {"webhook_disable_after": 1}) as address:
        olga = await Person.sign_up(http, address)
        subscription = await subscribed(olga, receiver, ["task.created", "subscription.disabled"])
        async with receiving() as other:
            await subscribed(olga, other, ["subscription.*"])
            for number in range(6):
                await olga.made("/tasks", {"title": f"{number}"})
            state = await eventually(lambda: shown(olga, subscription), lambda state: not state["enabled"], 15)
            assert state["disabled_reason"] == "failing"
            assert state["consecutive_failures"] >= 20
            (told,) = await other.seen(1)
            assert told.body["data"]["subscription_id"] == subscription["id"]
            bells = await eventually(lambda: olga.notifications(type="subscription.disabled"))
            assert len(bells) == 1
            assert "127.0.0.1" in bells[0]["title"]
            await asyncio.sleep(0.3)
            assert len(await olga.notifications(type="subscription.disabled")) == 1
            assert all(call.body["type"] == "task.created" for call in receiver.calls)
