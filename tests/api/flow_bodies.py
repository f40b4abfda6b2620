"""Flows as they are given."""

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
URGENT = {"field": "message.urgency", "op": "eq", "value": "high"}
TELL = {"id": "tell", "type": "action", "action": {"action": "notify", "title": "Urgente"}, "next": None}
TRIAGE = {
    "start": "urgent",
    "nodes": [
        {"id": "urgent", "type": "condition", "label": "É urgente?", "when": URGENT, "yes": "tell", "no": "where"},
        TELL | {"next": "task"},
        {"id": "task", "type": "action", "action": {"action": "create_task", "title": "Ligar", "due_in": "PT1H"},
         "next": None},
        {"id": "where", "type": "switch", "label": "Por onde?", "field": "channel.type",
         "cases": [{"value": "email", "next": "later"}, {"value": "instagram", "next": None}], "default": "tag"},
        {"id": "later", "type": "action", "action": {"action": "set_status", "status": "pending"}, "next": None},
        {"id": "tag", "type": "action", "action": {"action": "add_tag", "tag": "novo"}, "next": None},
    ],
}  # fmt: skip


DRAFT = {"start": "nowhere", "nodes": []}


def flow(*nodes, start="a"):
    return {"start": start, "nodes": list(nodes)}


def condition(id="a", **more):
    return {"id": id, "type": "condition", "when": URGENT, "yes": None, "no": None, **more}


def action(id="a", **more):
    return {"id": id, "type": "action", "action": {"action": "notify"}, "next": None, **more}


def switch(id="a", **more):
    return {"id": id, "type": "switch", "field": "channel.type", "cases": [], "default": None, **more}
