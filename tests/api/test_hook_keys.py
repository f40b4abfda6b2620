"""The key in a hook's address: what it opens, when it ends, and where its posts land."""

import json

from tests.api.connecting import body_of, connected
from tests.api.hooked import Hooked, hooked, texts
from tests.people import Person, whatsapp


async def test_one_answer_for_every_key_that_opens_nothing(rosa, http, loopback):
    hook = await hooked(rosa)
    other = await hooked(await Person.sign_up(http, loopback, "Bruno"), "evolution")
    base, _, key = hook.url.rpartition("/")
    answers = []
    for url in (
        f"{base}/{'x' * 43}", f"{base}/x", f"{base}/{key}x", f"{base}/{other.url.rpartition('/')[2]}",
        hook.url.replace("whatsapp_cloud", "messenger"), hook.url.replace("whatsapp_cloud", "nobody"),
    ):  # fmt: skip
        for method in ("GET", "POST"):
            status, _, body = await rosa.call(method, url, data=b"x" * 300_000 if method == "POST" else None)
            answers.append((status, json.loads(body)["code"], json.loads(body)["detail"]))
    assert set(answers) == {(404, "not_found", answers[0][2])}


async def test_a_key_ends_with_its_connection(rosa):
    hook = await hooked(rosa)
    assert (await hook.posts(whatsapp("oi")))[0] == 200
    assert (await rosa.delete(f"/channels/{hook.channel}/connection"))[0] == 204
    assert (await hook.posts(whatsapp("oi de novo")))[0] == 404


async def test_rotated_keys_work_for_their_grace(rosa):
    hook = await hooked(rosa)
    rotated = (await rosa.post(f"/channels/{hook.channel}/hook/rotate", {"grace_seconds": 60}))[1]
    assert (await hook.posts(whatsapp("um")))[0] == 200
    old, hook.url = hook.url, rotated["url"]
    assert (await hook.posts(whatsapp("dois")))[0] == 200
    last = (await rosa.post(f"/channels/{hook.channel}/hook/rotate", {"grace_seconds": 0}))[1]
    for url, status in ((old, 404), (rotated["url"], 404), (last["url"], 200)):
        hook.url = url
        assert (await hook.posts(whatsapp("três")))[0] == status


async def test_a_post_for_another_number_lands_on_its_channel(rosa):
    hook = await hooked(rosa)
    second, _ = await connected(rosa, phone_number_id="2", app_secrets=["other"])
    unconnected = await rosa.made("/channels", {"type": "whatsapp", "name": "Solta", "external_account_id": "3"})
    for account in ("2", "3", "4"):
        assert (await hook.posts(whatsapp(f"para {account}", account=account)))[0] == 200
    found = {each["snippet"]: each["channel"]["id"] for each in await rosa.conversations()}
    assert (found["para 2"], found["para 3"]) == (second, unconnected["id"])
    channels = {each["external_account_id"]: each["id"] for each in (await rosa.get("/channels"))[1]["items"]}
    assert found["para 4"] == channels["4"]


async def test_a_key_without_a_signature_cannot_write_where_posts_are_signed(rosa):
    signed = await hooked(rosa)
    channel, answer = await connected(rosa, "evolution", body=body_of("evolution") | {"header": None, "jwt_key": None})
    weak = Hooked(rosa, channel, answer)
    assert weak.hook["authentication"] == "key_only"
    assert (await weak.posts(whatsapp("forjada")))[0] == 200
    (conversation,) = await rosa.conversations()
    assert conversation["channel"]["id"] == channel != signed.channel


async def test_nobody_reaches_another_tenant(rosa, http, loopback):
    bruno = await Person.sign_up(http, loopback, "Bruno")
    hook, other = await hooked(rosa), await hooked(bruno)
    assert (await hook.posts(whatsapp("para a Rosa")))[0] == 200
    assert await bruno.conversations() == []
    assert other.url != hook.url


async def test_hook_only_channels_refuse_tokens(rosa):
    hook = await hooked(rosa, options={"hook_only": True})
    status, problem = await rosa.post("/webhooks/whatsapp", whatsapp("forjada"))
    assert (status, problem["code"]) == (403, "hook_only")
    assert (await rosa.post("/webhooks/whatsapp", whatsapp("outra", account="2")))[0] == 200
    assert (await hook.posts(whatsapp("assinada")))[0] == 200
    assert await texts(rosa) == ["assinada", "outra"] or len(await rosa.conversations()) == 2
    assert (await rosa.put(f"/channels/{hook.channel}/connection", body_of("whatsapp_cloud")))[0] == 200
    assert (await rosa.post("/webhooks/whatsapp", whatsapp("de novo")))[0] == 200
