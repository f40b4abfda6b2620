"""Many conversations changed at once, and the tags that they have."""

import pytest


@pytest.fixture
async def six(ana):
    """Six conversations, the newest first."""
    entries = [await ana.hears(f"oi {n}", f"+55119000003{n:02}", at=1714564800 + n) for n in range(6)]
    return [entry["conversation_id"] for entry in reversed(entries)]


async def bulk(person, change, **selection):
    return await person.post("/conversations/bulk", {"change": change, **selection})


async def shown(person, name, **query):
    return [each[name] for each in await person.conversations(**query)]


async def test_changes_some_by_their_ids(ana, six):
    change = {"status": "closed", "add_tags": ["feira", "vip"], "unread": False}
    assert await bulk(ana, change, ids=six[:2]) == (200, {"updated": 2, "has_more": False})
    assert await shown(ana, "status") == ["closed", "closed", "open", "open", "open", "open"]
    assert await shown(ana, "tags") == [["feira", "vip"]] * 2 + [[]] * 4
    assert await shown(ana, "unread_count") == [0, 0, 1, 1, 1, 1]
    assert await shown(ana, "waiting_since", status="closed") == [None, None]
    assert (await bulk(ana, change, ids=six[:2]))[1] == {"updated": 0, "has_more": False}
    assert (await bulk(ana, change, ids=six[:3]))[1] == {"updated": 1, "has_more": False}
    assert (await bulk(ana, {"status": "open"}, ids=six))[1]["updated"] == 3
    assert None not in await shown(ana, "waiting_since")


async def test_changes_what_a_filter_shows(ana, six):
    await bulk(ana, {"add_tags": ["a", "b"]}, ids=six[:3])
    change = {"add_tags": ["b", "c", "c"], "remove_tags": ["a"]}
    assert (await bulk(ana, change, filter={"tag": "a"}))[1] == {"updated": 3, "has_more": False}
    assert await shown(ana, "tags") == [["b", "c"]] * 3 + [[]] * 3
    assert (await bulk(ana, {"unread": True}, filter={}))[1]["updated"] == 0
    assert (await bulk(ana, {"unread": False}, filter={"q": "oi 3"}))[1]["updated"] == 1
    assert await shown(ana, "snippet", unread_only=True) == ["oi 5", "oi 4", "oi 2", "oi 1", "oi 0"]


async def test_goes_on_where_a_filter_shows_too_many(ana, six, monkeypatch):
    monkeypatch.setattr("alfred.api.inbox.MOST_CHANGED", 4)
    assert (await bulk(ana, {"unread": False}, filter={}))[1] == {"updated": 4, "has_more": True}
    assert await shown(ana, "unread_count") == [0, 0, 0, 0, 1, 1]
    assert (await bulk(ana, {"unread": False}, filter={}))[1] == {"updated": 2, "has_more": False}
    assert (await bulk(ana, {"unread": True}, filter={"contact_id": ana.id}))[1] == {"updated": 0, "has_more": False}


async def test_snoozes_and_wakes(ana, six):
    until = "2100-01-01T09:00:00Z"
    assert (await bulk(ana, {"status": "snoozed", "snoozed_until": until}, ids=six[:2]))[1]["updated"] == 2
    assert await shown(ana, "snoozed_until", status="snoozed") == [until] * 2
    assert (await bulk(ana, {"status": "open"}, filter={"status": "snoozed"}))[1]["updated"] == 2
    assert await shown(ana, "snoozed_until") == [None] * 6


async def test_no_conversation_gets_more_than_fifty_tags(ana, six):
    await bulk(ana, {"add_tags": [f"t{n}" for n in range(49)]}, ids=six[:1])
    assert (await bulk(ana, {"add_tags": ["x", "y"]}, ids=six[:2]))[1]["updated"] == 1
    assert [len(tags) for tags in await shown(ana, "tags")] == [49, 2, 0, 0, 0, 0]


