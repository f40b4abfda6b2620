"""A post as it came, and the verdict on it."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

RefusedCode = Literal["bad_signature", "hook_not_configured"]


@dataclass(frozen=True)
class Post:
    """`headers` by lower-case name, as often as they came; `url` as the sender knows it, `asked` as it reached us."""

    headers: Mapping[str, Sequence[str]] = field(repr=False)
    raw: bytes = field(repr=False)
    url: str = field(default="", repr=False)
    asked: str = field(default="", repr=False)

    def header(self, name: str) -> str | None:
        """A header that came once; one that came twice counts as none: which would be meant?"""
        values = self.headers.get(name, ())
        return values[0].strip() if len(values) == 1 else None


@dataclass(frozen=True)
class Verified:
    """Whoever posted knows the secret."""


@dataclass(frozen=True)
class Refused:
    """`detail` says to the channel's owner what to do; a stranger is told nothing of it."""

    code: RefusedCode
    detail: str


Verdict = Verified | Refused


def forged(detail: str) -> Refused:
    """The signature is missing or wrong."""
    return Refused("bad_signature", detail)


def unconfigured(detail: str) -> Refused:
    """Nothing can be checked: closed rather than open."""
    return Refused("hook_not_configured", detail)


def same(one: str | bytes, other: str | bytes) -> bool:
    """Compared in a time that tells nothing."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def among(candidate: str, expected: Iterable[str]) -> bool:
    """Whether it is one of them; all are compared."""
    return sum(same(candidate, each) for each in expected) > 0


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
