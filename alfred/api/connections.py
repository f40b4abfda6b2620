"""Connections: a channel gets the credentials of its messenger, which are tested, and never shown again."""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from alfred.addresses import Targets, fault_of
from alfred.api.connection_checks import account_of, address_faults, can_receive, can_send, faults_of, probe
from alfred.api.connection_config import (
    NewConnection,
    hook_provider,
    names_of_secrets,
    secrets,
    shown,
)
from alfred.api.connection_fields import Options
from alfred.api.hook_models import ConnectedHook, hook_of
from alfred.crm import connections
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.http.pages import base_url
from alfred.http.problems import invalid, not_found
from alfred.http.quotas import make_room
from alfred.queries import Db, Row, sql
from alfred.senders.errors import Error
from alfred.senders.probes import Account
from alfred.terms import ConnectionState, Provider
from alfred.vault import DamagedSecret, UnknownKey

routes = Routes("Connections")


class SecretState(Output):
    set: bool
    updated_at: datetime | None


class Connection(Output):
    """What a channel is connected to, without its secrets."""

    channel_id: UUID
    provider: Provider
    state: ConnectionState
    can_send: bool
    can_receive: bool
    config: dict[str, Any] = Field(examples=[{"phone_number_id": "109900000000001"}])
    secrets: dict[str, SecretState]
    options: Options
    hook: ConnectedHook
    error: Error | None
    paused_until: datetime | None
    created_at: datetime
    updated_at: datetime


class ConnectedAccount(Output):
    id: str | None
    name: str | None


class ConnectionTest(Output):
    ok: bool
    provider: Provider
    account: ConnectedAccount | None
    latency_ms: int = Field(examples=[84])
    error: Error | None


class HookRotation(Input):
    grace_seconds: int = Field(86_400, ge=0, le=604_800, description="How long the present address works beside it.")


class RotatedHook(Output):
    url: str | None
    verify_token: str | None
    previous_expires_at: datetime


class HookTest(Output):
    url: str | None
    reachable: bool | None = Field(description="None where `ALFRED_PUBLIC_URL` is not set.")
    detail: str


@routes.on("GET", "/channels/{channel_id}/connection", scope="admin", errors=(404,))
async def get_connection(
    db: Db, caller: Caller, services: Services, request: web.Request, channel_id: UUID
) -> Connection:
    """Get a channel's connection, without its secrets."""
    row = await _row(db, caller, channel_id)
    return await _shown(db, services, request, caller, row)


@routes.on("PUT", "/channels/{channel_id}/connection", scope="admin", errors=(404, 409))
async def store_connection(
    caller: Caller, services: Services, request: web.Request, channel_id: UUID, body: NewConnection
) -> Connection:
    """Store the connection of a channel to its messenger.

    With the same provider a secret that is left out keeps its value, and null clears an optional one; with another
    provider all is new. Where the address changes, the secrets that are sent there have to come along.
    """
    config = body.root
    if faults := await address_faults(services.outbound, config):
        raise invalid(faults)
    given = dict(secrets(config))
    async with services.database.acting_as(caller.user_id) as db:
        channel = await sql.connections.channel_to_connect.one(db, user_id=caller.user_id, channel_id=channel_id)
        if channel is None:
            raise not_found("channel")
        if channel["provider"] is None:
            await make_room(db, caller.user_id, "connections")
        stored = await sql.connections.secrets.all(db, user_id=caller.user_id, channel_id=channel_id)
        if faults := faults_of(config, channel, {row["name"] for row in stored}, given):
            raise invalid(faults)
        wanted = connections.Wanted(
            provider=config.provider,
            hook_provider=hook_provider(config),
            config=shown(config) | {"provider": config.provider},
            options=config.options.model_dump(mode="json"),
            account=config.account(),
            names=tuple(names_of_secrets(config)),
            secrets=given,
        )
        await connections.connect(db, services.vault, caller.user_id, channel, wanted)
        answer = await _shown(db, services, request, caller, await _row(db, caller, channel_id))
    services.hooks.forget(caller.user_id, channel_id)
    services.bus.announce([caller.user_id])
    return answer


@routes.on("DELETE", "/channels/{channel_id}/connection", scope="admin", status=204, errors=(404,))
async def delete_connection(caller: Caller, services: Services, channel_id: UUID) -> None:
    """Delete a connection and its secrets."""
    async with services.database.acting_as(caller.user_id) as db:
        if not await sql.connections.remove.run(db, user_id=caller.user_id, channel_id=channel_id):
            raise not_found("connection")
        await sql.connections.forget_deliveries.run(db, user_id=caller.user_id, channel_id=channel_id)
    services.hooks.forget(caller.user_id, channel_id)


