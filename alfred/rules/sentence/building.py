"""Puts conditions together in their shortest equal form, as plain JSON."""

from typing import Any

Cond = dict[str, Any]

# A clause that restricts nothing ("when a message arrives"); it disappears among others.
ANYTHING: Cond = {}


def leaf(field: str, op: str, value: object) -> Cond:
    return {"field": field, "op": op, "value": value}


def from_key(key: str) -> Cond:
    """A leaf written in a lexicon: `message.urgency eq high`."""
    field, op, value = key.split(" ", 2)
    return leaf(field, op, {"true": True, "false": False}.get(value, value))


def trigger(name: str) -> Cond:
    """Stands in the tree where the sentence names what happens; taken out at the end."""
    return {"trigger": name}


def all_of(parts: list[Cond]) -> Cond:
    flat = _flat("all", [part for part in parts if part != ANYTHING])
    if not flat:
        return ANYTHING
    return _merged(flat, "contains_all", ("contains", "contains_all")) or _wrap("all", flat)


def any_of(parts: list[Cond]) -> Cond:
    """None of the parts may restrict nothing; the caller sees to that."""
    flat = _flat("any", parts)
    words = _merged(flat, "contains_any", ("contains", "contains_any"))
    return words or _merged(flat, "in", ("eq", "in")) or _wrap("any", flat)


def negated(part: Cond) -> Cond:
    if part.get("op") == "eq" and isinstance(part["value"], bool):
        return {**part, "value": not part["value"]}
    inner: Cond = part.get("not", {"not": part})
    return inner


def triggers_in(part: Cond) -> bool:
    """Whether the sentence names what happens anywhere in this part."""
    below = [*part.get("all", ()), *part.get("any", ())] + ([part["not"]] if "not" in part else [])
    return "trigger" in part or any(map(triggers_in, below))


def _flat(kind: str, parts: list[Cond]) -> list[Cond]:
    flat: list[Cond] = []
    for part in parts:
        for each in part.get(kind, [part]):
            if each not in flat:
                flat.append(each)
    return flat


def _wrap(kind: str, parts: list[Cond]) -> Cond:
    return parts[0] if len(parts) == 1 else {kind: parts}


def _merged(parts: list[Cond], op: str, ops: tuple[str, str]) -> Cond | None:
    """One leaf for several about one field: "a" or "b" becomes any of ["a", "b"]."""
    fields = {part.get("field") for part in parts}
    if len(parts) < 2 or len(fields) != 1 or not all(part.get("op") in ops for part in parts):
        return None
    values: list[object] = []
    for part in parts:
        several = part["value"] if part["op"] == ops[1] else [part["value"]]
        values += [value for value in several if value not in values]
    return leaf(str(fields.pop()), op, values)
