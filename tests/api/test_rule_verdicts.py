"""A stored rule is tried on a situation, and on the past."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.rule_bodies import COMPILED, DISCOUNT, URGENT, then, when


async def test_the_verdict_tells_each_condition(ana):
    vip = {"field": "contact.vip", "op": "eq", "value": True}
    rule = await ana.made("/rules", {"compiled": when({"all": [URGENT, {"not": vip}]}), "enabled": False})
    status, verdict = await ana.post(f"/rules/{rule['id']}/test", {"text": "Preciso disso hoje, é urgente!"})
    assert (status, verdict) == (
        200,
        {
            "matched": True,
            "conditions": [
                {"condition": URGENT, "held": True, "actual": "high"},
                {"condition": vip, "held": False, "actual": False},
            ],
            "actions": [{"action": "notify"}],
        },
    )
    given = {"text": "Preciso disso hoje, é urgente!", "urgency": "low", "contact": {"vip": "true"}}
    status, verdict = await ana.post(f"/rules/{rule['id']}/test", given)
    assert [(each["held"], each["actual"]) for each in verdict["conditions"]] == [(False, "low"), (True, True)]
    assert (verdict["matched"], verdict["actions"]) == (False, [])


@pytest.mark.parametrize(
    ("condition", "situation", "actual"),
    [
        ({"field": "message.text", "op": "contains", "value": "preco"}, {"text": "Qual o PREÇO?"}, "Qual o PREÇO?"),
        ({"field": "message.sentiment", "op": "eq", "value": "positive"}, {"sentiment": "positive"}, "positive"),
        ({"field": "message.urgency", "op": "gte", "value": "medium"}, {"urgency": "high"}, "high"),
        ({"field": "message.negotiation", "op": "eq", "value": True}, {"text": "Faz por 80?"}, True),
        ({"field": "message.negotiation", "op": "eq", "value": False}, {"text": "Faz por 80?", "negotiation": False},
         False),
        ({"field": "message.should_create_task", "op": "eq", "value": True}, {"should_create_task": "true"}, True),
        ({"field": "message.intent", "op": "eq", "value": "order"}, {"intent": "order"}, "order"),
        ({"field": "message.language", "op": "eq", "value": "es"}, {"text": "¿Cuánto cuesta el envío?"}, "es"),
        ({"field": "message.language", "op": "eq", "value": "pt"}, {"language": "pt-BR"}, "pt"),
        ({"field": "channel.type", "op": "in", "value": ["email"]}, {"channel": "email"}, "email"),
        ({"field": "contact.name", "op": "contains", "value": "jose"}, {"contact": {"name": "José Silva"}},
         "José Silva"),
        ({"field": "contact.handle", "op": "eq", "value": "+55"}, {"contact": {"handle": "+55"}}, "+55"),
        ({"field": "contact.negotiation_mode", "op": "eq", "value": "suggest"}, {}, "suggest"),
        ({"field": "conversation.status", "op": "ne", "value": "closed"}, {}, "open"),
        ({"field": "conversation.tags", "op": "contains", "value": "VIP"}, {"conversation": {"tags": ["vip"]}},
         ["vip"]),
        ({"field": "conversation.unread_count", "op": "lte", "value": 3}, {"conversation": {"unread_count": "3"}}, 3),
        ({"field": "time.hour", "op": "between", "value": [22, 6]}, {"at": "2030-05-08T02:30:00Z"}, 23),
        ({"field": "time.hour", "op": "eq", "value": 2}, {"at": "2030-05-08T02:30:00-03:00"}, 2),
        ({"field": "time.weekday", "op": "in", "value": ["sat", "sun"]}, {"at": "2030-05-13T02:59:00Z"}, 7),
    ],
)  # fmt: skip
async def test_each_field_can_be_asked(ana, condition, situation, actual):
    """The user's clock is America/Sao_Paulo, three hours behind UTC."""
    rule = await ana.made("/rules", {"compiled": when(condition)})
    status, verdict = await ana.post(f"/rules/{rule['id']}/test", {"text": "oi"} | situation)
    assert (status, verdict["matched"]) == (200, True)
    assert [each["actual"] for each in verdict["conditions"]] == [actual]


