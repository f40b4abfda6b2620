"""What the assistant was asked, summed by day, and turns of several messages that are read together."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.api.suggesting import asked, customer


async def test_counts_by_day_provider_and_feature(ana, bruno):
    entry = await customer(ana, base_price="100")
    where = {"conversation_id": entry["conversation_id"]}
    for what in ("suggest-reply", "suggest-reply", "suggest-price", "suggest-follow-up"):
        await asked(ana, what, where)
    status, usage = await ana.get("/ai/usage")
    today = datetime.now(UTC).date()
    assert status == 200
    assert {(item["day"], item["provider"], item["feature"]): item["calls"] for item in usage["items"]} == {
        (f"{today}", "mock", "reply"): 2,
        (f"{today}", "mock", "price"): 1,
        (f"{today}", "mock", "follow_up"): 1,
    }
    assert all((item["degraded"], item["input_tokens"], item["cost"]) == (0, 0, None) for item in usage["items"])
    assert (await bruno.get("/ai/usage")) == (200, {"items": []})
    before = f"{today - timedelta(days=1)}"
    assert (await ana.get("/ai/usage", **{"from": "2026-01-01", "to": before}))[1] == {"items": []}
    assert len((await ana.get("/ai/usage", **{"from": f"{today}T00:00:00Z"}))[1]["items"]) == 3


@pytest.mark.parametrize(
    "query",
    [{"from": "2026-05-02", "to": "2026-05-01"}, {"from": "2020-01-01", "to": "2026-01-01"}, {"to": "x"}, {"a": 1}],
)
async def test_refuses_what_is_no_span(ana, query):
    assert (await ana.get("/ai/usage", **query))[0] == 422


async def test_reads_the_messages_of_a_turn_together(ana):
    alone = await asked(ana, "classify-message", {"text": "por favor"})
    turn = await asked(ana, "classify-message", {"texts": ["O produto chegou quebrado", "e é pra hoje!", "por favor"]})
    assert (alone["urgency"], alone["sentiment"]) == ("low", "neutral")
    assert (turn["urgency"], turn["sentiment"]) == ("high", "negative")
    one = await asked(ana, "classify-message", {"texts": ["Qual o preço?"]})
    assert one == await asked(ana, "classify-message", {"text": "Qual o preço?"})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"texts": []}, "/texts"),
        ({"texts": ["x"] * 21}, "/texts"),
        ({"texts": ["x"], "text": "x"}, "/texts"),
        ({"texts": [1, None]}, "/texts/1"),
        ({"texts": "x"}, "/texts"),
        ({"texts": ["x" * 65_537]}, "/texts/0"),
    ],
)
async def test_refuses_what_is_no_turn(ana, body, pointer):
    status, problem = await ana.post("/ai/classify-message", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