@routes.on("POST", "/channels/{channel_id}/connection/test", scope="admin", errors=(404,))
async def test_connection(caller: Caller, services: Services, channel_id: UUID) -> ConnectionTest:
    """Test the credentials of a connection.

    Asks the provider whose account it is, and sends no message. The answer is 200 also where the provider says no.
    """
    async with services.database.acting_as(caller.user_id) as db:
        row = await _row(db, caller, channel_id)
        connection = await _readable(db, services, caller, channel_id)
    began = time.monotonic()
    found = Account(error=unreadable()) if connection is None else await probe(services.outbound, connection)
    latency = time.monotonic() - began
    async with services.database.acting_as(caller.user_id) as db:
        error = found.error.row() if found.error else None
        await connections.settle_test(db, caller.user_id, row, error, account_of(row["provider"], found))
    services.bus.announce([caller.user_id])
    known = found.error is None and (found.id is not None or found.name is not None)
    return ConnectionTest(
        ok=found.error is None,
        provider=row["provider"],
        account=ConnectedAccount(id=found.id, name=found.name) if known else None,
        latency_ms=round(latency * 1000),
        error=found.error,
    )


@routes.on("POST", "/channels/{channel_id}/hook/rotate", scope="admin", errors=(404,))
async def rotate_hook(
    caller: Caller, services: Services, request: web.Request, channel_id: UUID, body: HookRotation
) -> RotatedHook:
    """Rotate the address of a hook.

    The present address works until `previous_expires_at`.
    """
    async with services.database.acting_as(caller.user_id) as db:
        row = await _row(db, caller, channel_id)
        expires_at = await connections.rotate(db, services.vault, row, caller.user_id, body.grace_seconds)
        hook = await hook_of(db, services.vault, row, base_url(request), caller.user_id)
    services.hooks.forget(caller.user_id, channel_id)
    return RotatedHook(url=hook.url, verify_token=hook.verify_token, previous_expires_at=expires_at)


@routes.on("POST", "/channels/{channel_id}/hook/test", scope="admin", errors=(404,))
async def test_hook(db: Db, caller: Caller, services: Services, request: web.Request, channel_id: UUID) -> HookTest:
    """Check whether messengers can reach a hook.

    Judges the address only, and makes no request.
    """
    row = await _row(db, caller, channel_id)
    hook = await hook_of(db, services.vault, row, base_url(request), caller.user_id)
    if services.settings.public_url is None:
        detail = (
            "Set ALFRED_PUBLIC_URL to the address that the messenger can reach, then copy the hook's address again."
        )
        return HookTest(url=hook.url, reachable=None, detail=detail)
    if hook.url is None or fault_of(hook.url, Targets()) is not None:
        detail = "Messengers post to public https addresses only: change ALFRED_PUBLIC_URL."
        return HookTest(url=hook.url, reachable=False, detail=detail)
    return HookTest(
        url=hook.url, reachable=True, detail="The address is public. Copy it into the messenger's settings."
    )


def unreadable() -> Error:
    """The stored secrets were encrypted with a key that is gone."""
    error = Error.of("auth_failed")
    return error.model_copy(update={"detail": connections.UNREADABLE})


async def _readable(db: Db, services: Services, caller: Caller, channel_id: UUID) -> connections.Connection | None:
    try:
        return await connections.load(db, services.vault, caller.user_id, channel_id)
    except (UnknownKey, DamagedSecret):
        return None


async def _row(db: Db, caller: Caller, channel_id: UUID) -> Row:
    row = await sql.connections.get.one(db, user_id=caller.user_id, channel_id=channel_id)
    if row is None:
        raise not_found("connection")
    return row


async def _shown(db: Db, services: Services, request: web.Request, caller: Caller, row: Row) -> Connection:
    stored = await sql.connections.secrets.all(db, user_id=caller.user_id, channel_id=row["channel_id"])
    updated = {secret["name"]: secret["updated_at"] for secret in stored}
    names = names_of_secrets(NewConnection.model_validate(row["config"]).root)
    return Connection(
        **{name: row[name] for name in Connection.model_fields if name in dict(row)},
        can_send=can_send(row["provider"], row["config"], updated),
        can_receive=can_receive(row["provider"], row["config"], updated),
        secrets={name: SecretState(set=name in updated, updated_at=updated.get(name)) for name in names},
        hook=await hook_of(db, services.vault, row, base_url(request), caller.user_id),
    )
