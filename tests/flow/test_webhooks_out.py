"""From what happens to a signed call at a subscription's URL: what is sent, in which order, by which secret."""

import asyncio
import time

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tests.conftest import serving
from tests.flow.subscribing import IMPATIENT, deliveries, shown, subscribed
from tests.people import Person


async def test_what_happens_is_sent_signed(olga, receiver, eventually):
    subscription = await subscribed(olga, receiver, headers={"Authorization": "Bearer hidden"})
    entry = await olga.hears("Olá, preço?")
    (call,) = await receiver.seen(1)
    (event,) = await olga.events("message.received")
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
    (delivery,) = await eventually(lambda: deliveries(olga, subscription, state="delivered"))
    assert (delivery["event_id"], delivery["attempts"], delivery["status"]) == (event["id"], 1, 200)
    _, whole = await olga.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    assert whole["body"].encode() == call.raw
    assert whole["tries"][0]["response"] == "ok"
    assert whole["tries"][0]["error"] is None
    _, polled = await olga.get("/events", after="beginning", type="message.received")
    assert polled["items"][0]["id"] == event["id"]


async def test_only_what_is_wanted_is_sent(olga, receiver):
    await subscribed(olga, receiver, ["task.*"])
    await olga.hears("oi")
    task = await olga.made("/tasks", {"title": "Ligar"})
    await olga.post(f"/tasks/{task['id']}/complete")
    await receiver.seen(2)
    await asyncio.sleep(0.2)
    assert {call.body["type"] for call in receiver.calls} <= {"task.created", "task.updated", "task.completed"}


async def test_the_answer_is_kept_to_a_kibibyte(olga, receiver, eventually):
    receiver.default = (200, {}, "é" * 5000)
    subscription = await subscribed(olga, receiver)
    await olga.hears("oi")
    (delivery,) = await eventually(lambda: deliveries(olga, subscription, state="delivered"))
    _, whole = await olga.get(f"/subscriptions/{subscription['id']}/deliveries/{delivery['id']}")
    assert len(whole["tries"][0]["response"].encode()) <= 1024


async def test_in_order_when_it_is_asked_for(olga, receiver, eventually):
    receiver.answers = [500, 500]
    subscription = await subscribed(olga, receiver, ["task.created"], ordered=True)
    titles = [f"{number}" for number in range(12)]
    for title in titles:
        await olga.made("/tasks", {"title": title})
    await receiver.seen(14)
    sent = [call.body["data"]["task"]["title"] for call in receiver.calls]
    assert sent == ["0", "0", *titles]
    sequences = [call.body["sequence"] for call in receiver.calls]
    assert sequences == sorted(sequences)
    state = await eventually(lambda: shown(olga, subscription), lambda state: state["pending"] == 0)
    assert state["last_success_at"]


async def test_both_secrets_sign_while_one_replaces_the_other(olga, receiver):
    subscription = await subscribed(olga, receiver)
    old = subscription["secret"]
    path = f"/subscriptions/{subscription['id']}/rotate"
    new = (await olga.post(path, {"grace_seconds": 3600}))[1]["secret"]
    await olga.hears("oi", "+5511900000001")
    (call,) = await receiver.seen(1)
    assert len(call.headers["webhook-signature"].split(" ")) == 2
    call.verify(new)
    call.verify(old, previous=True)
    newest = (await olga.post(path, {"grace_seconds": 0}))[1]["secret"]
    await olga.hears("oi", "+5511900000002")
    call = (await receiver.seen(2))[1]
    call.verify(newest)
    assert "X-Alfred-Signature-Previous" not in call.headers
    for gone in (old, new):
        with pytest.raises(WebhookVerificationError):
            call.verify(gone)


async def test_a_sample_is_sent_on_demand(olga, receiver):
    subscription = await subscribed(olga, receiver, enabled=False)
    path = f"/subscriptions/{subscription['id']}/test"
    _, told = await olga.post(path)
    assert (told["delivered"], told["status"], told["response"], told["error"]) == (True, 200, "ok", None)
    receiver.calls[0].verify(subscription["secret"])
    assert receiver.calls[0].body["type"] == "ping"
    _, told = await olga.post(path, {"type": "message.received"})
    assert receiver.calls[1].body["data"]["message"]["body"]
    receiver.default = 500
    _, told = await olga.post(path)
    assert (told["delivered"], told["status"], told["error"]["code"]) == (False, 500, "status")
    assert (await olga.post(path, {"type": "lost"}))[0] == 422
    assert await deliveries(olga, subscription) == []


async def test_two_replicas_send_each_once(cluster, http, receiver, eventually):
    dsn = cluster.app(cluster.copy())
    async with serving(dsn, **IMPATIENT) as here, serving(dsn, **IMPATIENT) as there:
        olga = await Person.sign_up(http, here)
        olga_there = Person(http, there, olga.session)
        await subscribed(olga, receiver, ["task.created"])
        await asyncio.gather(
            *((olga if number % 2 else olga_there).made("/tasks", {"title": f"{number}"}) for number in range(30))
        )
        await receiver.seen(30)
        await asyncio.sleep(0.5)
        assert len(receiver.ids) == len(set(receiver.ids)) == 30
