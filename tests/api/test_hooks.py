"""Hooks: a messenger posts to its channel's own address, and is believed by its signature."""

import asyncio
import io
import json

import pytest
import structlog

from alfred.api import webhooks
from alfred.crm import hooks
from alfred.http import middleware, problems
from tests import signers
from tests.api.connecting import body_of, connected
from tests.api.hooked import APP, JSON, hooked
from tests.conftest import serving
from tests.people import Person, cloud, delivery, whatsapp


async def test_a_signed_post_is_taken_in(rosa):
    hook = await hooked(rosa)
    payload = whatsapp("Promoção 🎉")
    for raw in (json.dumps(payload).encode(), json.dumps(payload, ensure_ascii=False).encode()):
        status, headers, body = await hook.post(raw, JSON | signers.meta(raw, APP))
        assert (status, body) == (200, b"{}")
        assert headers["Content-Type"].startswith("application/json")
        assert headers["Cache-Control"] == "no-store"
    (conversation,) = await rosa.conversations()
    assert (conversation["snippet"], conversation["channel"]["id"]) == ("Promoção 🎉", hook.channel)


@pytest.mark.parametrize("headers", [{}, {"X-Hub-Signature-256": "sha256=00"}, {"X-Hub-Signature": "sha1=00"}])
async def test_an_unsigned_post_is_not_even_kept(rosa, headers):
    hook = await hooked(rosa)
    status, _, body = await hook.post(json.dumps(whatsapp("oi")).encode(), JSON | headers)
    assert (status, json.loads(body)["code"]) == (403, "bad_signature")
    assert await rosa.conversations() == []
    assert (await rosa.get("/webhooks/rejected"))[1]["items"] == []


async def test_one_byte_more_is_another_post(rosa):
    hook = await hooked(rosa)
    raw = json.dumps(whatsapp("oi")).encode()
    assert (await hook.post(raw + b" ", JSON | signers.meta(raw, APP)))[0] == 403


async def test_without_a_secret_the_door_is_closed(rosa, eventually):
    hook = await hooked(rosa, app_secrets=None)
    assert hook.hook["authentication"] == "not_configured"
    status, problem = await hook.posts(whatsapp("oi"))
    assert (status, problem["code"]) == (403, "hook_not_configured")
    counted = await hook.counted(eventually, lambda hook: hook["rejected"])
    assert counted["last_error"]["code"] == "hook_not_configured"
    assert counted["last_error"]["detail"].startswith("No app secret is stored.")


async def test_two_secrets_work_while_one_is_replaced(rosa):
    hook = await hooked(rosa, app_secrets=[APP, "second"])
    assert (await hook.posts(whatsapp("um"), "second"))[0] == 200
    body = body_of("whatsapp_cloud", app_secrets=["second"])
    assert (await rosa.put(f"/channels/{hook.channel}/connection", body))[0] == 200
    assert (await hook.posts(whatsapp("dois"), "second"))[0] == 200
    assert (await hook.posts(whatsapp("três"), APP))[0] == 403


async def test_metas_challenge(rosa, eventually):
    hook = await hooked(rosa)
    good = {"hub.mode": "subscribe", "hub.verify_token": hook.hook["verify_token"], "hub.challenge": "11_58-a"}
    status, headers, body = await hook.get(**good)
    assert (status, body) == (200, b"11_58-a")
    assert headers["Content-Type"].startswith("text/plain")
    assert (await hook.counted(eventually, lambda hook: hook["last_challenge_at"]))["last_challenge_at"]
    for wrong in (
        {"hub.verify_token": "other"}, {"hub.verify_token": ""}, {"hub.mode": "other"}, {"hub.challenge": "<script>"},
        {"hub.challenge": ""}, {"hub.challenge": "x" * 257},
    ):  # fmt: skip
        status, _, body = await hook.get(**good | wrong)
        assert (status, json.loads(body)["code"]) == (403, "wrong_verify_token"), wrong
    assert (await hook.get())[0] == 403


async def test_other_providers_have_no_challenge(rosa):
    hook = await hooked(rosa, "evolution")
    status, headers, _ = await hook.get()
    assert (status, headers["Allow"]) == (405, "POST")


async def test_what_is_genuine_but_unreadable_is_kept_and_no_reason_to_repeat(rosa, eventually):
    hook = await hooked(rosa)
    assert (await hook.posts({"unknown": "shape"}))[0] == 200
    raw = b'{"cut": '
    status, _, body = await hook.post(raw, JSON | signers.meta(raw, APP))
    assert (status, json.loads(body)["code"]) == (400, "invalid_json")
    kept = (await rosa.get("/webhooks/rejected"))[1]["items"]
    assert [each["body"] for each in kept] == [raw.decode(), '{"unknown": "shape"}']
    counted = await hook.counted(eventually, lambda hook: hook["last_error"])
    assert counted["last_error"]["code"] == "invalid_json"
    assert counted["rejected"] == 0


