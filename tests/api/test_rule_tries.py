"""Rules and flows tried before they are stored."""

import pytest

from tests.api.posts import revoke

RULE = {
    "version": 1,
    "trigger": "message.received",
    "when": {"field": "message.text", "op": "contains", "value": "desconto"},
    "then": [{"action": "notify"}],
}


@pytest.fixture
async def past(ana):
    """Three messages, two about a discount, the newest last."""
    return [
        await ana.hears(text, at=1714564800 + n) for n, text in enumerate(("Tem desconto?", "oi", "DESCONTO à vista?"))
    ]


async def test_shows_what_a_sentence_would_have_caught(ana, past):
    status, result = await ana.post("/rules/backtest", {"text": "Se a mensagem contém 'desconto', me avise"})
    assert (status, result["tried"], result["matched"]) == (200, 3, 2)
    assert result["examples"] == [
        {
            "message_id": past[n]["message_id"],
            "conversation_id": past[n]["conversation_id"],
            "text": text,
            "sent_at": f"2024-05-01T12:00:0{n}Z",
        }
        for n, text in ((2, "DESCONTO à vista?"), (0, "Tem desconto?"))
    ]
    assert (await ana.get("/rules"))[1]["items"] == []
    assert await ana.notifications() == []


async def test_tries_a_compiled_rule_too(ana, bruno, past):
    assert (await ana.post("/rules/backtest", {"compiled": RULE}))[1]["matched"] == 2
    assert (await bruno.post("/rules/backtest", {"compiled": RULE}))[1] == {"tried": 0, "matched": 0, "examples": []}
    overdue = RULE | {"trigger": "task.overdue"}
    assert (await ana.post("/rules/backtest", {"compiled": overdue}))[1]["tried"] == 0


async def test_shows_twenty_examples_and_counts_all(ana):
    for n in range(22):
        await ana.hears(f"desconto {n} " + "x" * 600, at=1714564800 + n)
    _, result = await ana.post("/rules/backtest", {"compiled": RULE})
    assert (result["tried"], result["matched"], len(result["examples"])) == (22, 22, 20)
    assert {len(example["text"]) for example in result["examples"]} == {500}


async def test_tries_nothing_that_was_deleted(ana):
    await ana.hears("oi", id="kept", at=1714564800)
    await ana.hears("Preciso disso hoje, é urgente!", id="gone", at=1714564801)
    await ana.post("/webhooks/whatsapp", revoke("gone"))
    every = RULE | {"when": {"not": RULE["when"]}}
    _, result = await ana.post("/rules/backtest", {"compiled": every})
    assert (result["tried"], [example["text"] for example in result["examples"]]) == (1, ["oi"])


async def test_tries_page_after_page(ana, monkeypatch):
    monkeypatch.setattr("alfred.api.rule_backtests.PAGE", 2)
    texts = ["desconto 0", "oi", "desconto 2", "desconto 3", "desconto 4"]
    heard = [await ana.hears(text, at=1714564800 + n) for n, text in enumerate(texts)]
    _, result = await ana.post("/rules/backtest", {"compiled": RULE})
    assert (result["tried"], result["matched"]) == (5, 4)
    found = [example["message_id"] for example in result["examples"]]
    assert found == [heard[n]["message_id"] for n in (4, 3, 2, 0)]


@pytest.mark.parametrize(
    "body", [{}, {"text": "oi", "compiled": RULE}, {"text": "bom dia"}, {"compiled": {"version": 1}}, {"days": 3}]
)
async def test_refuses_what_is_no_rule(ana, body):
    assert (await ana.post("/rules/backtest", body))[0] == 422


FLOW = {
    "start": "urgent",
    "nodes": [
        {"id": "urgent", "type": "condition", "when": {"field": "message.urgency", "op": "eq", "value": "high"},
         "yes": "tell", "no": None},
        {"id": "tell", "type": "action", "action": {"action": "notify", "title": "Urgente"}, "next": None},
    ],
}  # fmt: skip


async def test_simulates_a_flow_that_is_not_stored(ana):
    status, found = await ana.post("/flows/simulate", {"definition": FLOW, "text": "oi", "urgency": "high"})
    assert (status, found["end_node"]) == (200, "tell")
    assert found["actions"] == [{"action": "notify", "title": "Urgente"}]
    status, found = await ana.post("/flows/simulate", {"definition": FLOW, "text": "bom dia"})
    assert (status, found["end_node"], found["actions"]) == (200, "urgent", [])
    made = await ana.made("/flows", {"name": "Triagem", "definition": FLOW})
    assert (await ana.post(f"/flows/{made['id']}/simulate", {"text": "bom dia"}))[1] == found


@pytest.mark.parametrize("definition", [{}, None, [], "x", {"start": "a", "nodes": []}])
async def test_refuses_to_simulate_what_is_no_flow(ana, definition):
    status, problem = await ana.post("/flows/simulate", {"definition": definition, "text": "oi"})
    assert status == 422, problem
    assert problem["errors"][0]["pointer"].startswith("/definition")
