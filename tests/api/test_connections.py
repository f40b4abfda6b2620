"""Connections: credentials go in, are tested, and never come out again."""

import contextlib
import json

import pytest
from aiohttp import web
from uuid_utils.compat import uuid7

from alfred.crm.connections import MOST_KEYS
from alfred.logins import Logins
from alfred.quotas import QUOTAS
from alfred.running import Provisioned, rotate_secrets
from alfred.settings import Settings
from tests.api.connecting import BODIES, SECRET, body_of, connected
from tests.conftest import serving
from tests.people import Person

ADMIN_CALLS = [
    ("GET", "connection"), ("PUT", "connection"), ("DELETE", "connection"), ("POST", "connection/test"),
    ("POST", "hook/rotate"), ("POST", "hook/test"),
]  # fmt: skip


@pytest.fixture(scope="module")
async def loopback(cluster, database):
    """A service that may call loopback."""
    settings = {"private_targets": "127.0.0.0/8", "public_url": "https://crm.example.org", "delivery_timeout": 2}
    async with serving(cluster.logins(database), **settings) as address:
        yield address


@pytest.fixture
async def rosa(http, loopback):
    return await Person.sign_up(http, loopback, "Rosa")


@contextlib.asynccontextmanager
async def provider_at(answer, status=200):
    """A provider on loopback that always says the same; its base URL and what it was asked."""
    asked = []

    async def seen(request):
        asked.append((request.method, request.path_qs, dict(request.headers)))
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", seen)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/base", asked
    finally:
        await runner.cleanup()


def faults(answer):
    assert answer[0] == 422, answer
    return {fault["pointer"]: fault["code"] for fault in answer[1]["errors"]}


@pytest.mark.parametrize("provider", BODIES)
async def test_no_secret_is_ever_shown(provider, rosa):
    channel, answer = await connected(rosa, provider)
    path = f"/channels/{channel}"
    status, again = await rosa.get(f"{path}/connection")
    assert (status, again) == (200, answer)
    assert (answer["provider"], answer["state"], answer["channel_id"]) == (provider, "untested", channel)
    assert answer["can_send"]
    assert answer["can_receive"]
    assert any(state["set"] and state["updated_at"] for state in answer["secrets"].values())
    everything = [answer, again, await rosa.get(path), await rosa.get("/channels"), await rosa.events()]
    assert SECRET not in json.dumps(everything)
    hook = answer["hook"]
    assert hook["url"].startswith("https://crm.example.org/api/v1/hooks/")
    key = hook["url"].rpartition("/")[2]
    assert len(key) == 43
    shown = (await rosa.get(path))[1]
    assert key not in json.dumps(shown)
    assert shown["connection"] == {
        "provider": provider, "state": "untested", "can_send": True, "can_receive": True, "error": None,
        "paused_until": None,
    }  # fmt: skip
    assert shown["hook"]["received"] == 0


@pytest.mark.parametrize(
    ("provider", "account"),
    [("whatsapp_cloud", "109900000000001"), ("messenger", "1234"), ("instagram", "17841"), ("evolution", "loja"),
     ("waha", None), ("zapi", "3C01"), ("twilio", "+14155550100"), ("email", "loja@example.com")],
)  # fmt: skip
async def test_the_account_becomes_the_channels(provider, account, rosa):
    channel, _ = await connected(rosa, provider)
    assert (await rosa.get(f"/channels/{channel}"))[1]["external_account_id"] == account


async def test_config_shows_what_is_no_secret(rosa):
    _, answer = await connected(rosa, "email")
    assert answer["config"]["smtp"] == {
        "host": "127.0.0.1", "port": 2525, "security": "none", "username": "loja", "from_address": "Loja@Example.com",
    }  # fmt: skip
    assert answer["config"]["inbound"] == {"provider": "mailgun"}
    assert {name for name, state in answer["secrets"].items() if state["set"]} == {
        "smtp.password", "inbound.signing_keys",
    }  # fmt: skip


async def test_a_secret_that_is_left_out_stays_and_null_clears_an_optional_one(rosa):
    channel, first = await connected(rosa)
    path = f"/channels/{channel}/connection"
    body = body_of("whatsapp_cloud")
    del body["access_token"], body["app_secrets"]
    _, kept = await rosa.put(path, body | {"waba_id": "9"})
    assert kept["secrets"] == first["secrets"]
    _, cleared = await rosa.put(path, body | {"app_secrets": None, "access_token": ""})
    assert (cleared["secrets"]["app_secrets"]["set"], cleared["secrets"]["access_token"]["set"]) == (False, True)
    assert not cleared["can_receive"]
    assert faults(await rosa.put(path, body | {"access_token": None})) == {"/access_token": "missing"}
    assert cleared["hook"]["url"] == first["hook"]["url"]


