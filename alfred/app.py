"""The composition root: the one file that knows every part."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web

from alfred import notifications
from alfred.ai.mock import MockAIProvider
from alfred.api import (
    accounts,
    channels,
    contact_files,
    contact_merges,
    contacts,
    conversations,
    events,
    health,
    stream,
    webhooks,
)
from alfred.api import notifications as notifications_api
from alfred.api.context import SERVICES, Ending, Services
from alfred.api.docs import add_documents
from alfred.api.endpoint import Endpoint
from alfred.api.middleware import around, cors
from alfred.api.openapi import BASE, document
from alfred.bus import Bus
from alfred.db import Database, refuse_unsafe
from alfred.hub import Hub
from alfred.identity import AccessTokens, Passwords
from alfred.inbox import Inbox
from alfred.schedule import scheduler
from alfred.settings import Settings


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
        conversations,
        contact_files,
        contacts,
        contact_merges,
        channels,
        webhooks,
        stream,
        notifications_api,
        events,
    ):
        yield from part.routes


def build(settings: Settings, database_dsn: str, listen_dsn: str) -> web.Application:
    """The service; connects when it starts, and lets go when it is cleaned up."""
    app = web.Application(middlewares=[around, cors], client_max_size=settings.body_limit)
    app[SERVICES] = _services(settings, database_dsn, listen_dsn)
    declared = list(endpoints())
    for endpoint in declared:
        app.router.add_route(endpoint.method, BASE + endpoint.path, endpoint.__call__)
        if endpoint.path.startswith("/health"):
            app.router.add_route(endpoint.method, endpoint.path, endpoint.__call__)
    add_documents(app, BASE, document(declared, version_of_alfred()))
    app.on_shutdown.append(_say_goodbye)
    app.cleanup_ctx.append(_run)
    return app


def _services(settings: Settings, database_dsn: str, listen_dsn: str) -> Services:
    database = Database(database_dsn, size=settings.pool_size)
    hub = Hub(database)
    bus = Bus(database, listen_dsn, hub)
    bus.subscribe(notifications.CONSUMER)
    assistant = MockAIProvider()
    return Services(
        settings=settings,
        database=database,
        bus=bus,
        hub=hub,
        inbox=Inbox(database, assistant, bus.announce),
        passwords=Passwords(settings.bcrypt_cost),
        tokens=AccessTokens([key.get_secret_value() for key in settings.jwt_secret], settings.access_token_ttl),
        assistant=assistant,
        clock=lambda: datetime.now(UTC),
        ending=Ending(),
    )


async def _run(app: web.Application) -> AsyncIterator[None]:
    services = app[SERVICES]
    async with AsyncExitStack() as stack:
        stack.callback(services.passwords.close)
        stack.push_async_callback(services.database.close)
        await services.database.open()
        async with services.database.as_service() as db:
            await refuse_unsafe(db)
        jobs = scheduler()
        stack.push_async_callback(jobs.close)
        await jobs.spawn(services.bus.run())
        await jobs.spawn(services.inbox.run())
        yield


async def _say_goodbye(app: web.Application) -> None:
    """Before connections close: streams end, so that their clients go elsewhere."""
    services = app[SERVICES]
    services.ending.begun = True
    services.hub.close()
