"""The secret path of a hook, how it is looked up, and what Meta has to say there."""

import base64
import hashlib
import secrets
from uuid import UUID

from alfred.queries import Row
from alfred.vault import DamagedSecret, UnknownKey, Vault, place

KEY_BYTES = 32


def new_key() -> str:
    """43 characters that nobody guesses."""
    return secrets.token_urlsafe(KEY_BYTES)


def key_of(vault: Vault, user_id: UUID, row: Row) -> str | None:
    """The key of a row of `keys`; None where it cannot be decrypted any more."""
    try:
        return vault.decrypt(row["sealed"], place(user_id, row["channel_id"], "hook_key"))
    except (UnknownKey, DamagedSecret):
        return None


def hash_of(key: str) -> bytes:
    """What a key is looked up by."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def verify_tokens(vault: Vault, key: str) -> list[str]:
    """What Meta has to say in its challenge at this key; the first is the one to show."""
    digests = [hashlib.blake2b(key.encode(), key=found, digest_size=24).digest()
               for found in vault.keys_for("verify tokens")]  # fmt: skip
    return [base64.urlsafe_b64encode(digest).decode() for digest in digests]
