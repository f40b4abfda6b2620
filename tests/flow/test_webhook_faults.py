"""Webhooks out survive what happens to processes, to PostgreSQL, to names, and to a queue that nobody takes."""

import json
import signal
from ipaddress import ip_address

import asyncpg
import pytest

from alfred import schema
from alfred.postgres import Embedded
from alfred.running import DATABASE
from tests.conftest import serving
from tests.founding import CARELESS, data_folder
from tests.people import Person
from tests.receivers import receiving

KEY = "a key for tests of more than 32 bytes!"
SETTINGS = {
    "private_targets": "127.0.0.0/8",
    "webhook_backoff": ",".join(["0.2"] * 9),
    "secret_key": KEY,
    "delivery_timeout": 0.7,
}


async def test_a_process_killed_in_the_middle_of_a_call_leaves_nothing_unsent(cluster, http, fork, tmp_path):
    """Nobody knows whether the call arrived, so it is made again: at least once, with the same id and bytes."""
    database = cluster.copy()
    own = {f"ALFRED_{name.upper()}": str(value) for name, value in SETTINGS.items()}
    first = await fork("serve", ALFRED_DATABASE_URL=cluster.app(database), ALFRED_HOME=str(tmp_path), **own)
    ana = await Person.sign_up(http, await first.address())
    async with receiving() as peer:
        peer.answers = ["hang"] * 4
        await ana.made("/subscriptions", {"url": peer.url, "events": ["task.created"]})
        for number in range(12):
            await ana.made("/tasks", {"title": f"{number}"})
        await peer.seen(4)
        first.signal(signal.SIGKILL)
        await first.ends()
        under_way = {call.raw for call in peer.calls}
        peer.answers.clear()
        async with serving(cluster.logins(database), **SETTINGS):
            await peer.seen(4 + 12, seconds=20)
            assert len(set(peer.ids)) == 12
            assert under_way <= {call.raw for call in peer.calls[4:]}
            assert len({call.raw for call in peer.calls}) == 12


@pytest.fixture
def own_server(grown):
    """A server that nobody else uses, by its home."""
    with data_folder() as folder:
        server = Embedded(grown(folder / "home"), options=CARELESS)
        server.start()
        servers = [server]
        yield servers
        servers[-1].stop()


async def test_postgresql_that_restarts_in_the_middle_delays_and_loses_nothing(own_server, http, eventually):
    (server,) = own_server
    async with serving(server.dsn(schema.APP, DATABASE), **SETTINGS) as address, receiving() as peer:
        ana = await Person.sign_up(http, address)
        await ana.made("/subscriptions", {"url": peer.url, "events": ["task.created"]})
        for number in range(20):
            await ana.made("/tasks", {"title": f"{number}"})
        server.stop()
        own_server.append(Embedded(server.home, options=CARELESS))
        own_server[-1].start()

        async def status_of_a_new_task():
            return (await ana.post("/tasks", {"title": "after"}))[0]

        for _ in range(5):
            assert await eventually(status_of_a_new_task, lambda status: status == 201, seconds=20) == 201

        async def told_and_logged():
            _, page = await ana.get("/events", type="task.created", limit=200)
            return set(peer.ids), {each["id"] for each in page.get("items", [])}

        told, logged = await eventually(told_and_logged, lambda found: found[0] == found[1], seconds=20)
        assert told == logged
        assert len(told) >= 25


async def test_a_name_that_turns_private_after_the_check_is_not_called(cluster, http, eventually, monkeypatch):
    looked_up = []

    async def rebinding(_door, host, _port):
        looked_up.append(host)
        return [ip_address("93.184.216.34" if len(looked_up) == 1 else "127.0.0.1")]

    monkeypatch.setattr("alfred.outbound_http.OutboundHttp.addresses_of", rebinding)
    closed = SETTINGS | {"private_targets": ""}
    async with serving(cluster.app(cluster.copy()), **closed) as address, receiving() as peer:
        ana = await Person.sign_up(http, address)
        url = peer.url.replace("http://127.0.0.1", "https://rebinds.example.com")
        made = await ana.made("/subscriptions", {"url": url, "events": ["task.created"]})
        await ana.made("/tasks", {"title": "x"})

        async def errors():
            _, page = await ana.get(f"/subscriptions/{made['id']}/deliveries")
            return [each["error"]["code"] for each in page["items"] if each["error"]]

        assert await eventually(errors) == ["private_address"]
        assert len(looked_up) > 1
        assert peer.calls == []


async def test_a_queue_that_nobody_takes_holds_nobody_else(cluster, http, eventually):
    """100,000 wait for a dead endpoint, and are due; a healthy one beside it is told before them."""
    database = cluster.copy()
    patient = SETTINGS | {"webhook_backoff": "0.2,3600"}
    async with serving(cluster.logins(database), **patient) as address, receiving() as dead, receiving() as healthy:
        dead.default = 500
        ana, bruno = await Person.sign_up(http, address, "Ana"), await Person.sign_up(http, address, "Bruno")
        refused = await ana.made("/subscriptions", {"url": dead.url, "events": ["task.created"]})
        await _fill(cluster, database, ana.id, refused["id"], 100_000)
        await dead.seen(8)
        await bruno.made("/subscriptions", {"url": healthy.url, "events": ["task.created"]})
        for number in range(20):
            await bruno.made("/tasks", {"title": f"{number}"})
            await healthy.seen(number + 1)
        _, state = await ana.get(f"/subscriptions/{refused['id']}")
        assert len(dead.calls) < 50_000, "the healthy one waited for the queue"
        assert state["pending"] + state["dead"] == 100_000


async def _fill(cluster, database, user_id, subscription_id, count):
    """Rows as the consumer makes them, past its speed."""
    superuser = await asyncpg.connect(cluster.superuser(database))
    await superuser.execute("set session_replication_role = replica")
    body = json.dumps({"id": "x", "type": "task.created"})
    await superuser.execute(
        """with events as (
               select app.uuid7() as event_id, n from generate_series(1, $4::integer) n
           ), bodies as (
               insert into webhook_bodies (user_id, event_id, type, body)
               select $1, event_id, 'task.created', $3 from events
           )
           insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number)
           select $1, app.uuid7(), $2, event_id, 'task.created', n from events""",
        user_id, subscription_id, body, count,
    )  # fmt: skip
    await superuser.execute("update webhook_lanes set next_at = now() where subscription_id = $1", subscription_id)
    await superuser.execute("analyze webhook_deliveries")
    await superuser.close()
