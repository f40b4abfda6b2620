"""What rules wait for and ask: each trigger, each field as it really is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.flow.rules import DAY, NOTIFY, URGENT, matches, rule, says, tasks
from tests.pure.payloads import cloud
from tests.pure.payloads import says as cloud_message


@pytest.mark.parametrize(
    ("when", "text", "fires"),
    [
        (says("preço"), "Qual o PRECO?", True),
        (says("preço"), "apreço", False),
        ({"field": "message.urgency", "op": "eq", "value": "high"}, URGENT, True),
        ({"field": "message.urgency", "op": "eq", "value": "high"}, "oi", False),
        ({"field": "message.negotiation", "op": "eq", "value": True}, "Faz por 80?", True),
        ({"field": "message.language", "op": "eq", "value": "es"}, "¿Cuánto cuesta el envío?", True),
        ({"field": "channel.type", "op": "eq", "value": "whatsapp"}, "oi", True),
        ({"field": "channel.type", "op": "eq", "value": "email"}, "oi", False),
        ({"field": "contact.vip", "op": "eq", "value": True}, "oi", True),
        ({"field": "contact.name", "op": "contains", "value": "quintela"}, "oi", True),
        ({"field": "contact.handle", "op": "contains", "value": "5511900000012"}, "oi", True),
        ({"field": "contact.negotiation_mode", "op": "eq", "value": "off"}, "oi", True),
        ({"field": "conversation.tags", "op": "contains", "value": "Antigo"}, "oi", True),
        ({"field": "conversation.status", "op": "eq", "value": "open"}, "oi", True),
        ({"field": "conversation.unread_count", "op": "eq", "value": 2}, "oi", True),
        ({"field": "conversation.unread_count", "op": "gt", "value": 2}, "oi", False),
        ({"field": "time.hour", "op": "between", "value": [9, 9]}, "oi", True),
        ({"field": "time.weekday", "op": "eq", "value": "wednesday"}, "oi", True),
        ({"not": {"field": "time.weekday", "op": "eq", "value": 3}}, "oi", False),
    ],
)
async def test_asks_what_is_really_there(ana, all_done, when, text, fires):
    """A VIP of old, with negotiation off, whose conversation was closed; on a Wednesday at 9:20 in São Paulo."""
    entry = await ana.hears("primeira", at=1714564000)
    await ana.patch(f"/contacts/{entry['contact_id']}/settings", {"vip": True, "negotiation_enabled": False})
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": ["antigo"], "status": "closed"})
    made = await rule(ana, NOTIFY, when=when)
    second = await ana.hears(text, at=int(datetime(2024, 5, 1, 12, 20, tzinfo=UTC).timestamp()))
    await all_done(ana)
    found = [each["message_id"] for each in await matches(ana, made["id"])]
    assert (second["message_id"] in found) == fires


async def test_waits_for_a_new_conversation(ana, all_done):
    made = await rule(ana, {"action": "add_tag", "tag": "novo"}, when=says("oi"), trigger="conversation.created")
    entry = await ana.hears("oi")
    await ana.hears("oi outra vez")
    await all_done(ana)
    (match,) = await matches(ana, made["id"])
    assert match["conversation_id"] == entry["conversation_id"]
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["novo"]


async def test_a_conversation_that_the_seller_begins_is_new_too(ana, all_done):
    channel = await ana.made("/channels", {"type": "email", "name": "Mail", "external_account_id": "a@example.com"})
    contact = await ana.made("/contacts", {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"})
    made = await rule(ana, NOTIFY, trigger="conversation.created")
    body = {"contact_id": contact["id"], "channel_id": channel["id"]}
    conversation = await ana.made("/conversations", body)
    assert await ana.post("/conversations", body) == (200, conversation)
    await all_done(ana)
    first, _ = await matches(ana, made["id"])  # the other one is the last message's
    assert (first["conversation_id"], first["message_id"]) == (conversation["id"], None)


async def test_waits_for_a_task_to_lapse(shop, all_done):
    ana = shop.ana
    entry = await ana.hears("oi")
    made = await rule(ana, NOTIFY, {"action": "add_tag", "tag": "atrasado"}, trigger="task.overdue")
    with_customer = {"title": "Ligar", "due_date": "2030-05-07", "conversation_id": entry["conversation_id"]}
    first = await ana.made("/tasks", with_customer)
    alone = await ana.made("/tasks", {"title": "Pagar", "due_date": "2030-05-07"})
    assert await shop.scans.overdue() == 2
    assert await shop.scans.overdue() == 0
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 2
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["atrasado"]
    told = await ana.notifications(type="rule_match")
    assert {each["task_id"] for each in told} >= {first["id"], alone["id"]}

    await ana.patch(f"/tasks/{alone['id']}", {"due_date": "2030-05-09"})
    shop.clock.now += 2 * DAY
    assert await shop.scans.overdue() == 1
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 3


async def test_waits_for_a_lead_to_stall(shop, all_done):
    ana = shop.ana
    made = await rule(ana, {"action": "create_task", "title": "Chamar"}, trigger="lead.stalled")
    entry = await ana.hears("oi", at=int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()))
    shop.clock.now = datetime(2024, 5, 6, tzinfo=UTC)
    for _ in range(2):
        await shop.scans.stalled()
    await all_done(ana)
    assert [each["conversation_id"] for each in await matches(ana, made["id"])] == [entry["conversation_id"]]
    assert [each["title"] for each in await tasks(ana)] == ["Chamar"]


async def test_a_stalled_lead_is_known_by_what_the_customer_wrote_last(shop, all_done, eventually):
    ana = shop.ana
    bargain = {"field": "message.negotiation", "op": "eq", "value": True}
    made = await rule(ana, NOTIFY, when={"all": [bargain, says("80")]}, trigger="lead.stalled")
    entry = await ana.hears("Faz por 80?", at=int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()))
    await ana.post(f"/conversations/{entry['conversation_id']}/messages", {"body": "Por 90."})
    shop.clock.now = datetime.now(UTC) + 30 * DAY
    assert await eventually(shop.scans.stalled) == 1  # a conversation that the bus holds is passed over
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1


@pytest.mark.parametrize("trigger", ["lead.stalled", "task.overdue"])
async def test_what_no_message_tells_happens_now(shop, all_done, trigger):
    """Half a day away from the hour of the last message."""
    ana = shop.ana
    hour = datetime.now(ZoneInfo("America/Sao_Paulo")).hour
    now = {"field": "time.hour", "op": "between", "value": [hour, (hour + 1) % 24]}
    made = await rule(ana, NOTIFY, when=now, trigger=trigger)
    entry = await ana.hears("oi", at=int((datetime.now(UTC) - 5.5 * DAY).timestamp()))
    task = {"title": "Ligar", "due_date": "2020-01-01", "conversation_id": entry["conversation_id"]}
    await ana.made("/tasks", task)
    shop.clock.now = datetime.now(UTC)
    await shop.scans.stalled()
    await shop.scans.overdue()
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1


def photo(number):
    payload = cloud(cloud_message("image", image={"id": "1", "mime_type": "image/jpeg"}))
    payload["entry"][0]["changes"][0]["value"]["messages"][0] |= {"from": number, "id": f"wamid.{number}"}
    return payload


async def test_rules_ask_for_attachments_and_for_new_customers(ana, all_done):
    sends_image = {"field": "message.attachments", "op": "contains_any", "value": ["image", "video"]}
    is_first = {"field": "contact.first_conversation", "op": "eq", "value": True}
    seen = await rule(ana, NOTIFY, when=sends_image)
    new = await rule(ana, NOTIFY, when={"all": [is_first, sends_image]}, trigger="conversation.created")
    known = await ana.hears("oi", sender="+5511900000013")
    for number in ("5511900000012", "5511900000013"):
        assert (await ana.post("/webhooks/whatsapp", photo(number)))[0] == 200
    await all_done(ana)
    assert len(await matches(ana, seen["id"])) == 2
    (match,) = await matches(ana, new["id"])
    assert match["contact_id"] != known["contact_id"]
    status, tried = await ana.post("/rules/backtest", {"compiled": seen["compiled"]})
    assert (status, tried["tried"], tried["matched"]) == (200, 4, 2)
    second = seen["compiled"] | {"when": {"not": is_first}}  # the one who wrote before did so on another number of ours
    assert (await ana.post("/rules/backtest", {"compiled": second}))[1]["matched"] == 1
    status, verdict = await ana.post(f"/rules/{seen['id']}/test", {"text": "veja", "attachments": ["video"]})
    assert (status, verdict["matched"]) == (200, True)
