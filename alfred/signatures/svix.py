"""Svix and Standard Webhooks (Resend): HMAC-SHA256 of id, moment and raw body."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from alfred.signatures.post import Post, Verdict, Verified, among, forged, unconfigured

TOLERANCE_SECONDS = 300


def verify(post: Post, signing_secrets: Sequence[str], now: datetime) -> Verdict:
    """One `v1` signature of several has to fit; each repetition is signed anew, so the clock is checked."""
    if not signing_secrets:
        return unconfigured("No signing secret is stored. Copy the one of the webhook (whsec_...) into the connection.")
    prefix = "svix-" if "svix-id" in post.headers else "webhook-"
    found = [post.header(prefix + name) for name in ("id", "timestamp", "signature")]
    if not all(found):
        return forged("The post has no svix-id, svix-timestamp and svix-signature headers.")
    message_id, timestamp, given = (value or "" for value in found)
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + post.raw
    expected = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        for key in map(_key, signing_secrets)
        if key
    ]
    candidates = [one[3:] for one in given.split(" ") if one.startswith("v1,")]
    if not any(among(candidate, expected) for candidate in candidates):
        return forged(
            "The signature was made with another secret. Copy the webhook's signing secret into the connection."
        )
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return forged("The post's timestamp is no moment.")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return forged("The post was signed more than five minutes ago, or one of the clocks is wrong.")
    return Verified()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
