"""The browser's session, kept by a cookie that no script sees; and one's sessions, wherever they began."""

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import Field, SecretStr

from alfred.api.accounts import User, profile_of
from alfred.api.logins import (
    GivenEmail,
    GivenPassword,
    Login,
    Tokens,
    end_session,
    renew_session,
    start_session,
    user_who_logs_in,
)
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import Input, Listing, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, Problem, invalid, not_found
from alfred.http.session_cookies import COOKIE, clear_cookie, set_cookie
from alfred.queries import Db, sql

log = structlog.get_logger()

routes = Routes("Sessions")

# A browser whose answer was lost comes again with the token that it has.
GRACE_SECONDS = 30
_NEEDS_COOKIE: dict[str, Any] = {"security": [{"session": []}]}


class NewSession(Input):
    email: GivenEmail | None = Field(None, examples=["ana@example.com"])
    password: GivenPassword | None = Field(None, examples=["a long passphrase"])
    refresh_token: SecretStr | None = Field(
        None, max_length=1000, description="Instead of e-mail and password: what `POST /auth/register` returned."
    )


class BrowserSession(Output):
    user: User
    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9..."])
    expires_in: int = Field(examples=[900], description="Seconds until the access token expires.")


class SessionOut(Output):
    id: UUID
    user_agent: str | None = Field(examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    address: str | None = Field(examples=["203.0.113.7"], description="Where it began.")
    created_at: datetime
    last_used_at: datetime = Field(description="When it last got an access token.")
    current: bool = Field(description="Whether the access token of this request is of this session.")


@routes.on("POST", "/session", scope=None, same_origin=True, errors=(401, 429))
async def create_browser_session(request: web.Request, services: Services, body: NewSession) -> Answer[BrowserSession]:
    """Log in a browser and keep its refresh token in a cookie.

    Takes an e-mail with its password, or the refresh token that `POST /auth/register` returned.
    """
    login = _login_of(body)
    if login is None:
        assert body.refresh_token is not None
        token = body.refresh_token.get_secret_value()
        return await _answer(request, services, await renew_session(services, token, cookie=True))
    user_id = await user_who_logs_in(request, services, login)
    if left := request.cookies.get(COOKIE):  # the session that this browser had: nobody could come back to it
        await end_session(services, left)
    async with services.auth.as_service() as db:
        tokens = await start_session(request, services, db, user_id, cookie=True)
    return await _answer(request, services, tokens)


@routes.on("POST", "/session/refresh", scope=None, same_origin=True, errors=(401,), document=_NEEDS_COOKIE)
async def refresh_browser_session(request: web.Request, services: Services) -> Answer[BrowserSession]:
    """Exchange the refresh token in the cookie for a new one and an access token.

    For 30 seconds a spent token gets a successor again, because an answer may be lost. Later it ends the session.
    """
    try:
        token = request.cookies.get(COOKIE, "")
        tokens = await renew_session(services, token, cookie=True, grace=GRACE_SECONDS)
    except Problem as problem:
        detail = "This browser has no session, or it has ended; log in."
        raise Problem(401, "no_session", detail, headers={**problem.headers, **clear_cookie(request)}) from None
    return await _answer(request, services, tokens)


@routes.on("DELETE", "/session", scope=None, same_origin=True, status=204, document=_NEEDS_COOKIE)
async def delete_browser_session(request: web.Request, services: Services) -> Answer[None]:
    """Log out and clear the cookie.

    Repeating the call changes nothing.
    """
    await end_session(services, request.cookies.get(COOKIE, ""))
    return Answer(None, headers=clear_cookie(request))


@routes.on("GET", "/me/sessions", errors=(400,))
async def list_sessions(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[SessionOut]:
    """List the active sessions.

    The newest come first.
    """
    page = await newest_first(db, request, query, sql.sessions.page, user_id=caller.user_id)
    return page.of(lambda row: SessionOut(**row, current=row["id"] == caller.session_id))


@routes.on("DELETE", "/me/sessions/{session_id}", scope="admin", status=204, errors=(404,))
async def revoke_session(caller: Caller, services: Services, session_id: UUID) -> None:
    """Revoke a session and its access tokens."""
    async with services.database.acting_as(caller.user_id) as db:
        if not await sql.sessions.end_own.value(db, session_id=session_id):
            raise not_found("session")
    services.trust.forget()
    log.info("session_ended", session_id=str(session_id))


def _login_of(body: NewSession) -> Login | None:
    """E-mail and password; None for a refresh token.

    Raises:
        Problem: 422 where neither is there, or both.
    """
    by_password = {"email": body.email, "password": body.password}
    given = [name for name, value in by_password.items() if value is not None]
    if body.refresh_token is not None:
        words = "Send either a refresh token, or an e-mail and a password."
        if given:
            raise invalid([Fault(f"/{name}", words, "not_both") for name in given])
        return None
    if missing := [name for name in by_password if name not in given]:
        raise invalid([Fault(f"/{name}", "This is required.", "missing") for name in missing])
    return Login.model_validate(by_password)


async def _answer(request: web.Request, services: Services, tokens: Tokens) -> Answer[BrowserSession]:
    async with services.database.acting_as(tokens.user_id) as db:
        user = await profile_of(db, tokens.user_id)
    session = BrowserSession(user=user, access_token=tokens.access_token, expires_in=services.tokens.ttl)
    settings = services.settings
    seconds = min(settings.refresh_token_ttl, settings.session_max_age)
    cookie = set_cookie(request, tokens.refresh_token, seconds)
    return Answer(session, headers=cookie)
