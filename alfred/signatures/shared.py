"""What the owner of a channel chose where the provider signs nothing: Basic, Bearer, a header, a JWT."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jwt

from alfred.signatures.post import Post, Verdict, Verified, forged, same


def verify(post: Post, stored: Mapping[str, Any], now: datetime) -> Verdict:
    """One of `basic`, `bearer`, `header`, `jwt_key` that is stored has to be right; without any the key counts."""
    names = [name for name in _DETAILS if stored.get(name)]
    if not names or any(_fits(post, name, stored[name], now) for name in names):
        return Verified()
    return forged(_DETAILS[names[0]])


def _fits(post: Post, name: str, wanted: Any, now: datetime) -> bool:
    match name:
        case "basic":
            return _basic(post, wanted)
        case "bearer":
            return same(_authorization(post, "bearer"), wanted)
        case "header":
            return same(post.header(wanted["name"].lower()) or "", wanted["value"])
        case _:
            return _jwt(post, wanted, now)


_DETAILS = {
    "basic": "The user and password of the address are missing or wrong: https://user:password@host/...",
    "bearer": "The Bearer token is missing or not the one of the connection.",
    "header": "The header that the connection names is missing or has another value.",
    "jwt_key": "The JWT in the Authorization header is missing, expired, or signed with another key.",
}


def _authorization(post: Post, scheme: str) -> str:
    kind, _, value = (post.header("authorization") or "").partition(" ")
    return value.strip() if kind.lower() == scheme else ""


def _basic(post: Post, wanted: Mapping[str, str]) -> bool:
    try:
        given = base64.b64decode(_authorization(post, "basic"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return same(given, f"{wanted['username']}:{wanted['password']}")


def _jwt(post: Post, key: str, now: datetime) -> bool:
    options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False, "require": ["exp"]}
    try:
        claims = jwt.decode(_authorization(post, "bearer"), key, algorithms=["HS256"], options=options)  # type: ignore[arg-type]
        return float(claims["exp"]) > now.timestamp()
    except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError):
        return False