async def test_another_provider_is_all_new(rosa):
    channel, first = await connected(rosa)
    path = f"/channels/{channel}/connection"
    body = body_of("evolution")
    del body["api_key"]
    assert faults(await rosa.put(path, body)) == {"/api_key": "missing"}
    _, answer = await rosa.put(path, body_of("evolution"))
    assert set(answer["secrets"]) == {"api_key", "header", "jwt_key"}
    assert answer["hook"]["url"].rpartition("/")[2] != first["hook"]["url"].rpartition("/")[2]
    assert "/hooks/evolution/" in answer["hook"]["url"]


@pytest.mark.parametrize(
    "changed", ["http://127.0.0.1:10", "http://127.0.0.2:9", "https://127.0.0.1:9", "http://localhost:9"]
)
async def test_another_host_needs_its_secrets_again(changed, rosa):
    channel, _ = await connected(rosa)
    path = f"/channels/{channel}/connection"
    body = body_of("whatsapp_cloud", changed)
    del body["access_token"], body["app_secrets"]
    assert faults(await rosa.put(path, body)) == {"/access_token": "missing"}
    assert (await rosa.put(path, body | {"access_token": "new"}))[0] == 200
    assert (await rosa.put(path, body | {"base_url": changed + "/path"}))[0] == 200


async def test_another_mail_server_needs_the_password_again(rosa):
    channel, _ = await connected(rosa, "email")
    path = f"/channels/{channel}/connection"
    smtp = {name: value for name, value in BODIES["email"]["smtp"].items() if name != "password"}
    assert (await rosa.put(path, {"provider": "email", "smtp": smtp}))[0] == 200
    for change in ({"host": "localhost"}, {"port": 2526}):
        answer = await rosa.put(path, {"provider": "email", "smtp": smtp | change})
        assert faults(answer) == {"/smtp/password": "missing"}


async def test_a_provider_has_to_fit_the_channel(rosa):
    channel = await rosa.made("/channels", {"type": "instagram", "name": "Loja"})
    answer = await rosa.put(f"/channels/{channel['id']}/connection", body_of("whatsapp_cloud"))
    assert faults(answer) == {"/provider": "provider_mismatch"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"phone_number_id": None}, {"/phone_number_id": "string_type"}),
        ({"surprise": 1}, {"/surprise": "unknown_field"}),
        ({"provider": "carrier_pigeon"}, {"/provider": "literal_error"}),
        ({"app_secrets": ["a", "b", "c"]}, {"/app_secrets": "too_long"}),
        ({"base_url": "https://10.0.0.1"}, {"/base_url": "private_address"}),
        ({"base_url": "https://0x0a.0.0.1"}, {"/base_url": "private_address"}),
        ({"base_url": "https://169.254.169.254"}, {"/base_url": "private_address"}),
        ({"base_url": "http://93.184.216.34"}, {"/base_url": "insecure_url"}),
        ({"base_url": "https://user:pass@graph.example"}, {"/base_url": "invalid_url"}),
        ({"base_url": "graph.example"}, {"/base_url": "invalid_url"}),
        ({"options": {"rate_per_second": 81}}, {"/options/rate_per_second": "less_than_equal"}),
    ],
)
async def test_what_cannot_be_connected(change, fault, rosa):
    channel = await rosa.made("/channels", {"type": "whatsapp", "name": "Loja"})
    answer = await rosa.put(f"/channels/{channel['id']}/connection", body_of("whatsapp_cloud") | change)
    assert faults(answer) == fault
    assert SECRET not in json.dumps(answer[1])
    assert (await rosa.get(f"/channels/{channel['id']}/connection"))[0] == 404


@pytest.mark.parametrize(
    ("provider", "name"),
    [("whatsapp_cloud", "phone_number_id"), ("whatsapp_cloud", "access_token"), ("messenger", "page_id"),
     ("instagram", "account_id"), ("evolution", "base_url"), ("evolution", "instance"), ("evolution", "api_key"),
     ("waha", "base_url"), ("waha", "api_key"), ("zapi", "instance_id"), ("zapi", "instance_token"),
     ("twilio", "account_sid"), ("twilio", "from"), ("twilio", "auth_tokens")],
)  # fmt: skip
async def test_what_is_needed_is_named(provider, name, rosa):
    kind = provider if provider in {"messenger", "instagram"} else "whatsapp"
    channel = await rosa.made("/channels", {"type": kind, "name": "Loja"})
    body = body_of(provider)
    del body[name]
    assert faults(await rosa.put(f"/channels/{channel['id']}/connection", body)) == {f"/{name}": "missing"}


