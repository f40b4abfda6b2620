"""The schemas of the OpenAPI document as generators of clients like them: closed sets by name, no null defaults."""

from typing import Any, Literal, get_args, get_origin

from alfred import terms
from alfred.events import EventType

_REF = "#/components/schemas/{}"


# The words of each set of alfred/terms.py, by its name, and the types of events.
CLOSED_SETS: dict[str, tuple[str, ...]] = {
    name: get_args(term)
    for name, term in (*vars(terms).items(), ("EventType", EventType))
    if get_origin(term) is Literal
}
_NAMES = {frozenset(words): name for name, words in CLOSED_SETS.items()}


def components(schemas: dict[str, Any]) -> dict[str, Any]:
    """The named schemas, and with them each closed set."""
    sets = {name: {"type": "string", "enum": list(words), "title": name} for name, words in CLOSED_SETS.items()}
    return {name: for_clients(schema) for name, schema in schemas.items()} | sets


def for_clients(part: Any) -> Any:
    """The same part of the document, closed sets named.

    A null default says nothing, and makes generated clients ask for the field; so does that of a constant.
    """
    if isinstance(part, list):
        return [for_clients(each) for each in part]
    if not isinstance(part, dict):
        return part
    words = part.get("enum")
    if isinstance(words, list) and (name := _NAMES.get(frozenset(words))):
        notes = {key: part[key] for key in ("description", "default") if part.get(key) is not None}
        return {"$ref": _REF.format(name)} | notes
    idle = ("default" in part and part["default"] is None) or "const" in part
    return {key: for_clients(value) for key, value in part.items() if not (key == "default" and idle)}
