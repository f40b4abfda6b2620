"""Signs what is sent to subscriptions, by Standard Webhooks 1.0, and by a header that n8n can check. Pure."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed(keys: Sequence[str], event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that prove a body; `keys` are the secrets that sign, newest first (a second one while it rotates)."""
    content = f"{event_id}.{timestamp}.".encode() + body
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_base64(_key_of(each), content)}" for each in keys),
        "X-Alfred-Signature": _hex(keys[0], body),
    }
    if len(keys) > 1:
        headers["X-Alfred-Signature-Previous"] = _hex(keys[1], body)
    return headers


def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _base64(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def _hex(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.digest(secret.encode(), body, hashlib.sha256).hex()