async def test_an_event_of_no_interest_is_answered_the_same(rosa):
    hook = await hooked(rosa)
    assert await hook.posts(cloud({"statuses": []})) == (200, {})
    assert await hook.posts(delivery("wamid.nobody", "read")) == (200, {})


async def test_twenty_redeliveries_at_once_are_one_message(rosa):
    hook = await hooked(rosa)
    payload = whatsapp("uma vez", id="wamid.once")
    answers = await asyncio.gather(*[hook.posts(payload) for _ in range(20)])
    assert {status for status, _ in answers} == {200}
    (conversation,) = await rosa.conversations()
    assert (conversation["unread_count"], len(await rosa.messages(conversation["id"]))) == (1, 1)


async def test_three_rejections_in_a_row_are_told(rosa, eventually):
    hook = await hooked(rosa)
    for text in ("1", "2"):
        await hook.posts(whatsapp(text), "wrong")
    await hook.posts(whatsapp("3"))
    for text in ("4", "5"):
        await hook.posts(whatsapp(text), "wrong")
    await hook.counted(eventually, lambda hook: hook["rejected"] == 4)
    assert await rosa.events("channel.error") == []
    for _ in range(3):
        await hook.posts(whatsapp("6"), "wrong")

    async def told():
        return await rosa.notifications(type="channel_error")

    (notification,) = await eventually(told)
    assert "Loja whatsapp_cloud" in notification["title"]
    assert notification["body"].startswith("The signature was made with another app secret.")
    counted = await hook.counted(eventually, lambda hook: hook["rejected"] == 7)
    assert (counted["received"], counted["last_error"]["code"]) == (1, "bad_signature")
    assert counted["last_rejected_at"] >= counted["last_received_at"]
    assert len(await told()) == 1


async def test_a_picture_is_no_post(rosa):
    hook = await hooked(rosa)
    status, _, body = await hook.post(b"\x89PNG", {"Content-Type": "image/png"})
    assert (status, json.loads(body)["code"]) == (415, "unsupported_media_type")


async def test_no_page_of_a_browser_may_read_the_answer(cluster, database, http):
    async with serving(cluster.logins(database), cors_origins="*") as address:
        ana = await Person.sign_up(http, address, "Ana")
        _, answer = await connected(ana, "messenger", base_url="https://graph.facebook.com")
        for method in ("POST", "OPTIONS"):
            asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
            _, headers, _ = await ana.call(method, answer["hook"]["url"], data=b"{}", headers=asked)
            assert "Access-Control-Allow-Origin" not in headers


async def test_no_key_token_or_signature_is_logged(rosa, monkeypatch):
    out = io.StringIO()
    for part in (middleware, hooks, problems, webhooks):
        monkeypatch.setattr(
            part, "log", structlog.wrap_logger(structlog.PrintLogger(out), wrapper_class=structlog.BoundLogger)
        )
    hook = await hooked(rosa)
    raw = json.dumps(whatsapp("oi")).encode()
    signature = signers.meta(raw, APP)
    await hook.post(raw, JSON | signature)
    await hook.post(raw + b" ", JSON | signature)
    await hook.get(**{"hub.mode": "subscribe", "hub.verify_token": hook.hook["verify_token"], "hub.challenge": "1"})
    key = hook.url.rpartition("/")[2]
    for mistaken in (key, f"{key}/x", f"whatsapp_cloud/{key}/more", f"Other/{key}"):
        assert (await rosa.call("POST", f"/hooks/{mistaken}", data=raw, headers=JSON))[0] in {403, 404}
    for root in ("//api/v1/hooks", "/crm/api/v1/hooks", "/api/v1/api/v1/hooks", "/API/V1/Hooks", "/hooks"):
        mistaken = f"{rosa.address}{root}/whatsapp_cloud/{key}"
        assert (await rosa.call("POST", mistaken, data=raw, headers=JSON))[0] == 404
    logged = out.getvalue()
    assert "hook_rejected" in logged
    assert "/api/v1/hooks/whatsapp_cloud/…" in logged
    for secret in (hook.url.rpartition("/")[2], hook.hook["verify_token"], APP, signature["X-Hub-Signature-256"][7:]):
        assert secret not in logged


async def test_a_key_makes_a_webhook_happen_once(rosa):
    for _ in range(2):
        status, _, body = await rosa.call(
            "POST", "/webhooks/whatsapp", whatsapp("oi", id="wamid.k"), headers={"Idempotency-Key": "k1"}
        )
        assert (status, json.loads(body)["received"]) == (200, 1)
