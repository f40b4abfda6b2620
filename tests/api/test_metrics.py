"""GET /metrics: off unless asked for, for whoever has its token, with what has happened."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import serving
from tests.people import Person

TOKEN = "a token of the metrics"


@pytest.fixture
async def watched(cluster, database):
    async with serving(cluster.logins(database), metrics_token=TOKEN) as address:
        yield address


async def samples(person, address):
    """Every sample: its name and labels, and its value."""
    status, headers, raw = await person.call("GET", f"{address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = text_string_to_metric_families(raw.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


async def test_is_not_there_unless_a_setting_asks_for_it(stranger, address):
    assert (await stranger.get(f"{address}/metrics"))[0] == 404


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic x", "Bearer \u00e9"])
async def test_needs_its_token(stranger, watched, token):
    headers = {} if token is None else {"Authorization": token}
    status, _, _ = await stranger.call("GET", f"{watched}/metrics", headers=headers)
    assert status == 401


async def test_tells_what_has_happened(http, watched, eventually):
    ana = await Person.sign_up(http, watched, "Ana")
    before = await samples(ana, watched)
    await ana.hears("Bom dia", id="metrics-1")
    await ana.hears("Bom dia", id="metrics-1")
    await ana.post("/webhooks/whatsapp", {"unknown": "shape"})
    await ana.get("/conversations")
    after = await samples(ana, watched)

    def grown(*key):
        return after.get(key, 0) - before.get(key, 0)

    taken = "alfred_items_taken_in_total", ("channel", "whatsapp")
    assert grown(*taken, ("outcome", "new")) == 1
    assert grown(*taken, ("outcome", "duplicate")) == 1
    rejected = "alfred_posts_rejected_total", ("channel", "whatsapp"), ("code", "unrecognised_payload")
    assert grown(*rejected) == 1
    listing = ("method", "GET"), ("route", "/api/v1/conversations"), ("status", "200")
    assert grown("alfred_http_requests_total", *listing) == 1
    assert grown("alfred_http_request_seconds_count", ("route", "/api/v1/conversations")) == 1
    assert ("alfred_events_dead", ("consumer", "rules")) in after

    async def bus_is_up():  # a service that has just begun may not listen yet
        return (await samples(ana, watched))["alfred_event_bus_up",] == 1

    await eventually(bus_is_up)


async def test_no_label_holds_what_a_client_made_up(http, watched):
    ana = await Person.sign_up(http, watched, "Ana")
    await ana.get("/of-ana/alone")
    await ana.get(f"/contacts/{'0' * 8}-0000-0000-0000-{'0' * 12}")
    labels = str((await samples(ana, watched)).keys())
    assert "of-ana" not in labels
    assert "0000-0000" not in labels
