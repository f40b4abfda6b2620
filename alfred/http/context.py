"""What handlers are given: the parts of the service, and who is asking."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from aiohttp import web

from alfred.ai.provider import AIProvider
from alfred.bus import Bus
from alfred.crm.deliveries import DeliveryWorker
from alfred.crm.hooks import Hooks
from alfred.crm.inbox import Inbox
from alfred.crm.leases import Worker
from alfred.crm.lost_posts import LostPosts
from alfred.crm.media.fetching import Claimed
from alfred.crm.media.library import Library
from alfred.crm.refining import Claimed as Refined
from alfred.crm.subscriptions.queueing import Queueing
from alfred.crm.subscriptions.sending import Sender
from alfred.crm.suppression import Suppression
from alfred.db import Database
from alfred.heartbeats import Heartbeats
from alfred.heavy_work import HeavyWork
from alfred.http.bodies import LargeBodies
from alfred.http.rate_limits import Limits
from alfred.http.registrations import Registrations
from alfred.http.session_trust import SessionTrust
from alfred.hub import Hub
from alfred.identity import AccessTokens, Passwords
from alfred.logins import Pools
from alfred.model_calls import Models
from alfred.outbound_http import OutboundHttp
from alfred.settings import Settings
from alfred.stream_trust import StreamTrust
from alfred.tail import Tail
from alfred.vault import Vault


@dataclass(frozen=True)
class Services:
    """The parts of the running service, made by the composition root."""

    settings: Settings
    pools: Pools
    database: Database  # for requests
    auth: Database
    bus: Bus
    hub: Hub
    tail: Tail
    queueing: Queueing
    webhooks: Sender
    stream_trust: StreamTrust
    heartbeats: Heartbeats
    inbox: Inbox
    hooks: Hooks
    bodies: LargeBodies
    heavy: HeavyWork
    deliveries: DeliveryWorker
    lost_posts: LostPosts
    suppression: Suppression
    library: Library
    fetcher: Worker[Claimed]
    passwords: Passwords
    tokens: AccessTokens
    assistant: AIProvider
    vault: Vault
    models: Models
    refiner: Worker[Refined]
    outbound: OutboundHttp
    limits: Limits
    tickets: Limits
    registrations: Registrations
    trust: SessionTrust
    clock: Callable[[], datetime]
    ending: "Ending"


@dataclass
class Ending:
    """Whether the service is about to stop: streams end, readiness says no."""

    begun: bool = False


@dataclass(frozen=True)
class Caller:
    """Who is asking, and what they may do."""

    user_id: UUID
    scopes: frozenset[str]
    token_id: UUID | None = None
    session_id: UUID | None = None
    expires_at: datetime | None = None  # of an access token

    @classmethod
    def person(cls, user_id: UUID, session_id: UUID | None, expires_at: datetime) -> "Caller":
        """A person with an access token, who may do everything."""
        return cls(user_id, frozenset({"admin"}), session_id=session_id, expires_at=expires_at)

    @classmethod
    def api_token(cls, user_id: UUID, scopes: Iterable[str], token_id: UUID) -> "Caller":
        """The holder of an API token, who may do what its scopes say."""
        return cls(user_id, frozenset(scopes), token_id)

    def may(self, scope: str) -> bool:
        """`admin` may everything; `write` may also post webhooks; subscriptions carry away what `read` reads.

        `any` is no scope of a token: whatever asks for it is open to every valid token.
        """
        if scope == "subscriptions" and "admin" not in self.scopes:
            return {"subscriptions", "read"} <= self.scopes
        return (
            scope == "any" or bool(self.scopes & {"admin", scope}) or (scope == "webhooks" and "write" in self.scopes)
        )


SERVICES = web.AppKey("SERVICES", Services)
REQUEST_ID = web.RequestKey("REQUEST_ID", str)
QUOTA = web.RequestKey("QUOTA", dict)
PUBLIC_BASE = web.RequestKey("PUBLIC_BASE", str)
