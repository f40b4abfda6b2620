"""What every way to log in shares: judging a password, starting, renewing and ending a session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
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
from alfred.queries import Db, Row, sql

log = structlog.get_logger()

LOGIN_WINDOW = 15 * 60
MOST_TIMES = 20  # so many times the failures of one address may an e-mail have from all of them
FIRST_DELAY, LONGEST_DELAY = 0.5, 8.0  # seconds
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


@dataclass(frozen=True)
class Guess:
    """A password tried for an e-mail from an address."""

    email_key: str
    address: str


async def user_who_logs_in(request: web.Request, services: Services, login: Login) -> UUID:
    """Whose e-mail and password these are; a wrong e-mail takes as long as a wrong password.

    Raises:
        Problem: 401 `invalid_credentials`, 429 `too_many_attempts`.
    """
    guess = Guess(key_of(login.email), address_of(request))
    password = login.password.get_secret_value()
    async with judging(services, guess) as judged:
        form = await services.passwords.form_that_fits(password, judged["password_hash"])
        if form is None:
            await count_failure(services, guess)
            raise refused("invalid_credentials", "The e-mail or the password is wrong.")
    user_id = UUID(str(judged["user_id"]))
    if form != in_normal_form(password):
        renewed = await services.passwords.hash(password)
        async with services.auth.as_service() as db:
            await sql.users.renew_password_hash.run(db, user_id=user_id, old=judged["password_hash"], new=renewed)
    return user_id


@asynccontextmanager
async def judging(services: Services, guess: Guess) -> AsyncIterator[Row]:
    """A turn to try a password, and what it is judged by; addresses take turns, where the e-mail is at home first.

    Raises:
        Problem: 429 `too_many_attempts`, for this e-mail from this address, for the address, or for the e-mail as a
            whole where it is not at home.
        TooBusy: too many wait already.
    """
    before = await _judge(services, guess)
    if not before["at_home"]:
        await _slow_down(before["email_failures"], services.settings.login_attempts)
    async with services.passwords.turn(guess.address, known=before["at_home"]):
        judged = await _judge(services, guess)  # again: others may have guessed meanwhile
        most = services.settings.login_attempts
        by_others = max(judged["address_failures"], judged["email_failures"] // MOST_TIMES)
        if judged["own_failures"] >= most or (not judged["at_home"] and by_others >= most):
            metrics.lockouts.inc()
            log.warning("login_locked_out")
            detail = "Too many failed logins. Wait a quarter of an hour."
            raise Problem(429, "too_many_attempts", detail, headers={"Retry-After": str(LOGIN_WINDOW)})
        yield judged


async def count_failure(services: Services, guess: Guess) -> None:
    """A wrong password: it counts against the e-mail and the address."""
    log.info("login_failed")
    async with services.auth.as_service() as db:
        await sql.users.login_failed.run(db, email_key=guess.email_key, address=guess.address)


async def _judge(services: Services, guess: Guess) -> Row:
    async with services.auth.as_service() as db:
        judged = await sql.users.judge_login.one(
            db, email_key=guess.email_key, address=guess.address, window_seconds=LOGIN_WINDOW
        )
    assert judged is not None
    return judged


async def _slow_down(failures: int, most: int) -> None:
    """An e-mail that many guess at, from whatever addresses, is answered later and later."""
    if failures >= most:
        await asyncio.sleep(min(FIRST_DELAY * 2 ** (failures // most - 1), LONGEST_DELAY))


def address_of(request: web.Request) -> str:
    """Who asks, as guesses are counted: an IPv6 network of 64 bits is one."""
    try:
        address = ip_address(request.remote or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False).network_address)
    return str(address)


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
    log.info("session_started", user_id=str(user_id), session_id=str(session_id))
    return Tokens(user_id, refresh, services.tokens.issue(user_id, session_id, services.clock()))


async def renew_session(services: Services, token: str, *, cookie: bool = False, grace: int = 0) -> Tokens:
    """Spend a refresh token; `grace` is for how many seconds a spent one of a cookie gets a successor again.

    Raises:
        Problem: 401 `token_reused` for a spent one, which ends the session; 401 `invalid_token`.
    """
    fresh = new_token("r")
    async with services.auth.as_service() as db:
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
        log.warning("refresh_token_reused", session_id=str(renewed["session_id"]))
        raise refused("token_reused", "This refresh token was used before; log in again.")
    if renewed["outcome"] != "renewed":
        raise refused("invalid_token", "The refresh token is not valid, or has expired.")
    user_id, session_id = renewed["user_id"], renewed["session_id"]
    return Tokens(user_id, fresh, services.tokens.issue(user_id, session_id, services.clock()))


async def end_session(services: Services, token: str) -> None:
    """Log out; a token that nobody knows does no harm."""
    async with services.auth.as_service() as db:
        await sql.sessions.end_by_token.run(db, token_hash=digest(token))
    services.trust.forget()
    log.info("session_ended", by="log out")


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
