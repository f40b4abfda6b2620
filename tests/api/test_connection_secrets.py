"""Credentials go in and never come out again: shown to nobody, encrypted, forgotten, for admins only."""

import json

import pytest
from uuid_utils.compat import uuid7

from alfred.logins import Logins
from alfred.running import Provisioned
from alfred.settings import Settings
from alfred.upkeep import rotate_secrets
from tests.api.connecting import BODIES, SECRET, body_of, connected
from tests.conftest import serving
from tests.people import Person

ADMIN_CALLS = [
    ("GET", "connection"), ("PUT", "connection"), ("DELETE", "connection"), ("POST", "connection/test"),
    ("POST", "hook/rotate"), ("POST", "hook/test"),
]  # fmt: skip


@pytest.mark.parametrize("provider", BODIES)
async def test_no_secret_is_ever_shown(provider, clara):
    channel, answer = await connected(clara, provider)
    path = f"/channels/{channel}"
    status, again = await clara.get(f"{path}/connection")
    assert (status, again) == (200, answer)
    assert (answer["provider"], answer["state"], answer["channel_id"]) == (provider, "untested", channel)
    assert answer["can_send"]
    assert answer["can_receive"]
    assert any(state["set"] and state["updated_at"] for state in answer["secrets"].values())
    everything = [answer, again, await clara.get(path), await clara.get("/channels"), await clara.events()]
    assert SECRET not in json.dumps(everything)
    hook = answer["hook"]
    assert hook["url"].startswith("https://crm.example.org/api/v1/hooks/")
    key = hook["url"].rpartition("/")[2]
    assert len(key) == 43
    shown = (await clara.get(path))[1]
    assert key not in json.dumps(shown)
    assert shown["connection"] == {
        "provider": provider, "state": "untested", "can_send": True, "can_receive": True, "error": None,
        "paused_until": None,
    }  # fmt: skip
    assert shown["hook"]["received"] == 0


async def test_only_an_admin_touches_connections(http, clara, public_service):
    channel, _ = await connected(clara)
    token = (await clara.made("/tokens", {"name": "n8n", "scopes": ["read", "write", "webhooks"]}))["token"]
    script = Person(http, public_service)
    script.headers["Authorization"] = f"Bearer {token}"
    for method, part in ADMIN_CALLS:
        status, _, raw = await script.call(method, f"/channels/{channel}/{part}", {} if method != "GET" else None)
        assert (status, json.loads(raw)["code"]) == (403, "insufficient_scope"), part
    assert (await script.delete(f"/channels/{channel}"))[0] == 403
    assert (await script.get(f"/channels/{channel}"))[0] == 200
    assert (await clara.delete(f"/channels/{channel}"))[0] == 204


async def test_a_stranger_finds_nothing(http, public_service, clara):
    other = await Person.sign_up(http, public_service, "Bruno")
    channel, _ = await connected(clara)
    for target in (channel, uuid7()):
        for method, part in ADMIN_CALLS:
            body = body_of("whatsapp_cloud") if method == "PUT" else {} if method == "POST" else None
            assert (await other.call(method, f"/channels/{target}/{part}", body))[0] == 404, part
    assert (await clara.get(f"/channels/{channel}/connection"))[0] == 200


async def test_disconnecting_forgets(clara, owner_db, app_db):
    channel, _ = await connected(clara)
    path = f"/channels/{channel}/connection"
    assert (await clara.delete(path))[0] == 204
    assert (await clara.delete(path))[0] == (await clara.get(path))[0] == 404
    assert (await clara.get(f"/channels/{channel}"))[1]["connection"] is None
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", clara.id)
        assert await app_db.fetchval("select count(*) from connection_secrets") == 0
        assert await app_db.fetchval("select count(*) from hook_keys") == 0


async def test_secrets_lie_encrypted(clara, app_db):
    await connected(clara)
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", clara.id)
        rows = await app_db.fetch("select sealed from connection_secrets union all select sealed from hook_keys")
        assert len(rows) == 3
        assert all(row["sealed"][0] == 1 and SECRET.encode() not in row["sealed"] for row in rows)
        assert SECRET not in str(await app_db.fetch("select * from connections"))


async def test_a_new_key_encrypts_what_an_old_one_had(cluster, http):
    name = cluster.copy()
    old, new = "the old key of at least 32 bytes ....", "the new key of at least 32 bytes ...."
    settings = {"private_targets": "127.0.0.0/8"}
    async with serving(cluster.app(name), secret_key=old, **settings) as address:
        clara = await Person.sign_up(http, address, "Clara")
        channel, _ = await connected(clara, "evolution")
    base = Provisioned(Settings(secret_key=f"{new},{old}"), Logins(cluster.app(name)), "", None)
    assert await rotate_secrets(base) == "4 secrets are encrypted anew"
    assert await rotate_secrets(base) == "0 secrets are encrypted anew"
    for key, readable in ((new, True), (old, False)):
        async with serving(cluster.app(name), secret_key=key, **settings) as address:
            clara.address = address
            _, answer = await clara.get(f"/channels/{channel}/connection")
            assert (answer["hook"]["url"] is not None) == readable
            _, tested = await clara.post(f"/channels/{channel}/connection/test")
            assert tested["error"]["code"] == ("network_error" if readable else "auth_failed")
    assert "ALFRED_SECRET_KEY" in tested["error"]["detail"]
    assert "cannot be read" in await rotate_secrets(
        Provisioned(Settings(secret_key=old), Logins(cluster.app(name)), "", None)
    )
