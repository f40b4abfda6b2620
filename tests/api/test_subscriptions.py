"""Subscriptions as their owner makes, sees and changes them."""

import json

import asyncpg
import pytest

from alfred.quotas import QUOTAS
from tests.conftest import serving
from tests.people import Person

URL = "https://example.com/hooks/alfred"
SHOWN = {
    *("id", "url", "events", "description", "header_names", "ordered", "enabled", "disabled_reason", "disabled_at"),
    *("last_success_at", "last_failure_at", "failing_since", "consecutive_failures", "pending", "dead", "created_by"),
    *("created_at", "updated_at"),
}


@pytest.fixture(autouse=True)
def resolver(monkeypatch):
    """Names lead to public addresses: no name server is asked."""

    async def found(_door, host, _port):
        from ipaddress import ip_address

        return [ip_address("10.1.2.3" if host.startswith("inside") else "93.184.216.34")]

    monkeypatch.setattr("alfred.outbound_http.OutboundHttp.addresses_of", found)


async def test_is_made_and_shows_its_secret_once(ana):
    body = {"url": URL, "events": ["message.*", "task.created", "message.*"], "description": "n8n",
            "headers": {"Authorization": "Bearer hidden-value", "X-Shop": "1"}}  # fmt: skip
    made = await ana.made("/subscriptions", body)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made.keys() == SHOWN
    assert made["events"] == ["message.*", "task.created"]
    assert made["header_names"] == ["Authorization", "X-Shop"]
    assert (made["enabled"], made["ordered"], made["pending"], made["dead"]) == (True, False, 0, 0)
    assert made["created_by"] is None
    for path in ("/subscriptions", f"/subscriptions/{made['id']}"):
        status, _, raw = await ana.call("GET", path)
        assert status == 200
        assert b"hidden-value" not in raw
        assert secret.encode() not in raw
    assert (await ana.get(f"/subscriptions/{made['id']}"))[1] == made


async def test_without_types_it_gets_all_but_what_doubles(ana):
    made = await ana.made("/subscriptions", {"url": URL})
    assert {"message.received", "task.completed", "subscription.disabled"} <= set(made["events"])
    assert not {"message.classified", "notification.created"} & set(made["events"])


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "ftp://example.com/x"}, "/url", "invalid_url"),
        ({"url": "https://user:pass@example.com/x"}, "/url", "invalid_url"),
        ({"url": URL + "#part"}, "/url", "invalid_url"),
        ({"url": URL + "?" + "x" * 2048}, "/url", "invalid_url"),
        ({"url": "http://example.com/x"}, "/url", "insecure_url"),
        ({"url": "https://127.0.0.1/x"}, "/url", "private_address"),
        ({"url": "https://[::ffff:10.0.0.1]/x"}, "/url", "private_address"),
        ({"url": "https://0x7f.1/x"}, "/url", "private_address"),
        ({"url": "https://inside.example.com/x"}, "/url", "private_address"),
        ({"url": URL, "events": ["message.*", "task.lost"]}, "/events/1", "unknown_event_type"),
        ({"url": URL, "events": ["mess*"]}, "/events/0", "unknown_event_type"),
        ({"url": URL, "headers": {"Host": "x"}}, "/headers/Host", "forbidden_header"),
        ({"url": URL, "headers": {"Content-Type": "x"}}, "/headers/Content-Type", "forbidden_header"),
        ({"url": URL, "headers": {"Webhook-Id": "x"}}, "/headers/Webhook-Id", "forbidden_header"),
        ({"url": URL, "headers": {"x-alfred-event": "x"}}, "/headers/x-alfred-event", "forbidden_header"),
        ({"url": URL, "headers": {"a b": "x"}}, "/headers/a b", "forbidden_header"),
        ({"url": URL, "headers": {"X-A": "x\r\ny: z"}}, "/headers/X-A", "forbidden_header"),
        ({"url": URL, "headers": {"X-A": "x" * 4097}}, "/headers/X-A", "forbidden_header"),
        ({"url": URL, "headers": {f"X-{n}": "x" for n in range(21)}}, "/headers", "forbidden_header"),
        ({}, "/url", "missing"),
        ({"url": URL, "secret": "mine"}, "/secret", "unknown_field"),
    ],
)
async def test_refuses_what_cannot_be(ana, body, pointer, code):
    status, problem = await ana.post("/subscriptions", body)
    assert status == 422
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (pointer, code)
    if code == "private_address":
        assert "ALFRED_PRIVATE_TARGETS" in problem["errors"][0]["message"]


