"""Posts to the webhooks that were refused: a gateway never repeats them, so their tenant is told once."""

import io

import asyncpg
import pytest

from tests.people import Person, whatsapp


async def told(person):
    return await person.notifications(type="channel_error")


async def test_an_expired_token_is_told_once_an_hour(ana, http, address, eventually, cluster, database):
    token = await ana.made("/tokens", {"name": "gateway", "scopes": ["webhooks"], "expires_at": "2090-01-01T00:00:00Z"})
    root = await asyncpg.connect(cluster.superuser(database))
    await root.execute("update api_tokens set expires_at = now() - interval '1 hour' where user_id = $1", ana.id)
    await root.close()
    gateway = Person(http, address, {"access_token": token["token"]})
    for _ in range(3):
        assert (await gateway.post("/webhooks/whatsapp", whatsapp("oi")))[0] == 401
    (notification,) = await eventually(lambda: told(ana))
    assert "401" in notification["body"]
    (event,) = await ana.events("channel.error")
    assert (event["payload"]["about"], event["payload"]["counts"]) == ("webhooks", {"unauthorized": 1})
    assert (await gateway.post("/webhooks/whatsapp", whatsapp("oi")))[0] == 401
    assert len(await told(ana)) == 1


@pytest.mark.parametrize(
    ("path", "status", "kind"), [("/webhooks/telegram", 404, "not_found"), ("/webhooks/whatsapp", 413, "too_large")]
)
async def test_a_wrong_path_and_a_body_too_large_are_told(ana, eventually, path, status, kind):
    body = io.BytesIO(b"{" + b" " * 5_000_000) if status == 413 else b"{}"
    answered, _, _ = await ana.call("POST", path, data=body, headers={"Content-Type": "application/json"})
    assert answered == status
    await eventually(lambda: told(ana))
    (event,) = await ana.events("channel.error")
    assert event["payload"]["counts"] == {kind: 1}


async def test_what_no_tenant_posted_is_nobodys(ana, stranger):
    assert (await stranger.post("/webhooks/whatsapp", {}))[0] == 401
    stranger.headers["Authorization"] = "Bearer alf_0_" + "x" * 46
    assert (await stranger.post("/webhooks/whatsapp", {}))[0] == 401
    assert (await ana.get("/nowhere"))[0] == 404
    assert (await ana.post("/webhooks/whatsapp", {"unknown": "shape"}))[0] == 422
    assert await told(ana) == []
