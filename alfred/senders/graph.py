"""Meta's Graph API: where calls go, and its errors as read from an answer or a status."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from alfred.senders.outcomes import object_in, text_in

VERSION = "v26.0"
BASE = "https://graph.facebook.com"


@dataclass(frozen=True)
class GraphError:
    """What `error` of an answer (or of `errors[]` in a status) says."""

    code: int | None
    subcode: int | None
    words: str | None
    transient: bool

    @property
    def shown(self) -> str | None:
        """Code and subcode as text."""
        if self.code is None:
            return None
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code)


def error_in(body: Mapping[str, Any]) -> GraphError | None:
    """The error of an answer; None where its body has none."""
    error = body.get("error")
    if not isinstance(error, dict):
        return None
    words = text_in(object_in(error.get("error_data")).get("details")) or text_in(error.get("message"))
    return GraphError(_number(error.get("code")), _number(error.get("error_subcode")), words,
                      error.get("is_transient") is True)  # fmt: skip


def address(config: Mapping[str, Any], node: object, edge: str = "", base: str = BASE) -> str:
    """The URL of a node's edge; a path in the base is kept."""
    root = str(config.get("base_url") or base).rstrip("/")
    version = quote(str(config.get("api_version") or VERSION), safe="")
    return f"{root}/{version}/{quote(str(node), safe='')}{edge}"


def bearer(config: Mapping[str, Any]) -> dict[str, str]:
    """The header with the access token."""
    return {"Authorization": f"Bearer {config.get('access_token', '')}"}


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) else None
