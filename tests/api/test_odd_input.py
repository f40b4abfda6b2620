"""Odd values in every field and every parameter of every operation: an answer, and never a 500."""

import json
import re

import pytest
from uuid_utils.compat import uuid7

ODD = [
    None,
    "",
    -1,
    10**30,
    True,
    [],
    {},
    [None],
    "x" * 70_000,
    "9999-12-31T23:59:59Z",
    "P9999999999Y",
    "\x00",
    "\ud83d",
]
ODD_IN_URL = ["x", "-1", "9" * 40, "%00", "%F0%9F", "9999-12-31T23:59:59Z", "0001-01-01", "1e400", "x" * 2000]
LEFT_OUT = re.compile(r"/auth/(register|login)|/stream$")  # they count attempts, or do not end


@pytest.fixture
async def named(ana):
    """A thing of each kind, by the name that paths and bodies give its id."""
    entry = await ana.hears("oi")
    task = await ana.made("/tasks", {"title": "Ligar"})
    rule = await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    flow = await ana.made("/flows", {"name": "Fluxo", "definition": {"start": "a", "nodes": []}})
    return {
        "conversation_id": entry["conversation_id"],
        "contact_id": entry["contact_id"],
        "channel_id": (await ana.conversations())[0]["channel"]["id"],
        "task_id": task["id"],
        "rule_id": rule["id"],
        "flow_id": flow["id"],
        "channel_type": "whatsapp",
    }


def requests(document, named):
    """(method, path, body or None) for every operation, field and odd value."""
    for template, item in document["paths"].items():
        path = re.sub(r"{(\w+)}", lambda found: named.get(found[1]) or str(uuid7()), template.removeprefix("/api/v1"))
        for method, operation in item.items():
            if method == "delete" or LEFT_OUT.search(template):
                continue
            for parameter in operation["parameters"]:
                if parameter["in"] == "query":
                    yield from ((method, f"{path}?{parameter['name']}={odd}", None) for odd in ODD_IN_URL)
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content and isinstance(content.get("example"), dict):
                good = content["example"] | {name: named[name] for name in content["example"] if name in named}
                yield from ((method, path, odd) for odd in ODD)
                yield from ((method, path, good | {name: odd}) for name in good for odd in ODD)


async def test_nothing_odd_is_a_500(ana, named):
    _, document = await ana.get("/openapi.json")
    asked, unanswered = 0, []
    for method, path, body in requests(document, named):
        sent = {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}} if method != "get" else {}
        status, _, raw = await ana.call(method.upper(), path, **sent)
        asked += 1
        if status >= 500:
            unanswered.append((method, path[:200], str(body)[:200], raw[:300]))
    assert unanswered == []
    assert asked > 500


async def test_a_body_of_too_many_values_is_refused_and_commas_in_texts_are_none(ana):
    crowded = ({"text": [1] * 10_002}, {f"k{number}": 1 for number in range(501)}, {"text": {"a": [[]] * 10_002}},
               [{f"k{n}": ""} for n in range(20_100)])  # fmt: skip
    for body in crowded:
        status, problem = await ana.post("/ai/classify-message", body)
        assert (status, problem["code"]) == (413, "too_large")
    assert (await ana.post("/ai/classify-message", {"text": 'a, "b", ' * 8_000}))[0] == 200
    assert (await ana.post("/ai/classify-message", {"text": '"' * 60_000}))[0] == 200


async def test_a_number_of_more_digits_than_anything_has_is_refused(ana):
    assert (await ana.post("/ai/classify-message", {"text": int("9" * 100)}))[0] == 200
    status, problem = await ana.post("/ai/classify-message", {"text": int("9" * 101)})
    assert (status, problem["code"]) == (400, "invalid_json")
