"""Subscriptions, and what became of their deliveries."""

IMPATIENT = {
    "private_targets": "127.0.0.0/8",
    "webhook_backoff": ",".join(["0.1"] * 9),
    "secret_key": "a key for tests of more than 32 bytes!",
    "delivery_timeout": 3.0,
}


async def subscribed(person, receiver, events=("message.received",), **more):
    return await person.made("/subscriptions", {"url": receiver.url, "events": list(events), **more})


async def deliveries(person, subscription, **filters):
    status, page = await person.get(f"/subscriptions/{subscription['id']}/deliveries", **filters)
    assert status == 200, page
    return page["items"]


async def shown(person, subscription):
    return (await person.get(f"/subscriptions/{subscription['id']}"))[1]
