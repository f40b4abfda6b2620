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
_UPLOAD = re.compile(r"/api/v1/media/([0-9a-f-]{36})")


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

    def renewed(self, user_id: UUID, url: str) -> str:
        """A link to an upload of ours with a day to live, where it has less than half; any other URL as it is."""
        parts = urlsplit(url)
        found, given = _UPLOAD.search(parts.path), parse_qs(parts.query)
        expires, signature = (given.get(name, [""])[0] for name in ("expires", "signature"))
        if not found or not expires.isdigit() or not self.is_signed(user_id, found.group(), int(expires), signature):
            return url
        if int(expires) - time() >= _RENEW_SECONDS:
            return url
        return url[: url.index(found.group())] + self.sign(user_id, found.group(), SENT_SECONDS)

    @staticmethod
    def _signature(key: bytes, user_id: UUID, path: str, expires: int) -> str:
        return hmac.new(key, f"{user_id}|{path}|{expires}".encode(), hashlib.sha256).hexdigest()


# One for the process: messages are shown in many places, each with the links of its files.
links = Links()
