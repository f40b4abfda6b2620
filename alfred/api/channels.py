"""Channels: the accounts that a tenant talks through."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints
from uuid_utils.compat import uuid7

from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Name, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import not_found
from alfred.queries import Db, sql
from alfred.terms import ChannelType

routes = Routes("Channels")

Account = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class NewChannel(Input):
    type: ChannelType = Field(examples=["whatsapp"])
    name: Name = Field(examples=["Loja Centro"])
    external_account_id: Account | None = Field(None, examples=["109900000000001"])
    active: bool = True


class ChannelChange(Input):
    name: Name | None = Field(None, examples=["Loja Centro"])
    external_account_id: Account | None = None
    active: bool | None = None


class Channel(Output):
    id: UUID
    type: ChannelType = Field(examples=["whatsapp"])
    name: str = Field(examples=["Loja Centro"])
    external_account_id: str | None = Field(
        examples=["109900000000001"],
        description="The provider's id of the account: the recipient named by its webhooks.",
    )
    active: bool
    created_at: datetime


@routes.on("GET", "/channels")
async def list_channels(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[Channel]:
    """List channels, newest first."""
    return (await newest_first(db, request, query, sql.channels.page, user_id=caller.user_id)).of(Channel.read)


@routes.on("POST", "/channels", status=201, errors=(409,))
async def create_channel(db: Db, caller: Caller, body: NewChannel) -> Channel:
    """Create a channel.

    A channel whose account posts a webhook is created automatically.
    """
    row = await sql.channels.add.one(db, user_id=caller.user_id, channel_id=uuid7(), **body.model_dump())
    return Channel.read(row)


@routes.on("GET", "/channels/{channel_id}", errors=(404,))
async def get_channel(db: Db, caller: Caller, channel_id: UUID) -> Channel:
    """Get a channel."""
    row = await sql.channels.get.one(db, user_id=caller.user_id, channel_id=channel_id)
    if row is None:
        raise not_found("channel")
    return Channel.read(row)


@routes.on("PATCH", "/channels/{channel_id}", errors=(404, 409))
async def update_channel(db: Db, caller: Caller, channel_id: UUID, body: ChannelChange) -> Channel:
    """Update a channel."""
    row = await sql.channels.update.one(
        db,
        user_id=caller.user_id,
        channel_id=channel_id,
        set_account="external_account_id" in body.model_fields_set,
        **body.model_dump(),
    )
    if row is None:
        raise not_found("channel")
    return Channel.read(row)


@routes.on("DELETE", "/channels/{channel_id}", status=204, errors=(404,))
async def delete_channel(db: Db, caller: Caller, channel_id: UUID) -> None:
    """Delete a channel and its conversations."""
    if not await sql.channels.remove.run(db, user_id=caller.user_id, channel_id=channel_id):
        raise not_found("channel")
