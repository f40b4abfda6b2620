"""What a subscription keeps encrypted: its signing secrets, and the headers that it wants to be called with."""

import json
from collections.abc import Mapping
from uuid import UUID

from alfred.vault import Vault, place


def seal_secret(vault: Vault, user_id: UUID, subscription_id: UUID, secret: str) -> bytes:
    """Bound to its subscription."""
    return vault.encrypt(secret, place(user_id, subscription_id, "secret"))


def open_secret(vault: Vault, user_id: UUID, subscription_id: UUID, sealed: bytes) -> str:
    """For the one call that needs it.

    Raises:
        UnknownKey, DamagedSecret: it cannot be decrypted (any more).
    """
    return vault.decrypt(sealed, place(user_id, subscription_id, "secret"))


def seal_headers(vault: Vault, user_id: UUID, subscription_id: UUID, headers: Mapping[str, str]) -> bytes | None:
    """None where there are none."""
    return vault.encrypt(json.dumps(dict(headers)), place(user_id, subscription_id, "headers")) if headers else None


def open_headers(vault: Vault, user_id: UUID, subscription_id: UUID, sealed: bytes | None) -> dict[str, str]:
    """Their names and values.

    Raises:
        UnknownKey, DamagedSecret: they cannot be decrypted (any more).
    """
    if sealed is None:
        return {}
    headers: dict[str, str] = json.loads(vault.decrypt(sealed, place(user_id, subscription_id, "headers")))
    return headers
