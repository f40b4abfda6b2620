"""Connections: what a provider needs is asked for, shown without its secrets, and changed."""

import json

import pytest

from alfred.quotas import QUOTAS
from tests.api.connecting import BODIES, SECRET, body_of, connected, faults


@pytest.mark.parametrize(
    ("provider", "account"),
    [("whatsapp_cloud", "109900000000001"), ("messenger", "1234"), ("instagram", "17841"), ("evolution", "loja"),
     ("waha", None), ("zapi", "3C01"), ("twilio", "+14155550100"), ("email", "loja@example.com")],
)  # fmt: skip
async def test_the_account_becomes_the_channels(provider, account, clara):
    channel, _ = await connected(clara, provider)
    assert (await clara.get(f"/channels/{channel}"))[1]["external_account_id"] == account


async def test_config_shows_what_is_no_secret(clara):
    _, answer = await connected(clara, "email")
    assert answer["config"]["smtp"] == {
        "host": "127.0.0.1", "port": 2525, "security": "none", "username": "loja", "from_address": "Loja@Example.com",
    }  # fmt: skip
    assert answer["config"]["inbound"] == {"provider": "mailgun"}
    assert {name for name, state in answer["secrets"].items() if state["set"]} == {
        "smtp.password", "inbound.signing_keys",
    }  # fmt: skip


async def test_a_secret_that_is_left_out_stays_and_null_clears_an_optional_one(clara):
    channel, first = await connected(clara)
    path = f"/channels/{channel}/connection"
    body = body_of("whatsapp_cloud")
    del body["access_token"], body["app_secrets"]
    _, kept = await clara.put(path, body | {"waba_id": "9"})
    assert kept["secrets"] == first["secrets"]
    _, cleared = await clara.put(path, body | {"app_secrets": None, "access_token": ""})
    assert (cleared["secrets"]["app_secrets"]["set"], cleared["secrets"]["access_token"]["set"]) == (False, True)
    assert not cleared["can_receive"]
    assert faults(await clara.put(path, body | {"access_token": None})) == {"/access_token": "missing"}
    assert cleared["hook"]["url"] == first["hook"]["url"]


async def test_another_provider_is_all_new(clara):
    channel, first = await connected(clara)
    path = f"/channels/{channel}/connection"
    body = body_of("evolution")
    del body["api_key"]
    assert faults(await clara.put(path, body)) == {"/api_key": "missing"}
    _, answer = await clara.put(path, body_of("evolution"))
    assert set(answer["secrets"]) == {"api_key", "header", "jwt_key"}
    assert answer["hook"]["url"].rpartition("/")[2] != first["hook"]["url"].rpartition("/")[2]
    assert "/hooks/evolution/" in answer["hook"]["url"]


@pytest.mark.parametrize(
    "changed", ["http://127.0.0.1:10", "http://127.0.0.2:9", "https://127.0.0.1:9", "http://localhost:9"]
)
async def test_another_host_needs_its_secrets_again(changed, clara):
    channel, _ = await connected(clara)
    path = f"/channels/{channel}/connection"
    body = body_of("whatsapp_cloud", changed)
    del body["access_token"], body["app_secrets"]
    assert faults(await clara.put(path, body)) == {"/access_token": "missing"}
    assert (await clara.put(path, body | {"access_token": "new"}))[0] == 200
    assert (await clara.put(path, body | {"base_url": changed + "/path"}))[0] == 200


async def test_another_mail_server_needs_the_password_again(clara):
    channel, _ = await connected(clara, "email")
    path = f"/channels/{channel}/connection"
    smtp = {name: value for name, value in BODIES["email"]["smtp"].items() if name != "password"}
    assert (await clara.put(path, {"provider": "email", "smtp": smtp}))[0] == 200
    for change in ({"host": "localhost"}, {"port": 2526}):
        answer = await clara.put(path, {"provider": "email", "smtp": smtp | change})
        assert faults(answer) == {"/smtp/password": "missing"}


async def test_a_provider_has_to_fit_the_channel(clara):
    channel = await clara.made("/channels", {"type": "instagram", "name": "Loja"})
    answer = await clara.put(f"/channels/{channel['id']}/connection", body_of("whatsapp_cloud"))
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
async def test_what_cannot_be_connected(change, fault, clara):
    channel = await clara.made("/channels", {"type": "whatsapp", "name": "Loja"})
    answer = await clara.put(f"/channels/{channel['id']}/connection", body_of("whatsapp_cloud") | change)
    assert faults(answer) == fault
    assert SECRET not in json.dumps(answer[1])
    assert (await clara.get(f"/channels/{channel['id']}/connection"))[0] == 404


@pytest.mark.parametrize(
    ("provider", "name"),
    [("whatsapp_cloud", "phone_number_id"), ("whatsapp_cloud", "access_token"), ("messenger", "page_id"),
     ("instagram", "account_id"), ("evolution", "base_url"), ("evolution", "instance"), ("evolution", "api_key"),
     ("waha", "base_url"), ("waha", "api_key"), ("zapi", "instance_id"), ("zapi", "instance_token"),
     ("twilio", "account_sid"), ("twilio", "from"), ("twilio", "auth_tokens")],
)  # fmt: skip
async def test_what_is_needed_is_named(provider, name, clara):
    kind = provider if provider in {"messenger", "instagram"} else "whatsapp"
    channel = await clara.made("/channels", {"type": kind, "name": "Loja"})
    body = body_of(provider)
    del body[name]
    assert faults(await clara.put(f"/channels/{channel['id']}/connection", body)) == {f"/{name}": "missing"}


async def test_a_strict_service_takes_no_private_address(ana):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    answer = await ana.put(f"/channels/{channel['id']}/connection", body_of("evolution"))
    assert faults(answer) == {"/base_url": "private_address"}
    assert "ALFRED_PRIVATE_TARGETS" in answer[1]["errors"][0]["message"]


async def test_an_account_of_another_channel_is_taken(clara):
    await clara.made("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "109900000000001"})
    channel = await clara.made("/channels", {"type": "whatsapp", "name": "Outra"})
    path = f"/channels/{channel['id']}/connection"
    status, problem = await clara.put(path, body_of("whatsapp_cloud"))
    assert (status, problem["code"]) == (409, "account_taken")
    assert (await clara.get(path))[0] == 404


async def test_one_connection_too_many_is_refused_and_one_that_is_there_is_changed(clara, monkeypatch):
    monkeypatch.setitem(QUOTAS, "connections", 1)
    await connected(clara)
    _, channel = await clara.post("/channels", {"type": "whatsapp", "name": "Outra"})
    status, problem = await clara.put(f"/channels/{channel['id']}/connection", body_of("waha"))
    assert (status, problem["code"]) == (409, "too_many_connections")
