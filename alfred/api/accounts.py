"""Signing up, logging in, staying logged in; one's own profile."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from uuid_utils.compat import uuid7

from alfred.api.logins import (
    GivenPassword,
    Guess,
    Login,
    Tokens,
    address_of,
    count_failure,
    end_session,
    judging,
    key_of,
    renew_session,
    start_session,
    user_who_logs_in,
)
from alfred.crm.erasure import erase_account
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Currency, IfGiven, Input, Name, Output, Timezone
from alfred.http.problems import Problem, not_found
from alfred.identity import LONGEST_PASSWORD, in_normal_form
from alfred.queries import Db, sql

log = structlog.get_logger()

routes = Routes("Auth")

LARGEST_PREFERENCES = 4096  # bytes


def _fits_bcrypt(password: SecretStr) -> SecretStr:
    if not 6 <= len(in_normal_form(password.get_secret_value()).encode()) <= LONGEST_PASSWORD:
        raise ValueError("must have 6 to 72 bytes")
    return password


Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
]
NewPassword = Annotated[SecretStr, AfterValidator(_fits_bcrypt)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


def _small_enough(preferences: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(preferences, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise ValueError("must hold finite numbers only") from None
    if len(text.encode()) > LARGEST_PREFERENCES:
        raise ValueError(f"must have at most {LARGEST_PREFERENCES} bytes as compact JSON")
    return preferences


Preferences = Annotated[dict[str, Any], AfterValidator(_small_enough)]


class Registration(Input):
    name: Name = Field(examples=["Ana Prado"])
    email: Email = Field(examples=["ana@example.com"])
    password: NewPassword = Field(examples=["a long passphrase"])
    locale: Locale = "pt-BR"
    timezone: Timezone = "America/Sao_Paulo"
    currency: Currency = "BRL"


class RefreshToken(Input):
    refresh_token: SecretStr = Field(max_length=1000, examples=["alf_0_r_..."])


class ProfileChange(Input):
    name: IfGiven[Name] = Field(None, examples=["Ana Prado"])
    locale: IfGiven[Locale] = None
    timezone: IfGiven[Timezone] = None
    currency: IfGiven[Currency] = None
    preferences: IfGiven[Preferences] = Field(
        None, examples=[{"theme": "dark"}], description="Replaces the stored object. At most 4 KiB as compact JSON."
    )


class Farewell(Input):
    password: GivenPassword


class PasswordChange(Input):
    current_password: GivenPassword
    new_password: NewPassword


class Profile(Output):
    id: UUID
    name: str = Field(examples=["Ana Prado"])
    email: str = Field(examples=["ana@example.com"])
    locale: str = Field(examples=["pt-BR"])
    timezone: str = Field(examples=["America/Sao_Paulo"])
    currency: str = Field(examples=["BRL"])
    created_at: datetime


class User(Profile):
    preferences: dict[str, Any] = Field(
        examples=[{"theme": "dark"}], description="What the user's screens remember, the same on every device."
    )


class Session(Output):
    user: Profile
    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9..."])
    refresh_token: str = Field(examples=["alf_0_r_..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(examples=[900], description="Seconds until the access token expires.")


@routes.on("POST", "/auth/register", scope=None, status=201, errors=(403, 409, 429))
async def register_user(request: web.Request, services: Services, body: Registration) -> Session:
    """Create an account and log in."""
    services.registrations.count(request)
    hashed = await services.passwords.hash(body.password.get_secret_value(), address_of(request))
    user_id = uuid7()
    profile = body.model_dump(include={"name", "email", "locale", "timezone", "currency"})
    async with services.auth.as_service() as db:
        await sql.users.register.run(db, user_id=user_id, email_key=key_of(body.email), password_hash=hashed, **profile)
        tokens = await start_session(request, services, db, user_id)
    return await _session(services, tokens)


@routes.on("POST", "/auth/login", scope=None, errors=(401, 429))
async def log_in_user(request: web.Request, services: Services, body: Login) -> Session:
    """Log in with e-mail and password.

    Takes as long for an unknown e-mail as for a wrong password. Repeated failures answer 429.
    """
    user_id = await user_who_logs_in(request, services, body)
    async with services.auth.as_service() as db:
        tokens = await start_session(request, services, db, user_id)
    return await _session(services, tokens)


@routes.on("POST", "/auth/refresh", scope=None, errors=(401,))
async def refresh_tokens(services: Services, body: RefreshToken) -> Session:
    """Exchange a refresh token for a new pair of tokens.

    The refresh token is spent. Using a spent one again ends its session.
    """
    return await _session(services, await renew_session(services, body.refresh_token.get_secret_value()))


@routes.on("POST", "/auth/logout", scope=None, status=204)
async def log_out_user(services: Services, body: RefreshToken) -> None:
    """Log out and end the session.

    Repeating the call changes nothing.
    """
    await end_session(services, body.refresh_token.get_secret_value())


@routes.on("GET", "/me", scope="any")
async def get_me(db: Db, caller: Caller) -> User:
    """Get the authenticated user.

    A token of any scope may, so that a client can try its credentials.
    """
    return await profile_of(db, caller.user_id)


@routes.on("PATCH", "/me", scope="admin")
async def update_me(db: Db, caller: Caller, body: ProfileChange) -> User:
    """Update the authenticated user."""
    return User.read(await sql.users.update.one(db, user_id=caller.user_id, **body.model_dump()))


@routes.on("DELETE", "/me", scope="admin", status=204, errors=(403, 429))
async def delete_me(request: web.Request, caller: Caller, services: Services, body: Farewell) -> None:
    """Delete the account and all its data.

    Cannot be undone. Where a long history does not go in one call (503), the next one goes on with it.
    """
    await _prove(request, services, caller, body.password)
    await erase_account(services.database, caller.user_id)
    services.trust.forget()
    log.info("account_erased")


@routes.on("POST", "/me/password", scope="admin", status=204, errors=(403, 429))
async def update_password(request: web.Request, caller: Caller, services: Services, body: PasswordChange) -> None:
    """Change the password and end every session.

    A browser's session that asks for it goes on. Another client's refresh tokens are revoked, and the access token of
    the request stays valid until it expires.
    """
    await _prove(request, services, caller, body.current_password)
    hashed = await services.passwords.hash(body.new_password.get_secret_value())
    await services.auth.once(
        sql.users.change_password,
        user_id=caller.user_id,
        password_hash=hashed,
        session_id=caller.session_id,
        access_ttl=services.tokens.ttl,
    )
    services.trust.forget()
    log.info("password_changed")


async def _prove(request: web.Request, services: Services, caller: Caller, password: SecretStr) -> None:
    """The caller's password; guesses count like those at a login, and no transaction is open while bcrypt works."""
    login = await services.auth.find(sql.users.login_of, user_id=caller.user_id)
    if login is None:
        raise not_found("user")
    guess = Guess(login["email_key"], address_of(request))
    async with judging(services, guess):
        if not await services.passwords.verify(password.get_secret_value(), login["password_hash"]):
            await count_failure(services, guess)
            raise Problem(403, "wrong_password", "The password is wrong.")


async def profile_of(db: Db, user_id: UUID) -> User:
    """The tenant's own profile."""
    row = await sql.users.me.one(db, user_id=user_id)
    if row is None:
        raise not_found("user")
    return User.read(row)


async def _session(services: Services, tokens: Tokens) -> Session:
    async with services.database.acting_as(tokens.user_id) as db:
        user = await profile_of(db, tokens.user_id)
    return Session(
        user=Profile(**user.model_dump(exclude={"preferences"})),
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=services.tokens.ttl,
    )
