"""Tasks through HTTP."""

import pytest

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"


async def test_adds_and_shows_a_task(ana):
    entry = await ana.hears("Podem me ligar?")
    task = await ana.made("/tasks", {"title": "Ligar", "priority": "high", "conversation_id": entry["conversation_id"]})
    assert task == {
        "id": task["id"],
        "title": "Ligar",
        "description": None,
        "status": "open",
        "priority": "high",
        "due_date": None,
        "conversation_id": entry["conversation_id"],
        "contact_id": entry["contact_id"],
        "overdue": False,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["updated_at"],
    }
    assert await ana.get(f"/tasks/{task['id']}") == (200, task)
    assert [event["payload"]["title"] for event in await ana.events("task.created")] == ["Ligar"]


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("America/Sao_Paulo", "2030-05-09T02:59:59Z"),
        ("Europe/Lisbon", "2030-05-08T22:59:59Z"),
        ("Asia/Tokyo", "2030-05-08T14:59:59Z"),
    ],
)
async def test_a_plain_date_ends_in_the_users_time_zone(ana, zone, moment):
    await ana.patch("/me", {"timezone": zone})
    assert (await ana.made("/tasks", {"title": "x", "due_date": "2030-05-08"}))["due_date"] == moment
    with_offset = await ana.made("/tasks", {"title": "x", "due_date": "2030-05-08T10:00:00-03:00"})
    assert with_offset["due_date"] == "2030-05-08T13:00:00Z"
    assert (await ana.made("/tasks", {"title": "x", "due_date": "2030-05-08T10:00:00"}))["due_date"].endswith(
        "10:00:00Z"
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/title"),
        ({"title": ""}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "x", "priority": "huge"}, "/priority"),
        ({"title": "x", "due_date": "tomorrow"}, "/due_date"),
        ({"title": "x", "due_date": "2030-13-01"}, "/due_date"),
        ({"title": "x", "due_date": 12345}, "/due_date"),
        ({"title": "x", "due_date": "9999-12-31"}, "/due_date"),
        ({"title": "x", "conversation_id": MISSING}, "/conversation_id"),
        ({"title": "x", "contact_id": MISSING}, "/contact_id"),
        ({"title": "x", "contact_id": "7"}, "/contact_id"),
        ({"title": "x", "due": "2030-01-01"}, "/due"),
    ],
)
async def test_refuses_what_is_no_task(ana, body, pointer):
    status, problem = await ana.post("/tasks", body)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_anothers_conversation_is_not_there(ana, bruno):
    entry = await bruno.hears("oi")
    status, problem = await ana.post("/tasks", {"title": "x", "conversation_id": entry["conversation_id"]})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/conversation_id")


async def test_changes_what_is_given_and_nothing_else(ana):
    task = await ana.made("/tasks", {"title": "x", "description": "y", "due_date": "2030-05-08", "priority": "low"})
    status, changed = await ana.patch(f"/tasks/{task['id']}", {"description": None, "status": "in_progress"})
    assert status == 200
    expected = task | {"description": None, "status": "in_progress", "updated_at": changed["updated_at"]}
    assert changed == expected
    status, changed = await ana.patch(f"/tasks/{task['id']}", {"due_date": None})
    assert changed["due_date"] is None


async def test_completing_twice_changes_nothing(ana):
    task = await ana.made("/tasks", {"title": "x"})
    status, done = await ana.post(f"/tasks/{task['id']}/complete")
    assert (status, done["status"]) == (200, "done")
    assert await ana.post(f"/tasks/{task['id']}/complete") == (200, done)
    assert len(await ana.events("task.completed")) == 1
    _, reopened = await ana.patch(f"/tasks/{task['id']}", {"status": "open"})
    assert reopened["completed_at"] is None


async def test_a_change_leaves_when_it_was_done(ana):
    done = await ana.made("/tasks", {"title": "x", "status": "done"})
    _, renamed = await ana.patch(f"/tasks/{done['id']}", {"title": "y"})
    assert (renamed["title"], renamed["status"], renamed["completed_at"]) == ("y", "done", done["completed_at"])


async def test_filters_combine(ana):
    entry = await ana.hears("oi")
    where = {"conversation_id": entry["conversation_id"]}
    late = await ana.made("/tasks", {"title": "late", "due_date": "2020-01-01", "priority": "urgent", **where})
    soon = await ana.made("/tasks", {"title": "soon", "due_date": "2100-01-01"})
    done = await ana.made("/tasks", {"title": "done", "due_date": "2020-01-01", "status": "done"})

    async def titles(**filters):
        status, page = await ana.get("/tasks", **filters)
        assert status == 200, page
        return [task["title"] for task in page["items"]]

    assert await titles() == ["done", "soon", "late"]
    assert await titles(overdue=True) == ["late"]
    assert await titles(overdue=False) == ["done", "soon"]
    assert await titles(status="done") == ["done"]
    assert await titles(priority="urgent", **where) == ["late"]
    assert await titles(contact_id=entry["contact_id"]) == ["late"]
    assert await titles(due_before="2050-01-01") == ["done", "late"]
    assert await titles(due_after="2050-01-01T00:00:00Z") == ["soon"]
    assert {late["overdue"], soon["overdue"], done["overdue"]} == {True, False}


async def test_removes_a_task(ana, bruno):
    task = await ana.made("/tasks", {"title": "x"})
    assert (await bruno.delete(f"/tasks/{task['id']}"))[0] == 404
    assert (await bruno.patch(f"/tasks/{task['id']}", {"title": "y"}))[0] == 404
    assert await ana.delete(f"/tasks/{task['id']}") == (204, None)
    assert (await ana.get(f"/tasks/{task['id']}"))[0] == 404
