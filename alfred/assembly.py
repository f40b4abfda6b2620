"""Every part of the service, made from the settings and tied to the others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from alfred.ai.llm.exchange import Account
from alfred.ai.llm.protocols import PROTOCOLS
from alfred.ai.registry import provider
from alfred.api import event_bodies
from alfred.bus import Bus
from alfred.crm import automation, notifications, refining
from alfred.crm.deliveries import DeliveryWorker, Making, Pace, Reach
from alfred.crm.hooks import Hooks
from alfred.crm.inbox import Inbox
from alfred.crm.leases import Worker
from alfred.crm.lost_posts import LostPosts
from alfred.crm.media import fetching
from alfred.crm.media.library import Library
from alfred.crm.retention import Ages, Retention
from alfred.crm.scans import Scans
from alfred.crm.subscriptions.queueing import Queueing
from alfred.crm.subscriptions.sending import Patience, Sender
from alfred.crm.suppression import PURPOSE, Suppression
from alfred.db import Database
from alfred.heartbeats import Heartbeats
from alfred.heavy_work import HeavyWork
from alfred.http.bodies import LargeBodies
from alfred.http.context import Ending, Services
from alfred.http.rate_limits import Limits
from alfred.http.registrations import Registrations
from alfred.http.session_trust import SessionTrust
from alfred.hub import Hub
from alfred.identity import AccessTokens, Passwords
from alfred.links import links
from alfred.logins import Logins
from alfred.media_store import MediaStore
from alfred.model_calls import Models
from alfred.outbound_http import OutboundHttp
from alfred.quotas import QUOTAS
from alfred.settings import Settings
from alfred.stream_trust import StreamTrust
from alfred.tail import Tail
from alfred.vault import Vault

FETCH_CALLS = 8  # files at once in a process


def services_of(settings: Settings, logins: Logins, listen_dsn: str) -> Services:
    """What requests and the work beside them are done with; nothing is connected yet."""
    pools = logins.pools(settings.pool_size)
    database, auth = pools.app, pools.auth
    vault = Vault([key.get_secret_value() for key in settings.secret_key])
    links.keys = vault.keys_for("media links")
    suppression = Suppression(vault.keys_for(PURPOSE))
    outbound = OutboundHttp(settings.private_targets, settings.delivery_timeout)
    tail = Tail(database)
    hub = Hub(database)
    bus = Bus(database, listen_dsn, hub, tail)
    heavy = HeavyWork()
    inbox = Inbox(database, bus.announce, suppression, settings.opt_out_words)
    inbox.read_in(heavy)
    models = Models(outbound, _service_wide(settings), settings.ai_timeout)
    workers = _workers_of(_Means(settings, database, vault, outbound, bus), inbox, models)
    return Services(
        settings=settings, clock=_now, ending=Ending(), heartbeats=Heartbeats(), heavy=heavy,
        pools=pools, database=database, auth=auth, bus=bus, hub=hub, tail=tail,
        passwords=Passwords(settings.bcrypt_cost),
        tokens=AccessTokens([key.get_secret_value() for key in settings.jwt_secret], settings.access_token_ttl),
        trust=SessionTrust(auth), stream_trust=StreamTrust(auth, _now),
        limits=Limits(settings.rate_limit),
        tickets=Limits(QUOTAS["tickets"], "too_many_tickets", "This account asks for too many tickets in a minute."),
        registrations=Registrations(settings.registration_limit, closed=settings.registration == "closed"),
        bodies=LargeBodies(), inbox=inbox, suppression=suppression,
        hooks=Hooks(database, auth, bus.announce), lost_posts=LostPosts(database, auth, bus.announce),
        vault=vault, outbound=outbound, assistant=provider(settings.ai_provider), models=models,
        refiner=workers.refiner, library=workers.library, fetcher=workers.fetcher,
        deliveries=workers.deliveries, webhooks=workers.webhooks, queueing=workers.queueing,
    )  # fmt: skip


@dataclass(frozen=True)
class _Means:
    """What the workers are made with."""

    settings: Settings
    database: Database
    vault: Vault
    outbound: OutboundHttp
    bus: Bus


@dataclass(frozen=True)
class _Workers:
    """What works beside the requests, on what the bus queues for it."""

    library: Library
    fetcher: Worker[fetching.Claimed]
    refiner: Worker[refining.Claimed]
    deliveries: DeliveryWorker
    webhooks: Sender
    queueing: Queueing


def _workers_of(means: _Means, inbox: Inbox, models: Models) -> _Workers:
    settings, database, vault, outbound = means.settings, means.database, means.vault, means.outbound
    store = MediaStore(settings.home, settings.media_url)
    library = Library(database, store, limit=settings.media_limit, quota=settings.media_quota)
    backoff, timeout = settings.delivery_backoff, settings.delivery_timeout
    files = fetching.Fetcher(library, outbound, vault, inbox.take_in, backoff, timeout)
    refiner = refining.Refiner(database, vault, models, means.bus.announce)
    reach = Reach(outbound, settings.public_url, library.content_of)
    patience = Patience(settings.webhook_backoff, settings.webhook_disable_after, timeout)
    webhooks = Sender(database, outbound, vault, patience)
    workers = _Workers(
        library=library,
        fetcher=Worker(files.work(), database, calls=FETCH_CALLS),
        refiner=Worker(refiner.work(), database, calls=refining.CALLS),
        deliveries=DeliveryWorker(database, reach, vault, Pace(settings.delivery_calls, backoff, timeout)),
        webhooks=webhooks,
        queueing=Queueing(event_bodies.written, webhooks.note),
    )
    _tie(means.bus, workers, settings.delivery_max_age)
    return workers


def _tie(bus: Bus, workers: _Workers, max_age: int) -> None:
    """Let the consumers read the bus, and those who work hear of it and tell of what they did."""
    for consumer in (
        automation.RULES,
        automation.FLOWS,
        Making(max_age, workers.deliveries.expect).consumer,
        notifications.consumer(bus.hub),
        fetching.CONSUMER.telling(workers.fetcher.expect),
        fetching.WORDS.telling(workers.fetcher.expect),
        refining.CONSUMER.telling(workers.refiner.expect),
        workers.queueing.consumer,
    ):
        bus.subscribe(consumer)
    for told in (workers.deliveries.heard, workers.fetcher.heard, workers.refiner.heard, workers.webhooks.poke):
        bus.follow(told)
    workers.deliveries.told = lambda user_id: bus.announce([user_id])
    workers.webhooks.announces(bus.announce)


def _service_wide(settings: Settings) -> Account | None:
    """The account of whoever runs the service, which tenants may take."""
    if settings.ai_kind is None or settings.ai_model is None:
        return None
    key = settings.ai_api_key.get_secret_value() if settings.ai_api_key else None
    base_url = settings.ai_base_url or PROTOCOLS[settings.ai_kind].base_url
    return Account(settings.ai_kind, base_url, settings.ai_model, key, trusted=True)


def scans_of(database: Database, announce: Callable[[Iterable[int]], None], settings: Settings) -> Scans:
    """The periodic scans."""
    return Scans(database, announce, clock=_now, stalled_after=settings.stalled_after)


def retention_of(database: Database, settings: Settings, consumers: Sequence[str]) -> Retention:
    """What removes the old."""
    ages = Ages(
        payloads=settings.keep_payloads,
        events=settings.keep_events,
        notifications=settings.keep_notifications,
        matches=settings.keep_matches,
        suggestions=settings.keep_suggestions,
        merges=settings.keep_merges,
    )
    return Retention(database, ages, consumers, _now)


def _now() -> datetime:
    return datetime.now(UTC)
