"""Counters and gauges of this process, as Prometheus reads them; no label holds anything of a tenant's."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

registry = CollectorRegistry()
ProcessCollector(registry=registry)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

requests = Counter("alfred_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry)
request_seconds = Histogram(
    "alfred_http_request_seconds",
    "Time to answer; streams are left out.",
    ("route",),
    buckets=_SECONDS,
    registry=registry,
)
items_taken_in = Counter(
    "alfred_items_taken_in", "Items of webhook posts.", ("channel", "outcome"), registry=registry
)  # new, duplicate, ignored
posts_rejected = Counter(
    "alfred_posts_rejected", "Webhook posts that were not read.", ("channel", "code"), registry=registry
)
deliveries = Counter(
    "alfred_deliveries", "Calls to messengers and mail servers.", ("provider", "outcome"), registry=registry
)  # ok, or the code of what kept it from being that
lockouts = Counter("alfred_login_lockouts", "Logins refused after repeated failures.", registry=registry)
scan_findings = Counter("alfred_scan_findings", "What the periodic scans found.", ("scan",), registry=registry)
assistant_seconds = Histogram(
    "alfred_assistant_seconds", "Time of a suggestion.", ("feature",), buckets=_SECONDS, registry=registry
)

streams = Gauge("alfred_streams", "Open streams.", ("kind",), registry=registry)
pool = Gauge("alfred_pool_connections", "Connections of each login's pool.", ("login", "state"), registry=registry)
event_lag = Gauge("alfred_event_lag_seconds", "Age of the oldest unread event.", ("consumer",), registry=registry)
delivery_lag = Gauge("alfred_delivery_lag_seconds", "Age of the oldest message that is due.", registry=registry)
events_waiting = Gauge(
    "alfred_events_waiting",
    "Events that wait for their tenant's turn or another attempt.",
    ("consumer",),
    registry=registry,
)
events_dead = Gauge("alfred_events_dead", "Events given up after repeated failures.", ("consumer",), registry=registry)
bus_well = Gauge("alfred_event_bus_up", "1 while the event bus keeps up.", registry=registry)


def exposition() -> bytes:
    """All of them, in Prometheus' text format."""
    return generate_latest(registry)
