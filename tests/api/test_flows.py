"""Flows through HTTP: drafts and enabled ones, shown, changed, removed, judged."""

import pytest

from tests.api.flow_bodies import DRAFT, MISSING, TRIAGE, action, condition, flow, switch


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
