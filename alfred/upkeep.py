"""What an operator asks for by hand: a scan, new encryption of what is stored, the events that were given up."""

from alfred.crm import ai_accounts, connections
from alfred.queries import sql
from alfred.running import Provisioned
from alfred.vault import Vault

MOST_SHOWN = 1_000  # events that were given up


async def scan_once(base: Provisioned, scan: str) -> int:
    """Run one scan by hand; how much it told."""
    from alfred.assembly import scans_of  # loads the whole service

    async with base.logins.opened() as pools:
        scans = scans_of(pools.app, lambda _: None, base.settings)
        return await (scans.overdue() if scan == "overdue" else scans.stalled())


async def rotate_secrets(base: Provisioned) -> str:
    """Encrypt every stored secret with the first key of ALFRED_SECRET_KEY; says how many were changed, and how many
    cannot be read."""
    vault = Vault([key.get_secret_value() for key in base.settings.secret_key])
    changed = lost = 0
    async with base.logins.opened() as pools:
        database = pools.app
        async with database.as_service() as db:
            users = [row["user_id"] for row in await sql.connections.users_with_secrets.all(db)]
        for user_id in users:
            async with database.acting_as(user_id) as db:
                resealed = await connections.reseal(db, vault, user_id)
                changed, lost = changed + resealed.changed, lost + resealed.lost
        async with database.as_service() as db:
            users = [row["user_id"] for row in await sql.ai_providers.users_with_keys.all(db)]
        for user_id in users:
            async with database.acting_as(user_id) as db:
                renewed, unread = await ai_accounts.reseal(db, vault, user_id)
                changed, lost = changed + renewed, lost + unread
    return f"{changed} secrets are encrypted anew" + (f"; {lost} cannot be read: their key is missing" if lost else "")


async def dead_events(base: Provisioned, *, retry: bool) -> str:
    """What consumers gave up, one a line, the latest first; or how many were set to be tried again."""
    async with base.logins.opened() as pools, pools.bus.as_service() as db:
        if retry:
            return f"{await sql.events.revive.value(db)} events will be tried again"
        rows = await sql.events.dead.all(db, limit=MOST_SHOWN)
    lines = [f"{row['created_at']:%F %T} {row['consumer']} event {row['number']}: {row['error']}" for row in rows]
    return "\n".join(lines) or "none"
