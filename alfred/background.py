"""What runs beside the requests: readers, workers, sweeps and scans, from the start of the service to its end."""

from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from alfred.api.metrics import metrics_alone
from alfred.assembly import retention_of, scans_of
from alfred.crm.deliveries import DeliverySweep
from alfred.crm.outbox import Sweep
from alfred.crm.subscriptions.sweeping import SWEEP_SECONDS, sweeper
from alfred.http.context import SERVICES, Services
from alfred.schedule import every, scheduler

MEDIA_SWEEP_SECONDS = 300
SNOOZE_SCAN_SECONDS = 15
OUTBOX_SWEEP_SECONDS = 1


async def background(app: web.Application) -> AsyncIterator[None]:
    """Connect and begin; at the end let what is under way finish, and let go."""
    services = app[SERVICES]
    async with AsyncExitStack() as stack:
        stack.callback(services.passwords.close)
        stack.callback(services.heavy.close)
        for part in (services.pools, services.outbound, services.models, services.webhooks.worker):
            stack.push_async_callback(part.close)
        await services.pools.open()
        await services.bus.join()
        await services.assistant.classify("Oi, tudo bem?")  # reads its word lists now, not at the first message
        jobs = scheduler()
        for worker in (services.fetcher, services.deliveries, services.refiner, jobs):
            stack.push_async_callback(worker.close)
        for work in (*_workers(services), *_sweeps(services), *_scans(services)):
            await jobs.spawn(work)
        if services.settings.metrics_port is not None:
            await _show_metrics(services, services.settings.metrics_port, stack)
        yield


def _workers(services: Services) -> Iterator[Coroutine[Any, Any, None]]:
    """What waits for work."""
    yield services.bus.run()
    yield services.inbox.run()
    yield services.hooks.run()
    yield services.deliveries.run()
    yield services.fetcher.run()
    yield services.refiner.run()
    yield services.tail.run()
    yield services.webhooks.worker.run()
    yield services.stream_trust.run()
    yield services.heartbeats.run()


def _sweeps(services: Services) -> Iterator[Coroutine[Any, Any, None]]:
    """What finds what was missed, and removes what is over."""
    settings, database, announce = services.settings, services.database, services.bus.announce
    overdue = DeliverySweep(database, announce, settings.delivery_backoff, settings.keep_deliveries)
    retention = retention_of(database, settings, services.bus.reader.consumers)
    yield every(MEDIA_SWEEP_SECONDS, services.library.sweep)
    yield every(OUTBOX_SWEEP_SECONDS, Sweep(database, announce))
    yield every(OUTBOX_SWEEP_SECONDS, overdue)
    yield every(SWEEP_SECONDS, sweeper(database, settings.webhook_keep))
    yield every(settings.retention_interval, retention.every(settings.retention_interval))


def _scans(services: Services) -> Iterator[Coroutine[Any, Any, None]]:
    """What is told when its time has come, by whichever replica looks first."""
    settings = services.settings
    scans = scans_of(services.database, services.bus.announce_buckets, settings)
    intervals = {
        "overdue": settings.overdue_scan_interval,
        "stalled": settings.stalled_scan_interval,
        "snoozed": SNOOZE_SCAN_SECONDS,
    }
    for scan, seconds in intervals.items():
        yield every(seconds, scans.in_turn(scan, seconds))


async def _show_metrics(services: Services, port: int, stack: AsyncExitStack) -> None:
    """On a port of their own."""
    runner = web.AppRunner(metrics_alone(services), handle_signals=False, access_log=None)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.TCPSite(runner, services.settings.host, port).start()


async def say_goodbye(app: web.Application) -> None:
    """Before connections close: streams end, so that their clients go elsewhere."""
    services = app[SERVICES]
    services.ending.begun = True
    services.hub.close()
    services.tail.close()