async def test_a_change_of_many_is_in_the_log(ana, six):
    await bulk(ana, {"unread": False}, ids=six)
    assert await ana.events("conversation.updated") == []
    await bulk(ana, {"status": "pending", "add_tags": ["feira"]}, ids=six[:2])
    events = await ana.events("conversation.updated")
    assert {event["conversation_id"] for event in events} == set(six[:2])
    assert [event["payload"] for event in events] == [{"status": "pending", "tags": ["feira"]}] * 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"change": {"status": "open"}}, ""),
        ({"change": {"status": "open"}, "ids": [], "filter": {}}, "/ids"),
        ({"change": {"snoozed_until": "2020-01-01"}, "filter": {}}, "/change/snoozed_until"),
        ({"change": {}, "filter": {}}, "/change"),
        ({"change": {"add_tags": []}, "filter": {}}, "/change"),
        ({"change": {"status": "away"}, "filter": {}}, "/change/status"),
        ({"change": {"tags": ["a"]}, "filter": {}}, "/change/tags"),
        ({"change": {"add_tags": ["x" * 51]}, "filter": {}}, "/change/add_tags/0"),
        ({"change": {"unread": True}, "filter": {"limit": 5}}, "/filter/limit"),
        ({"change": {"unread": True}, "filter": {"status": "away"}}, "/filter/status"),
        ({"change": {"unread": True}, "ids": ["x"]}, "/ids/0"),
        ({"filter": {}}, "/change"),
    ],
)
async def test_refuses_a_bad_change_of_many(ana, body, pointer):
    status, problem = await ana.post("/conversations/bulk", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_somebody_elses_is_not_there_and_nothing_is_half_done(ana, bruno, six):
    theirs = (await bruno.hears("oi"))["conversation_id"]
    status, problem = await bulk(ana, {"status": "closed"}, ids=[*six, theirs])
    assert (status, problem["errors"][0]["pointer"]) == (422, "/ids/6")
    assert await shown(ana, "status") == ["open"] * 6
    await bulk(ana, {"status": "closed", "add_tags": ["mine"]}, filter={})
    assert await shown(bruno, "status") == ["open"]
    assert (await bruno.get("/tags"))[1] == {"items": []}


async def test_two_hundred_ids_and_no_more(ana, six):
    assert (await bulk(ana, {"unread": False}, ids=[six[0]] * 200))[1]["updated"] == 1
    assert (await bulk(ana, {"unread": False}, ids=[six[0]] * 201))[0] == 422


async def tags(person):
    status, answer = await person.get("/tags")
    assert status == 200
    return {item["tag"]: item["count"] for item in answer["items"]}


async def test_counts_the_tags_however_they_are_set(ana, six, eventually):
    assert await tags(ana) == {}
    await ana.patch(f"/conversations/{six[0]}", {"tags": ["vip", "feira"]})
    await bulk(ana, {"add_tags": ["vip"]}, ids=six[1:3])
    assert await tags(ana) == {"feira": 1, "vip": 3}
    assert list(await tags(ana)) == ["feira", "vip"]
    await ana.patch(f"/conversations/{six[0]}", {"tags": ["vip"]})
    await ana.patch(f"/conversations/{six[0]}", {"status": "pending"})
    await bulk(ana, {"remove_tags": ["vip"]}, ids=six[2:])
    assert await tags(ana) == {"vip": 2}
    compiled = {
        "version": 1,
        "trigger": "message.received",
        "when": {"field": "message.text", "op": "contains", "value": "etiqueta"},
        "then": [{"action": "add_tag", "tag": "regra"}],
    }
    await ana.made("/rules", {"compiled": compiled})
    await ana.hears("etiqueta", "+5511900000300")
    assert await eventually(lambda: tags(ana), lambda found: "regra" in found) == {"vip": 2, "regra": 1}
    for conversation in await ana.conversations():
        await ana.delete(f"/contacts/{conversation['contact']['id']}")
    assert await tags(ana) == {}
