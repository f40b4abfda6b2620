"""The headers that tell a browser what it may do with an answer: one place for every page and every part of the API."""

from collections.abc import MutableMapping

from aiohttp import web

_NO_FRAMES = "base-uri 'none'; frame-ancestors 'none'"
_API = f"default-src 'none'; {_NO_FRAMES}"
# The viewer of the documentation sets styles by itself, and runs its own script only.
VIEWER = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    f"connect-src 'self'; form-action 'none'; {_NO_FRAMES}"
)
INBOX = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    f"connect-src 'self'; manifest-src 'self'; form-action 'self'; {_NO_FRAMES}; require-trusted-types-for 'script'"
)
POLICY = "Content-Security-Policy"
_EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Server": "Alfred",  # the library would tell its own version, and Python's
}


def secure(headers: MutableMapping[str, str]) -> None:
    """Add what every answer carries; a page's own policy stays."""
    headers.update(_EVERYWHERE)
    headers.setdefault(POLICY, _API)


async def secured(_request: web.Request, response: web.StreamResponse) -> None:
    """Called by the server when an answer begins, also that of a stream."""
    secure(response.headers)
