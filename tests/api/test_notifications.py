"""What a seller is told of, seen or not."""

import pytest
from uuid_utils.compat import uuid7

from tests.people import whatsapp

URGENT = "Preciso disso hoje, é urgente"


@pytest.fixture
async def alarmed(ana, eventually):
    """Ana, who was told of three urgent messages."""
    for number in range(3):
        await ana.hears(f"{URGENT} {number}", f"+551190000010{number}", at=1714564800 + number)
    assert len(await eventually(ana.notifications, lambda found: len(found) == 3)) == 3
    return ana


async def test_tells_of_an_urgent_message(ana, eventually):
    entry = await ana.hears(URGENT)
    (notification,) = await eventually(ana.notifications)
    assert notification == {
        "id": notification["id"],
        "type": "urgent_message",
        "title": "Mensagem urgente de Marina Quintela",
        "body": URGENT,
        "seen": False,
        "seen_at": None,
        "conversation_id": entry["conversation_id"],
        "task_id": None,
        "rule_id": None,
        "contact_id": entry["contact_id"],
        "count": None,
        "ids": None,
        "created_at": notification["created_at"],
    }


async def test_tells_once_for_each_urgent_message_and_of_no_other(ana, eventually):
    payload = whatsapp(URGENT)
    for each in (payload, whatsapp("oi, tudo bem?"), payload, whatsapp(URGENT), payload):
        assert (await ana.post("/webhooks/whatsapp", each))[0] == 200
    await ana.hears("último, é urgente")
    found = await eventually(ana.notifications, lambda found: any("último" in each["body"] for each in found))
    assert [each["body"] for each in found] == ["último, é urgente", URGENT, URGENT]
    assert len(await ana.events("notification.created")) == 3


async def test_speaks_the_users_language(ana, eventually):
    await ana.patch("/me", {"locale": "en-US"})
    await ana.hears(URGENT)
    assert (await eventually(ana.notifications))[0]["title"] == "Urgent message from Marina Quintela"


async def test_lists_newest_first_with_the_number_unseen(alarmed):
    status, page = await alarmed.get("/notifications", limit=2)
    assert (status, page["unseen_count"], page["has_more"]) == (200, 3, True)
    _, rest = await alarmed.get(page["next"])
    assert (rest["unseen_count"], rest["has_more"], rest["next"], rest["next_cursor"]) == (3, False, None, None)
    assert page["items"] + rest["items"] == await alarmed.notifications()
    assert [each["body"][-1] for each in await alarmed.notifications()] == ["2", "1", "0"]


async def test_seen_and_not_seen(alarmed):
    newest, middle, oldest = await alarmed.notifications()
    status, seen = await alarmed.patch(f"/notifications/{middle['id']}", {"seen": True})
    assert (status, seen) == (200, middle | {"seen": True, "seen_at": seen["seen_at"]})
    assert seen["seen_at"].endswith("Z")
    assert await alarmed.patch(f"/notifications/{middle['id']}", {"seen": "true"}) == (200, seen)
    assert await alarmed.notifications(seen=True) == [seen]
    assert await alarmed.notifications(seen="false") == [newest, oldest]
    assert (await alarmed.get("/notifications", seen=True))[1]["unseen_count"] == 2
    assert await alarmed.patch(f"/notifications/{middle['id']}", {"seen": False}) == (200, middle)


async def test_filters_by_type(alarmed):
    assert len(await alarmed.notifications(type="urgent_message", seen=False)) == 3
    assert await alarmed.notifications(type="rule_match") == []
    for query in ({"type": "spam"}, {"seen": "perhaps"}, {"unseen": True}):
        assert (await alarmed.get("/notifications", **query))[0] == 422


async def test_marks_several_or_all_as_seen(alarmed, bruno):
    ids = [each["id"] for each in await alarmed.notifications()]
    assert await bruno.post("/notifications/seen", {"ids": ids}) == (200, {"updated": 0})
    assert await bruno.post("/notifications/seen", {"all": True}) == (200, {"updated": 0})
    assert await alarmed.post("/notifications/seen", {"ids": [ids[0], ids[0], str(uuid7())]}) == (200, {"updated": 1})
    assert await alarmed.post("/notifications/seen", {"ids": ids[:2]}) == (200, {"updated": 1})
    assert await alarmed.post("/notifications/seen", {"ids": []}) == (200, {"updated": 0})
    assert await alarmed.post("/notifications/seen", {"all": True}) == (200, {"updated": 1})
    assert (await alarmed.get("/notifications"))[1]["unseen_count"] == 0


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"ids": [1]}, {"ids": "all"}, {"seen": True}, {"ids": [], "all": True}]
)
async def test_needs_to_know_which(ana, body):
    assert (await ana.post("/notifications/seen", body))[0] == 422


async def test_all_may_be_said_as_text(ana):
    assert await ana.post("/notifications/seen", {"all": "true"}) == (200, {"updated": 0})


async def test_seen_must_be_said(alarmed):
    (first, *_) = await alarmed.notifications()
    for body in ({}, {"seen": None}, {"seen": "perhaps"}, {"seen": True, "title": "x"}):
        assert (await alarmed.patch(f"/notifications/{first['id']}", body))[0] == 422


async def test_somebody_elses_is_not_there(alarmed, bruno):
    (first, *_) = await alarmed.notifications()
    for named in (first["id"], uuid7(), "no-uuid"):
        status, problem = await bruno.patch(f"/notifications/{named}", {"seen": True})
        assert (status, problem["code"]) == (404, "not_found")
    assert await bruno.notifications() == []
    assert (await alarmed.notifications())[0] == first


async def test_a_cursor_of_another_list_is_told(alarmed):
    _, events = await alarmed.get("/events", limit=1)
    for cursor in (events["next_cursor"], "damaged"):
        status, problem = await alarmed.get("/notifications", cursor=cursor)
        assert (status, problem["code"]) == (400, "invalid_cursor")
