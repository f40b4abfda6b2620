"""Files from the other providers, each with its own credentials."""

import asyncio
import base64
import json
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from tests.api.connecting import SECRET, connected
from tests.api.media_files import PNG, content, settled

FORBIDDEN = {
    "code": "private_address",
    "detail": "The file lies at an address that may not be called.",
    "remedy": "none",
    "provider_code": None,
    "retryable": False,
}


async def test_evolution_gives_its_file_as_base64(lena, peer, eventually):
    answer = {"base64": base64.b64encode(PNG).decode(), "mimetype": "image/png", "fileName": "mesa.png"}
    peer.answers["/chat/getBase64FromMediaMessage/loja"] = answer
    await connected(lena, "evolution", base_url=peer.url)
    key = {"remoteJid": "5511900000012@s.whatsapp.net", "fromMe": False, "id": "3EB0"}
    part = {"url": "https://mmg.whatsapp.net/v/x.enc", "mimetype": "image/png"}
    data = {"key": key, "pushName": "Marina", "message": {"imageMessage": part}, "messageType": "imageMessage",
            "messageTimestamp": 1714564800, "instanceId": "i", "source": "android"}  # fmt: skip
    await lena.post("/webhooks/whatsapp", {"event": "messages.upsert", "instance": "loja", "data": data})
    message, file = await settled(lena, eventually)
    assert file["state"] == "stored", file
    assert json.loads(peer.asked[0][3]) == {"message": {"key": {"id": "3EB0"}}}
    assert peer.asked[0][2]["apikey"] == SECRET + "key"
    (conversation,) = await lena.conversations()
    (message,) = await lena.messages(conversation["id"])
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
async def test_twilios_storage_gets_no_password(lena, peer, storage, eventually, where, state, code):
    where = where.format(storage=storage.url, port=urlsplit(storage.url).port)
    peer.answers |= {"/2010/Media/ME1": leading(where), "/moved": PNG}
    storage.answers |= {"/storage": PNG, "/again": leading(f"{storage.url}/storage")}
    await connected(lena, "twilio", base_url=peer.url)
    form = {"SmsMessageSid": "SM1", "MessageSid": "SM1", "AccountSid": "AC1", "NumMedia": "1",
            "From": "whatsapp:+5511900000012", "To": "whatsapp:+14155550100", "Body": "", "WaId": "5511900000012",
            "MediaUrl0": peer.url + "/2010/Media/ME1", "MediaContentType0": "image/png"}  # fmt: skip
    await lena.post("/webhooks/whatsapp", data=form)
    _, file = await settled(lena, eventually)
    assert (file["state"], (file["error"] or {}).get("code")) == (state, code)
    assert peer.asked[0][2]["Authorization"].startswith("Basic ")
    assert [each for each in [*peer.asked, *storage.asked] if "Authorization" in each[2] and "ME1" not in each[1]] == []


async def test_brevos_files_are_fetched_by_their_tokens(lena, peer, eventually):
    peer.answers["/v3/inbound/attachments/t-1"] = [503, PNG]
    inbound = {"provider": "brevo", "bearer": SECRET + "bearer", "api_key": SECRET + "brevo",
               "base_url": peer.url + "/v3"}  # fmt: skip
    await connected(lena, "email", inbound=inbound)
    item = {"Uuid": ["u1"], "MessageId": "<b1@x>", "From": {"Name": "Caio", "Address": "caio@example.com"},
            "To": [{"Address": "loja@example.com"}], "SentAtDate": "Wed, 1 May 2024 12:00:00 +0000", "Subject": "Mesa",
            "RawTextBody": "Veja a foto.",
            "Attachments": [{"Name": "mesa.png", "ContentType": "image/png", "DownloadToken": "t-1"}]}  # fmt: skip
    assert (await lena.post("/webhooks/email", {"items": [item]}))[0] == 200
    _, file = await settled(lena, eventually)
    assert (file["state"], file["size"]) == ("stored", len(PNG))
    assert [(each[0], each[1], each[2]["api-key"]) for each in peer.asked] == [
        ("GET", "/v3/inbound/attachments/t-1", SECRET + "brevo")
    ] * 2


async def test_brevos_files_without_a_key_are_only_named(lena):
    await connected(lena, "email", inbound={"provider": "brevo", "bearer": SECRET + "bearer"})
    item = {"MessageId": "<b2@x>", "From": {"Address": "caio@example.com"}, "To": [{"Address": "loja@example.com"}],
            "RawTextBody": "Veja.", "Attachments": [{"ContentType": "image/png", "DownloadToken": "t-1"}]}  # fmt: skip
    assert (await lena.post("/webhooks/email", {"items": [item]}))[0] == 200
    await asyncio.sleep(0.3)
    _, file = await content(lena)
    assert file["state"] == "none"


RESEND = {"provider": "resend", "signing_secrets": ["whsec_c2VjcmV0"], "api_key": SECRET + "resend"}


def resend(**more):
    """What Resend tells of a mail, without its words."""
    data = {"email_id": "e1", "message_id": "<1@x>", "from": "caio@example.com", "to": ["loja@example.com"],
            "subject": "Oi", **more}  # fmt: skip
    return {"type": "email.received", "created_at": "2026-05-01T12:00:00Z", "data": data}


async def words(person, eventually):
    """Of the only conversation, once there are any."""

    async def bodies():
        (conversation,) = await person.conversations()
        return [message["body"] for message in await person.messages(conversation["id"])]

    return await eventually(bodies, lambda found: found != [""])


async def test_resends_words_and_files_follow(lena, peer, eventually):
    peer.answers["/emails/receiving/e1"] = [503, {"text": None, "html": "<p>Onde est&aacute; a <b>mesa</b>?</p>"}]
    peer.answers["/emails/receiving/e1/attachments/a1"] = {"download_url": peer.url + "/file"}
    peer.answers["/file"] = PNG
    await connected(lena, "email", inbound=RESEND | {"base_url": peer.url})
    told = resend(attachments=[{"id": "a1", "filename": "mesa.png", "content_type": "image/png"}])
    assert (await lena.post("/webhooks/email", told))[0] == 200
    assert await words(lena, eventually) == ["Onde está a mesa?"]
    assert {each[2]["Authorization"] for each in peer.asked if each[1] != "/file"} == {f"Bearer {SECRET}resend"}
    _, file = await settled(lena, eventually)
    assert (file["state"], file["error"]) == ("failed", FORBIDDEN)  # the storage of this test is private


async def test_resends_words_follow_without_a_file(lena, peer, eventually):
    peer.answers["/emails/receiving/e1"] = {"text": "Onde está a mesa?", "html": None}
    await connected(lena, "email", inbound=RESEND | {"base_url": peer.url})
    assert (await lena.post("/webhooks/email", resend()))[0] == 200
    assert await words(lena, eventually) == ["Onde está a mesa?"]
