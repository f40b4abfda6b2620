"""`null` in a PATCH: it clears a field that may be null, and is refused, by name, for one that cannot be."""

import pytest

from tests.api.outboxes import later
from tests.api.test_bounds import document, resolved

BASE = "/api/v1"
PATCHES = sorted(path.removeprefix(BASE) for path, item in document()["paths"].items() if "patch" in item)
# What null makes of a field that is not shown as null.
SHOWN = {"/contacts/{contact_id}/settings": {"currency": "BRL"}, "/facts/{fact_id}": {"tags": [], "aliases": []}}


def fields_of(path):
    """The body's fields, and whether each may be null."""
    operation = document()["paths"][BASE + path]["patch"]
    fields = resolved(operation["requestBody"]["content"]["application/json"]["schema"])["properties"]
    return {name: {"type": "null"} in field.get("anyOf", ()) for name, field in fields.items()}


async def place_of(ana, path):
    """The URL of something that this path changes."""
    if path == "/me":
        return path
    noun = path.split("/")[1]
    entry = await ana.hears("é urgente")
    if noun in {"contacts", "conversations"}:
        return path.format(contact_id=entry["contact_id"], conversation_id=entry["conversation_id"])
    if noun == "messages":
        body = {"body": "Lembrete", "scheduled_at": later(hours=2)}
        message = await ana.made(f"/conversations/{entry['conversation_id']}/messages", body)
        return f"/messages/{message['id']}"
    if noun == "notifications":
        for _ in range(100):
            if found := await ana.notifications():
                return f"/notifications/{found[0]['id']}"
    bodies = {
        "channels": {"type": "email", "name": "Loja", "external_account_id": "loja@example.com"},
        "facts": {"kind": "product", "name": "Cadeira", "price": "10.00"},
        "flows": {"name": "Triagem", "definition": {"start": "a", "nodes": []}},
        "rules": {"text": "Quando o cliente pedir desconto, me avise"},
        "subscriptions": {"url": "https://example.com/hook"},
        "tasks": {"title": "Ligar"},
    }
    return f"/{noun}/{(await ana.made(f'/{noun}', bodies[noun]))['id']}"


@pytest.mark.parametrize("path", PATCHES)
async def test_null_clears_what_may_be_null_and_is_refused_elsewhere(ana, path):
    url = await place_of(ana, path)
    for name, nullable in fields_of(path).items():
        status, answer = await ana.patch(url, {name: None})
        if nullable:
            assert (status, answer.get(name)) == (200, SHOWN.get(path, {}).get(name)), name
        else:
            assert (status, [fault["pointer"] for fault in answer["errors"]]) == (422, [f"/{name}"]), answer


async def test_null_is_refused_further_in_and_beside_others(ana):
    entry = await ana.hears("Boa tarde")
    contact, talk = f"/contacts/{entry['contact_id']}", entry["conversation_id"]
    status, problem = await ana.patch(contact, {"name": "Nadia", "settings": {"vip": None, "base_price": None}})
    assert (status, problem["errors"]) == (
        422,
        [
            {
                "pointer": "/settings/vip",
                "message": "This cannot be null; leave it out where it shall stay as it is.",
                "code": "not_nullable",
            }
        ],
    )
    assert (await ana.get(contact))[1]["name"] == "Marina Quintela"
    change = {"add_tags": ["feira"], "unread": None, "status": None}
    status, problem = await ana.post("/conversations/bulk", {"ids": [talk], "change": change})
    assert (status, {fault["pointer"] for fault in problem["errors"]}) == (422, {"/change/status", "/change/unread"})


async def test_a_rule_without_its_sentence_goes_on(ana):
    rule = await ana.made("/rules", {"text": "Quando o cliente pedir desconto, me avise"})
    status, kept = await ana.patch(f"/rules/{rule['id']}", {"text": None})
    assert (status, kept | {"updated_at": 0}) == (200, rule | {"text": None, "updated_at": 0})
