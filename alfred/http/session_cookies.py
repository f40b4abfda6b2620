"""The browser's session: its cookie, which no script sees, and the refusal of requests that another site sends."""

from aiohttp import hdrs, web
from yarl import URL

from alfred.http.pages import public_url
from alfred.http.problems import Problem

COOKIE = "alfred_session"
_PATH = "/api/v1/session"
_FETCH_SITE = "Sec-Fetch-Site"


def set_cookie(request: web.Request, token: str, seconds: int) -> dict[str, str]:
    """The header that keeps a refresh token; plain HTTP alone makes it go without `Secure`."""
    secure = "" if public_url(request).scheme == "http" else "; Secure"
    cookie = f"{COOKIE}={token}; Max-Age={seconds}; Path={_PATH}; HttpOnly; SameSite=Strict{secure}"
    return {hdrs.SET_COOKIE: cookie}


def clear_cookie(request: web.Request) -> dict[str, str]:
    """The header that takes the cookie away."""
    return set_cookie(request, "", 0)


def refuse_cross_site(request: web.Request) -> None:
    """A browser says where a request comes from; what is no browser says nothing, and may pass.

    Raises:
        Problem: 403 `cross_site`.
    """
    site, origin = request.headers.get(_FETCH_SITE), request.headers.get(hdrs.ORIGIN)
    if site == "same-origin" or (site is None and (origin is None or _is_own(request, origin))):
        return
    raise Problem(403, "cross_site", "Only a page of this server may use the session of its browser.")


def _is_own(request: web.Request, origin: str) -> bool:
    try:
        return URL(origin).origin() == public_url(request).origin()
    except ValueError:
        return False
