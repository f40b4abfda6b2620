"""From the bytes of a post to what is in it, in one step that can be done in another process."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alfred.channels import normalise
from alfred.channels.body import read_body
from alfred.channels.item import Reading
from alfred.terms import ChannelType


@dataclass(frozen=True)
class Kept:
    """What to keep of a post that could not be read, or not all of it."""

    body: bytes
    content_type: str


def read_post(body: bytes, content_type: str, channel_type: ChannelType) -> Reading:
    """What the post says; `rejected` is a `Kept`: as posted where nothing was read, else without a forwarder's wrapper.

    It is written here, since to hand over what a large body holds would keep whoever asked.

    Raises:
        BrokenJson, UnreadableBody.
    """
    payload = read_body(body, content_type or None)
    reading = normalise(payload, channel_type)
    if not reading.rejected:
        return reading
    whole = not reading.recognised and list(reading.rejected) == [payload]
    kept = Kept(body, content_type) if whole else _written(reading.rejected)
    items = tuple(item.model_copy(update={"raw": None}) if item.rejected else item for item in reading.items)
    return reading.model_copy(update={"items": items, "rejected": (kept,)})


def _written(payloads: Sequence[Any]) -> Kept:
    if len(payloads) == 1 and isinstance(payloads[0], bytes):
        return Kept(payloads[0], "message/rfc822")
    words = json.dumps(payloads[0] if len(payloads) == 1 else payloads, default=_as_text, ensure_ascii=False)
    return Kept(words.encode("utf-8", "surrogatepass"), "application/json")


def _as_text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
