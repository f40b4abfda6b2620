"""API tokens: credentials for n8n and scripts, shown once."""

from datetime import datetime
from uuid import UUID

import structlog
from aiohttp import web
from pydantic import Field, field_validator
from uuid_utils.compat import uuid7

from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Moment, Name, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, invalid, not_found
from alfred.http.quotas import make_room
from alfred.identity import digest, new_api_token
from alfred.queries import Db, sql
from alfred.terms import Scope

log = structlog.get_logger()

routes = Routes("Tokens")


class NewToken(Input):
    name: Name = Field(examples=["n8n"])
    scopes: list[Scope] = Field(["read", "write", "webhooks"], min_length=1, max_length=5)
    expires_at: Moment | None = Field(None, description="When the token expires. Default: never.")

    @field_validator("scopes")
    @classmethod
    def _each_once(cls, scopes: list[Scope]) -> list[Scope]:
        return list(dict.fromkeys(scopes))


class Token(Output):
    id: UUID
    name: str = Field(examples=["n8n"])
    hint: str = Field(examples=["alf_0_…x9Qf"], description="The first and last characters of the token.")
    scopes: list[Scope] = Field(examples=[["read", "write", "webhooks"]])
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class FreshToken(Token):
    token: str | None = Field(
        examples=["alf_0_..."],
        description="The token. Shown only in this answer: it is null when an `Idempotency-Key` repeats the answer.",
    )


@routes.on("GET", "/tokens")
async def list_tokens(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[Token]:
    """List API tokens.

    Newest first, without their secrets.
    """
    return (await newest_first(db, request, query, sql.tokens.page, user_id=caller.user_id)).of(Token.read)


@routes.on("POST", "/tokens", status=201, scope="admin", secrets=("token",), errors=(409,))
async def create_token(db: Db, caller: Caller, services: Services, body: NewToken) -> FreshToken:
    """Create an API token.

    This answer is the only one that shows the token. A token that is made with another one expires no later than it.
    """
    if body.expires_at is not None and body.expires_at <= services.clock():
        raise invalid([Fault("/expires_at", "must lie in the future", "past")])
    await make_room(db, caller.user_id, "tokens")
    token, token_id = new_api_token(), uuid7()
    fields = body.model_dump() | {"made_by": caller.token_id, "hint": f"{token[:6]}…{token[-4:]}"}
    row = await sql.tokens.add.one(db, user_id=caller.user_id, token_id=token_id, **fields)
    await sql.tokens.add_hash.run(db, user_id=caller.user_id, token_id=token_id, token_hash=digest(token))
    log.info("token_created", token_id=str(token_id), scopes=sorted(body.scopes))
    return FreshToken(**dict(row or {}), token=token)


@routes.on("DELETE", "/tokens/{token_id}", status=204, scope="admin", errors=(404,))
async def revoke_token(db: Db, caller: Caller, token_id: UUID) -> None:
    """Revoke an API token.

    Takes effect at once, on every replica.
    """
    if not await sql.tokens.remove.run(db, user_id=caller.user_id, token_id=token_id):
        raise not_found("token")
    log.info("token_revoked", token_id=str(token_id))
