"""Connections: a channel's credentials are kept encrypted, and read by whoever calls its messenger."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.crm.hook_keys import hash_of, key_of, new_key
from alfred.db import Database
from alfred.events import record
from alfred.queries import Db, Row, sql
from alfred.terms import ChannelType, ConnectionState, Provider
from alfred.vault import DamagedSecret, UnknownKey, Vault, place

MOST_KEYS = 10  # of a hook, good at once
UNREADABLE = "The stored credentials cannot be read with ALFRED_SECRET_KEY: restore the key, or send them again."


@dataclass(frozen=True)
class Connection:
    """What a call to the messenger needs; `settings` are config and plain secrets side by side, as PUT takes them."""

    user_id: UUID
    channel_id: UUID
    channel_type: ChannelType
    provider: Provider
    state: ConnectionState
    options: Mapping[str, Any]
    settings: Mapping[str, Any] = field(repr=False)
    hook_path: str | None = field(default=None, repr=False)  # behind the public URL
    account: str | None = None  # the channel's, where a hook has asked


@dataclass(frozen=True)
class Wanted:
    """What PUT asks for; a secret of None is cleared, one that is not named keeps its value."""

    provider: Provider
    hook_provider: str
    config: Mapping[str, Any]
    options: Mapping[str, Any]
    account: str | None
    names: tuple[str, ...]
    secrets: Mapping[str, Any] = field(repr=False)


async def connect(db: Db, vault: Vault, user_id: UUID, channel: Row, wanted: Wanted) -> None:
    """Keep what is wanted of a channel (a row of `channel_to_connect`), and make its hook's key.

    Another provider's secrets and keys go; so do those that this kind of connection does not have.
    """
    about: dict[str, Any] = {"user_id": user_id, "channel_id": channel["channel_id"]}
    same = channel["provider"] == wanted.provider
    same_account = same and wanted.account in {None, channel["external_account_id"]}
    if channel["provider"] is not None and not same:
        await sql.connections.remove_keys.run(db, **about)
    await sql.connections.put.run(
        db, provider=wanted.provider, config=dict(wanted.config), options=dict(wanted.options),
        same_account=same_account, **about,
    )  # fmt: skip
    left = [name for name in wanted.names if same and wanted.secrets.get(name, "kept") is not None]
    await sql.connections.remove_secrets.run(db, kept=left, **about)
    for name, value in wanted.secrets.items():
        if value is not None:
            sealed = vault.encrypt(json.dumps(value), place(user_id, channel["channel_id"], name))
            await sql.connections.put_secret.run(db, name=name, sealed=sealed, **about)
    if wanted.account is not None and wanted.account != channel["external_account_id"]:
        await sql.connections.bind_account.run(db, account=wanted.account, **about)
    if await sql.connections.keys.one(db, **about) is None:
        await add_key(db, vault, provider=wanted.hook_provider, **about)
    else:
        await sql.connections.move_keys.run(db, provider=wanted.hook_provider, **about)
    if channel["state"] in {"failing", "auth_failed"}:
        await recovered(db, user_id, channel["channel_id"])


async def add_key(db: Db, vault: Vault, *, user_id: UUID, channel_id: UUID, provider: str) -> UUID:
    """A fresh unguessable path; its id."""
    key, key_id = new_key(), uuid7()
    sealed = vault.encrypt(key, place(user_id, channel_id, "hook_key"))
    await sql.connections.add_key.run(
        db, key_hash=hash_of(key), user_id=user_id, channel_id=channel_id, key_id=key_id, provider=provider,
        sealed=sealed,
    )  # fmt: skip
    return key_id


async def rotate(db: Db, vault: Vault, row: Row, user_id: UUID, grace_seconds: int) -> datetime:
    """A new key beside the old ones (`row` is a row of `keys`), and until when those work."""
    about: dict[str, Any] = {"user_id": user_id, "channel_id": row["channel_id"]}
    newest = await add_key(db, vault, provider=row["provider"], **about)
    expires_at: datetime = await sql.connections.expire_keys.value(
        db, newest_id=newest, grace_seconds=grace_seconds, most=MOST_KEYS, **about
    )
    return expires_at


async def load(db: Db, vault: Vault, user_id: UUID, channel_id: UUID) -> Connection | None:
    """A channel's connection with its secrets, for the one call that needs them; None where there is none.

    Raises:
        UnknownKey, DamagedSecret: a secret cannot be decrypted (any more).
    """
    return opened(vault, user_id, await sql.connections.whole.value(db, user_id=user_id, channel_id=channel_id))


def opened(vault: Vault, user_id: UUID, whole: Mapping[str, Any] | None) -> Connection | None:
    """The connection in what app.connection_of() gives, its secrets decrypted; None where it gives none.

    Raises:
        UnknownKey, DamagedSecret: a secret cannot be decrypted (any more).
    """
    if whole is None:
        return None
    channel_id, settings = UUID(whole["channel_id"]), dict(whole["config"])
    for name, sealed in whole["secrets"].items():
        plain = json.loads(vault.decrypt(b64decode(sealed), place(user_id, channel_id, name)))
        _put(settings, name.split("."), plain)
    newest = whole["key"]
    if newest is not None:
        newest = {"channel_id": channel_id, "provider": newest["provider"], "sealed": b64decode(newest["sealed"])}
    key = key_of(vault, user_id, newest) if newest else None
    return Connection(
        user_id, channel_id, whole["type"], whole["provider"], whole["state"], whole["options"], settings,
        f"/api/v1/hooks/{newest['provider']}/{key}" if newest and key else None,
        whole.get("account"),
    )  # fmt: skip


async def load_for_hook(database: Database, vault: Vault, user_id: UUID, channel_id: UUID) -> Connection | None:
    """The same in one round-trip without a transaction around it, for a post that waits for its answer.

    Raises:
        UnknownKey, DamagedSecret: a secret cannot be decrypted (any more).
        UnknownUser: the tenant is gone.
    """
    return opened(vault, user_id, await database.once(sql.hooks.connection, user_id=user_id, channel_id=channel_id))


async def settle_test(db: Db, user_id: UUID, row: Row, error: Mapping[str, Any] | None, account: str | None) -> None:
    """What a test found out of a connection (a row of `get`): it works, or its credentials are refused."""
    state = "connected" if error is None else "auth_failed" if error["code"] == "auth_failed" else row["state"]
    about: dict[str, Any] = {"user_id": user_id, "channel_id": row["channel_id"]}
    await sql.connections.settle_test.run(db, state=state, error=error and dict(error), **about)
    if account is not None:
        await sql.connections.bind_account.run(db, account=account, **about)
    if error is None and row["state"] in {"failing", "auth_failed"}:
        await recovered(db, user_id, row["channel_id"])


async def recovered(db: Db, user_id: UUID, channel_id: UUID) -> None:
    """Tell that a channel works again, or has new credentials: what waited for them goes on."""
    await record(db, user_id, "channel.recovered", {"channel_id": str(channel_id)})


@dataclass
class Resealed:
    """How many secrets have the first key now, and how many nobody can read."""

    changed: int = 0
    lost: int = 0


async def reseal(db: Db, vault: Vault, user_id: UUID) -> Resealed:
    """Encrypt a user's secrets with the first key."""
    done = Resealed()
    for row in await sql.connections.all_secrets.all(db, user_id=user_id):
        if sealed := _resealed(vault, row["sealed"], place(user_id, row["channel_id"], row["name"]), done):
            about = {"user_id": user_id, "channel_id": row["channel_id"], "name": row["name"]}
            await sql.connections.reseal_secret.run(db, sealed=sealed, **about)
    for row in await sql.connections.all_keys.all(db, user_id=user_id):
        if sealed := _resealed(vault, row["sealed"], place(user_id, row["channel_id"], "hook_key"), done):
            await sql.connections.reseal_key.run(db, user_id=user_id, key_hash=row["key_hash"], sealed=sealed)
    return done


def _resealed(vault: Vault, sealed: bytes, about: str, done: Resealed) -> bytes | None:
    if vault.is_current(sealed):
        return None
    try:
        renewed = vault.encrypt(vault.decrypt(sealed, about), about)
    except (UnknownKey, DamagedSecret):
        done.lost += 1
        return None
    done.changed += 1
    return renewed


def _put(settings: dict[str, Any], way: list[str], value: Any) -> None:
    for step in way[:-1]:
        settings = settings.setdefault(step, {})
    settings[way[-1]] = value
