"""Requests that are sent again under the same key, and what they have made."""

import json

from tests.people import whatsapp

URGENT = {"field": "message.urgency", "op": "eq", "value": "high"}
COMPILED = {"when": URGENT, "then": [{"action": "notify"}]}


async def repeated(person, path, body, key, **headers):
    """(status, whether it is a repetition, decoded answer)."""
    status, found, raw = await person.call("POST", path, body, headers={"Idempotency-Key": key, **headers})
    return status, found.get("Idempotent-Replayed"), json.loads(raw) if raw else None


async def everything(person):
    """How many there are of each thing."""
    counts = {}
    for path in ("/contacts", "/channels", "/conversations", "/tasks", "/rules", "/flows", "/tokens"):
        status, page = await person.get(path)
        assert status == 200
        counts[path] = len(page["items"])
    messages = [await person.messages(each["id"]) for each in await person.conversations()]
    return counts | {"messages": sum(map(len, messages))}


MAKING = [
    ("/contacts", {"name": "Eva", "handle": "+5511900000044", "channel_type": "whatsapp"}, 201),
    ("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "7"}, 201),
    ("/conversations", {"contact_id": "{contact}", "channel_id": "{channel}"}, 201),
    ("/conversations/{conversation}/messages", {"body": "Olá!"}, 201),
    ("/tasks", {"title": "Ligar"}, 201),
    ("/rules", {"name": "x", "compiled": COMPILED, "enabled": False}, 201),
    ("/flows", {"name": "x", "definition": {}}, 201),
    ("/tokens", {"name": "n8n"}, 201),
    ("/webhooks/whatsapp", whatsapp("oi de novo", id="wamid.idempotent"), 200),
]


def filled(template, ids):
    text = json.dumps(template)
    for name, value in ids.items():
        text = text.replace("{" + name + "}", value)
    return json.loads(text)
