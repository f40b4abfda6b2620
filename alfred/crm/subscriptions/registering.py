"""Making, changing, rotating and removing subscriptions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.crm.subscriptions.secrets import seal_headers, seal_secret
from alfred.queries import Db, sql
from alfred.quotas import QUOTAS
from alfred.vault import Vault
from alfred.webhook_signing import new_secret


class TooManySubscriptions(Exception):
    """The tenant has as many as one may have."""


@dataclass(frozen=True)
class NewSubscription:
    """What is asked for, already checked."""

    url: str
    events: Sequence[str]
    description: str | None
    headers: Mapping[str, str] = field(repr=False)
    ordered: bool
    enabled: bool


@dataclass(frozen=True)
class SubscriptionChange:
    """None leaves a thing as it is; `describes` says whether the description is changed too (perhaps to nothing)."""

    url: str | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    describes: bool = False
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    ordered: bool | None = None
    enabled: bool | None = None


async def add(db: Db, vault: Vault, user_id: UUID, wanted: NewSubscription, token_id: UUID | None) -> tuple[UUID, str]:
    """A new subscription; its id, and its secret, which is shown this once.

    Raises:
        TooManySubscriptions
    """
    await sql.subscriptions.hold_tenant.run(db, user_id=user_id)
    if await sql.subscriptions.count.value(db, user_id=user_id) >= QUOTAS["subscriptions"]:
        raise TooManySubscriptions
    about = {"user_id": user_id, "subscription_id": uuid7()}
    secret = new_secret()
    await sql.subscriptions.add.run(
        db,
        **about,
        url=wanted.url,
        events=list(wanted.events),
        description=wanted.description,
        header_names=sorted(wanted.headers),
        headers=seal_headers(vault, headers=wanted.headers, **about),
        secret=seal_secret(vault, secret=secret, **about),
        ordered=wanted.ordered,
        enabled=wanted.enabled,
        token_id=token_id,
    )
    await sql.subscriptions.add_lane.run(db, **about)
    return about["subscription_id"], secret


async def change(db: Db, vault: Vault, user_id: UUID, subscription_id: UUID, wanted: SubscriptionChange) -> bool:
    """Change what is given; False where there is no such subscription.

    Headers are forgotten where the URL goes to another place and they do not come along: nobody may have the ones that
    are kept sent to a host of theirs.
    """
    about = {"user_id": user_id, "subscription_id": subscription_id}
    row = await sql.subscriptions.hold.one(db, **about)
    if row is None:
        return False
    headers = wanted.headers
    if headers is None and wanted.url is not None and _origin(wanted.url) != _origin(row["url"]):
        headers = {}
    await sql.subscriptions.change.run(
        db,
        **about,
        url=wanted.url,
        events=None if wanted.events is None else list(wanted.events),
        set_description=wanted.describes,
        description=wanted.description,
        set_headers=headers is not None,
        header_names=sorted(headers or {}),
        headers=seal_headers(vault, headers=headers or {}, **about),
        ordered=wanted.ordered,
        enabled=wanted.enabled,
    )
    if wanted.url is not None or wanted.enabled:
        await sql.subscriptions.unpause.run(db, **about)
    await sql.subscriptions.wake.run(db, **about)
    return True


async def rotate(
    db: Db, vault: Vault, user_id: UUID, subscription_id: UUID, grace_seconds: int
) -> tuple[str, datetime] | None:
    """A new secret, shown this once, and until when the present one signs beside it. None: no such subscription."""
    about = {"user_id": user_id, "subscription_id": subscription_id}
    secret = new_secret()
    until = await sql.subscriptions.rotate.value(
        db, **about, secret=seal_secret(vault, secret=secret, **about), grace_seconds=grace_seconds
    )
    return None if until is None else (secret, until)


async def remove(db: Db, user_id: UUID, subscription_id: UUID) -> bool:
    """With all that waits; True also where it was removed before."""
    about = {"user_id": user_id, "subscription_id": subscription_id}
    if await sql.subscriptions.remove.run(db, **about):
        await sql.subscriptions.bury.run(db, **about)
        await sql.subscriptions.forget_tombstones.run(db, user_id=user_id)
        return True
    return bool(await sql.subscriptions.is_buried.value(db, **about))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(scheme)
