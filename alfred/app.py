"""The composition root: the one file that knows every part."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from alfred.ai.builtin.provider import MockAIProvider
from alfred.ai.llm.exchange import Account
from alfred.ai.llm.protocols import PROTOCOLS
from alfred.ai.registry import provider
from alfred.api import (
    accounts,
    ai,
    ai_provider,
    ai_usage,
    attachments,
    channels,
    connections,
    contact_files,
    contact_history,
    contact_merges,
    contacts,
    conversations,
    event_bodies,
    event_shapes,
    event_stream,
    events,
    exports,
    facts,
    flows,
    health,
    hooks,
    inbox,
    kept_webhooks,
    messages,
    outbox,
    reports,
    rule_backtests,
    rules,
    sessions,
    stream,
    subscription_deliveries,
    subscriptions,
    tasks,
    tokens,
    webhooks,
)
from alfred.api import notifications as notifications_api
from alfred.api.metrics import add_metrics, metrics_alone
from alfred.api.site import add_site
from alfred.bus import Bus
from alfred.crm import automation, notifications, refining
from alfred.crm.deliveries import DeliverySweep, DeliveryWorker, Making, Pace, Reach
from alfred.crm.hooks import Hooks
from alfred.crm.inbox import Inbox
from alfred.crm.leases import Worker
from alfred.crm.lost_posts import LostPosts
from alfred.crm.media import fetching
from alfred.crm.media.library import Library
from alfred.crm.outbox import Sweep
from alfred.crm.retention import Ages, Retention
from alfred.crm.scans import Scans
from alfred.crm.subscriptions.queueing import Queueing
from alfred.crm.subscriptions.sending import Patience, Sender
from alfred.crm.subscriptions.sweeping import SWEEP_SECONDS, sweeper
from alfred.crm.suppression import PURPOSE, Suppression
from alfred.db import Database
from alfred.heavy_work import HeavyWork
from alfred.http.bodies import LargeBodies
from alfred.http.context import SERVICES, Ending, Services
from alfred.http.docs import add_documents
from alfred.http.endpoint import Endpoint
from alfred.http.middleware import around, cors
from alfred.http.openapi import BASE, document
from alfred.http.rate_limits import Limits
from alfred.http.registrations import Registrations
from alfred.http.security_headers import secured
from alfred.http.server import expect
from alfred.http.session_trust import SessionTrust
from alfred.hub import Hub
from alfred.identity import AccessTokens, Passwords
from alfred.links import links
from alfred.logins import Logins
from alfred.media_store import MediaStore
from alfred.model_calls import Models
from alfred.outbound_http import OutboundHttp
from alfred.quotas import QUOTAS
from alfred.schedule import every, scheduler
from alfred.settings import Settings
from alfred.stream_trust import StreamTrust
from alfred.tail import Tail
from alfred.vault import Vault

FETCH_CALLS = 8  # files at once in a process
MEDIA_SWEEP_SECONDS = 300
SNOOZE_SCAN_SECONDS = 15
OUTBOX_SWEEP_SECONDS = 1


def version_of_alfred() -> str:
    """The installed version; a bare checkout has none."""
    try:
        return version("alfred-crm")
    except PackageNotFoundError:
        return "0.1.0"


def endpoints() -> Iterator[Endpoint]:
    """Every endpoint; of two paths that fit, the first wins."""
    for part in (
        health,
        accounts,
        attachments,
        sessions,
        tokens,
        inbox,
        outbox,
        messages,
        conversations,
        contact_files,
        exports,
        contacts,
        contact_history,
        contact_merges,
        channels,
        connections,
        tasks,
        rules,
        rule_backtests,
        flows,
        reports,
        ai,
        ai_provider,
        ai_usage,
        facts,
        kept_webhooks,
        webhooks,
        hooks,
        stream,
        notifications_api,
        event_stream,
        events,
        subscriptions,
        subscription_deliveries,
    ):
        yield from part.routes


@cache
def described() -> dict[str, Any]:
    """The OpenAPI document, which takes half a second to make: no setting changes it."""
    return document(list(endpoints()), version_of_alfred(), event_shapes.MODELS)


def build(settings: Settings, logins: Logins, listen_dsn: str) -> web.Application:
    """The service; connects when it starts, and lets go when it is cleaned up."""
    app = web.Application(middlewares=[around, cors], client_max_size=settings.body_limit)
    app.on_response_prepare.append(secured)
    app[SERVICES] = _services(settings, logins, listen_dsn)
    for endpoint in endpoints():
        others = [endpoint.path] if endpoint.path.startswith("/health") else []
        others += [f"{BASE}{endpoint.path}{{tail:/.*}}"] if endpoint.has_tail else []
        for path in (BASE + endpoint.path, *others):
            for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
                app.router.add_route(method, path, endpoint.__call__, expect_handler=expect)
    add_documents(app, BASE, described)
    add_site(app)
    add_metrics(app)
    app.on_shutdown.append(_say_goodbye)
    app.cleanup_ctx.append(_run)
    return app


def _services(settings: Settings, logins: Logins, listen_dsn: str) -> Services:
    pools = logins.pools(settings.pool_size)
    database = pools.app
    vault = Vault([key.get_secret_value() for key in settings.secret_key])
    links.keys = vault.keys_for("media links")
    suppression = Suppression(vault.keys_for(PURPOSE))
    outbound = OutboundHttp(settings.private_targets, settings.delivery_timeout)
    library = Library(
        database, MediaStore(settings.home, settings.media_url), limit=settings.media_limit, quota=settings.media_quota
    )
    tail = Tail(database)
    patience = Patience(settings.webhook_backoff, settings.webhook_disable_after, settings.delivery_timeout)
    webhooks = Sender(database, outbound, vault, patience)
    queueing = Queueing(event_bodies.written, webhooks.note)
    hub = Hub(database, tail)
    bus = Bus(database, listen_dsn, hub)
    heavy = HeavyWork()
    inbox = Inbox(database, MockAIProvider(), bus.announce, suppression, settings.opt_out_words)
    inbox.read_in(heavy)
    files = fetching.Fetcher(
        library, outbound, vault, inbox.take_in, settings.delivery_backoff, settings.delivery_timeout
    )
    pace = Pace(settings.delivery_calls, settings.delivery_backoff, settings.delivery_timeout)
    reach = Reach(outbound, settings.public_url, library.content_of)
    deliveries = DeliveryWorker(database, reach, vault, pace)
    making = Making(settings.delivery_max_age, deliveries.expect)
    webhooks.announces(bus.announce)
    for consumer in (
        automation.RULES,
        automation.FLOWS,
        making.consumer,
        notifications.CONSUMER,
        fetching.CONSUMER,
        refining.CONSUMER,
        queueing.consumer,
    ):
        bus.subscribe(consumer)
    models = Models(outbound, _service_wide(settings), settings.ai_timeout)
    refiner = Worker(refining.Refiner(database, vault, models, bus.announce).work(), database, calls=refining.CALLS)
    bus.follow(deliveries.heard)
    bus.follow(webhooks.poke)
    deliveries.told = lambda user_id: bus.announce([user_id])
    return Services(
        settings=settings,
        pools=pools,
        database=database,
        auth=pools.auth,
        bus=bus,
        hub=hub,
        tail=tail,
        stream_trust=StreamTrust(pools.auth, _now),
        inbox=inbox,
        suppression=suppression,
        lost_posts=LostPosts(database, pools.auth, bus.announce),
        passwords=Passwords(settings.bcrypt_cost),
        tokens=AccessTokens([key.get_secret_value() for key in settings.jwt_secret], settings.access_token_ttl),
        assistant=provider(settings.ai_provider),
        hooks=Hooks(database, pools.auth, bus.announce),
        bodies=LargeBodies(),
        heavy=heavy,
        vault=vault,
        outbound=outbound,
        models=models,
        refiner=refiner,
        deliveries=deliveries,
        library=library,
        fetcher=Worker(files.work(), database, calls=FETCH_CALLS),
        queueing=queueing,
        webhooks=webhooks,
        limits=Limits(settings.rate_limit),
        tickets=Limits(QUOTAS["tickets"], "too_many_tickets", "This account asks for too many tickets in a minute."),
        registrations=Registrations(settings.registration_limit, closed=settings.registration == "closed"),
        trust=SessionTrust(pools.auth),
        clock=_now,
        ending=Ending(),
    )


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


async def _run(app: web.Application) -> AsyncIterator[None]:
    services = app[SERVICES]
    async with AsyncExitStack() as stack:
        stack.callback(services.passwords.close)
        stack.callback(services.heavy.close)
        stack.push_async_callback(services.pools.close)
        stack.push_async_callback(services.outbound.close)
        stack.push_async_callback(services.models.close)
        stack.push_async_callback(services.webhooks.worker.close)
        await services.pools.open()
        await services.bus.join()
        await services.assistant.classify("Oi, tudo bem?")  # reads its word lists now, not at the first message
        jobs = scheduler()
        stack.push_async_callback(services.fetcher.close)
        stack.push_async_callback(services.deliveries.close)
        stack.push_async_callback(services.refiner.close)
        stack.push_async_callback(jobs.close)
        await jobs.spawn(services.bus.run())
        await jobs.spawn(services.inbox.run())
        await jobs.spawn(services.hooks.run())
        await jobs.spawn(services.deliveries.run())
        await jobs.spawn(services.fetcher.run())
        await jobs.spawn(services.refiner.run())
        await jobs.spawn(every(MEDIA_SWEEP_SECONDS, services.library.sweep))
        await jobs.spawn(services.tail.run())
        await jobs.spawn(services.webhooks.worker.run())
        await jobs.spawn(services.stream_trust.run())
        settings = services.settings
        if settings.metrics_port is not None:
            runner = web.AppRunner(metrics_alone(services), handle_signals=False, access_log=None)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, settings.host, settings.metrics_port).start()
        scans = scans_of(services.database, services.bus.announce_buckets, settings)
        intervals = {
            "overdue": settings.overdue_scan_interval,
            "stalled": settings.stalled_scan_interval,
            "snoozed": SNOOZE_SCAN_SECONDS,
        }
        await jobs.spawn(every(OUTBOX_SWEEP_SECONDS, Sweep(services.database, services.bus.announce)))
        backoff, keep = settings.delivery_backoff, settings.keep_deliveries
        overdue = DeliverySweep(services.database, services.bus.announce, backoff, keep)
        await jobs.spawn(every(OUTBOX_SWEEP_SECONDS, overdue))
        await jobs.spawn(every(SWEEP_SECONDS, sweeper(services.database, settings.webhook_keep)))
        retention = retention_of(services.database, settings, services.bus.reader.consumers)
        await jobs.spawn(every(settings.retention_interval, retention.every(settings.retention_interval)))
        for scan, seconds in intervals.items():
            await jobs.spawn(every(seconds, scans.in_turn(scan, seconds)))
        yield


async def _say_goodbye(app: web.Application) -> None:
    """Before connections close: streams end, so that their clients go elsewhere."""
    services = app[SERVICES]
    services.ending.begun = True
    services.hub.close()
    services.tail.close()
