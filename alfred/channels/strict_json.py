"""JSON as strangers send it: strict in syntax, bounded in depth, never a RecursionError."""

import json
from typing import Any, NoReturn

DEEPEST = 100  # far deeper than any provider nests


class BrokenJson(ValueError):
    """What should be JSON is not; the text says why in one sentence."""


def parse(source: str | bytes) -> Any:
    try:
        text = source if isinstance(source, str) else source.decode(json.detect_encoding(source), "surrogatepass")
        document = _DECODER.decode(text)
    except json.JSONDecodeError as broken:
        raise BrokenJson(f"The JSON is broken at line {broken.lineno}, column {broken.colno}.") from broken
    except RecursionError as broken:
        raise BrokenJson(f"The JSON is nested more than {DEEPEST} levels deep.") from broken
    except ValueError as broken:  # not Unicode, or a number of thousands of digits
        raise BrokenJson("The JSON is not Unicode text, or holds a number that is none.") from broken
    if text.count("{") + text.count("[") > DEEPEST and _is_deeper(document):
        raise BrokenJson(f"The JSON is nested more than {DEEPEST} levels deep.")
    return document


def parsed(value: object) -> Any:
    """What a field holds as JSON text, or as JSON already; null when it is neither."""
    if not isinstance(value, str):
        return value if isinstance(value, dict | list) else None
    try:
        return parse(value)
    except BrokenJson:
        return None  # one broken field does not lose the others


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # `json.loads` would make one for each text


def _is_deeper(document: Any) -> bool:
    level = [document]
    for _ in range(DEEPEST + 1):
        level = (
            [
                child
                for node in level
                for child in (node.values() if isinstance(node, dict) else node)
                if isinstance(child, dict | list)
            ]
            if isinstance(level[0], dict | list)
            else []
        )
        if not level:
            return False
    return True
