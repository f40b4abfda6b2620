"""JSON as text, quickly where that is possible."""

import json
from collections.abc import Callable
from typing import Any

import orjson


def json_text(value: Any, default: Callable[[Any], Any] | None = None) -> str:
    """The value as JSON; `default` makes something of what JSON has no word for."""
    try:
        return orjson.dumps(value, default).decode()
    except TypeError:  # an integer of more than 64 bits, a key that is no text, or half a surrogate pair
        return json.dumps(value, ensure_ascii=False, default=default)
