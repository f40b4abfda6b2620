"""Which of the tenant's channels an item of a hook belongs to: that of its recipient, else the key's own."""

from collections.abc import Sequence
from typing import Any

from alfred.api.hook_models import META
from alfred.channels.item import InboundItem
from alfred.crm.connections import Connection
from alfred.crm.hooks import Hook
from alfred.db import Database
from alfred.http.problems import not_found
from alfred.queries import Db, Row, sql
from alfred.terms import LONGEST_HANDLE


async def route(
    database: Database, hook: Hook, connection: Connection, items: Sequence[InboundItem]
) -> list[InboundItem]:
    """The items with the account of their channel as recipient, by which `take_in` finds it.

    A channel counts if it is connected to the same provider or to none: a key without a signature must not write into
    a channel whose posts are signed. Where none has the recipient, Meta's gets a channel made, others go to the key's.
    """
    accounts = sorted({item.recipient for item in items if item.recipient})
    if connection.account is not None and accounts in ([], [connection.account]):  # nearly always
        return [item.model_copy(update={"recipient": connection.account}) for item in items]
    async with database.acting_as(hook.user_id) as db:
        return await _routed(db, hook, items, accounts)


async def _routed(db: Db, hook: Hook, items: Sequence[InboundItem], accounts: list[str]) -> list[InboundItem]:
    rows = await sql.hooks.channels_of.all(
        db, user_id=hook.user_id, channel_id=hook.channel_id, type=items[0].channel_type, accounts=accounts
    )
    own = next((row for row in rows if row["channel_id"] == hook.channel_id), None)
    if own is None:  # it is being deleted
        raise not_found("hook")
    taken = {row["external_account_id"]: row["provider"] for row in rows}
    account = own["external_account_id"]
    routed = []
    for item in items:
        if not _has_channel(item, taken, own, hook):
            if (
                account is None
                and item.recipient
                and item.recipient not in taken
                and len(item.recipient) <= LONGEST_HANDLE
            ):
                account = item.recipient
                about: dict[str, Any] = {"user_id": hook.user_id, "channel_id": hook.channel_id}
                await sql.hooks.adopt_account.run(db, account=account, **about)
            routed.append(item.model_copy(update={"recipient": account}))
        else:
            routed.append(item)
    return routed


def _has_channel(item: InboundItem, taken: dict[str | None, str | None], own: Row, hook: Hook) -> bool:
    """Whether the recipient's channel takes it, or one may be made for it."""
    if item.recipient in taken and item.recipient is not None:
        return taken[item.recipient] in {None, own["provider"]}
    return hook.provider in META and item.recipient is not None and own["external_account_id"] is not None
