"""What every way to log in shares: judging a password, starting, renewing and ending a session."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import structlog
from aiohttp import hdrs, web
from pydantic import Field, SecretStr, StringConstraints
from uuid_utils.compat import uuid7

from alfred import metrics
from alfred.http.context import Services
from alfred.http.models import Input
from alfred.http.problems import Problem
from alfred.identity import digest, in_normal_form, new_token
from alfred.queries import Db, sql

log = structlog.get_logger()

LOGIN_WINDOW = 15 * 60
_MOST_OF_A_USER_AGENT = 300

GivenPassword = Annotated[SecretStr, Field(max_length=1000)]
GivenEmail = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]


class Login(Input):
    email: GivenEmail = Field(examples=["ana@example.com"])
    password: GivenPassword = Field(examples=["a long passphrase"])


@dataclass(frozen=True)
class Tokens:
    """What a session gives its client: the next refresh token, and an access token."""

    user_id: UUID
    refresh_token: str
    access_token: str


async def user_who_logs_in(request: web.Request, services: Services, login: Login) -> UUID:
    """Whose e-mail and password these are; a wrong e-mail takes as long as a wrong password.

    Raises:
        Problem: 401 `invalid_credentials`, 429 `too_many_attempts`.
    """
    email_key, address = key_of(login.email), request.remote or "unknown"
    async with services.passwords.turn():
        async with services.database.as_service() as db:
            known = await sql.users.find_login.one(
                db, email_key=email_key, address=address, window_seconds=LOGIN_WINDOW
            )
        assert known is not None
        if max(known["email_failures"], known["address_failures"]) >= services.settings.login_attempts:
            metrics.lockouts.inc()
            detail = "Too many failed logins; wait a quarter of an hour."
            raise Problem(429, "too_many_attempts", detail, headers={"Retry-After": str(LOGIN_WINDOW)})
        password = login.password.get_secret_value()
        form = await services.passwords.form_that_fits(password, known["password_hash"])
        if form is None:
            async with services.database.as_service() as db:
                await sql.users.login_failed.run(db, email_key=email_key, address=address)
            raise refused("invalid_credentials", "The e-mail or the password is wrong.")
    user_id = UUID(str(known["user_id"]))
    if form != in_normal_form(password):
        renewed = await services.passwords.hash(password)
        async with services.database.as_service() as db:
            await sql.users.renew_password_hash.run(db, user_id=user_id, old=known["password_hash"], new=renewed)
    return user_id


async def start_session(
    request: web.Request, services: Services, db: Db, user_id: UUID, *, cookie: bool = False
) -> Tokens:
    """A new session of this client."""
    session_id, refresh = uuid7(), new_token("r")
    await sql.sessions.start.run(
        db,
        user_id=user_id,
        session_id=session_id,
        token_hash=digest(refresh),
        ttl=services.settings.refresh_token_ttl,
        max_age=services.settings.session_max_age,
        cookie=cookie,
        user_agent=_user_agent(request),
        address=request.remote,
    )
    log.info("session_started", user_id=str(user_id), session_id=str(session_id), address=request.remote)
    return Tokens(user_id, refresh, services.tokens.issue(user_id, session_id, services.clock()))


async def renew_session(
    request: web.Request, services: Services, token: str, *, cookie: bool = False, grace: int = 0
) -> Tokens:
    """Spend a refresh token; `grace` is for how many seconds a spent one of a cookie gets a successor again.

    Raises:
        Problem: 401 `token_reused` for a spent one, which ends the session; 401 `invalid_token`.
    """
    fresh = new_token("r")
    async with services.database.as_service() as db:
        renewed = await sql.sessions.renew.one(
            db,
            old_hash=digest(token),
            new_hash=digest(fresh),
            ttl=services.settings.refresh_token_ttl,
            max_age=services.settings.session_max_age,
            cookie=cookie,
            grace=grace,
        )
    assert renewed is not None
    if renewed["outcome"] == "reused":
        services.trust.forget()
        log.warning("refresh_token_reused", session_id=str(renewed["session_id"]), address=request.remote)
        raise refused("token_reused", "This refresh token was used before; log in again.")
    if renewed["outcome"] != "renewed":
        raise refused("invalid_token", "The refresh token is not valid, or has expired.")
    user_id, session_id = renewed["user_id"], renewed["session_id"]
    return Tokens(user_id, fresh, services.tokens.issue(user_id, session_id, services.clock()))


async def end_session(services: Services, token: str) -> None:
    """Log out; a token that nobody knows does no harm."""
    async with services.database.as_service() as db:
        await sql.sessions.end_by_token.run(db, token_hash=digest(token))
    services.trust.forget()


def refused(code: str, detail: str) -> Problem:
    """The credentials in a body or a cookie are not good."""
    return Problem(401, code, detail, headers={hdrs.WWW_AUTHENTICATE: "Bearer"})


def key_of(email: str) -> str:
    """Under what a login is found."""
    return email.casefold()


def _user_agent(request: web.Request) -> str | None:
    """As PostgreSQL can store it: a header may hold any bytes."""
    words = request.headers.get(hdrs.USER_AGENT, "")[:_MOST_OF_A_USER_AGENT]
    return words.encode("utf-8", "replace").decode().replace("\x00", "") or None
