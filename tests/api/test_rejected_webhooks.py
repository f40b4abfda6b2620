"""Webhooks that cannot be read: refused, kept, listed, tried again."""

import json

import pytest
from uuid_utils.compat import uuid7

from alfred.api import kept_webhooks
from alfred.quotas import QUOTAS
from tests.api.posts import flat, post_raw
from tests.conftest import serving
from tests.people import Person


async def test_broken_json_is_refused_and_kept(ana):
    status, problem = await post_raw(ana, "whatsapp", b'{"from": "x", ', "application/json")
    assert (status, problem["code"]) == (400, "invalid_json")
    _, rejected = await ana.get("/webhooks/rejected")
    (kept,) = rejected["items"]
    assert kept == {
        "id": kept["id"],
        "channel_type": "whatsapp",
        "content_type": "application/json",
        "reason": problem["detail"],
        "body": '{"from": "x", ',
        "attempts": 1,
        "created_at": kept["created_at"],
    }
    assert rejected["next_cursor"] is rejected["next"] is None
    assert rejected["has_more"] is False


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"hello": "world"}', "application/json"),
        (b"[]", "application/json"),
        (b'"hello"', "application/json"),
        (b"17", "application/json"),
        (b"null", "application/json"),
        (b"", "text/plain"),
        (b"hello", "text/plain"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"nothing", "multipart/form-data"),
    ],
)
async def test_what_nobody_sends_is_refused_and_kept(ana, body, kind):
    status, problem = await post_raw(ana, "email", body, kind)
    assert (status, problem["code"]) == (422, "unrecognised_payload"), problem
    (kept,) = (await ana.get("/webhooks/rejected"))[1]["items"]
    assert (kept["channel_type"], kept["content_type"]) == ("email", kind)
    assert await ana.conversations() == []


async def test_of_too_many_items_all_are_kept_beside_one_that_cannot_be_read(ana, monkeypatch):
    monkeypatch.setattr("alfred.api.webhooks.MOST_ITEMS", 2)
    body = json.dumps([*(flat(f"many-{n}") for n in range(3)), {"hello": "world"}])
    status, problem = await post_raw(ana, "whatsapp", body.encode(), "application/json")
    assert (status, problem["code"]) == (422, "too_many_items")
    assert [kept["body"] for kept in (await ana.get("/webhooks/rejected"))[1]["items"]] == [body]


async def test_rejected_payloads_are_listed_retried_and_deleted(ana, bruno):
    for number in range(3):
        await ana.post("/webhooks/whatsapp", {"hello": number})
    _, first = await ana.get("/webhooks/rejected", limit=2)
    _, rest = await ana.get(first["next"])
    kept = first["items"] + rest["items"]
    assert [json.loads(each["body"]) for each in kept] == [{"hello": 2}, {"hello": 1}, {"hello": 0}]

    path = f"/webhooks/rejected/{kept[0]['id']}"
    status, problem = await ana.post(f"{path}/retry")
    assert (status, problem["code"]) == (422, "unrecognised_payload")
    assert (await ana.get("/webhooks/rejected"))[1]["items"][0]["attempts"] == 2

    assert (await bruno.post(f"{path}/retry"))[0] == (await bruno.delete(path))[0] == 404
    assert (await bruno.get("/webhooks/rejected"))[1]["items"] == []
    assert await ana.delete(path) == (204, None)
    assert (await ana.delete(path))[0] == (await ana.post(f"{path}/retry"))[0] == 404
    assert len((await ana.get("/webhooks/rejected"))[1]["items"]) == 2


async def test_what_is_kept_of_the_unreadable_is_bounded(ana, monkeypatch):
    """A thousand bodies of a MiB would fill the memory of whoever lists them, and the disk."""
    monkeypatch.setitem(QUOTAS, "rejected_posts", 2)
    for number in range(3):
        await ana.post("/webhooks/whatsapp", {"hello": number, "long": "x" * 100_000})
    _, listed = await ana.get("/webhooks/rejected")
    assert [each["body"][:10] for each in listed["items"]] == ['{"hello": ', '{"hello": ']
    assert [each["body"][10] for each in listed["items"]] == ["2", "1"]
    assert {len(each["body"]) for each in listed["items"]} == {kept_webhooks.SHOWN_OF_REJECTED}


async def test_a_retry_of_broken_json_is_422(ana):
    await post_raw(ana, "whatsapp", b"{", "application/json")
    (kept,) = (await ana.get("/webhooks/rejected"))[1]["items"]
    status, problem = await ana.post(f"/webhooks/rejected/{kept['id']}/retry")
    assert (status, problem["status"], problem["code"]) == (422, 422, "invalid_json")


async def test_a_retry_that_can_read_takes_it_in(ana, app_db):
    """As after an update that knows the sender."""
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        await app_db.execute(
            """insert into rejected_webhooks (user_id, rejected_id, channel_type, content_type, body, reason)
               values ($1, $2, 'whatsapp', 'application/json', $3, 'unknown')""",
            ana.id, rejected_id := uuid7(), json.dumps(flat("enfim")).encode(),
        )  # fmt: skip
    status, receipt = await ana.post(f"/webhooks/rejected/{rejected_id}/retry")
    assert (status, receipt["messages"][0]["text"]) == (200, "enfim")
    assert (await ana.get("/webhooks/rejected"))[1]["items"] == []
    assert [each["snippet"] for each in await ana.conversations()] == ["enfim"]


async def test_there_is_no_other_channel_type(ana):
    status, problem = await ana.post("/webhooks/telegram", flat("oi"))
    assert (status, problem["code"]) == (404, "not_found")
    assert (await ana.get("/webhooks/rejected"))[1]["items"] == []


async def test_needs_a_token(stranger):
    assert (await stranger.post("/webhooks/whatsapp", flat("oi")))[0] == 401


async def test_a_body_over_the_limit_is_too_large(cluster, database, http):
    async with serving(cluster.logins(database), hook_body_limit=2000) as address:
        ana = await Person.sign_up(http, address)
        status, problem = await ana.post("/webhooks/whatsapp", flat("x" * 2000))
        assert (status, problem["code"]) == (413, "too_large")
        assert (await ana.post("/webhooks/whatsapp", flat("x" * 1800)))[0] == 200
