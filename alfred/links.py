"""Signed links to files: whoever has one may fetch the file until it expires, so that a page can show it."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from time import time
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

SHOWN_SECONDS = 15 * 60
SENT_SECONDS = 24 * 3600
_RENEW_SECONDS = 12 * 3600
_UPLOAD = re.compile(r"/api/v1/media/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


class Links:
    """Signs and verifies; the first key signs, all verify."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self.keys = tuple(keys)

    def sign(self, user_id: UUID, path: str, seconds: int = SHOWN_SECONDS, *, steady: bool = True) -> str:
        """`path` (from `/api/v1` on) with `expires` and `signature`.

        A steady link is the same for some minutes, so that a browser's cache knows it again.
        """
        expires = int(time()) + seconds
        if steady:
            expires += 300 - expires % 300
        return f"{path}?expires={expires}&signature={self._signature(self.keys[0], user_id, path, expires)}"

    def is_signed(self, user_id: UUID, path: str, expires: int, signature: str) -> bool:
        """Whether one of our keys has signed it."""
        expected = [self._signature(key, user_id, path, expires).encode() for key in self.keys]
        return any(hmac.compare_digest(each, signature.encode("utf-8", "replace")) for each in expected)

    def upload_in(self, user_id: UUID, url: str) -> UUID | None:
        """The upload that a link of ours names, expired or not; None for any other URL."""
        found = self._read(user_id, url)
        return UUID(found[0].rpartition("/")[2]) if found else None

    def renewed(self, user_id: UUID, url: str) -> str:
        """A link to an upload of ours with a day to live, where it has less than half; any other URL as it is."""
        found = self._read(user_id, url)
        if found is None or found[1] - time() >= _RENEW_SECONDS:
            return url
        return url[: url.index(found[0])] + self.sign(user_id, found[0], SENT_SECONDS)

    def _read(self, user_id: UUID, url: str) -> tuple[str, int] | None:
        """Path and moment of a link to an upload that one of our keys has signed."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        found, given = _UPLOAD.search(parts.path), parse_qs(parts.query)
        expires, signature = (given.get(name, [""])[0] for name in ("expires", "signature"))
        if not found or not expires.isascii() or not expires.isdigit() or len(expires) > 11:
            return None
        good = self.is_signed(user_id, found.group(), int(expires), signature)
        return (found.group(), int(expires)) if good else None

    @staticmethod
    def _signature(key: bytes, user_id: UUID, path: str, expires: int) -> str:
        return hmac.new(key, f"{user_id}|{path}|{expires}".encode(), hashlib.sha256).hexdigest()


# One for the process: messages are shown in many places, each with the links of its files.
links = Links()
