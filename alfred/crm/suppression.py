"""What stays erased: keyed hashes of messages and people, which nobody can try out without Alfred's secret."""

import hmac
from collections.abc import Sequence
from uuid import UUID

PURPOSE = "erasures"  # of the keys


class Suppression:
    """Hashes by the keys of `ALFRED_SECRET_KEY`: the first one notes, all are looked for."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = tuple(keys)

    def of_message(self, user_id: UUID, channel_type: str, key: str) -> list[bytes]:
        """Of what a message is known by on its channel; one for each key, the newest first."""
        return self._hashes("message", user_id, channel_type, key)

    def of_person(self, user_id: UUID, channel_type: str, value: str) -> list[bytes]:
        """Of an identity."""
        return self._hashes("person", user_id, channel_type, value)

    def _hashes(self, *words: object) -> list[bytes]:
        text = "\0".join(map(str, words)).encode()
        return [hmac.digest(key, text, "sha256") for key in self._keys]
