"""Encrypts secrets at rest; what is encrypted for one place cannot be read in another's."""

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION, _ID_BYTES, _NONCE_BYTES = b"\x01", 4, 12


class UnknownKey(Exception):
    """The secret was encrypted with a key that ALFRED_SECRET_KEY does not have (any more)."""


class DamagedSecret(Exception):
    """The secret was changed, or belongs to another place."""


class Vault:
    """AES-256-GCM; the first key encrypts, all decrypt. `about` names the place: `user_id|channel_id|name`."""

    def __init__(self, values: Sequence[str]) -> None:
        self._values = tuple(value.encode() for value in values)
        keys = [_derived(value, "alfred secrets") for value in self._values]
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._first = _id_of(keys[0]) if keys else b""

    @property
    def key_ids(self) -> list[str]:
        """What tells the keys apart, without telling them; the first encrypts."""
        return [key_id.hex() for key_id in self._ciphers]

    def encrypt(self, plain: str, about: str) -> bytes:
        """`0x01 | key id | nonce | ciphertext`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, plain.encode(), about.encode())
        return _VERSION + self._first + nonce + sealed

    def decrypt(self, sealed: bytes, about: str) -> str:
        """The text again.

        Raises:
            UnknownKey: its key is not among ours.
            DamagedSecret: it was changed or moved.
        """
        key_id, rest = sealed[1 : 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
        if sealed[:1] != _VERSION:
            raise DamagedSecret
        if key_id not in self._ciphers:
            raise UnknownKey
        try:
            return self._ciphers[key_id].decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError):
            raise DamagedSecret from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that encrypts now has encrypted it."""
        return sealed[: 1 + _ID_BYTES] == _VERSION + self._first

    def keys_for(self, purpose: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes for signatures of our own, such as `media links`: the first signs, all verify."""
        return tuple(_derived(value, f"alfred {purpose}") for value in self._values)


def place(*parts: object) -> str:
    """What a secret is bound to: the ids of its owner and its name."""
    return "|".join(str(part) for part in parts)


def _derived(value: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(value)


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]
