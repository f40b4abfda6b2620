"""Whether the service lives, and whether it can serve."""

import asyncio
from typing import Literal

from alfred.db import connection_lost
from alfred.files import newest_migration
from alfred.http.context import Services
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import Output
from alfred.queries import sql

routes = Routes("Health")

Check = Literal["ok", "failing"]
PATIENCE_SECONDS = 2.0


class Health(Output):
    status: Literal["ok"] = "ok"


class Checks(Output):
    database: Check
    migrations: Check
    event_bus: Check


class Readiness(Output):
    status: Check
    checks: Checks


@routes.on("GET", "/health", scope=None)
async def get_health() -> Health:
    """Check that the process is alive."""
    return Health()


@routes.on("GET", "/health/ready", scope=None, also=(503,))
async def get_readiness(services: Services) -> Answer[Readiness]:
    """Check that the database, its schema and the event bus are ready."""
    database = migrations = False
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            newest = await services.database.once(sql.health.newest_migration)
            for pool in services.pools.by_login().values():
                await pool.once(sql.health.login)
            database, migrations = True, newest >= newest_migration()
    except Exception as error:
        if not connection_lost(error):
            raise
    bus = services.bus.well
    well = database and migrations and bus and not services.ending.begun
    checks = Checks(database=_word(database), migrations=_word(migrations), event_bus=_word(bus))
    headers = {} if well else {"Retry-After": "2"}
    return Answer(Readiness(status=_word(well), checks=checks), 200 if well else 503, headers)


def _word(good: bool) -> Check:
    return "ok" if good else "failing"
