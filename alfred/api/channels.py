"""Channels: the accounts that a tenant talks through."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints
from uuid_utils.compat import uuid7

from alfred.api.connection_checks import can_receive, can_send
from alfred.api.hook_models import Hook, counters_of
from alfred.crm.erasure import erase_channel
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Listing, Name, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Problem, not_found
from alfred.http.quotas import make_room
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error
from alfred.terms import ChannelType, ConnectionState, Provider

routes = Routes("Channels")

_TRAITS = (("can_send", can_send), ("can_receive", can_receive))
_OWN = ("id", "type", "name", "external_account_id", "active", "created_at", "last_message_at")

Account = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]


class NewChannel(Input):
    type: ChannelType = Field(examples=["whatsapp"])
    name: Name = Field(examples=["Loja Centro"])
    external_account_id: Account | None = Field(None, examples=["109900000000001"])
    active: bool = True


class ChannelChange(Input):
    name: IfGiven[Name] = Field(None, examples=["Loja Centro"])
    external_account_id: Account | None = None
    active: IfGiven[bool] = None


class ChannelConnection(Output):
    """How the channel is connected; who may connect sees more at `/channels/{id}/connection`."""

    provider: Provider
    state: ConnectionState
    can_send: bool
    can_receive: bool
    error: Error | None
    paused_until: datetime | None


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
    last_message_at: datetime | None = Field(description="Time of the latest message, inbound or outbound.")
    connection: ChannelConnection | None
    hook: Hook | None


@routes.on("GET", "/channels")
async def list_channels(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[Channel]:
    """List channels, newest first."""
    return (await newest_first(db, request, query, sql.channels.page, user_id=caller.user_id)).of(_channel_of)


@routes.on("POST", "/channels", status=201, errors=(409,))
async def create_channel(db: Db, caller: Caller, body: NewChannel) -> Channel:
    """Create a channel.

    A channel whose account posts a webhook is created automatically.
    """
    await make_room(db, caller.user_id, "channels")
    channel_id = uuid7()
    await sql.channels.add.run(db, user_id=caller.user_id, channel_id=channel_id, **body.model_dump())
    return await _channel(db, caller, channel_id)


@routes.on("GET", "/channels/{channel_id}", errors=(404,))
async def get_channel(db: Db, caller: Caller, channel_id: UUID) -> Channel:
    """Get a channel."""
    return await _channel(db, caller, channel_id)


@routes.on("PATCH", "/channels/{channel_id}", errors=(404, 409))
async def update_channel(db: Db, caller: Caller, channel_id: UUID, body: ChannelChange) -> Channel:
    """Update a channel."""
    await sql.channels.update.run(
        db,
        user_id=caller.user_id,
        channel_id=channel_id,
        set_account="external_account_id" in body.model_fields_set,
        **body.model_dump(),
    )
    return await _channel(db, caller, channel_id)


@routes.on("DELETE", "/channels/{channel_id}", status=204, errors=(404,))
async def delete_channel(caller: Caller, services: Services, channel_id: UUID) -> None:
    """Delete a channel and its conversations.

    A connected channel needs the scope `admin`. Where a long history does not go in one call (503), the next one goes
    on with it.
    """
    async with services.database.acting_as(caller.user_id) as db:
        connected = await sql.connections.get.one(db, user_id=caller.user_id, channel_id=channel_id)
    if connected is not None and not caller.may("admin"):
        raise Problem(403, "insufficient_scope", "Deleting a connected channel takes a token with the scope `admin`.")
    if not await erase_channel(services.database, caller.user_id, channel_id):
        raise not_found("channel")


async def _channel(db: Db, caller: Caller, channel_id: UUID) -> Channel:
    row = await sql.channels.get.one(db, user_id=caller.user_id, channel_id=channel_id)
    if row is None:
        raise not_found("channel")
    return _channel_of(row)


def _channel_of(row: Row) -> Channel:
    connection = None
    if row["provider"] is not None:
        traits = {name: traits_of(row["provider"], row["config"], row["secret_names"]) for name, traits_of in _TRAITS}
        connection = ChannelConnection(
            provider=row["provider"], state=row["state"], error=row["error"], paused_until=row["paused_until"], **traits
        )
    hook = Hook(**counters_of(row)) if connection else None
    return Channel(**{name: row[name] for name in _OWN}, connection=connection, hook=hook)
