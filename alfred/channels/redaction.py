"""What is kept of a raw payload: JSON that every store takes, without secrets and without files."""

from typing import Any

from alfred.channels.clean import sane_number, storable

SECRETS = frozenset({
    "apikey", "api_key", "api-key", "token", "access_token", "client-token", "z-api-token", "authorization",
    "jwt_key", "signature", "signatureversion", "signingcerturl", "unsubscribeurl",
})  # fmt: skip
FILES = frozenset({"base64", "jpegthumbnail", "rawemail"})
DROPPED = SECRETS | FILES
DEEPEST = 60  # deeper than any provider nests, shallow enough for every serialiser


def kept(value: Any, depth: int = 0) -> Any:
    """A copy of the value to be stored beside the item."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if sane_number(value) else None
    if depth >= DEEPEST:
        return None
    if isinstance(value, dict):
        return {
            storable(key): kept(inner, depth + 1)
            for key, inner in value.items()
            if isinstance(key, str) and key.lower() not in DROPPED
        }
    return [kept(inner, depth + 1) for inner in value] if isinstance(value, list | tuple) else None
