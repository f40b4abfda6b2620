"""Files that are uploaded to be sent, and files that nothing names any more."""

import json
import os
import time
from datetime import UTC, datetime, timedelta

import aiohttp

from alfred.crm.media.library import Library
from alfred.db import Database
from alfred.media_store import MediaStore
from tests.api.media_files import LIMIT, PNG, hears_picture, meta_file, settled, upload
from tests.people import cloud


async def test_an_upload_has_a_link_for_a_day(lena, http, files_service):
    status, made = await upload(lena)
    assert (status, made["mime_type"], made["size"]) == (201, "image/png", len(PNG))
    assert made["url"].startswith(f"https://crm.example.org/api/v1/media/{made['id']}?expires=")
    link = made["url"].replace("https://crm.example.org", files_service)
    expires = int(link.partition("expires=")[2].partition("&")[0])
    assert 23.9 * 3600 < expires - time.time() < 24.2 * 3600
    async with http.get(link) as response:
        assert (response.status, await response.read()) == (200, PNG)
    assert (await lena.call("GET", f"/media/{made['id']}"))[2] == PNG


async def test_uploads_are_bounded_and_need_a_public_address(lena, ana):
    assert (await upload(lena, b"x" * (LIMIT + 1)))[0] == 413
    status, _, body = await lena.call("POST", "/media", {"file": "x"})
    assert (status, json.loads(body)["code"]) == (415, "unsupported_media_type")
    form = aiohttp.FormData()
    form.add_field("other", b"x", filename="a")
    assert (await lena.call("POST", "/media", data=form))[0] == 422
    status, problem = await upload(ana)
    assert (status, problem["code"]) == (422, "no_public_url")


async def test_a_message_keeps_the_file_that_it_carries(lena, eventually):
    _, made = await upload(lena)
    entry = await lena.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/messages"
    sent = await lena.made(path, {"attachments": [{"type": "image", "url": made["url"]}]})

    async def stored():
        return (await lena.get(f"/messages/{sent['id']}"))[1]["attachments"][0]["content"]

    file = await eventually(stored, lambda content: content["state"] == "stored")
    assert file["url"].startswith(f"/api/v1/messages/{sent['id']}/attachments/0?")


async def test_what_is_deleted_is_swept(lena, peer, eventually, files_home, files_database):
    meta_file(peer)
    await hears_picture(lena, peer)
    message, _ = await settled(lena, eventually)
    await upload(lena, b"never sent")
    folder = files_home / "media" / lena.id
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 2
    revoked = {"from": "5511900000012", "id": "wamid.del", "timestamp": "1714564900", "type": "revoke"}
    deleted = cloud({"messages": [revoked | {"revoke": {"original_message_id": "wamid.pic"}}]})
    assert (await lena.post("/webhooks/whatsapp", deleted))[0] == 200

    async def gone():
        return (await lena.call("GET", f"/messages/{message}/attachments/0"))[0]

    assert await eventually(gone, lambda status: status == 404) == 404
    base = Database(files_database, size=2)
    await base.open()
    try:
        library = Library(base, MediaStore(files_home, None), limit=1, quota=1)
        await library.sweep()
        assert len([path for path in folder.rglob("*") if path.is_file()]) == 2  # too young
        old = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
        for path in files:
            os.utime(path, (old, old))
        await library.sweep()
    finally:
        await base.close()
    (left,) = [path for path in folder.rglob("*") if path.is_file()]
    assert left.read_bytes() == b"never sent"
