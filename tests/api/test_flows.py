"""Flows through HTTP: drafts and enabled ones, judged, simulated; what they suggest, and that they do nothing."""

import copy

import pytest

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
URGENT = {"field": "message.urgency", "op": "eq", "value": "high"}
TELL = {"id": "tell", "type": "action", "action": {"action": "notify", "title": "Urgente"}, "next": None}
TRIAGE = {
    "start": "urgent",
    "nodes": [
        {"id": "urgent", "type": "condition", "label": "É urgente?", "when": URGENT, "yes": "tell", "no": "where"},
        TELL | {"next": "task"},
        {"id": "task", "type": "action", "action": {"action": "create_task", "title": "Ligar", "due_in": "PT1H"},
         "next": None},
        {"id": "where", "type": "switch", "label": "Por onde?", "field": "channel.type",
         "cases": [{"value": "email", "next": "later"}, {"value": "instagram", "next": None}], "default": "tag"},
        {"id": "later", "type": "action", "action": {"action": "set_status", "status": "pending"}, "next": None},
        {"id": "tag", "type": "action", "action": {"action": "add_tag", "tag": "novo"}, "next": None},
    ],
}  # fmt: skip
DRAFT = {"start": "nowhere", "nodes": []}


def flow(*nodes, start="a"):
    return {"start": start, "nodes": list(nodes)}


def condition(id="a", **more):
    return {"id": id, "type": "condition", "when": URGENT, "yes": None, "no": None, **more}


def action(id="a", **more):
    return {"id": id, "type": "action", "action": {"action": "notify"}, "next": None, **more}


def switch(id="a", **more):
    return {"id": id, "type": "switch", "field": "channel.type", "cases": [], "default": None, **more}


async def test_adds_and_shows_a_flow(ana):
    made = await ana.made("/flows", {"name": "Triagem", "description": "Quem primeiro?", "definition": TRIAGE})
    assert made == {
        "id": made["id"],
        "name": "Triagem",
        "description": "Quem primeiro?",
        "enabled": False,
        "definition": TRIAGE,
        "created_at": made["created_at"],
        "updated_at": made["updated_at"],
    }
    assert await ana.get(f"/flows/{made['id']}") == (200, made)
    status, page = await ana.get("/flows")
    assert (status, page) == (200, {"items": [made], "next_cursor": None, "next": None, "has_more": False})


async def test_lists_the_newest_first_page_by_page(ana):
    ids = [(await ana.made("/flows", {"name": str(n), "definition": DRAFT}))["id"] for n in range(3)]
    _, first = await ana.get("/flows", limit=2)
    _, rest = await ana.get(first["next"])
    assert [each["id"] for each in first["items"] + rest["items"]] == ids[::-1]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name", "/definition"]),
        ({"name": "x"}, ["/definition"]),
        ({"name": "", "definition": TRIAGE}, ["/name"]),
        ({"name": "x" * 201, "definition": TRIAGE}, ["/name"]),
        ({"name": "x", "definition": []}, ["/definition"]),
        ({"name": "x", "definition": "x"}, ["/definition"]),
        ({"name": "x", "definition": None}, ["/definition"]),
        ({"name": "x", "definition": TRIAGE, "description": "x" * 10_001}, ["/description"]),
        ({"name": "x", "definition": TRIAGE, "enabled": "perhaps"}, ["/enabled"]),
        ({"name": "x", "definition": TRIAGE, "colour": "red"}, ["/colour"]),
        ({"name": "x", "definition": {"start": "a\x00", "nodes": []}}, ["/definition/start"]),
    ],
)
async def test_refuses_a_bad_body(ana, body, pointers):
    status, problem = await ana.post("/flows", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, pointers)
    made = await ana.made("/flows", {"name": "x", "definition": DRAFT})
    status, problem = await ana.put(f"/flows/{made['id']}", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, pointers)


