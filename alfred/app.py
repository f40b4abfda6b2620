"""The application: its endpoints and documents, and what it begins with and ends with."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from aiohttp import web

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
from alfred.api.metrics import add_metrics
from alfred.api.site import add_site
from alfred.assembly import services_of
from alfred.background import background, say_goodbye
from alfred.files import version_of_alfred
from alfred.http.context import SERVICES
from alfred.http.docs import add_documents
from alfred.http.endpoint import Endpoint
from alfred.http.middleware import around
from alfred.http.openapi import BASE, document
from alfred.http.security_headers import secured
from alfred.http.server import expect
from alfred.logins import Logins
from alfred.settings import Settings


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
    return document(list(endpoints()), version_of_alfred(), event_shapes.models())


def build(settings: Settings, logins: Logins, listen_dsn: str) -> web.Application:
    """The service; connects when it starts, and lets go when it is cleaned up."""
    app = web.Application(middlewares=[around], client_max_size=settings.body_limit)
    app.on_response_prepare.append(secured)
    app[SERVICES] = services_of(settings, logins, listen_dsn)
    for endpoint in endpoints():
        others = [endpoint.path] if endpoint.path.startswith("/health") else []
        others += [f"{BASE}{endpoint.path}{{tail:/.*}}"] if endpoint.has_tail else []
        for path in (BASE + endpoint.path, *others):
            for method in ("GET", "HEAD") if endpoint.method == "GET" else (endpoint.method,):
                app.router.add_route(method, path, endpoint.__call__, expect_handler=expect)
    add_documents(app, BASE, described)
    add_site(app)
    add_metrics(app)
    app.on_shutdown.append(say_goodbye)
    app.cleanup_ctx.append(background)
    return app