async def test_a_strict_service_takes_no_private_address(ana):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    answer = await ana.put(f"/channels/{channel['id']}/connection", body_of("evolution"))
    assert faults(answer) == {"/base_url": "private_address"}
    assert "ALFRED_PRIVATE_TARGETS" in answer[1]["errors"][0]["message"]


async def test_an_account_of_another_channel_is_taken(rosa):
    await rosa.made("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "109900000000001"})
    channel = await rosa.made("/channels", {"type": "whatsapp", "name": "Outra"})
    path = f"/channels/{channel['id']}/connection"
    status, problem = await rosa.put(path, body_of("whatsapp_cloud"))
    assert (status, problem["code"]) == (409, "account_taken")
    assert (await rosa.get(path))[0] == 404


async def test_only_an_admin_touches_connections(http, rosa, loopback):
    channel, _ = await connected(rosa)
    token = (await rosa.made("/tokens", {"name": "n8n", "scopes": ["read", "write", "webhooks"]}))["token"]
    script = Person(http, loopback)
    script.headers["Authorization"] = f"Bearer {token}"
    for method, part in ADMIN_CALLS:
        status, _, raw = await script.call(method, f"/channels/{channel}/{part}", {} if method != "GET" else None)
        assert (status, json.loads(raw)["code"]) == (403, "insufficient_scope"), part
    assert (await script.delete(f"/channels/{channel}"))[0] == 403
    assert (await script.get(f"/channels/{channel}"))[0] == 200
    assert (await rosa.delete(f"/channels/{channel}"))[0] == 204


async def test_a_stranger_finds_nothing(http, loopback, rosa):
    other = await Person.sign_up(http, loopback, "Bruno")
    channel, _ = await connected(rosa)
    for target in (channel, uuid7()):
        for method, part in ADMIN_CALLS:
            body = body_of("whatsapp_cloud") if method == "PUT" else {} if method == "POST" else None
            assert (await other.call(method, f"/channels/{target}/{part}", body))[0] == 404, part
    assert (await rosa.get(f"/channels/{channel}/connection"))[0] == 200


async def test_disconnecting_forgets(rosa, owner_db, app_db):
    channel, _ = await connected(rosa)
    path = f"/channels/{channel}/connection"
    assert (await rosa.delete(path))[0] == 204
    assert (await rosa.delete(path))[0] == (await rosa.get(path))[0] == 404
    assert (await rosa.get(f"/channels/{channel}"))[1]["connection"] is None
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", rosa.id)
        assert await app_db.fetchval("select count(*) from connection_secrets") == 0
        assert await app_db.fetchval("select count(*) from hook_keys") == 0


async def test_secrets_lie_encrypted(rosa, app_db):
    await connected(rosa)
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", rosa.id)
        rows = await app_db.fetch("select sealed from connection_secrets union all select sealed from hook_keys")
        assert len(rows) == 3
        assert all(row["sealed"][0] == 1 and SECRET.encode() not in row["sealed"] for row in rows)
        assert SECRET not in str(await app_db.fetch("select * from connections"))


async def test_a_new_key_encrypts_what_an_old_one_had(cluster, http):
    name = cluster.copy()
    old, new = "the old key of at least 32 bytes ....", "the new key of at least 32 bytes ...."
    settings = {"private_targets": "127.0.0.0/8"}
    async with serving(cluster.app(name), secret_key=old, **settings) as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        channel, _ = await connected(rosa, "evolution")
    base = Provisioned(Settings(secret_key=f"{new},{old}"), Logins(cluster.app(name)), "", None)
    assert await rotate_secrets(base) == "4 secrets are encrypted anew"
    assert await rotate_secrets(base) == "0 secrets are encrypted anew"
    for key, readable in ((new, True), (old, False)):
        async with serving(cluster.app(name), secret_key=key, **settings) as address:
            rosa.address = address
            _, answer = await rosa.get(f"/channels/{channel}/connection")
            assert (answer["hook"]["url"] is not None) == readable
            _, tested = await rosa.post(f"/channels/{channel}/connection/test")
            assert tested["error"]["code"] == ("network_error" if readable else "auth_failed")
    assert "ALFRED_SECRET_KEY" in tested["error"]["detail"]
    assert "cannot be read" in await rotate_secrets(
        Provisioned(Settings(secret_key=old), Logins(cluster.app(name)), "", None)
    )


async def test_a_good_test_connects(rosa):
    async with provider_at({"id": "109900000000001", "verified_name": "Loja Centro"}) as (base, asked):
        channel, _ = await connected(rosa, base_url=base)
        status, answer = await rosa.post(f"/channels/{channel}/connection/test")
    assert (status, answer["ok"], answer["error"]) == (200, True, None)
    assert answer["account"] == {"id": "109900000000001", "name": "Loja Centro"}
    assert asked[0][:2] == (
        "GET", "/base/v26.0/109900000000001?fields=display_phone_number,verified_name,quality_rating",
    )  # fmt: skip
    assert asked[0][2]["Authorization"] == f"Bearer {SECRET}token"
    assert (await rosa.get(f"/channels/{channel}"))[1]["connection"]["state"] == "connected"


async def test_a_refused_token_is_told_and_good_ones_recover(rosa):
    error = {"error": {"code": 190, "message": "Invalid OAuth access token s3cr3t-token-that-is-very-long"}}
    async with provider_at(error, 401) as (base, _):
        channel, _ = await connected(rosa, base_url=base)
        status, answer = await rosa.post(f"/channels/{channel}/connection/test")
    assert (status, answer["ok"], answer["account"], answer["error"]["code"]) == (200, False, None, "auth_failed")
    assert SECRET not in json.dumps(answer)
    shown = (await rosa.get(f"/channels/{channel}"))[1]["connection"]
    assert (shown["state"], shown["error"]["remedy"]) == ("auth_failed", "reconnect_channel")
    assert (await rosa.put(f"/channels/{channel}/connection", body_of("whatsapp_cloud")))[1]["state"] == "untested"
    assert [event["payload"] for event in await rosa.events("channel.recovered")] == [{"channel_id": channel}]


async def test_a_gateway_that_is_down_is_a_network_error(rosa):
    channel, _ = await connected(rosa, "evolution")
    _, answer = await rosa.post(f"/channels/{channel}/connection/test")
    assert (answer["ok"], answer["error"]["code"]) == (False, "network_error")
    channel, _ = await connected(rosa, "email")
    _, answer = await rosa.post(f"/channels/{channel}/connection/test")
    assert (answer["ok"], answer["error"]["code"]) == (False, "network_error")


async def test_wahas_test_learns_the_number(rosa):
    session = {"name": "default", "status": "WORKING", "me": {"id": "5511900000901@c.us", "pushName": "Loja"}}
    async with provider_at(session) as (base, _):
        channel, _ = await connected(rosa, "waha", base_url=base)
        _, answer = await rosa.post(f"/channels/{channel}/connection/test")
    assert answer["ok"]
    assert (await rosa.get(f"/channels/{channel}"))[1]["external_account_id"] == "+5511900000901"


async def test_a_hooks_address_is_rotated_and_the_old_one_works_a_while(rosa):
    channel, first = await connected(rosa)
    assert first["hook"]["verify_token"]
    assert "messages" in first["hook"]["fields"]
    assert first["hook"]["authentication"] == "signature"
    status, rotated = await rosa.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 60})
    assert (status, rotated["url"] != first["hook"]["url"]) == (200, True)
    hook = (await rosa.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert hook["url"] == rotated["url"]
    assert hook["verify_token"] == rotated["verify_token"] != first["hook"]["verify_token"]
    assert [key["expires_at"] for key in hook["keys"]] == [None, rotated["previous_expires_at"]]
    status, last = await rosa.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 0})
    hook = (await rosa.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert ([key["id"] for key in hook["keys"]], hook["url"]) == ([hook["keys"][0]["id"]], last["url"])


async def test_of_many_rotations_the_newest_keys_work(rosa):
    channel, first = await connected(rosa)
    made = [first["hook"]["url"]]
    for _ in range(MOST_KEYS + 2):
        made.append((await rosa.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 600}))[1]["url"])
    hook = (await rosa.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert len(hook["keys"]) == MOST_KEYS
    statuses = [(await rosa.call("GET", url.partition("/api/v1")[2]))[0] for url in made]
    assert [status == 404 for status in statuses] == [True] * 3 + [False] * MOST_KEYS


async def test_one_connection_too_many_is_refused_and_one_that_is_there_is_changed(rosa, monkeypatch):
    monkeypatch.setitem(QUOTAS, "connections", 1)
    await connected(rosa)
    _, channel = await rosa.post("/channels", {"type": "whatsapp", "name": "Outra"})
    status, problem = await rosa.put(f"/channels/{channel['id']}/connection", body_of("waha"))
    assert (status, problem["code"]) == (409, "too_many_connections")


async def test_a_hooks_address_is_judged_without_a_request(ana, rosa):
    channel, answer = await connected(rosa)
    status, tested = await rosa.post(f"/channels/{channel}/hook/test")
    assert (status, tested["url"], tested["reachable"]) == (200, answer["hook"]["url"], True)


async def test_without_a_public_url_nobody_can_tell(ana):
    channel, _ = await connected(ana, body={"provider": "messenger"} | BODIES["messenger"], provider="messenger")
    _, tested = await ana.post(f"/channels/{channel}/hook/test")
    assert tested["reachable"] is None
    assert "ALFRED_PUBLIC_URL" in tested["detail"]
