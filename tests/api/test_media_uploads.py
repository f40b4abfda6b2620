"""Files that are uploaded to be sent, and files that nothing names any more."""

import json
import os
import time
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

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


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (b"\r\n--x--\r\n", 201, None),
        (b"", 400, "unreadable_body"),
        (b"\r\n--x", 400, "unreadable_body"),
        (b'\r\n--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nhi\r\n--x--\r\n', 201, None),
        (b'\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nhi\r\n--x--\r\n', 422, "too_many"),
    ],
)
async def test_a_form_that_was_cut_short_or_has_two_files_is_refused(lena, end, status, code):
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + PNG + end
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answered, _, body = await lena.call("POST", "/media", data=form, headers=headers)
    assert (answered, json.loads(body).get("code")) == (status, code)


async def test_a_message_keeps_the_file_that_it_carries(lena, eventually):
    _, made = await upload(lena)
    entry = await lena.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/messages"
    sent = await lena.made(path, {"attachments": [{"type": "image", "url": made["url"]}]})

    async def stored():
        return (await lena.get(f"/messages/{sent['id']}"))[1]["attachments"][0]["content"]

    file = await eventually(stored, lambda content: content["state"] == "stored")
    assert file["url"].startswith(f"/api/v1/messages/{sent['id']}/attachments/0?")


@pytest.fixture
async def library(files_home, files_database):
    """Whoever sweeps the files that nothing names."""
    base = Database(files_database, size=2)
    await base.open()
    yield Library(base, MediaStore(files_home, None), limit=1, quota=1)
    await base.close()


def files_of(home, person):
    return [path for path in (home / "media" / person.id).rglob("*") if path.is_file()]


def make_old(paths):
    old = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    for path in paths:
        os.utime(path, (old, old))


async def test_what_is_deleted_is_swept(lena, peer, eventually, files_home, library):
    meta_file(peer)
    await hears_picture(lena, peer)
    message, _ = await settled(lena, eventually)
    await upload(lena, b"never sent")
    files = files_of(files_home, lena)
    assert len(files) == 2
    revoked = {"from": "5511900000012", "id": "wamid.del", "timestamp": "1714564900", "type": "revoke"}
    deleted = cloud({"messages": [revoked | {"revoke": {"original_message_id": "wamid.pic"}}]})
    assert (await lena.post("/webhooks/whatsapp", deleted))[0] == 200

    async def gone():
        return (await lena.call("GET", f"/messages/{message}/attachments/0"))[0]

    assert await eventually(gone, lambda status: status == 404) == 404
    await library.sweep()
    assert len(files_of(files_home, lena)) == 2  # too young
    make_old(files)
    await library.sweep()
    (left,) = files_of(files_home, lena)
    assert left.read_bytes() == b"never sent"


async def test_every_file_of_an_erased_account_is_swept(lena, files_home, library, monkeypatch):
    monkeypatch.setattr("alfred.media_store.LISTED_AT_ONCE", 2)
    for number in range(5):
        assert (await upload(lena, bytes([number])))[0] == 201
    make_old(files_of(files_home, lena))
    await library.sweep()
    assert len(files_of(files_home, lena)) == 5
    assert (await lena.delete("/me", {"password": "a good password"}))[0] == 204
    await library.sweep()
    assert files_of(files_home, lena) == []


async def test_an_upload_that_is_repeated_with_its_key_is_one_file(lena):
    headers = {"Idempotency-Key": "catalogue"}
    status, first = await upload(lena, headers=headers)
    again = await upload(lena, headers=headers)
    assert (status, again) == (201, (201, first))
    assert (await upload(lena))[1]["id"] != first["id"]
    status, problem = await upload(lena, PNG + b"x", headers=headers)
    assert (status, problem["code"]) == (422, "idempotency_key_reused")
    assert (await upload(lena, b"x" * (LIMIT + 1), headers={"Idempotency-Key": "too-large"}))[0] == 413
    assert (await upload(lena, headers={"Idempotency-Key": "too-large"}))[0] == 201
