"""Signing up, logging in, staying logged in; one's own profile."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field, SecretStr, StringConstraints
from uuid_utils.compat import uuid7

from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Currency, Input, Name, Output, Timezone
from alfred.http.problems import Problem, not_found
from alfred.identity import digest, new_token
from alfred.queries import Db, sql

routes = Routes("Auth")

LOGIN_WINDOW = 15 * 60


def _fits_bcrypt(password: SecretStr) -> SecretStr:
    if not 6 <= len(password.get_secret_value().encode()) <= 72:
        raise ValueError("must have 6 to 72 bytes")
    return password


Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
]
NewPassword = Annotated[SecretStr, AfterValidator(_fits_bcrypt)]
GivenPassword = Annotated[SecretStr, Field(max_length=1000)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class Registration(Input):
    name: Name = Field(examples=["Ana Prado"])
    email: Email = Field(examples=["ana@example.com"])
    password: NewPassword = Field(examples=["a long passphrase"])
    locale: Locale = "pt-BR"
    timezone: Timezone = "America/Sao_Paulo"
    currency: Currency = "BRL"


class Login(Input):
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] = Field(
        examples=["ana@example.com"]
    )
    password: GivenPassword = Field(examples=["a long passphrase"])


class RefreshToken(Input):
    refresh_token: SecretStr = Field(max_length=1000, examples=["alf_0_r_..."])


class ProfileChange(Input):
    name: Name | None = Field(None, examples=["Ana Prado"])
    locale: Locale | None = None
    timezone: Timezone | None = None
    currency: Currency | None = None


class Farewell(Input):
    password: GivenPassword


class PasswordChange(Input):
    current_password: GivenPassword
    new_password: NewPassword


class User(Output):
    id: UUID
    name: str = Field(examples=["Ana Prado"])
    email: str = Field(examples=["ana@example.com"])
    locale: str = Field(examples=["pt-BR"])
    timezone: str = Field(examples=["America/Sao_Paulo"])
    currency: str = Field(examples=["BRL"])
    created_at: datetime


class Session(Output):
    user: User
    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiJ9..."])
    refresh_token: str = Field(examples=["alf_0_r_..."])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(examples=[900], description="Seconds until the access token expires.")


@routes.on("POST", "/auth/register", scope=None, status=201, errors=(409,))
async def register_user(services: Services, body: Registration) -> Session:
    """Create an account and log in."""
    hashed = await services.passwords.hash(body.password.get_secret_value())
    user_id, refresh = uuid7(), new_token("r")
    profile = body.model_dump(include={"name", "email", "locale", "timezone", "currency"})
    async with services.database.as_service() as db:
        await sql.users.register.run(db, user_id=user_id, email_key=_key(body.email), password_hash=hashed, **profile)
        await _start_session(db, services, user_id, refresh)
    return await _session(services, user_id, refresh)


@routes.on("POST", "/auth/login", scope=None, errors=(401, 429))
async def log_in_user(request: web.Request, services: Services, body: Login) -> Session:
    """Log in with e-mail and password.

    Takes as long for an unknown e-mail as for a wrong password. Repeated failures answer 429.
    """
    email_key, address = _key(body.email), request.remote or "unknown"
    async with services.passwords.turn():
        async with services.database.as_service() as db:
            known = await sql.users.find_login.one(
                db, email_key=email_key, address=address, window_seconds=LOGIN_WINDOW
            )
        assert known is not None
        if max(known["email_failures"], known["address_failures"]) >= services.settings.login_attempts:
            detail = "Too many failed logins; wait a quarter of an hour."
            raise Problem(429, "too_many_attempts", detail, headers={"Retry-After": str(LOGIN_WINDOW)})
        fits = await services.passwords.verify(body.password.get_secret_value(), known["password_hash"])
        if not fits:
            async with services.database.as_service() as db:
                await sql.users.login_failed.run(db, email_key=email_key, address=address)
            raise Problem(
                401,
                "invalid_credentials",
                "The e-mail or the password is wrong.",
                headers={"WWW-Authenticate": "Bearer"},
            )
    refresh = new_token("r")
    async with services.database.as_service() as db:
        await _start_session(db, services, known["user_id"], refresh)
    return await _session(services, known["user_id"], refresh)


@routes.on("POST", "/auth/refresh", scope=None, errors=(401,))
async def refresh_tokens(services: Services, body: RefreshToken) -> Session:
    """Exchange a refresh token for a new pair of tokens.

    The refresh token is spent. Using a spent one again revokes its whole family.
    """
    fresh = new_token("r")
    async with services.database.as_service() as db:
        renewed = await sql.users.renew_session.one(
            db,
            old_hash=digest(body.refresh_token.get_secret_value()),
            new_hash=digest(fresh),
            expires_at=_expiry(services),
        )
    assert renewed is not None
    headers = {"WWW-Authenticate": "Bearer"}
    if renewed["outcome"] == "reused":
        raise Problem(401, "token_reused", "This refresh token was used before; log in again.", headers=headers)
    if renewed["outcome"] != "renewed":
        raise Problem(401, "invalid_token", "The refresh token is not valid, or has expired.", headers=headers)
    return await _session(services, renewed["user_id"], fresh)


@routes.on("POST", "/auth/logout", scope=None, status=204)
async def log_out_user(services: Services, body: RefreshToken) -> None:
    """Log out and revoke the session's refresh tokens.

    Repeating the call changes nothing.
    """
    async with services.database.as_service() as db:
        await sql.users.end_session.run(db, token_hash=digest(body.refresh_token.get_secret_value()))


@routes.on("GET", "/me")
async def get_me(db: Db, caller: Caller) -> User:
    """Get the authenticated user."""
    return await _profile(db, caller.user_id)


@routes.on("PATCH", "/me", scope="admin")
async def update_me(db: Db, caller: Caller, body: ProfileChange) -> User:
    """Update the authenticated user."""
    return User.read(await sql.users.update.one(db, user_id=caller.user_id, **body.model_dump()))


@routes.on("DELETE", "/me", scope="admin", status=204, errors=(403,))
async def delete_me(caller: Caller, services: Services, body: Farewell) -> None:
    """Delete the account and all its data.

    Cannot be undone.
    """
    await _prove(services, caller, body.password)
    async with services.database.acting_as(caller.user_id) as db:
        await sql.users.erase_own.run(db)


@routes.on("POST", "/me/password", scope="admin", status=204, errors=(403,))
async def update_password(caller: Caller, services: Services, body: PasswordChange) -> None:
    """Change the password and end every session."""
    await _prove(services, caller, body.current_password)
    hashed = await services.passwords.hash(body.new_password.get_secret_value())
    async with services.database.acting_as(caller.user_id) as db:
        await sql.users.change_own_password.run(db, password_hash=hashed)


async def _prove(services: Services, caller: Caller, password: SecretStr) -> None:
    """No transaction stays open while bcrypt works."""
    async with services.passwords.turn():
        async with services.database.acting_as(caller.user_id) as db:
            hashed = await sql.users.own_password_hash.value(db)
        if not await services.passwords.verify(password.get_secret_value(), hashed):
            raise Problem(403, "wrong_password", "The password is wrong.")


async def _profile(db: Db, user_id: UUID) -> User:
    row = await sql.users.me.one(db, user_id=user_id)
    if row is None:
        raise not_found("user")
    return User.read(row)


async def _start_session(db: Db, services: Services, user_id: UUID, refresh: str) -> None:
    await sql.users.start_session.run(
        db, user_id=user_id, family_id=uuid7(), token_hash=digest(refresh), expires_at=_expiry(services)
    )


async def _session(services: Services, user_id: UUID, refresh: str) -> Session:
    async with services.database.acting_as(user_id) as db:
        user = await _profile(db, user_id)
    access = services.tokens.issue(user_id, services.clock())
    return Session(user=user, access_token=access, refresh_token=refresh, expires_in=services.tokens.ttl)


def _expiry(services: Services) -> datetime:
    return services.clock() + timedelta(seconds=services.settings.refresh_token_ttl)


def _key(email: str) -> str:
    return email.casefold()