@pytest.mark.parametrize(
    ("definition", "pointer"),
    [('{"start": 1e400, "nodes": []}', "/start"), ('{"start": [{"deep": -1e999}], "nodes": []}', "/start/0/deep")],
)
async def test_a_draft_holds_no_number_that_cannot_be_kept(ana, definition, pointer):
    body = f'{{"name": "x", "definition": {definition}}}'
    status, problem = await ana.post("/flows", data=body, headers={"Content-Type": "application/json"})
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [f"/definition{pointer}"])


@pytest.mark.parametrize("definition", [{}, DRAFT, {"start": 1, "nodes": "x"}, flow({"type": "dance"}, 7, None)])
async def test_a_draft_may_be_wrong_but_not_enabled(ana, definition):
    draft = {"name": "Rascunho", "definition": definition}
    status, problem = await ana.post("/flows", draft | {"enabled": True})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/definition")

    made = await ana.made("/flows", draft)
    assert made["definition"] == definition
    path = f"/flows/{made['id']}"
    for answer in (
        await ana.patch(path, {"enabled": True}),
        await ana.put(path, draft | {"enabled": True}),
        await ana.post(f"{path}/simulate", {"text": "oi"}),
    ):
        assert (answer[0], answer[1]["errors"][0]["pointer"]) == (422, "/definition")
    assert await ana.get(path) == (200, made)

    status, mended = await ana.patch(path, {"enabled": True, "definition": TRIAGE})
    assert (status, mended["enabled"]) == (200, True)
    assert (await ana.patch(path, {"definition": definition}))[0] == 422
    status, off = await ana.patch(path, {"definition": definition, "enabled": False})
    assert (status, off["enabled"], off["definition"]) == (200, False, definition)


async def test_putting_replaces_and_patching_changes(ana):
    made = await ana.made("/flows", {"name": "A", "description": "alt", "enabled": True, "definition": TRIAGE})
    path = f"/flows/{made['id']}"
    status, patched = await ana.patch(path, {"name": "B"})
    assert status == 200
    assert patched == made | {"name": "B", "updated_at": patched["updated_at"]}
    assert (await ana.patch(path, {"description": None}))[1]["description"] is None
    await ana.patch(path, {"description": "neu"})

    status, put = await ana.put(path, {"name": "C", "definition": flow(action())})
    assert status == 200
    assert put == made | {
        "name": "C",
        "description": None,
        "enabled": False,
        "definition": flow(action()),
        "updated_at": put["updated_at"],
    }


async def test_removes_a_flow(ana):
    made = await ana.made("/flows", {"name": "A", "definition": TRIAGE})
    assert await ana.delete(f"/flows/{made['id']}") == (204, None)
    assert (await ana.get(f"/flows/{made['id']}"))[0] == 404
    assert (await ana.delete(f"/flows/{made['id']}"))[0] == 404


@pytest.mark.parametrize("whose", ["somebody", "nobody", "nothing"])
async def test_another_tenants_flow_is_not_there(ana, bruno, whose):
    theirs = await bruno.made("/flows", {"name": "A", "definition": TRIAGE})
    path = "/flows/" + {"somebody": theirs["id"], "nobody": MISSING, "nothing": "not-an-id"}[whose]
    answers = [
        await ana.get(path),
        await ana.put(path, {"name": "mine", "definition": TRIAGE}),
        await ana.patch(path, {"name": "mine"}),
        await ana.delete(path),
        await ana.post(f"{path}/validate"),
        await ana.post(f"{path}/simulate", {"text": "oi"}),
    ]
    assert {(status, problem["code"]) for status, problem in answers} == {(404, "not_found")}
    assert await bruno.get(f"/flows/{theirs['id']}") == (200, theirs)
    assert (await ana.get("/flows"))[1]["items"] == []


# Judging


def nodes(*ids):
    return [action(each, next=following) for each, following in zip(ids, [*ids[1:], None], strict=True)]


