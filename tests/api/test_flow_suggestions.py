"""Flows are simulated; enabled ones suggest, and do nothing."""

import copy

import pytest

from tests.api.flow_bodies import MISSING, TRIAGE, action, flow, switch


@pytest.mark.parametrize(
    ("situation", "path", "actions"),
    [
        (
            {"text": "Preciso disso hoje, é urgente!"},
            [("urgent", "condition", "É urgente?", "yes"), ("tell", "action", None, "done"),
             ("task", "action", None, "done")],
            [{"action": "notify", "title": "Urgente"}, {"action": "create_task", "title": "Ligar", "due_in": "PT1H"}],
        ),
        (
            {"text": "Preciso disso hoje, é urgente!", "urgency": "low", "channel": "email"},
            [("urgent", "condition", "É urgente?", "no"), ("where", "switch", "Por onde?", "email"),
             ("later", "action", None, "done")],
            [{"action": "set_status", "status": "pending"}],
        ),
        (
            {"text": "oi", "channel": "whatsapp"},
            [("urgent", "condition", "É urgente?", "no"), ("where", "switch", "Por onde?", "default"),
             ("tag", "action", None, "done")],
            [{"action": "add_tag", "tag": "novo"}],
        ),
        (
            {"text": "oi", "channel": "instagram"},
            [("urgent", "condition", "É urgente?", "no"), ("where", "switch", "Por onde?", "instagram")],
            [],
        ),
    ],
)  # fmt: skip
async def test_walks_the_flow(ana, situation, path, actions):
    made = await ana.made("/flows", {"name": "x", "definition": TRIAGE})
    before = await ana.events()
    status, walk = await ana.post(f"/flows/{made['id']}/simulate", situation)
    assert (status, walk.keys()) == (200, {"classification", "matched_nodes", "actions", "end_node"})
    keys = ("id", "type", "label", "outcome")
    assert walk["matched_nodes"] == [dict(zip(keys, step, strict=True)) for step in path]
    assert (walk["actions"], walk["end_node"]) == (actions, path[-1][0])
    assert walk["classification"].keys() == {
        "sentiment", "sentiment_score", "urgency", "negotiation", "should_create_task", "intent", "language",
        "confidence", "provider",
    }  # fmt: skip
    urgency = situation.get("urgency", "high" if "hoje" in situation["text"] else "low")
    assert walk["classification"]["urgency"] == urgency
    assert await ana.events() == before
    assert (await ana.get("/tasks"))[1]["items"] == []


@pytest.mark.parametrize(
    ("case", "given", "outcome"),
    [
        ({"field": "contact.vip", "value": True}, {"contact": {"vip": True}}, True),
        ({"field": "contact.vip", "value": "true"}, {"contact": {"vip": True}}, True),
        ({"field": "time.weekday", "value": "sunday"}, {"at": "2030-05-12T12:00:00Z"}, 7),
        ({"field": "conversation.tags", "value": "VIP"}, {"conversation": {"tags": ["a", "vip"]}}, "VIP"),
    ],
)
async def test_a_switch_knows_the_values_of_its_field(ana, case, given, outcome):
    definition = flow(switch(field=case["field"], cases=[{"value": case["value"], "next": None}]))
    made = await ana.made("/flows", {"name": "x", "definition": definition})
    _, walk = await ana.post(f"/flows/{made['id']}/simulate", {"text": "oi"} | given)
    assert (walk["matched_nodes"][0]["outcome"], walk["end_node"]) == (outcome, "a")


async def test_refuses_a_situation_that_cannot_be(ana):
    made = await ana.made("/flows", {"name": "x", "definition": TRIAGE})
    for situation, pointer in (
        ({}, "/text"),
        ({"text": "x", "urgency": "very"}, "/urgency"),
        ({"text": "x", "y": 1}, "/y"),
    ):
        status, problem = await ana.post(f"/flows/{made['id']}/simulate", situation)
        assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def suggestions(person, entry):
    status, answer = await person.get(f"/conversations/{entry['conversation_id']}/suggestions")
    assert status == 200, answer
    return answer["items"]


async def test_an_enabled_flow_suggests_and_does_nothing(ana, bruno, eventually):
    made = await ana.made("/flows", {"name": "Triagem", "enabled": True, "definition": TRIAGE})
    quiet = copy.deepcopy(TRIAGE) | {"start": "tag"}
    await ana.made("/flows", {"name": "Desligado", "definition": quiet})
    entry = await ana.hears("Preciso disso hoje, é urgente!")
    (found,) = await eventually(lambda: suggestions(ana, entry))
    assert found == {
        "id": found["id"],
        "flow_id": made["id"],
        "flow_name": "Triagem",
        "message_id": entry["message_id"],
        "matched_nodes": [
            {"id": "urgent", "type": "condition", "label": "É urgente?", "outcome": "yes"},
            {"id": "tell", "type": "action", "label": None, "outcome": "done"},
            {"id": "task", "type": "action", "label": None, "outcome": "done"},
        ],
        "actions": [
            {"action": "notify", "title": "Urgente"},
            {"action": "create_task", "title": "Ligar", "due_in": "PT1H"},
        ],
        "end_node": "task",
        "created_at": found["created_at"],
    }
    (event,) = await ana.events("flow.matched", conversation_id=entry["conversation_id"])
    assert (event["id"], event["message_id"]) == (found["id"], entry["message_id"])
    assert event["payload"]["actions"] == found["actions"]
    assert (await ana.get("/tasks"))[1]["items"] == []
    assert [each["direction"] for each in await ana.messages(entry["conversation_id"])] == ["inbound"]
    assert [each["type"] for each in await ana.notifications(type="rule_match")] == []
    assert (await bruno.get(f"/conversations/{entry['conversation_id']}/suggestions"))[0] == 404


async def test_the_latest_message_counts_and_every_flow_speaks(ana, eventually):
    tag = flow(action(action={"action": "add_tag", "tag": "x"}))
    await ana.made("/flows", {"name": "Triagem", "enabled": True, "definition": TRIAGE})
    await ana.made("/flows", {"name": "Sempre", "enabled": True, "definition": tag})
    first = await ana.hears("oi")
    await eventually(lambda: suggestions(ana, first), lambda items: len(items) == 2)
    last = await ana.hears("Preciso disso hoje, é urgente!")

    async def of_the_last():
        return [each for each in await suggestions(ana, last) if each["message_id"] == last["message_id"]]

    found = await eventually(of_the_last, lambda items: len(items) == 2)
    assert [(each["flow_name"], each["end_node"]) for each in found] == [("Triagem", "task"), ("Sempre", "a")]
    assert len(await ana.events("flow.matched")) == 4


async def test_a_redelivered_message_is_suggested_for_once(ana, eventually):
    await ana.made("/flows", {"name": "x", "enabled": True, "definition": flow(action())})
    entry = await ana.hears("oi", id="wamid.once")
    await eventually(lambda: suggestions(ana, entry))
    for _ in range(3):
        assert (await ana.hears("oi", id="wamid.once"))["duplicate"]
    last = await ana.hears("tchau")

    async def of_the_last():
        return [each["message_id"] for each in await suggestions(ana, entry)] == [last["message_id"]]

    assert await eventually(of_the_last)
    assert len(await ana.events("flow.matched")) == 2


async def test_a_silent_conversation_has_no_suggestions(ana):
    assert (await ana.get(f"/conversations/{MISSING}/suggestions"))[0] == 404
    entry = await ana.hears("oi")
    assert await suggestions(ana, entry) == []