async def test_is_found_by_its_url_and_changed(ana):
    one = await ana.made("/subscriptions", {"url": URL, "headers": {"Authorization": "x"}})
    two = await ana.made("/subscriptions", {"url": URL})
    other = await ana.made("/subscriptions", {"url": "https://example.com:8443/other", "enabled": False})
    assert other["disabled_reason"] == "by_user"

    async def ids(**query):
        return [each["id"] for each in (await ana.get("/subscriptions", **query))[1]["items"]]

    assert await ids() == [other["id"], two["id"], one["id"]]
    assert await ids(url=URL) == [two["id"], one["id"]]
    assert await ids(enabled=False) == [other["id"]]
    path = f"/subscriptions/{one['id']}"
    status, changed = await ana.patch(path, {"events": ["*"], "description": "Neu", "ordered": True})
    assert (status, changed["events"], changed["description"], changed["ordered"]) == (200, ["*"], "Neu", True)
    assert (await ana.patch(path, {"url": URL + "/2"}))[1]["header_names"] == ["Authorization"]
    assert (await ana.patch(path, {"url": "https://example.org/x"}))[1]["header_names"] == []
    moved = {"url": "https://example.net/x", "headers": {"X-Key": "y"}}
    assert (await ana.patch(path, moved))[1]["header_names"] == ["X-Key"]
    status, off = await ana.patch(path, {"enabled": False, "description": None})
    assert (off["enabled"], off["disabled_reason"], off["description"]) == (False, "by_user", None)
    assert off["disabled_at"]
    _, on = await ana.patch(path, {"enabled": True})
    assert (on["enabled"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)
    assert (await ana.patch(path, {"url": "http://example.com"}))[0] == 422


async def test_is_deleted_twice_without_harm(ana, bruno):
    made = await ana.made("/subscriptions", {"url": URL})
    path = f"/subscriptions/{made['id']}"
    assert (await bruno.delete(path))[0] == 404
    assert (await ana.delete(path))[0] == 204
    assert (await ana.delete(path))[0] == 204
    assert (await ana.get(path))[0] == 404
    assert (await ana.delete("/subscriptions/01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"))[0] == 404


async def test_of_those_deleted_the_last_thousand_stay_known(ana, cluster, database):
    made = await ana.made("/subscriptions", {"url": URL})
    root = await asyncpg.connect(cluster.superuser(database))
    await root.execute(
        """insert into subscription_tombstones (user_id, subscription_id, deleted_at)
           select $1, app.uuid7(), now() - make_interval(secs => n) from generate_series(1, 1003) n""",
        ana.id,
    )
    for _ in range(2):
        assert (await ana.delete(f"/subscriptions/{made['id']}"))[0] == 204
    assert await root.fetchval("select count(*) from subscription_tombstones where user_id = $1", ana.id) == 1000
    await root.close()


async def test_nobody_reaches_somebody_elses(ana, bruno):
    made = await ana.made("/subscriptions", {"url": URL})
    path = f"/subscriptions/{made['id']}"
    unknown = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
    calls = [
        ("GET", path, None), ("PATCH", path, {"enabled": False}), ("POST", f"{path}/rotate", {}),
        ("POST", f"{path}/test", {}), ("GET", f"{path}/deliveries", None),
        ("GET", f"{path}/deliveries/{unknown}", None),
        ("POST", f"{path}/deliveries/{unknown}/retry", None),
        ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
    ]  # fmt: skip
    for method, at, body in calls:
        status, _, raw = await bruno.call(method, at, body)
        assert (status, json.loads(raw)["code"]) == (404, "not_found"), (method, at)
    assert (await ana.get(path))[1]["enabled"] is True


async def test_needs_both_scopes(ana, http):
    for scopes, expected in (
        (["subscriptions", "read"], 201),
        (["admin"], 201),
        (["subscriptions"], 403),
        (["read", "write", "webhooks"], 403),
    ):
        token = await ana.made("/tokens", {"name": "n8n", "scopes": scopes})
        holder = Person(http, ana.address, {"access_token": token["token"]})
        status, answer = await holder.post("/subscriptions", {"url": URL})
        assert status == expected, scopes
        if status == 201:
            assert answer["created_by"] == {"id": token["id"], "name": "n8n"}
        assert (await holder.get("/subscriptions"))[0] == (200 if expected == 201 else 403)


async def test_an_answer_that_is_repeated_has_no_secret(ana):
    key = {"Idempotency-Key": "make-it-once"}
    first = json.loads((await ana.call("POST", "/subscriptions", {"url": URL}, headers=key))[2])
    _, headers, raw = await ana.call("POST", "/subscriptions", {"url": URL}, headers=key)
    assert headers["Idempotent-Replayed"] == "true"
    assert json.loads(raw) == first | {"secret": None}


async def test_a_tenant_has_fifty_and_no_more(ana, monkeypatch):
    monkeypatch.setitem(QUOTAS, "subscriptions", 3)
    for _ in range(3):
        await ana.made("/subscriptions", {"url": URL})
    status, problem = await ana.post("/subscriptions", {"url": URL})
    assert (status, problem["code"]) == (409, "too_many_subscriptions")


async def test_http_is_for_private_addresses_that_are_allowed(cluster, http):
    async with serving(cluster.app(cluster.copy()), private_targets="10.0.0.0/8,127.0.0.0/8") as address:
        ana = await Person.sign_up(http, address)
        await ana.made("/subscriptions", {"url": "http://127.0.0.1:5678/hook"})
        await ana.made("/subscriptions", {"url": "http://inside.example.com/hook"})
        _, problem = await ana.post("/subscriptions", {"url": "http://192.168.1.1/hook"})
        assert problem["errors"][0]["code"] == "private_address"