@pytest.mark.parametrize(
    ("definition", "found"),
    [
        ({}, [(None, "missing_start")]),
        (None, [(None, "missing_start")]),
        ([], [(None, "missing_start")]),
        ({"nodes": [action()]}, [(None, "missing_start")]),
        (flow(action(), start=None), [(None, "missing_start")]),
        (flow(action(), start="b"), [(None, "missing_start")]),
        (flow(), [(None, "missing_start")]),
        (flow(action(), action()), [("a", "duplicate_id")]),
        (flow(action(next="b")), [("a", "unknown_target")]),
        (flow(condition(yes="b")), [("a", "unknown_target")]),
        (flow(switch(cases=[{"value": "email", "next": "b"}])), [("a", "unknown_target")]),
        (flow(switch(cases=[{"value": "email", "next": None}], default="b")), [("a", "unknown_target")]),
        (flow(action(next="a")), [("a", "cycle")]),
        (flow(action(next="b"), action("b", next="c"), action("c", next="a")), [("c", "cycle")]),
        (flow(condition()), [("a", "no_branch")]),
        (flow(switch()), [("a", "no_branch")]),
        (flow(condition(when={"field": "x", "op": "eq", "value": 1}, yes="b"), action("b")),
         [("a", "invalid_condition")]),
        (flow(condition(when=None, yes="b"), action("b")), [("a", "invalid_condition")]),
        (flow(switch(field="x", cases=[{"value": 1, "next": None}])), [("a", "invalid_condition")]),
        (flow(switch(cases=[{"value": "fax", "next": None}])), [("a", "invalid_condition")]),
        (flow(action(action={"action": "explode"})), [("a", "invalid_action")]),
        (flow(action(action={"action": "create_task"})), [("a", "invalid_action")]),
        (flow(action(action=None)), [("a", "invalid_action")]),
        (flow(action(colour="red")), [("a", "invalid_action")]),
        (flow({"id": "a", "type": "dance"}), [("a", "invalid_action")]),
        (flow(*nodes(*(f"n{n}" for n in range(501))), start="n0"), [(None, "too_large")]),
    ],
)  # fmt: skip
async def test_names_what_is_wrong(ana, definition, found):
    status, verdict = await ana.post("/flows/validate", {"definition": definition})
    assert (status, verdict["valid"], verdict.keys()) == (200, False, {"valid", "errors", "warnings"})
    assert [(each["node_id"], each["code"]) for each in verdict["errors"]] == found
    assert all(each.keys() == {"node_id", "code", "message"} and each["message"] for each in verdict["errors"])


async def test_names_everything_that_is_wrong_at_once(ana):
    definition = flow(condition(yes="x"), switch("b"), action("b", action={}))
    _, verdict = await ana.post("/flows/validate", {"definition": definition})
    codes = {(each["node_id"], each["code"]) for each in verdict["errors"]}
    assert codes == {
        ("a", "unknown_target"), ("b", "no_branch"), ("b", "duplicate_id"), ("b", "invalid_action"),
    }  # fmt: skip


async def test_a_node_that_nothing_leads_to_is_a_warning(ana):
    definition = flow(action(), action("b"))
    _, verdict = await ana.post("/flows/validate", {"definition": definition})
    assert (verdict["valid"], verdict["errors"]) == (True, [])
    assert [(each["node_id"], each["code"]) for each in verdict["warnings"]] == [("b", "unreachable")]
    assert (await ana.made("/flows", {"name": "x", "enabled": True, "definition": definition}))["enabled"]


@pytest.mark.parametrize("definition", [TRIAGE, flow(*nodes(*(f"n{n}" for n in range(500))), start="n0")])
async def test_a_sound_flow_is_valid(ana, definition):
    whole = {"valid": True, "errors": [], "warnings": []}
    assert await ana.post("/flows/validate", {"definition": definition}) == (200, whole)
    made = await ana.made("/flows", {"name": "x", "enabled": True, "definition": definition})
    assert await ana.post(f"/flows/{made['id']}/validate") == (200, whole)


async def test_judges_a_stored_draft(ana):
    made = await ana.made("/flows", {"name": "x", "definition": flow(action(next="b"))})
    status, verdict = await ana.post(f"/flows/{made['id']}/validate")
    assert (status, [each["code"] for each in verdict["errors"]]) == (200, ["unknown_target"])


# Simulating


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


# Suggesting


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
