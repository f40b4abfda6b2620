"""Pages of the inbox are written by PostgreSQL: they are what the models would have written."""

import json

import pytest
from aiohttp import web

from alfred.api.conversations import ListedConversation
from alfred.http.models import Page


@pytest.fixture
async def inbox(ana):
    """Three conversations, one of them with everything that can be said of one."""
    for number in range(3):
        await ana.hears("É urgente!", sender=f"+551190000000{number}", at=1714564800 + number)
    (newest, _, oldest) = await ana.conversations()
    await ana.patch(f"/conversations/{oldest['id']}", {"tags": ["vip"], "snoozed_until": "2031-01-01T00:00:00Z"})
    await ana.post(f"/conversations/{newest['id']}/messages", {"body": "oi"})
    await ana.patch(f"/contacts/{newest['contact']['id']}/settings", {"vip": True})
    return [each["id"] for each in await ana.conversations()]


async def test_is_written_as_each_conversation_is(ana, inbox):
    for listed in await ana.conversations():
        assert await ana.get(f"/conversations/{listed['id']}") == (200, listed)


async def test_fits_the_model_that_documents_it(ana, inbox):
    _, headers, raw = await ana.call("GET", "/conversations", limit=2)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    model = Page[ListedConversation]
    again = model.model_validate_json(raw).model_dump_json(exclude={"items": {"__all__": {"match"}}})
    assert json.loads(again) == json.loads(raw)
    assert list(json.loads(raw)) == list(model.model_fields)
    assert json.loads(raw)["has_more"] is True


async def test_so_is_what_a_search_finds(ana, inbox):
    await ana.hears('Tem "mesa" \\\n de jantar?', sender="+5511900000001", at=1714564850)
    await ana.hears("Oi", sender="+5511900000009", name="A mesa", at=1714564860)
    _, _, raw = await ana.call("GET", "/conversations", q="mesa")
    by_name, by_message = json.loads(raw)["items"]
    assert by_name.pop("match") is None
    assert by_message.pop("match")["excerpt"] == 'Tem "mesa" \\ de jantar?'
    for listed in (by_name, by_message):
        assert await ana.get(f"/conversations/{listed['id']}") == (200, listed)
    again = Page[ListedConversation].model_validate_json(raw).model_dump_json()
    assert json.loads(again) == json.loads(raw)


async def test_goes_on_where_the_page_before_ended_with_filters_and_without(ana, inbox):
    _, first = await ana.get("/conversations", limit=1)
    for filters in ({}, {"urgency": "high"}):
        _, rest = await ana.get("/conversations", cursor=first["next_cursor"], **filters)
        assert [each["id"] for each in rest["items"]] == inbox[1:]


async def test_shows_nobody_elses(ana, bruno, inbox):
    assert await bruno.conversations() == []


async def test_an_erased_user_is_refused(ana, inbox):
    assert (await ana.delete("/me", {"password": "a good password"}))[0] == 204
    assert (await ana.get("/conversations"))[0] == web.HTTPUnauthorized.status_code
