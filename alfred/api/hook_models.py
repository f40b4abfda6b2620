"""What is shown of a channel's hook: its counters to everybody, its address to those who may connect."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from alfred.crm.hook_keys import key_of, verify_tokens
from alfred.http.models import Output
from alfred.queries import Db, Row, sql
from alfred.vault import Vault

Authentication = Literal["signature", "credentials", "key_only", "not_configured"]

META = frozenset({"whatsapp_cloud", "messenger", "instagram"})
# What to subscribe to at the provider.
_FIELDS = {
    "whatsapp_cloud": ["messages", "smb_message_echoes"],
    "messenger": ["messages", "messaging_postbacks", "message_deliveries", "message_reads", "message_reactions",
                  "message_edits", "message_echoes"],
    "instagram": ["messages", "messaging_postbacks", "messaging_seen", "message_reactions", "message_edit"],
    "evolution": ["MESSAGES_UPSERT", "MESSAGES_UPDATE", "MESSAGES_EDITED", "MESSAGES_DELETE", "SEND_MESSAGE"],
    "waha": ["message.any", "message.ack", "message.reaction", "message.revoked", "message.edited"],
    "zapi": ["on-message-received", "on-message-send", "on-message-status"],
}  # fmt: skip
_SIGNED = {
    **dict.fromkeys(META, "app_secrets"),
    "twilio": "auth_tokens",
    "waha": "hmac_keys",
    "mailgun": "inbound.signing_keys",
    "resend": "inbound.signing_secrets",
}
_CREDENTIALS = ("header", "jwt_key", "inbound.basic", "inbound.bearer", "inbound.header")


class HookError(Output):
    code: str = Field(examples=["bad_signature"])
    detail: str
    at: datetime


class Hook(Output):
    """What came in by a channel's own address."""

    received: int = 0
    rejected: int = 0
    last_received_at: datetime | None = None
    last_rejected_at: datetime | None = None
    last_challenge_at: datetime | None = None
    last_error: HookError | None = None


class HookKey(Output):
    id: UUID
    created_at: datetime
    expires_at: datetime | None


class ConnectedHook(Hook):
    url: str | None = Field(examples=["https://crm.example.org/api/v1/hooks/whatsapp_cloud/k3y"])
    verify_token: str | None = Field(description="Meta: what to type in beside the address.")
    authentication: Authentication = Field(description="How a post is told to be genuine.")
    fields: list[str] = Field(description="What to subscribe to at the provider.")
    keys: list[HookKey]


def counters_of(row: Any) -> dict[str, Any]:
    """The counters of a row that may have none yet."""
    return {name: row[name] for name in Hook.model_fields if row[name] is not None}


async def hook_of(db: Db, vault: Vault, row: Row, base: str, user_id: UUID) -> ConnectedHook:
    """The hook of a connection (a row of `get`); `base` is how the messenger reaches us."""
    about = {"user_id": user_id, "channel_id": row["channel_id"]}
    keys = await sql.connections.keys.all(db, **about)
    secret_names = {secret["name"] for secret in await sql.connections.secrets.all(db, **about)}
    provider = keys[0]["provider"] if keys else row["provider"]
    key = key_of(vault, user_id, keys[0]) if keys else None
    return ConnectedHook(
        **counters_of(row),
        url=f"{base}/api/v1/hooks/{provider}/{key}" if key else None,
        verify_token=verify_tokens(vault, key)[0] if key and provider in META else None,
        authentication=authentication_of(provider, row["config"], secret_names),
        fields=_FIELDS.get(provider, []),
        keys=[HookKey(id=one["key_id"], created_at=one["created_at"], expires_at=one["expires_at"]) for one in keys],
    )


def authentication_of(provider: str, config: Any, secret_names: set[str]) -> Authentication:
    """How a post to this hook proves where it comes from, beside its address."""
    if provider in _SIGNED:
        return "signature" if _SIGNED[provider] in secret_names else "not_configured"
    if provider == "ses" or (provider == "sendgrid" and config["inbound"].get("public_key")):
        return "signature"
    return "credentials" if secret_names & set(_CREDENTIALS) else "key_only"
