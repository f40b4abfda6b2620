"""A connection is tried on its provider, and a hook's address is judged and rotated."""

import contextlib
import json

from aiohttp import web

from alfred.crm.connections import MOST_KEYS
from tests.api.connecting import BODIES, SECRET, body_of, connected
from tests.hosts import host


@contextlib.asynccontextmanager
async def provider_at(answer, status=200):
    """A provider on loopback that always says the same; its base URL and what it was asked."""
    asked = []

    async def seen(request):
        asked.append((request.method, request.path_qs, dict(request.headers)))
        return web.json_response(answer, status=status)

    async with host(seen) as address:
        yield f"{address}/base", asked


async def test_a_good_test_connects(clara):
    async with provider_at({"id": "109900000000001", "verified_name": "Loja Centro"}) as (base, asked):
        channel, _ = await connected(clara, base_url=base)
        status, answer = await clara.post(f"/channels/{channel}/connection/test")
    assert (status, answer["ok"], answer["error"]) == (200, True, None)
    assert answer["account"] == {"id": "109900000000001", "name": "Loja Centro"}
    assert asked[0][:2] == (
        "GET", "/base/v26.0/109900000000001?fields=display_phone_number,verified_name,quality_rating",
    )  # fmt: skip
    assert asked[0][2]["Authorization"] == f"Bearer {SECRET}token"
    assert (await clara.get(f"/channels/{channel}"))[1]["connection"]["state"] == "connected"


async def test_a_refused_token_is_told_and_good_ones_recover(clara):
    error = {"error": {"code": 190, "message": "Invalid OAuth access token s3cr3t-token-that-is-very-long"}}
    async with provider_at(error, 401) as (base, _):
        channel, _ = await connected(clara, base_url=base)
        status, answer = await clara.post(f"/channels/{channel}/connection/test")
    assert (status, answer["ok"], answer["account"], answer["error"]["code"]) == (200, False, None, "auth_failed")
    assert SECRET not in json.dumps(answer)
    shown = (await clara.get(f"/channels/{channel}"))[1]["connection"]
    assert (shown["state"], shown["error"]["remedy"]) == ("auth_failed", "reconnect_channel")
    assert (await clara.put(f"/channels/{channel}/connection", body_of("whatsapp_cloud")))[1]["state"] == "untested"
    assert [event["payload"] for event in await clara.events("channel.recovered")] == [{"channel_id": channel}]


async def test_a_gateway_that_is_down_is_a_network_error(clara):
    channel, _ = await connected(clara, "evolution")
    _, answer = await clara.post(f"/channels/{channel}/connection/test")
    assert (answer["ok"], answer["error"]["code"]) == (False, "network_error")
    channel, _ = await connected(clara, "email")
    _, answer = await clara.post(f"/channels/{channel}/connection/test")
    assert (answer["ok"], answer["error"]["code"]) == (False, "network_error")


async def test_wahas_test_learns_the_number(clara):
    session = {"name": "default", "status": "WORKING", "me": {"id": "5511900000901@c.us", "pushName": "Loja"}}
    async with provider_at(session) as (base, _):
        channel, _ = await connected(clara, "waha", base_url=base)
        _, answer = await clara.post(f"/channels/{channel}/connection/test")
    assert answer["ok"]
    assert (await clara.get(f"/channels/{channel}"))[1]["external_account_id"] == "+5511900000901"


async def test_a_hooks_address_is_rotated_and_the_old_one_works_a_while(clara):
    channel, first = await connected(clara)
    assert first["hook"]["verify_token"]
    assert "messages" in first["hook"]["fields"]
    assert first["hook"]["authentication"] == "signature"
    status, rotated = await clara.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 60})
    assert (status, rotated["url"] != first["hook"]["url"]) == (200, True)
    hook = (await clara.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert hook["url"] == rotated["url"]
    assert hook["verify_token"] == rotated["verify_token"] != first["hook"]["verify_token"]
    assert [key["expires_at"] for key in hook["keys"]] == [None, rotated["previous_expires_at"]]
    status, last = await clara.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 0})
    hook = (await clara.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert ([key["id"] for key in hook["keys"]], hook["url"]) == ([hook["keys"][0]["id"]], last["url"])


async def test_of_many_rotations_the_newest_keys_work(clara):
    channel, first = await connected(clara)
    made = [first["hook"]["url"]]
    for _ in range(MOST_KEYS + 2):
        made.append((await clara.post(f"/channels/{channel}/hook/rotate", {"grace_seconds": 600}))[1]["url"])
    hook = (await clara.get(f"/channels/{channel}/connection"))[1]["hook"]
    assert len(hook["keys"]) == MOST_KEYS
    statuses = [(await clara.call("GET", url.partition("/api/v1")[2]))[0] for url in made]
    assert [status == 404 for status in statuses] == [True] * 3 + [False] * MOST_KEYS


async def test_a_hooks_address_is_judged_without_a_request(ana, clara):
    channel, answer = await connected(clara)
    status, tested = await clara.post(f"/channels/{channel}/hook/test")
    assert (status, tested["url"], tested["reachable"]) == (200, answer["hook"]["url"], True)


async def test_without_a_public_url_nobody_can_tell(ana):
    channel, _ = await connected(ana, body={"provider": "messenger"} | BODIES["messenger"], provider="messenger")
    _, tested = await ana.post(f"/channels/{channel}/hook/test")
    assert tested["reachable"] is None
    assert "ALFRED_PUBLIC_URL" in tested["detail"]
