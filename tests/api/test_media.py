"""Files: fetched from the messengers, kept, served to whom they belong, and forgotten."""

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import os
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
from aiohttp import web

from alfred.crm.media.library import Library
from alfred.db import Database
from alfred.links import Links, links
from alfred.media_store import MediaStore
from tests.api.connecting import SECRET, connected
from tests.conftest import serving
from tests.people import Person, cloud

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LIMIT = 300_000
FORBIDDEN = {
    "code": "private_address",
    "detail": "The file lies at an address that may not be called.",
    "remedy": "none",
    "provider_code": None,
    "retryable": False,
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def shelf(cluster):
    """A database of its own: any service on a database fetches its files, and the others may not call loopback."""
    return cluster.app(cluster.copy())


@pytest.fixture(scope="module")
async def house(shelf, home):
    settings = {
        "private_targets": "127.0.0.0/8", "public_url": "https://crm.example.org", "home": home, "media_limit": LIMIT,
        "media_quota": 1_000_000, "delivery_backoff": "0.05", "delivery_timeout": 2, "mail_body_limit": 6_000_000,
    }  # fmt: skip
    async with serving(shelf, **settings) as address:
        yield address


@pytest.fixture
async def rosa(http, house):
    return await Person.sign_up(http, house, "Rosa")


class Peer:
    """A provider on loopback: by path, what it answers; what it was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []

    async def serve(self, request):
        self.asked.append((request.method, request.path, dict(request.headers), await request.read()))
        answer = self.answers[request.path]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if callable(answer):
            return await answer(request)
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/octet-stream")
        return web.json_response(answer)


@contextlib.asynccontextmanager
async def playing():
    peer = Peer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", peer.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield peer
    await runner.cleanup()


@pytest.fixture
async def peer():
    async with playing() as peer:
        yield peer


@pytest.fixture
async def storage():
    """Another host, as far as credentials go: another port."""
    async with playing() as storage:
        yield storage


def picture(media_id="m1", id="wamid.pic", caption="A mesa", sha256=None):
    image = {"id": media_id, "mime_type": "image/png", "sha256": sha256 or "x", "caption": caption}
    message = {"from": "5511900000012", "id": id, "timestamp": "1714564800", "type": "image", "image": image}
    return cloud({"contacts": [{"profile": {"name": "Marina"}, "wa_id": "5511900000012"}], "messages": [message]})


async def content(person, number=0):
    """Of the newest message: its id, and one attachment's content."""
    (conversation,) = await person.conversations()
    message = (await person.messages(conversation["id"]))[0]
    return message["id"], message["attachments"][number]["content"]


async def settled(person, eventually, *, wanted=("stored", "failed")):
    async def ask():
        return await content(person)

    return await eventually(ask, lambda found: found[1]["state"] in wanted)


async def hears_picture(person, peer, **more):
    await connected(person, base_url=peer.url + "/graph", api_version="v26.0")
    status, receipt = await person.post("/webhooks/whatsapp", picture(**more))
    assert status == 200, receipt


def meta_file(peer, sha256=None, body=PNG):
    told = {"url": peer.url + "/file", "mime_type": "image/png", "file_size": len(body)}
    peer.answers["/graph/v26.0/m1"] = told | {"sha256": sha256 or hashlib.sha256(body).hexdigest()}
    peer.answers["/file"] = body


async def test_a_picture_is_fetched_and_shown_by_a_link(rosa, peer, eventually, http, house, home):
    meta_file(peer)
    await hears_picture(rosa, peer)
    message, file = await settled(rosa, eventually)
    assert (file["state"], file["size"], file["error"]) == ("stored", len(PNG), None)
    assert [each[2].get("Authorization") for each in peer.asked] == [f"Bearer {SECRET}token"] * 2
    link = house + file["url"]
    assert urlsplit(file["url"]).path == f"/api/v1/messages/{message}/attachments/0"
    async with http.get(link) as response:
        assert (response.status, await response.read()) == (200, PNG)
        assert response.headers["Content-Type"] == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "sandbox"
        assert response.headers["Cache-Control"].startswith("private")
    status, _, body = await rosa.call("GET", f"/messages/{message}/attachments/0")
    assert (status, body) == (200, PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    assert (home / "media" / rosa.id / digest[:2] / digest).read_bytes() == PNG


@pytest.mark.parametrize(
    ("header", "status", "expected"),
    [("bytes=0-3", 206, PNG[:4]), ("bytes=10-", 206, PNG[10:]), ("bytes=-5", 206, PNG[-5:]),
     ("bytes=0-999999", 200, PNG), ("bytes=5-2", 416, None), ("bytes=999999-", 416, None), ("lines=1-2", 200, PNG),
     ("bytes=0-1,4-5", 200, PNG)],
)  # fmt: skip
async def test_a_part_of_a_file(rosa, peer, eventually, header, status, expected):
    meta_file(peer)
    await hears_picture(rosa, peer)
    message, _ = await settled(rosa, eventually)
    found, headers, body = await rosa.call("GET", f"/messages/{message}/attachments/0", headers={"Range": header})
    assert found == status
    if expected is not None:
        assert body == expected
    if status == 206:
        begin = PNG.index(expected) if len(expected) > 5 else (0 if header == "bytes=0-3" else len(PNG) - 5)
        assert headers["Content-Range"] == f"bytes {begin}-{begin + len(expected) - 1}/{len(PNG)}"


async def test_links_are_signed_and_expire(rosa, peer, eventually, stranger, house, http):
    meta_file(peer)
    await hears_picture(rosa, peer)
    _, file = await settled(rosa, eventually)
    parts = urlsplit(house + file["url"])
    path = parts.path

    async def got(url):
        async with http.get(url) as response:
            return response.status, (await response.json())["code"] if response.status != 200 else None

    assert await got(house + file["url"]) == (200, None)
    assert await got(house + file["url"][:-1] + ("0" if file["url"][-1] != "0" else "1")) == (403, "bad_signature")
    assert await got(house + file["url"].replace("expires=", "expires=9")) == (403, "bad_signature")
    assert await got(f"{house}{path}?expires=x&signature=") == (403, "bad_signature")
    assert await got(f"{house}{path.replace('attachments/0', 'attachments/1')}?{parts.query}") == (404, "not_found")
    assert await got(house + path) == (401, "unauthorized")
    expired = Links(links.keys).sign(rosa.id, path, -1000, steady=False)
    assert await got(house + expired) == (410, "link_expired")


async def test_another_tenant_finds_nothing(rosa, peer, eventually, http, house):
    meta_file(peer)
    await hears_picture(rosa, peer)
    message, _ = await settled(rosa, eventually)
    bruno = await Person.sign_up(http, house, "Bruno")
    assert (await bruno.get(f"/messages/{message}/attachments/0"))[0] == 404
    assert (await bruno.post(f"/messages/{message}/attachments/0/retry"))[0] == 404
    for number in ("1", "-1", "x", "99999"):
        assert (await rosa.get(f"/messages/{message}/attachments/{number}"))[0] == 404


async def test_without_a_connection_no_file_is_expected(rosa, peer):
    assert (await rosa.post("/webhooks/whatsapp", picture()))[0] == 200
    message, file = await content(rosa)
    assert file == {"state": "none", "size": None, "url": None, "error": None}
    assert (await rosa.get(f"/messages/{message}/attachments/0"))[0] == 404


async def test_the_option_switches_it_off(rosa, peer):
    await connected(rosa, base_url=peer.url, options={"fetch_media": False})
    await rosa.post("/webhooks/whatsapp", picture())
    await asyncio.sleep(0.5)
    assert (await content(rosa))[1]["state"] == "none"


async def test_a_file_that_is_not_there_yet_says_so_and_is_tried_again(rosa, peer, eventually):
    meta_file(peer)
    arrive = asyncio.Event()

    async def late(request):
        await arrive.wait()
        return web.Response(body=PNG)

    peer.answers["/file"] = [500, late]
    await hears_picture(rosa, peer)
    message, _ = await settled(rosa, eventually, wanted=("pending",))
    status, headers, body = await rosa.call("GET", f"/messages/{message}/attachments/0")
    assert (status, json.loads(body)["code"], headers["Retry-After"]) == (409, "attachment_pending", "5")
    arrive.set()
    assert (await settled(rosa, eventually))[1]["state"] == "stored"


async def test_a_dead_link_fails_and_is_retried_by_hand(rosa, peer, eventually):
    meta_file(peer)
    peer.answers["/file"] = [404, PNG]
    await hears_picture(rosa, peer)
    message, file = await settled(rosa, eventually)
    assert (file["state"], file["error"]["code"], file["url"]) == ("failed", "provider_error", None)
    path = f"/messages/{message}/attachments/0"
    status, problem = await rosa.get(path)
    assert (status, problem["code"]) == (410, "attachment_unavailable")
    status, answer = await rosa.post(f"{path}/retry")
    assert (status, answer["state"], answer["error"]) == (202, "pending", None)
    assert (await settled(rosa, eventually))[1]["state"] == "stored"
    status, problem = await rosa.post(f"{path}/retry")
    assert (status, problem["code"]) == (409, "not_retryable")


async def test_too_large_and_damaged_files(rosa, peer, eventually):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65_536)
        return response

    meta_file(peer)
    peer.answers["/file"] = endless
    await hears_picture(rosa, peer)
    _, file = await settled(rosa, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "too_large")


async def test_a_digest_that_does_not_fit_is_no_file(rosa, peer, eventually):
    meta_file(peer, sha256="0" * 64)
    await hears_picture(rosa, peer)
    _, file = await settled(rosa, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "damaged")


async def test_a_token_goes_only_where_it_belongs(rosa, peer, eventually):
    meta_file(peer)
    peer.answers["/graph/v26.0/m1"] |= {"url": "https://10.0.0.1/steal"}
    await hears_picture(rosa, peer)
    _, file = await settled(rosa, eventually)
    assert (file["state"], file["error"]["code"]) == ("failed", "private_address")
    assert len(peer.asked) == 1


async def test_evolution_gives_its_file_as_base64(rosa, peer, eventually):
    answer = {"base64": base64.b64encode(PNG).decode(), "mimetype": "image/png", "fileName": "mesa.png"}
    peer.answers["/chat/getBase64FromMediaMessage/loja"] = answer
    await connected(rosa, "evolution", base_url=peer.url)
    key = {"remoteJid": "5511900000012@s.whatsapp.net", "fromMe": False, "id": "3EB0"}
    part = {"url": "https://mmg.whatsapp.net/v/x.enc", "mimetype": "image/png"}
    data = {"key": key, "pushName": "Marina", "message": {"imageMessage": part}, "messageType": "imageMessage",
            "messageTimestamp": 1714564800, "instanceId": "i", "source": "android"}  # fmt: skip
    await rosa.post("/webhooks/whatsapp", {"event": "messages.upsert", "instance": "loja", "data": data})
    message, file = await settled(rosa, eventually)
    assert file["state"] == "stored", file
    assert json.loads(peer.asked[0][3]) == {"message": {"key": {"id": "3EB0"}}}
    assert peer.asked[0][2]["apikey"] == SECRET + "key"
    (conversation,) = await rosa.conversations()
    (message,) = await rosa.messages(conversation["id"])
    assert message["attachments"][0]["file_name"] == "mesa.png"


def leading(where):
    async def redirect(request):
        return web.Response(status=307, headers={"Location": where})

    return redirect


@pytest.mark.parametrize(
    ("where", "state", "code"),
    [("{storage}/storage", "stored", None), ("/moved", "stored", None), ("{storage}/again", "failed", "provider_error"),
     ("http://localhost:{port}/storage", "failed", "private_address"),
     ("https://[::ffff:10.0.0.1]/x", "failed", "private_address"), ("", "failed", "provider_error"),
     ("file:///etc/passwd", "failed", "unavailable")],
)  # fmt: skip
async def test_twilios_storage_gets_no_password(rosa, peer, storage, eventually, where, state, code):
    where = where.format(storage=storage.url, port=urlsplit(storage.url).port)
    peer.answers |= {"/2010/Media/ME1": leading(where), "/moved": PNG}
    storage.answers |= {"/storage": PNG, "/again": leading(f"{storage.url}/storage")}
    await connected(rosa, "twilio", base_url=peer.url)
    form = {"SmsMessageSid": "SM1", "MessageSid": "SM1", "AccountSid": "AC1", "NumMedia": "1",
            "From": "whatsapp:+5511900000012", "To": "whatsapp:+14155550100", "Body": "", "WaId": "5511900000012",
            "MediaUrl0": peer.url + "/2010/Media/ME1", "MediaContentType0": "image/png"}  # fmt: skip
    await rosa.post("/webhooks/whatsapp", data=form)
    _, file = await settled(rosa, eventually)
    assert (file["state"], (file["error"] or {}).get("code")) == (state, code)
    assert peer.asked[0][2]["Authorization"].startswith("Basic ")
    assert [each for each in [*peer.asked, *storage.asked] if "Authorization" in each[2] and "ME1" not in each[1]] == []


async def test_brevos_files_are_fetched_by_their_tokens(rosa, peer, eventually):
    peer.answers["/v3/inbound/attachments/t-1"] = [503, PNG]
    inbound = {"provider": "brevo", "bearer": SECRET + "bearer", "api_key": SECRET + "brevo",
               "base_url": peer.url + "/v3"}  # fmt: skip
    await connected(rosa, "email", inbound=inbound)
    item = {"Uuid": ["u1"], "MessageId": "<b1@x>", "From": {"Name": "Caio", "Address": "caio@example.com"},
            "To": [{"Address": "loja@example.com"}], "SentAtDate": "Wed, 1 May 2024 12:00:00 +0000", "Subject": "Mesa",
            "RawTextBody": "Veja a foto.",
            "Attachments": [{"Name": "mesa.png", "ContentType": "image/png", "DownloadToken": "t-1"}]}  # fmt: skip
    assert (await rosa.post("/webhooks/email", {"items": [item]}))[0] == 200
    _, file = await settled(rosa, eventually)
    assert (file["state"], file["size"]) == ("stored", len(PNG))
    assert [(each[0], each[1], each[2]["api-key"]) for each in peer.asked] == [
        ("GET", "/v3/inbound/attachments/t-1", SECRET + "brevo")
    ] * 2


async def test_brevos_files_without_a_key_are_only_named(rosa):
    await connected(rosa, "email", inbound={"provider": "brevo", "bearer": SECRET + "bearer"})
    item = {"MessageId": "<b2@x>", "From": {"Address": "caio@example.com"}, "To": [{"Address": "loja@example.com"}],
            "RawTextBody": "Veja.", "Attachments": [{"ContentType": "image/png", "DownloadToken": "t-1"}]}  # fmt: skip
    assert (await rosa.post("/webhooks/email", {"items": [item]}))[0] == 200
    await asyncio.sleep(0.3)
    _, file = await content(rosa)
    assert file["state"] == "none"


def raw_mail(content=PNG, name="mesa.png", message_id="<1@x>"):
    body = base64.encodebytes(content).decode()
    return (
        f"From: Caio <caio@example.com>\r\nTo: vendas@example.com\r\nMessage-ID: {message_id}\r\nSubject: Mesa\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\n"
        f"Content-Type: text/plain\r\n\r\nVeja a foto.\r\n--b0\r\nContent-Type: image/png\r\n"
        f"Content-Disposition: attachment; filename={name}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b0--\r\n"
    ).encode()


def postmark():
    return {"FromFull": {"Email": "caio@example.com", "Name": "Caio"}, "From": "caio@example.com", "MessageID": "p1",
            "OriginalRecipient": "vendas@example.com", "Subject": "Mesa", "TextBody": "Veja", "Date": "",
            "Headers": [{"Name": "Message-ID", "Value": "<2@x>"}],
            "Attachments": [{"Name": "logo.png", "Content": "AAAA", "ContentType": "image/png", "ContentID": "c1"},
                            {"Name": "mesa.png", "Content": base64.b64encode(PNG).decode(),
                             "ContentType": "image/png"}]}  # fmt: skip


def mailgun():
    form = aiohttp.FormData()
    headers = json.dumps([["Message-Id", "<3@x>"], ["From", "caio@example.com"]])
    for name, value in {"recipient": "vendas@example.com", "from": "caio@example.com", "subject": "Mesa",
                        "body-plain": "Veja", "message-headers": headers, "attachment-count": "1"}.items():  # fmt: skip
        form.add_field(name, value)
    form.add_field("attachment-1", PNG, filename="mesa.png", content_type="image/png")
    return form


@pytest.mark.parametrize("kind", ["raw", "postmark", "mailgun"])
async def test_a_mails_files_come_with_it(rosa, kind, http, house):
    for _ in range(2):
        if kind == "raw":
            answer = await rosa.call(
                "POST", "/webhooks/email", data=raw_mail(), headers={"Content-Type": "message/rfc822"}
            )
        elif kind == "postmark":
            answer = await rosa.call("POST", "/webhooks/email", postmark())
        else:
            answer = await rosa.call("POST", "/webhooks/email", data=mailgun())
        assert answer[0] == 200, answer
    message, file = await content(rosa)
    assert (file["state"], file["size"]) == ("stored", len(PNG))
    async with http.get(house + file["url"]) as response:
        assert await response.read() == PNG
    status, _, kept = await rosa.call("GET", f"/messages/{message}/payload")
    assert status == 200
    assert base64.b64encode(PNG)[:60] not in kept
    assert len(kept) < 4000


async def test_a_mail_and_its_files_are_written_at_once(rosa, cluster, shelf):
    """A service that is killed between the two would leave a message without its files."""
    answer = await rosa.call("POST", "/webhooks/email", data=raw_mail(), headers={"Content-Type": "message/rfc822"})
    assert answer[0] == 200, answer
    root = await asyncpg.connect(cluster.superuser(shelf.rpartition("/")[2].partition("?")[0]))
    try:
        rows = await root.fetch(
            """select p.xmin = d.xmin from media d join message_payloads p using (user_id, message_id)
                where user_id = $1""",
            rosa.id,
        )
    finally:
        await root.close()
    assert [tuple(row) for row in rows] == [(True,)]


async def test_a_mails_file_over_the_cap_is_named_and_the_mail_taken_in(rosa):
    mail = io.BytesIO(raw_mail(b"x" * (LIMIT + 1)))
    assert (await rosa.call("POST", "/webhooks/email", data=mail, headers={"Content-Type": "message/rfc822"}))[0] == 200
    _, file = await content(rosa)
    assert (file["state"], file["error"]["code"]) == ("failed", "too_large")


async def test_a_tenants_room_is_bounded(rosa, eventually):
    for number in range(5):
        mail = io.BytesIO(raw_mail(bytes([number]) * (LIMIT - 1000), message_id=f"<q{number}@x>"))
        await rosa.call("POST", "/webhooks/email", data=mail, headers={"Content-Type": "message/rfc822"})
    (conversation,) = await rosa.conversations()
    states = [each["attachments"][0]["content"] for each in await rosa.messages(conversation["id"])]
    assert [each["state"] for each in states].count("stored") == 3
    assert {each["error"]["code"] for each in states if each["error"]} == {"media_quota"}
    form = aiohttp.FormData()
    form.add_field("file", b"x" * (LIMIT - 1000), filename="a.pdf")
    status, _, body = await rosa.call("POST", "/media", data=form)
    assert (status, json.loads(body)["code"]) == (409, "media_quota")


async def upload(person, body=PNG, name="mesa.png", mime="image/png"):
    form = aiohttp.FormData()
    form.add_field("file", body, filename=name, content_type=mime)
    status, _, raw = await person.call("POST", "/media", data=form)
    return status, json.loads(raw)


async def test_an_upload_has_a_link_for_a_day(rosa, http, house):
    status, made = await upload(rosa)
    assert (status, made["mime_type"], made["size"]) == (201, "image/png", len(PNG))
    assert made["url"].startswith(f"https://crm.example.org/api/v1/media/{made['id']}?expires=")
    link = made["url"].replace("https://crm.example.org", house)
    expires = int(link.partition("expires=")[2].partition("&")[0])
    assert 23.9 * 3600 < expires - time.time() < 24.2 * 3600
    async with http.get(link) as response:
        assert (response.status, await response.read()) == (200, PNG)
    assert (await rosa.call("GET", f"/media/{made['id']}"))[2] == PNG


async def test_what_a_browser_must_not_run_is_a_download(rosa, http, house):
    for mime, name in (("text/html", "a.html"), ("image/svg+xml", 'a";b.svg'), ("application/pdf", "ção.pdf")):
        _, made = await upload(rosa, b"<script>", name, mime)
        _, headers, _ = await rosa.call("GET", f"/media/{made['id']}")
        assert headers["Content-Type"] == (
            "application/pdf" if mime == "application/pdf" else "application/octet-stream"
        )
        assert headers["Content-Disposition"].startswith("attachment")


async def test_uploads_are_bounded_and_need_a_public_address(rosa, ana):
    assert (await upload(rosa, b"x" * (LIMIT + 1)))[0] == 413
    status, _, body = await rosa.call("POST", "/media", {"file": "x"})
    assert (status, json.loads(body)["code"]) == (415, "unsupported_media_type")
    form = aiohttp.FormData()
    form.add_field("other", b"x", filename="a")
    assert (await rosa.call("POST", "/media", data=form))[0] == 422
    status, problem = await upload(ana)
    assert (status, problem["code"]) == (422, "no_public_url")


async def test_a_message_keeps_the_file_that_it_carries(rosa, eventually):
    _, made = await upload(rosa)
    entry = await rosa.hears("oi")
    path = f"/conversations/{entry['conversation_id']}/messages"
    sent = await rosa.made(path, {"attachments": [{"type": "image", "url": made["url"]}]})

    async def stored():
        return (await rosa.get(f"/messages/{sent['id']}"))[1]["attachments"][0]["content"]

    file = await eventually(stored, lambda content: content["state"] == "stored")
    assert file["url"].startswith(f"/api/v1/messages/{sent['id']}/attachments/0?")


async def test_old_links_of_uploads_are_renewed(rosa):
    path = "/api/v1/media/01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
    host = "https://crm.example.org"
    old, young = links.sign(rosa.id, path, 3600), links.sign(rosa.id, path, 20 * 3600)
    renewed = links.renewed(rosa.id, host + old)
    assert renewed.startswith(host + path)
    assert renewed != host + old
    assert links.renewed(rosa.id, host + young) == host + young
    for other in ("https://a.example/x?expires=1&signature=2", host + old + "0", host + path):
        assert links.renewed(rosa.id, other) == other


async def test_what_is_deleted_is_swept(rosa, peer, eventually, home, shelf):
    meta_file(peer)
    await hears_picture(rosa, peer)
    message, _ = await settled(rosa, eventually)
    await upload(rosa, b"never sent")
    folder = home / "media" / rosa.id
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 2
    revoked = {"from": "5511900000012", "id": "wamid.del", "timestamp": "1714564900", "type": "revoke"}
    deleted = cloud({"messages": [revoked | {"revoke": {"original_message_id": "wamid.pic"}}]})
    assert (await rosa.post("/webhooks/whatsapp", deleted))[0] == 200

    async def gone():
        return (await rosa.call("GET", f"/messages/{message}/attachments/0"))[0]

    assert await eventually(gone, lambda status: status == 404) == 404
    base = Database(shelf, size=2)
    await base.open()
    try:
        library = Library(base, MediaStore(home, None), limit=1, quota=1)
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


async def test_resends_words_and_files_follow(rosa, peer, eventually):
    peer.answers["/emails/receiving/e1"] = [503, {"text": None, "html": "<p>Onde est&aacute; a <b>mesa</b>?</p>"}]
    peer.answers["/emails/receiving/e1/attachments/a1"] = {"download_url": peer.url + "/file"}
    peer.answers["/file"] = PNG
    inbound = {"provider": "resend", "signing_secrets": ["whsec_c2VjcmV0"], "api_key": SECRET + "resend",
               "base_url": peer.url}  # fmt: skip
    await connected(rosa, "email", inbound=inbound)
    data = {"email_id": "e1", "message_id": "<1@x>", "from": "caio@example.com", "to": ["loja@example.com"],
            "subject": "Oi",
            "attachments": [{"id": "a1", "filename": "mesa.png", "content_type": "image/png"}]}  # fmt: skip
    told = {"type": "email.received", "created_at": "2026-05-01T12:00:00Z", "data": data}
    assert (await rosa.post("/webhooks/email", told))[0] == 200

    async def bodies():
        (conversation,) = await rosa.conversations()
        return [message["body"] for message in await rosa.messages(conversation["id"])]

    assert await eventually(bodies, lambda found: found != [""]) == ["Onde está a mesa?"]
    assert {each[2]["Authorization"] for each in peer.asked if each[1] != "/file"} == {f"Bearer {SECRET}resend"}
    _, file = await settled(rosa, eventually)
    assert (file["state"], file["error"]) == ("failed", FORBIDDEN)  # the storage of this test is private
