"""What suggestions have in common: nothing is sent by itself, faults are pointed at; what became of them counts."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.api.suggesting import BEHIND, MISSING, asked, customer


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo", "Europe/Lisbon"])
async def test_suggests_when_to_come_back(ana, zone):
    await ana.patch("/me", {"timezone": zone})
    entry = await ana.hears("Vou pensar e te falo")
    answer = await asked(ana, "suggest-follow-up", {"conversation_id": entry["conversation_id"]})
    assert answer.keys() == {"due_date", "title", "message", "rationale", "provider"} | BEHIND
    due = datetime.fromisoformat(answer["due_date"])
    assert due > datetime.now(UTC)
    assert 8 <= due.astimezone(ZoneInfo(zone)).hour < 20
    assert "Marina" in answer["title"] + answer["message"]
    assert answer["based_on_message_id"] == entry["message_id"]
    assert answer["due_date"].endswith("Z")


async def test_the_suggestion_makes_a_task(ana):
    entry = await customer(ana)
    answer = await asked(ana, "suggest-follow-up", {"conversation_id": entry["conversation_id"]})
    task = await ana.made("/tasks", {"title": answer["title"], "due_date": answer["due_date"]})
    assert task["due_date"] == answer["due_date"]


@pytest.mark.parametrize(
    ("what", "body", "pointer"),
    [
        ("suggest-reply", {}, ""),
        ("suggest-reply", {"text": ""}, ""),
        ("suggest-reply", {"conversation_id": "", "text": ""}, ""),
        ("suggest-reply", {"conversation_id": MISSING}, "/conversation_id"),
        ("suggest-reply", {"conversation_id": MISSING, "text": "oi"}, "/conversation_id"),
        ("suggest-reply", {"conversation_id": "x"}, "/conversation_id"),
        ("suggest-reply", {"text": "oi", "tone": "rude"}, "/tone"),
        ("suggest-reply", {"text": "oi", "language": "fr"}, "/language"),
        ("suggest-reply", {"text": "x" * 65_537}, "/text"),
        ("suggest-reply", {"text": "oi", "mood": "good"}, "/mood"),
        ("suggest-price", {}, ""),
        ("suggest-price", {"text": "Faz por 80?"}, ""),
        ("suggest-price", {"conversation_id": MISSING}, "/conversation_id"),
        ("suggest-price", {"contact_id": MISSING}, "/contact_id"),
        ("suggest-price", {"contact_id": "x"}, "/contact_id"),
        ("suggest-follow-up", {}, "/conversation_id"),
        ("suggest-follow-up", {"conversation_id": ""}, "/conversation_id"),
        ("suggest-follow-up", {"conversation_id": MISSING}, "/conversation_id"),
    ],
)
async def test_points_at_what_is_wrong(ana, what, body, pointer):
    status, problem = await ana.post(f"/ai/{what}", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_another_tenants_conversation_is_not_there(ana, bruno):
    theirs = await customer(bruno, base_price="100")
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        status, problem = await ana.post(f"/ai/{what}", {"conversation_id": theirs["conversation_id"]})
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/conversation_id"])
        nobody = await ana.post(f"/ai/{what}", {"conversation_id": MISSING})
        assert nobody[1]["errors"] == problem["errors"]
    status, problem = await ana.post("/ai/suggest-price", {"contact_id": theirs["contact_id"]})
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/contact_id"])


async def test_nothing_is_sent_or_changed(ana):
    entry = await customer(ana, base_price="100")
    where = {"conversation_id": entry["conversation_id"]}
    before = await ana.events(), await ana.get(f"/conversations/{entry['conversation_id']}")
    await asked(ana, "classify-message", {"text": "Faz por 80?"})
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        await asked(ana, what, where)
    assert (await ana.events(), await ana.get(f"/conversations/{entry['conversation_id']}")) == before
    assert [each["direction"] for each in await ana.messages(entry["conversation_id"])] == ["inbound"]
    assert (await ana.get("/tasks"))[1]["items"] == []


async def test_very_long_texts_are_answered(ana):
    entry = await customer(ana, "Quanto custa? " * 4000, base_price="100")
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        answer = await asked(ana, what, {"conversation_id": entry["conversation_id"]})
        assert all(len(str(value)) <= 600 for value in answer.values())


async def test_counts_what_became_of_suggestions(ana, bruno):
    entry = await customer(ana, base_price="100")
    where = {"conversation_id": entry["conversation_id"]}
    replies = [await asked(ana, "suggest-reply", where) for _ in range(4)]
    await asked(ana, "suggest-price", where)
    for reply, outcome in zip(replies, ("sent", "edited", "dismissed"), strict=False):
        status, taken = await ana.post(f"/ai/suggestions/{reply['id']}/feedback", {"outcome": outcome})
        assert (status, taken) == (
            200,
            {"id": reply["id"], "kind": "reply", "outcome": outcome, "outcome_at": taken["outcome_at"]},
        )
    status, stats = await ana.get("/ai/suggestions/stats")
    nothing = {"sent": 0, "edited": 0, "dismissed": 0}
    assert (status, stats["items"]) == (
        200,
        [
            {"kind": "price", "suggested": 1, **nothing, "acceptance": None},
            {"kind": "reply", "suggested": 4, "sent": 1, "edited": 1, "dismissed": 1, "acceptance": 0.6667},
        ],
    )
    await ana.post(f"/ai/suggestions/{replies[2]['id']}/feedback", {"outcome": "sent"})
    _, stats = await ana.get("/ai/suggestions/stats")
    assert (stats["items"][1]["dismissed"], stats["items"][1]["acceptance"]) == (0, 1.0)
    assert (await bruno.get("/ai/suggestions/stats"))[1]["items"] == []


@pytest.mark.parametrize("whose", ["somebody", "nobody", "nothing"])
async def test_another_tenants_suggestion_is_not_there(ana, bruno, whose):
    theirs = await asked(bruno, "suggest-reply", {"text": "oi"})
    suggestion_id = {"somebody": theirs["id"], "nobody": MISSING, "nothing": "not-an-id"}[whose]
    status, problem = await ana.post(f"/ai/suggestions/{suggestion_id}/feedback", {"outcome": "sent"})
    assert (status, problem["code"]) == (404, "not_found")
    assert (await bruno.get("/ai/suggestions/stats"))[1]["items"][0]["sent"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/outcome"), ({"outcome": "loved"}, "/outcome"), ({"outcome": "sent", "stars": 5}, "/stars")],
)
async def test_refuses_an_outcome_that_is_none(ana, body, pointer):
    suggestion = await asked(ana, "suggest-reply", {"text": "oi"})
    status, problem = await ana.post(f"/ai/suggestions/{suggestion['id']}/feedback", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
