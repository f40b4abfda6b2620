"""Every bound: what is as large as it may be is accepted, what is one larger is refused and says where."""

import datetime
import functools
import json
from uuid import UUID

import pytest

from alfred.app import described
from tests.people import whatsapp

BASE = "/api/v1"
TOO_MUCH = {"string_too_long", "too_long", "less_than_equal", "greater_than_equal", "string_too_short", "too_short"}
# The bounds of bodies and queries by the field's name; where one of them differs, by its path.
FIELDS = {
    "aliases": 20, "api_key": 8192, "attachments": 20, "base_url": 2048, "body": 65536, "current_password": 1000,
    "daily_tokens": 10**9, "days": 365, "description": 10_000, "email": 256, "events": 100, "external_account_id": 256,
    "external_id": 512, "features": 3, "grace_seconds": 7 * 86_400, "handle": 256, "identities": 50, "ids": 200,
    "include": 200, "intent": 200, "last_event_id": 20_000, "lease_seconds": 900, "limit": 200, "model": 200,
    "most": 50, "name": 200, "notes": 10_000, "password": 1000, "phone": 256, "q": 200, "refresh_token": 1000,
    "scopes": 5, "sku": 100, "subject": 998, "tag": 50, "tags": 20, "text": 65_536, "texts": 20, "title": 200,
    "type": 100, "types": 2000, "url": 8192, "after": 20_000, "wait": 25,
}  # fmt: skip
OTHERWISE = {
    "email": ("/auth/register", "/auth/login", "/session", 254),
    "description": ("/subscriptions", "/subscriptions/{subscription_id}", 200),
    "ids": ("/notifications/seen", 1000),
    "tags": ("/conversations/{conversation_id}", 50),
    "text": ("/facts", "/facts/{fact_id}", 500),
}
SENTENCES = ("/rules", "/rules/compile", "/rules/{rule_id}", "/rules/backtest")
NOTES = ("/contacts/{contact_id}/notes",)


document = functools.cache(described)


def resolved(schema):
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def bounds():
    """Each field of a body or query that is bounded above: the method, the path, where it stands, its bound."""
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            fields = [("body", name, schema) for name, schema in resolved(body).get("properties", {}).items()]
            fields += [
                ("query", each["name"], each["schema"])
                for each in operation.get("parameters", ())
                if each.get("in") == "query" and each["name"] != "cursor"
            ]
            for place, name, schema in fields:
                for kind in map(resolved, [schema, *schema.get("anyOf", ())]):
                    for key in {"maxLength", "maxItems", "maximum"} & set(kind):
                        yield method, path.removeprefix(BASE), place, name, key, kind[key]


def written_bound(path, name):
    """What the table above says of a field."""
    if name == "text" and path in SENTENCES + NOTES:
        return 1000 if path in SENTENCES else 10_000
    *paths, bound = OTHERWISE.get(name, (None,))
    return bound if path in paths else FIELDS.get(name)


def test_the_document_has_the_bounds_of_the_table():
    found = {(path, name): bound for _, path, _, name, _, bound in bounds()}
    assert found == {(path, name): written_bound(path, name) for path, name in found}
    assert len([*bounds()]) > 100


def of_size(key, name, size):
    if key == "maximum":
        return size
    if key == "maxItems":
        return [
            str(UUID(int=number)) if name == "ids" else ("image" if name == "attachments" else f"n{number}")
            for number in range(size)
        ]
    return "á" * size  # characters, not bytes


LONGEST_LINE = 8000  # of a request: what is longer never comes to its bound
IDS = dict.fromkeys(
    ("channel_id", "contact_id", "conversation_id", "message_id", "task_id", "rule_id", "flow_id", "fact_id",
     "subscription_id"), UUID(int=1),
)  # fmt: skip


def is_refused_for_its_size(status, raw, name):
    """By a fault that says where."""
    faults = json.loads(raw).get("errors", ()) if status in {400, 422} else ()
    return any(each["pointer"] in {name, f"/{name}"} and each["code"] in TOO_MUCH for each in faults)


@pytest.mark.parametrize("name", FIELDS)
async def test_one_more_is_refused(name, ana):
    """The fields of this name, wherever they stand."""
    fields = [each for each in bounds() if each[3] == name]
    assert fields
    for method, path, place, _, key, bound in fields:
        for size, is_refused in ((bound, False), (bound + 1, True)):
            value = of_size(key, name, size)
            too_long = key == "maxLength" and bound > LONGEST_LINE
            if place == "query" and (too_long or (name == "wait" and not is_refused)):
                continue
            query = {name: "x" * size if key == "maxLength" else value} if place == "query" else {}
            status, _, raw = await ana.call(
                method.upper(), path.format(**IDS), None if query else {name: value}, **query
            )
            assert status < 500, (method, path, raw)
            assert is_refused_for_its_size(status, raw, name) == is_refused, (method, path, size, raw)


def nodes(count):
    chain = [{"id": f"n{n}", "type": "action", "action": "notify", "next": f"n{n + 1}"} for n in range(count - 1)]
    return {"start": "n0", "nodes": [*chain, {"id": f"n{count - 1}", "type": "end"}]}


def posts(count):
    payload = whatsapp("oi")
    messages = payload["entry"][0]["changes"][0]["value"]["messages"]
    payload["entry"][0]["changes"][0]["value"]["messages"] = [
        {**messages[0], "id": f"wamid.bound{count}.{n}"} for n in range(count)
    ]
    return payload


HOOK = {"url": "https://example.com/hook"}
# What no field's schema says: how much of it is asked for, the request with so much, and what refuses one more.
ELSEWHERE = {
    "preferences": (4096, lambda n: ("PATCH", "/me", {"preferences": {"x": "y" * (n - 8)}}), 422, "value_error"),
    "password": (72, lambda n: ("POST", "/me/password", {"current_password": "x", "new_password": "x" * n}), 422,
                 "value_error"),
    "headers": (20, lambda n: ("POST", "/subscriptions", HOOK | {"headers": {f"X-A{i}": "1" for i in range(n)}}), 422,
                "forbidden_header"),
    "header": (4096, lambda n: ("POST", "/subscriptions", HOOK | {"headers": {"X-A": "1" * n}}), 422,
               "forbidden_header"),
    "nodes": (500, lambda n: ("POST", "/flows/validate", {"definition": nodes(n)}), 200, "too_large"),
    "items": (1000, lambda n: ("POST", "/webhooks/whatsapp", posts(n)), 422, "too_many_items"),
    "days": (400, lambda n: ("GET", f"/reports/messages?from=2024-01-01T00:00:00Z&to={day(n)}&interval=day", None), 422,
             "too_many_buckets"),
}  # fmt: skip


def day(count):
    return f"{datetime.date(2024, 1, 1) + datetime.timedelta(days=count)}T00:00:00Z"


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_one_more_is_refused_elsewhere(case, ana, monkeypatch):
    if case == "items":
        monkeypatch.setattr("alfred.api.webhooks.MOST_ITEMS", 3)
    bound, request, status, code = ELSEWHERE[case]
    bound = 3 if case == "items" else bound
    answers = [await ana._decoded(*request(size)) for size in (bound, bound + 1)]
    codes = [json.dumps(answer) for _, answer in answers]
    assert f'"{code}"' not in codes[0], answers[0]
    assert f'"{code}"' in codes[1], answers[1]
    assert answers[1][0] == status
    if case == "items":
        _, page = await ana.get("/webhooks/rejected")
        assert len(page["items"]) == 1, "what is refused is kept"
