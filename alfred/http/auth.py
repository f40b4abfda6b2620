"""Who is asking: a bearer token on every call, or Basic with a token as the password."""

import base64
import binascii

import structlog
from aiohttp import hdrs, web

from alfred.http.context import QUOTA, Caller, Services
from alfred.http.problems import Problem, unauthorized
from alfred.http.server import prove
from alfred.identity import API_PREFIX, BadToken, digest, looks_like_api_token
from alfred.log import add_fields
from alfred.queries import sql

log = structlog.get_logger()


async def authenticate(request: web.Request, services: Services, scope: str) -> Caller:
    """The caller, if the token is good and has the scope.

    Raises:
        Problem: 401 without a good token, 403 `insufficient_scope` without the scope.
    """
    caller = await caller_of(bearer(request), services)
    prove(request)
    request[QUOTA] = services.limits.take(caller.token_id or caller.user_id)
    add_fields(user_id=str(caller.user_id))
    if not caller.may(scope):
        log.info("scope_refused", scope=scope, token_id=str(caller.token_id))
        raise Problem(403, "insufficient_scope", _lacks(scope))
    return caller


def _lacks(scope: str) -> str:
    if scope == "subscriptions":
        return "This token needs the scopes `subscriptions` and `read`."
    return f"This token lacks the scope `{scope}`."


async def caller_of(token: str, services: Services) -> Caller:
    """Whose token this is; an API token is looked up each time, so that a revoked one is dead at once."""
    if token.startswith(API_PREFIX):
        row = (
            await services.auth.find(sql.tokens.find, token_hash=digest(token)) if looks_like_api_token(token) else None
        )
        if row is None:
            raise unauthorized("The API token is not valid, has expired or was revoked.", "invalid_token")
        return Caller.api_token(row["user_id"], row["scopes"], row["token_id"])
    try:
        claims = services.tokens.read(token)
    except BadToken:
        raise unauthorized("The access token is not valid, or has expired.", "invalid_token") from None
    if not await services.trust.holds(claims.user_id, claims.session_id):
        raise unauthorized("The session of this access token has ended; log in again.", "invalid_token")
    return Caller.person(claims.user_id, claims.session_id, claims.expires_at)


def bearer(request: web.Request) -> str:
    """The token in the Authorization header."""
    kind, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if kind.lower() == "bearer" and value.strip():
        return value.strip()
    if kind.lower() == "basic":
        return _basic(value.strip())
    raise unauthorized("Send an access token: `Authorization: Bearer <token>`.")


def _basic(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        raise unauthorized("The Basic credentials cannot be read.") from None
