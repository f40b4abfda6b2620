"""Files are served to whom they belong, whole or in part, by links that are signed and expire."""

from urllib.parse import urlsplit

import pytest

from alfred.links import Links, links
from tests.api.media_files import PNG, hears_picture, meta_file, settled, upload
from tests.people import Person


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [("bytes=0-3", 206, PNG[:4]), ("bytes=10-", 206, PNG[10:]), ("bytes=-5", 206, PNG[-5:]),
     ("bytes=0-999999", 200, PNG), ("bytes=5-2", 416, None), ("bytes=999999-", 416, None), ("lines=1-2", 200, PNG),
     ("bytes=0-1,4-5", 200, PNG), ("bytes=\u0663-\u0664", 200, PNG)],
)  # fmt: skip
async def test_a_part_of_a_file(lena, peer, eventually, header, status, expected):
    meta_file(peer)
    await hears_picture(lena, peer)
    message, _ = await settled(lena, eventually)
    found, headers, body = await lena.call("GET", f"/messages/{message}/attachments/0", headers={"Range": header})
    assert found == status
    if expected is not None:
        assert body == expected
    if status == 206:
        begin = PNG.index(expected) if len(expected) > 5 else (0 if header == "bytes=0-3" else len(PNG) - 5)
        assert headers["Content-Range"] == f"bytes {begin}-{begin + len(expected) - 1}/{len(PNG)}"


async def test_links_are_signed_and_expire(lena, peer, eventually, stranger, files_service, http):
    meta_file(peer)
    await hears_picture(lena, peer)
    _, file = await settled(lena, eventually)
    parts = urlsplit(files_service + file["url"])
    path = parts.path

    async def got(url):
        async with http.get(url) as response:
            return response.status, (await response.json())["code"] if response.status != 200 else None

    assert await got(files_service + file["url"]) == (200, None)
    assert await got(files_service + file["url"][:-1] + ("0" if file["url"][-1] != "0" else "1")) == (
        403,
        "bad_signature",
    )
    assert await got(files_service + file["url"].replace("expires=", "expires=9")) == (403, "bad_signature")
    assert await got(f"{files_service}{path}?expires=x&signature=") == (403, "bad_signature")
    assert await got(f"{files_service}{path.replace('attachments/0', 'attachments/1')}?{parts.query}") == (
        404,
        "not_found",
    )
    assert await got(files_service + path) == (401, "unauthorized")
    expired = Links(links.keys).sign(lena.id, path, -1000, steady=False)
    assert await got(files_service + expired) == (410, "link_expired")


async def test_another_tenant_finds_nothing(lena, peer, eventually, http, files_service):
    meta_file(peer)
    await hears_picture(lena, peer)
    message, _ = await settled(lena, eventually)
    bruno = await Person.sign_up(http, files_service, "Bruno")
    assert (await bruno.get(f"/messages/{message}/attachments/0"))[0] == 404
    assert (await bruno.post(f"/messages/{message}/attachments/0/retry"))[0] == 404
    for number in ("1", "-1", "x", "99999"):
        assert (await lena.get(f"/messages/{message}/attachments/{number}"))[0] == 404


async def test_what_a_browser_must_not_run_is_a_download(lena, http, files_service):
    for mime, name in (("text/html", "a.html"), ("image/svg+xml", 'a";b.svg'), ("application/pdf", "ção.pdf")):
        _, made = await upload(lena, b"<script>", name, mime)
        _, headers, _ = await lena.call("GET", f"/media/{made['id']}")
        assert headers["Content-Type"] == (
            "application/pdf" if mime == "application/pdf" else "application/octet-stream"
        )
        assert headers["Content-Disposition"].startswith("attachment")


async def test_old_links_of_uploads_are_renewed(lena):
    path = "/api/v1/media/01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
    host = "https://crm.example.org"
    old, young = links.sign(lena.id, path, 3600), links.sign(lena.id, path, 20 * 3600)
    renewed = links.renewed(lena.id, host + old)
    assert renewed.startswith(host + path)
    assert renewed != host + old
    assert links.renewed(lena.id, host + young) == host + young
    for other in ("https://a.example/x?expires=1&signature=2", host + old + "0", host + path):
        assert links.renewed(lena.id, other) == other
