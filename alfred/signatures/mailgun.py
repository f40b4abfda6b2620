"""Mailgun: HMAC-SHA256 of a moment and a token; it signs no content, so the path's key has to be right too."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime

from alfred.signatures.forms import fields_of
from alfred.signatures.post import Post, Verdict, Verified, among, forged, unconfigured

OLDEST_SECONDS = 12 * 3600  # its repetitions go on for eight hours
EARLIEST_SECONDS = 600  # a clock that goes wrong
_NAMES = ("timestamp", "token", "signature")


def verify(post: Post, signing_keys: Sequence[str], now: datetime) -> Verdict:
    """The signature stands in the form's fields, or in the JSON's object `signature`."""
    if not signing_keys:
        return unconfigured(
            "No signing key is stored. Copy the HTTP webhook signing key of Mailgun into the connection."
        )
    timestamp, token, given = (_signed(post).get(name, "") for name in _NAMES)
    if not (timestamp and token and given):
        return forged("The post has no timestamp, token and signature.")
    expected = [
        hmac.new(key.encode(), f"{timestamp}{token}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()
        for key in signing_keys
    ]
    if not among(given.lower(), expected):
        return forged(
            "The signature was made with another key. Copy Mailgun's HTTP webhook signing key into the connection."
        )
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return forged("The post's timestamp is no moment.")
    if not -EARLIEST_SECONDS <= now.timestamp() - int(timestamp) <= OLDEST_SECONDS:
        return forged("The post was signed more than twelve hours ago, or one of the clocks is wrong.")
    return Verified()


def _signed(post: Post) -> dict[str, str]:
    content_type = post.header("content-type") or ""
    if "json" not in content_type.lower():
        return fields_of(post.raw, content_type, _NAMES)
    try:
        body = json.loads(post.raw)
    except (ValueError, RecursionError):
        return {}
    found = body.get("signature") if isinstance(body, dict) else None
    return {name: str(found.get(name, "")) for name in _NAMES} if isinstance(found, dict) else {}
