"""Rules as they are given."""

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
DISCOUNT = "Quando o cliente pedir desconto, me avise e crie uma tarefa para amanhã"
URGENT = {"field": "message.urgency", "op": "eq", "value": "high"}
COMPILED = {"version": 1, "trigger": "message.received", "when": URGENT, "then": [{"action": "notify"}]}


def when(condition):
    return COMPILED | {"when": condition}


def then(*actions):
    return COMPILED | {"then": list(actions)}
