"""Whether the service lives, and whether it can serve."""

import asyncio

import pytest

from alfred import schema
from tests.conftest import serving
from tests.people import Person

WELL = {"status": "ok", "checks": {"database": "ok", "migrations": "ok", "event_bus": "ok"}}


@pytest.mark.parametrize("base", ["", "/api/v1"])
async def test_lives_and_is_ready(stranger, address, base, eventually):
    assert await stranger.get(f"{address}{base}/health") == (200, {"status": "ok"})
    answer = await eventually(lambda: stranger.get(f"{address}{base}/health/ready"), lambda found: found[0] == 200)
    assert answer == (200, WELL)


async def test_only_health_is_at_the_root(stranger, address):
    for path in ("/conversations", "/auth/login", "/openapi.json"):
        assert (await stranger.get(f"{address}{path}"))[0] == 404


async def test_an_older_schema_is_not_ready(cluster, http):
    database = cluster.copy()
    await asyncio.to_thread(schema.roll_back, cluster.owner(database), 1)
    async with serving(cluster.logins(database)) as address:
        nurse = Person(http, address)
        status, headers, _ = await nurse.call("GET", "/health/ready")
        assert (status, int(headers["Retry-After"]) > 0) == (503, True)
        _, told = await nurse.get("/health/ready")
        assert (told["checks"]["database"], told["checks"]["migrations"]) == ("ok", "failing")
        assert told["status"] != "ok"
        assert (await nurse.get("/health"))[0] == 200


async def test_takes_no_parameters(stranger):
    assert (await stranger.get("/health", verbose=True))[1]["code"] == "unknown_parameter"
