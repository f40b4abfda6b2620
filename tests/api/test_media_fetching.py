"""A file that a message brings is fetched from WhatsApp's Cloud API, once, and only from where it may lie."""

import asyncio
import contextlib
import hashlib
import json
from urllib.parse import urlsplit

from aiohttp import web

from tests.api.connecting import SECRET, connected
from tests.api.media_files import PNG, content, hears_picture, meta_file, picture, settled
from tests.conftest import serving
from tests.people import Person


async def test_a_picture_is_fetched_and_shown_by_a_link(lena, peer, eventually, http, files_service, files_home):
    meta_file(peer)
    await hears_picture(lena, peer)
    message, file = await settled(lena, eventually)
    assert (file["state"], file["size"], file["error"]) == ("stored", len(PNG), None)
    assert [each[2].get("Authorization") for each in peer.asked] == [f"Bearer {SECRET}token"] * 2
    link = files_service + file["url"]
    assert urlsplit(file["url"]).path == f"/api/v1/messages/{message}/attachments/0"
    async with http.get(link) as response:
        assert (response.status, await response.read()) == (200, PNG)
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "sandbox"
        assert response.headers["Cache-Control"].startswith("private")
    status, _, body = await lena.call("GET", f"/messages/{message}/attachments/0")
    assert (status, body) == (200, PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    assert (files_home / "media" / lena.id / digest[:2] / digest).read_bytes() == PNG


async def test_it_is_fetched_when_it_comes_not_at_the_next_look(cluster, http, peer, eventually, monkeypatch, tmp_path):
    monkeypatch.setattr("alfred.crm.leases.SWEEP_SECONDS", 600)
    async with serving(cluster.app(cluster.copy()), private_targets="127.0.0.0/8", home=tmp_path) as address:
        ana = await Person.sign_up(http, address)
        meta_file(peer)
        await hears_picture(ana, peer)
        assert (await settled(ana, eventually))[1]["state"] == "stored"


async def test_without_a_connection_no_file_is_expected(lena, peer):
    assert (await lena.post("/webhooks/whatsapp", picture()))[0] == 200
    message, file = await content(lena)
    assert file == {"state": "none", "size": None, "url": None, "error": None}
    assert (await lena.get(f"/messages/{message}/attachments/0"))[0] == 404


async def test_the_option_switches_it_off(lena, peer):
    await connected(lena, base_url=peer.url, options={"fetch_media": False})
    await lena.post("/webhooks/whatsapp", picture())
    await asyncio.sleep(0.5)
    assert (await content(lena))[1]["state"] == "none"


async def test_a_file_that_is_not_there_yet_says_so_and_is_tried_again(lena, peer, eventually):
    meta_file(peer)
    arrive = asyncio.Event()

    async def late(request):
        await arrive.wait()
        return web.Response(body=PNG)

    peer.answers["/file"] = [500, late]
    await hears_picture(lena, peer)
    message, _ = await settled(lena, eventually, wanted=("pending",))
    status, headers, body = await lena.call("GET", f"/messages/{message}/attachments/0")
    assert (status, json.loads(body)["code"], headers["Retry-After"]) == (409, "attachment_pending", "5")
    arrive.set()
    assert (await settled(lena, eventually))[1]["state"] == "stored"


async def test_a_dead_link_fails_and_is_retried_by_hand(lena, peer, eventually):
    meta_file(peer)
    peer.answers["/file"] = [404, PNG]
    await hears_picture(lena, peer)
    message, file = await settled(lena, eventually)
    assert (file["state"], file["error"]["code"], file["url"]) == ("failed", "provider_error", None)
    path = f"/messages/{message}/attachments/0"
    status, problem = await lena.get(path)
    assert (status, problem["code"]) == (410, "attachment_unavailable")
    status, answer = await lena.post(f"{path}/retry")
    assert (status, answer["state"], answer["error"]) == (202, "pending", None)
    assert (await settled(lena, eventually))[1]["state"] == "stored"
    status, problem = await lena.post(f"{path}/retry")
    assert (status, problem["code"]) == (409, "not_retryable")


async def test_too_large_and_damaged_files(lena, peer, eventually):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65_536)
        return response

    meta_file(peer)
    peer.answers["/file"] = endless
    await hears_picture(lena, peer)
    _, file = await settled(lena, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "too_large")


async def test_a_digest_that_does_not_fit_is_no_file(lena, peer, eventually):
    meta_file(peer, sha256="0" * 64)
    await hears_picture(lena, peer)
    _, file = await settled(lena, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "damaged")


async def test_a_token_goes_only_where_it_belongs(lena, peer, eventually):
    meta_file(peer)
    peer.answers["/graph/v26.0/m1"] |= {"url": "https://10.0.0.1/steal"}
    await hears_picture(lena, peer)
    _, file = await settled(lena, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "private_address")
    assert len(peer.asked) == 1
