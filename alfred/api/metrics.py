"""GET /metrics: how this process and the event bus are doing, for Prometheus; off unless a setting asks for it."""

import hmac

from aiohttp import hdrs, web

from alfred import metrics
from alfred.db import connection_lost
from alfred.http.auth import bearer
from alfred.http.context import SERVICES, Services
from alfred.http.middleware import around
from alfred.http.problems import unauthorized
from alfred.http.security_headers import secured
from alfred.queries import sql


def add_metrics(app: web.Application) -> None:
    """Serve them beside the API, to whoever has the token of `ALFRED_METRICS_TOKEN`."""
    token = app[SERVICES].settings.metrics_token

    async def guarded(request: web.Request) -> web.Response:
        assert token is not None
        if not hmac.compare_digest(bearer(request).encode(), token.get_secret_value().encode()):
            raise unauthorized("The token is not that of ALFRED_METRICS_TOKEN.", "invalid_token")
        return await _answer(app[SERVICES])

    if token is not None:
        app.router.add_get("/metrics", guarded)


def metrics_alone(services: Services) -> web.Application:
    """An application of its own, for the port `ALFRED_METRICS_PORT`."""

    async def unguarded(request: web.Request) -> web.Response:  # noqa: ARG001
        return await _answer(services)

    app = web.Application(middlewares=[around])
    app.on_response_prepare.append(secured)
    app[SERVICES] = services
    app.router.add_get("/metrics", unguarded)
    return app


async def _answer(services: Services) -> web.Response:
    metrics.streams.labels("notifications").set(services.hub.seat_count)
    metrics.streams.labels("events").set(services.tail.seat_count)
    for login, pool in services.pools.by_login().items():
        for state, count in pool.pool_state().items():
            metrics.pool.labels(login, state).set(count)
    metrics.bus_well.set(services.bus.well)
    try:
        async with services.database.as_service() as db:
            rows = await sql.events.state.all(db)
    except Exception as error:
        if not connection_lost(error):
            raise
        rows = []  # the gauges keep what they showed last; alfred_event_bus_up tells
    for row in rows:
        metrics.event_lag.labels(row["consumer"]).set(row["lag_seconds"])
        metrics.events_waiting.labels(row["consumer"]).set(row["waiting"])
        metrics.events_dead.labels(row["consumer"]).set(row["dead"])
    return web.Response(body=metrics.exposition(), headers={hdrs.CONTENT_TYPE: metrics.CONTENT_TYPE})