@pytest.mark.parametrize(
    ("situation", "pointer"),
    [
        ({}, "/text"),
        ({"text": "oi", "urgency": "very"}, "/urgency"),
        ({"text": "oi", "channel": "fax"}, "/channel"),
        ({"text": "oi", "language": "fr"}, "/language"),
        ({"text": "oi", "at": "yesterday"}, "/at"),
        ({"text": "oi", "mood": "good"}, "/mood"),
        ({"text": "oi", "contact": {"vip": "perhaps"}}, "/contact/vip"),
        ({"text": "oi", "contact": {"age": 3}}, "/contact/age"),
        ({"text": "oi", "conversation": {"unread_count": -1}}, "/conversation/unread_count"),
        ({"text": "a\x00b"}, "/text"),
    ],
)
async def test_refuses_a_situation_that_cannot_be(ana, situation, pointer):
    rule = await ana.made("/rules", {"compiled": COMPILED})
    status, problem = await ana.post(f"/rules/{rule['id']}/test", situation)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_trying_does_nothing(ana):
    actions = [{"action": "create_task", "title": "x"}, {"action": "notify"}]
    rule = await ana.made("/rules", {"compiled": then(*actions)})
    before = await ana.events()
    status, verdict = await ana.post(f"/rules/{rule['id']}/test", {"text": "oi", "urgency": "high"})
    assert (status, verdict["matched"], verdict["actions"]) == (200, True, actions)
    assert await ana.events() == before
    assert (await ana.get("/tasks"))[1]["items"] == []
    assert await ana.get(f"/rules/{rule['id']}") == (200, rule)


def days_ago(days):
    return int((datetime.now(UTC) - timedelta(days=days)).timestamp())


async def test_a_backtest_tells_which_messages_would_have_matched(ana, bruno):
    await bruno.hears("Quero desconto", at=days_ago(1))
    old = await ana.hears("Tem desconto?", at=days_ago(20))
    new = await ana.hears("E um descontinho, digo, DESCONTO?", at=days_ago(2))
    await ana.hears("Obrigada", at=days_ago(1))
    await ana.post(f"/conversations/{old['conversation_id']}/messages", {"body": "Damos desconto, sim"})
    before = await ana.events()

    rule = await ana.made("/rules", {"text": DISCOUNT, "enabled": False})
    status, result = await ana.post(f"/rules/{rule['id']}/backtest")
    assert status == 200
    assert result == {
        "days": 30,
        "checked": 3,
        "matched": 2,
        "truncated": False,
        "matches": [
            {
                "message_id": entry["message_id"],
                "conversation_id": entry["conversation_id"],
                "sent_at": entry["sent_at"],
            }
            for entry in (new, old)
        ],
    }
    status, result = await ana.post(f"/rules/{rule['id']}/backtest", {"days": "7"})
    assert (result["checked"], [each["message_id"] for each in result["matches"]]) == (2, [new["message_id"]])

    assert await ana.events() == before
    assert (await ana.get("/tasks"))[1]["items"] == []
    assert await ana.get(f"/rules/{rule['id']}") == (200, rule)


async def test_no_message_would_have_fired_a_rule_that_waits_for_something_else(ana):
    await ana.hears("oi", at=days_ago(1))
    rule = await ana.made("/rules", {"text": "Quando uma tarefa atrasar, me avise", "enabled": False})
    status, result = await ana.post(f"/rules/{rule['id']}/backtest", {"days": 7})
    assert (status, result["matched"], result["matches"]) == (200, 0, [])


@pytest.mark.parametrize("days", [0, -1, 366, "many", 1.5])
async def test_a_backtest_goes_back_a_year_at_most(ana, days):
    rule = await ana.made("/rules", {"compiled": COMPILED})
    status, problem = await ana.post(f"/rules/{rule['id']}/backtest", {"days": days})
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/days"])
