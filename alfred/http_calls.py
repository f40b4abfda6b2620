"""Values that pure code and the guarded HTTP client share: a call to make, and what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

MOST_ANSWER_BYTES = 65_536


@dataclass(frozen=True)
class HttpCall:
    """One request to another host; `repr` shows neither URL nor headers nor body, since each may hold a secret."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    seconds: float = 20.0  # for the whole call
    most_bytes: int = MOST_ANSWER_BYTES  # of the answer; what is longer is cut
    own_host: bool = False  # the host is the connection's own: a private one may be allowed


@dataclass(frozen=True)
class Answer:
    """A complete answer, or its first `most_bytes` bytes; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    cut: bool = False

    def json(self) -> Any:
        """The body as JSON; None where it is none, or was cut."""
        if self.cut:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict[str, Any] | None:
        """The body, where it is a JSON object."""
        found = self.json()
        return found if isinstance(found, dict) else None


@dataclass(frozen=True)
class NoAnswer:
    """No complete answer came; `before` the first byte of the request was written nothing can have happened."""

    when: Literal["before", "after"]
    reason: Literal[
        "refused", "unresolved", "insecure", "timeout", "broken", "private_address", "insecure_url", "invalid_url"
    ]


def json_call(url: str, value: Any, headers: Mapping[str, str], *, seconds: float) -> HttpCall:
    """A POST of JSON in UTF-8."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return HttpCall("POST", url, {**headers, "Content-Type": "application/json"}, body, seconds, own_host=True)


def form_call(url: str, fields: Mapping[str, str], headers: Mapping[str, str], *, seconds: float) -> HttpCall:
    """A POST of a form."""
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    return HttpCall("POST", url, form, urlencode(fields).encode(), seconds, own_host=True)
