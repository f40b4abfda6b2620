"""Pages of the list of conversations: each once, however they are walked; `next` and its cursor."""

from uuid import uuid4

import pytest
from yarl import URL

from alfred.api.inbox_page import FOUND, NEWEST
from alfred.http.pages import encode
from tests.conftest import serving
from tests.people import Person


async def walk(person, path, **query):
    """Every item of a list, page by page along `next`."""
    items, pages = [], 0
    status, page = await person.get(path, **query)
    while True:
        assert status == 200, page
        items += page["items"]
        pages += 1
        assert page["has_more"] == (page["next"] is not None) == (page["next_cursor"] is not None)
        if not page["has_more"]:
            return items, pages
        status, page = await person.get(page["next"])


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_hold_every_conversation_once(busy, limit):
    everything = await busy.conversations()
    items, pages = await walk(busy, "/conversations", limit=limit)
    assert items == everything
    assert pages == -(-10 // limit)


async def test_pages_are_right_when_times_tie(ana):
    for number in range(7):
        await ana.hears("oi", f"+551190000010{number}", at=1714564800)
    everything = await ana.conversations()
    items, _ = await walk(ana, "/conversations", limit=2)
    assert [each["id"] for each in items] == [each["id"] for each in everything]
    assert len({each["id"] for each in items}) == 7
    assert [each["id"] for each in everything] == sorted((each["id"] for each in everything), reverse=True)


async def test_pages_stay_right_while_others_arrive(ana):
    for number in range(6):
        await ana.hears(f"{number}", f"+551190000010{number}", at=1714564800 + number)
    _, page = await ana.get("/conversations", limit=2)
    seen = [each["snippet"] for each in page["items"]]
    while page["next"]:
        await ana.hears("new", f"+5511900001{len(seen):03}", at=1714570000 + len(seen))
        await ana.hears("old", f"+5511900002{len(seen):03}", at=1714560000 - len(seen))
        _, page = await ana.get(page["next"])
        seen += [each["snippet"] for each in page["items"]]
    assert [text for text in seen if text not in {"new", "old"}] == ["5", "4", "3", "2", "1", "0"]
    assert "new" not in seen


async def test_the_next_page_keeps_the_filters(ana):
    for number in range(5):
        await ana.hears("a 100% é & + #?", f"+551190000010{number}", at=1714564800 + number)
        await ana.hears("outro", f"+551190000020{number}", at=1714564800 + number)
    items, pages = await walk(ana, "/conversations", limit=2, q="100% é & + #", status="open")
    assert (len(items), pages) == (5, 3)


async def test_a_cursor_goes_on_as_next_does(busy):
    _, page = await busy.get("/conversations", limit=4)
    assert URL(page["next"]).query["cursor"] == page["next_cursor"]
    by_cursor = await busy.get("/conversations", limit=4, cursor=page["next_cursor"])
    _, by_link = await busy.get(page["next"])
    assert by_cursor[1]["items"] == by_link["items"]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "....", "%00", "a" * 500])
async def test_a_damaged_cursor_is_told(ana, cursor):
    status, problem = await ana.get("/conversations", cursor=cursor)
    assert (status, problem["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("filters", [{}, {"status": "open"}, {"q": "oi"}, {"q": "oi", "status": "open"}])
async def test_a_cursor_without_its_moment_is_damaged(ana, filters):
    kind = (FOUND if list(filters) == ["q"] else NEWEST).kind
    status, problem = await ana.get("/conversations", cursor=encode(kind, [None, uuid4()]), **filters)
    assert (status, problem["code"]) == (400, "invalid_cursor")


async def test_a_cursor_of_another_list_is_told(busy):
    _, contacts = await busy.get("/contacts", limit=1)
    status, problem = await busy.get("/conversations", cursor=contacts["next_cursor"])
    assert (status, problem["code"]) == (400, "invalid_cursor")
    _, page = await busy.get("/conversations", limit=1)
    cursor = page["next_cursor"]
    broken = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]
    assert (await busy.get("/conversations", cursor=broken))[1]["code"] == "invalid_cursor"
    assert (await busy.get("/conversations", cursor=cursor[:-4]))[1]["code"] == "invalid_cursor"


async def test_somebody_elses_cursor_shows_nothing_of_theirs(busy, bruno):
    _, page = await busy.get("/conversations", limit=1)
    assert (await bruno.get("/conversations", cursor=page["next_cursor"]))[1]["items"] == []


async def test_next_is_the_url_that_was_asked(ana, address):
    await two(ana)
    _, page = await ana.get("/conversations", limit=1)
    assert page["next"].startswith(f"{address}/api/v1/conversations?")
    _, headers, _ = await ana.call("GET", "/conversations")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    _, page = await ana.get("/conversations", limit=1, headers=forged)
    assert page["next"].startswith(address)


async def test_next_is_under_the_public_url(cluster, database, http):
    async with serving(cluster.logins(database), public_url="https://crm.example.com/alfred/") as address:
        ana = await Person.sign_up(http, address)
        await two(ana)
        _, page = await ana.get("/conversations", limit=1, q="oi & tchau")
        assert page["next"].startswith("https://crm.example.com/alfred/api/v1/conversations?")
        assert URL(page["next"]).query == {"limit": "1", "q": "oi & tchau", "cursor": page["next_cursor"]}


async def test_next_believes_a_trusted_proxy(cluster, database, http):
    async with serving(cluster.logins(database), trusted_proxies="127.0.0.0/8") as address:
        ana = await Person.sign_up(http, address)
        await two(ana)
        told = {"X-Forwarded-Host": "crm.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        _, page = await ana.get("/conversations", limit=1, headers=told)
        assert page["next"].startswith("https://crm.example.com/api/v1/conversations?limit=1&cursor=")
        for strange in ("evil\t.example/x?", "x" * 256):
            _, page = await ana.get("/conversations", limit=1, headers={"X-Forwarded-Host": strange})
            assert page["next"].startswith(address)


async def two(person):
    await person.hears("oi & tchau", "+5511900000011")
    await person.hears("oi & tchau", "+5511900000012")
