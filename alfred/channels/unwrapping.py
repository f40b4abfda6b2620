"""What forwarders put around payloads: lists, n8n's items, what its Webhook node hands on, JSON inside of strings."""

import json
import re
from typing import Any, NamedTuple

from alfred.channels.body import BrokenJson, UnreadableBody, read_body
from alfred.channels.building import MOST_READ
from alfred.channels.clean import obj, text
from alfred.channels.decoding import as_bytes, lossless

UUID_SHAPE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_PAYLOAD = object()
HEADERS = re.compile(r'"headers"\s*:\s*\{')
STRING_OR_BRACE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)


class Unwrapped(NamedTuple):
    """A payload as its provider posted it, and the id of ours that stood in the address (`?d=`)."""

    payload: Any
    delivery_id: str | None = None


def unwrapped(payload: Any) -> list[Unwrapped]:
    """The payloads inside, in the order of the document, up to a number that is refused as a whole anyway."""
    waiting, single = [Unwrapped(payload)], list[Unwrapped]()
    while waiting and len(single) < MOST_READ:
        one = waiting.pop()
        inner = _inside(one)
        if inner is None:
            single.append(one)
        else:
            waiting += reversed(inner)
    return single


def _inside(one: Unwrapped) -> list[Unwrapped] | None:
    """What is in a wrapper; null where it is none."""
    payload, delivery_id = one
    if isinstance(payload, list):
        return [Unwrapped(inner, delivery_id) for inner in payload]
    if isinstance(payload, str):
        inner = _posted(payload, None)
        return None if inner is NO_PAYLOAD else [Unwrapped(inner, delivery_id)]
    if not isinstance(payload, dict):
        return None
    if "headers" in payload and isinstance(payload.get("body"), dict | list | str):
        return _forwarded(payload, _delivery_id(payload) or delivery_id)
    return [Unwrapped(payload["json"], delivery_id)] if isinstance(payload.get("json"), dict) else None


def _forwarded(wrapper: dict[str, Any], delivery_id: str | None) -> list[Unwrapped] | None:
    """What n8n's Webhook node received; mails have headers and a body of their own, in other forms."""
    body = wrapper["body"]
    if not isinstance(body, str):
        return [Unwrapped(body, delivery_id)]
    content_type = _content_type(wrapper["headers"])
    inner = _posted(body, content_type)
    if inner is not NO_PAYLOAD:
        return [Unwrapped(inner, delivery_id)]
    is_wrapper = content_type is not None or bool({"params", "query", "webhookUrl"} & wrapper.keys())
    return [Unwrapped(Text(body), delivery_id)] if is_wrapper else None


class Text(str):
    """A string that was tried already."""


def _posted(source: str, content_type: str | None) -> Any:
    """What a string would be, had it been posted directly; without a content type only JSON or a mail."""
    if isinstance(source, Text) or not source.strip():
        return NO_PAYLOAD
    for kind in dict.fromkeys((content_type, None)):
        try:
            inner = read_body(as_bytes(source), kind)
        except (BrokenJson, UnreadableBody):
            continue
        if kind or isinstance(inner, bytes) or source.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
            return inner
    return _quoted(source)


def _quoted(source: str) -> Any:
    """JSON that is a string itself."""
    try:
        inner = json.loads(source) if source.lstrip().startswith('"') else NO_PAYLOAD
    except (ValueError, RecursionError):
        return NO_PAYLOAD
    return inner


def _content_type(headers: Any) -> str | None:
    names = {name.lower(): value for name, value in obj(headers).items() if isinstance(name, str)}
    return text(names.get("content-type"))


def _delivery_id(wrapper: dict[str, Any]) -> str | None:
    told = text(obj(wrapper.get("query")).get("d")) or ""
    return told if UUID_SHAPE.fullmatch(told) else None


def body_of(payloads: tuple[Any, ...]) -> tuple[bytes, str]:
    """Payloads as one body that reads like them, with its content type: what is kept of a post that could not be read.

    Forms come out as JSON with the same fields.
    """
    if len(payloads) == 1 and isinstance(payloads[0], bytes):
        return payloads[0], "message/rfc822"
    several = [lossless(one) if isinstance(one, bytes) else one for one in payloads]
    document = several[0] if len(several) == 1 else several
    return json.dumps(document, default=str).encode("ascii"), "application/json"


def without_forwarder(body: bytes) -> bytes:
    """A body that is no readable JSON, without what looks like the headers that a forwarder put into it."""
    source = lossless(body)
    kept, position = [], 0
    while match := HEADERS.search(source, position):
        kept.append(source[position : match.end()])
        depth, position = 1, match.end()
        for piece in STRING_OR_BRACE.finditer(source, match.end()):
            depth += {"{": 1, "}": -1}.get(piece.group(), 0)
            position = piece.end()
            if depth == 0:
                break
        kept.append("}" if depth == 0 else "")
        position = position if depth == 0 else len(source)
    return as_bytes("".join((*kept, source[position:])))
