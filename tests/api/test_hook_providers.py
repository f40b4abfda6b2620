"""Hooks of each provider: how it proves itself, and what it is answered."""

import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import pytest

from alfred.http_calls import Answer, NoAnswer
from alfred.outbound_http import OutboundHttp
from tests import signers
from tests.api.connecting import SECRET
from tests.api.hooked import JSON, WHSEC, hooked, texts


def evolution(text, instance="loja", id="3EB0"):
    return {
        "event": "messages.upsert", "instance": instance, "apikey": "secret-of-evolution", "sender": "5511900000901",
        "server_url": "https://evo.example", "date_time": "2024-05-01T12:00:00Z",
        "data": {"key": {"remoteJid": "5511900000012@s.whatsapp.net", "fromMe": False, "id": id},
                 "pushName": "Marina", "message": {"conversation": text}, "messageType": "conversation",
                 "messageTimestamp": 1714564800, "instanceId": "i", "source": "android"},
    }  # fmt: skip


async def test_evolution_shows_its_header_or_its_jwt(rosa):
    hook = await hooked(rosa, "evolution")
    raw = json.dumps(evolution("oi")).encode()
    assert (await hook.post(raw, JSON))[0] == 403
    assert (await hook.post(raw, JSON | {"X-Shop": "other"}))[0] == 403
    status, _, body = await hook.post(raw, JSON | {"X-Shop": SECRET + "header"})
    assert (status, body) == (200, b"{}")
    hook.url += "/messages-upsert"
    assert (await hook.post(json.dumps(evolution("tail", id="2")).encode(), JSON | {"X-Shop": SECRET + "header"}))[
        0
    ] == 200
    assert await texts(rosa) == ["tail"]
    everything = [await rosa.get("/events"), await rosa.get("/webhooks/rejected")]
    assert "secret-of-evolution" not in json.dumps(everything)


async def test_wahas_number_is_learned_from_its_first_post(rosa):
    hook = await hooked(rosa, "waha")
    payload = {
        "id": "evt_1", "timestamp": 1714564800000, "event": "message", "session": "default", "engine": "WEBJS",
        "me": {"id": "5511900000901@c.us", "pushName": "Loja"},
        "payload": {"id": "false_5511900000012@c.us_A1", "timestamp": 1714564800, "from": "5511900000012@c.us",
                    "fromMe": False, "body": "Oi da WAHA", "hasMedia": False},
    }  # fmt: skip
    assert (await hook.posts(payload, SECRET + "hmac", signers.waha))[0] == 200
    (conversation,) = await rosa.conversations()
    assert conversation["channel"]["id"] == hook.channel
    assert (await rosa.get(f"/channels/{hook.channel}"))[1]["external_account_id"] == "+5511900000901"


async def test_twilio_gets_its_kind_of_answer(rosa, eventually):
    hook = await hooked(rosa, "twilio")
    fields = [("SmsMessageSid", "SM1"), ("MessageSid", "SM1"), ("AccountSid", "AC1"), ("NumMedia", "0"),
              ("From", "whatsapp:+5511900000012"), ("To", "whatsapp:+14155550100"), ("Body", "Olá, ação & 🎉"),
              ("ProfileName", ""), ("WaId", "5511900000012")]  # fmt: skip
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    raw = urlencode(fields).encode()
    status, headers, body = await hook.post(raw, form | signers.twilio(hook.url, fields, SECRET + "auth"))
    assert (status, body) == (200, b"<Response/>")
    assert headers["Content-Type"].startswith("text/xml")
    assert await texts(rosa) == ["Olá, ação & 🎉"]
    assert (await hook.post(raw, form | signers.twilio(hook.url, fields, "other")))[0] == 403
    secure = hook.url.replace("http:", "https:")
    assert (await hook.post(raw, form | signers.twilio(secure, fields, SECRET + "auth")))[0] == 403
    counted = await hook.counted(eventually, lambda hook: hook["rejected"] == 2)
    assert "set ALFRED_PUBLIC_URL" in counted["last_error"]["detail"]
    assert hook.url.rpartition("/")[2] not in json.dumps(counted)


def mail(message_id="<m-1@example.com>"):
    return {"recipient": "vendas@example.com", "sender": "caio@example.com", "from": "Caio <caio@example.com>",
            "subject": "Mesa", "body-plain": "Onde está?", "stripped-text": "Onde está?",
            "message-headers": json.dumps([["Message-Id", message_id], ["From", "Caio <caio@example.com>"]]),
            }  # fmt: skip


async def test_mailgun(rosa):
    hook = await hooked(rosa, "email")
    assert urlsplit(hook.url).path.startswith("/api/v1/hooks/mailgun/")
    fields = mail() | signers.mailgun(SECRET + "mailgun", int(time.time()))
    for _ in range(2):
        status, _, body = await hook.post(
            urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert (status, body) == (200, b"{}")
    (conversation,) = await rosa.conversations()
    assert conversation["channel"]["id"] == hook.channel
    fields |= signers.mailgun("other", int(time.time()))
    assert (await hook.post(fields))[0] == 403


@pytest.mark.parametrize(
    ("inbound", "headers"),
    [({"provider": "postmark", "basic": {"username": "u", "password": "p"}},
      {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}),
     ({"provider": "mail", "header": {"name": "X-Worker", "value": "w0rker"}}, {"X-Worker": "w0rker"}),
     ({"provider": "brevo", "bearer": "b34rer"}, {"Authorization": "Bearer b34rer"})],
)  # fmt: skip
async def test_mail_services_that_sign_nothing(rosa, inbound, headers):
    hook = await hooked(rosa, "email", inbound=inbound)
    raw = b"From: Caio <caio@example.com>\r\nTo: alias@example.com\r\nMessage-ID: <1@x>\r\nSubject: Mesa\r\n\r\nOnde?"
    plain = {"Content-Type": "message/rfc822"}
    assert (await hook.post(raw, plain))[0] == 403
    assert (await hook.post(raw, plain | headers))[0] == 200
    (conversation,) = await rosa.conversations()
    assert conversation["channel"]["id"] == hook.channel
    assert hook.hook["authentication"] == "credentials"


async def test_resends_signature(rosa):
    hook = await hooked(rosa, "email", inbound={"provider": "resend", "signing_secrets": [WHSEC]})
    raw = json.dumps({"type": "email.received", "created_at": "2026-05-01T12:00:00Z", "data": {
        "email_id": "e1", "message_id": "<1@x>", "from": "caio@example.com", "to": ["a@example.com"], "subject": "Oi",
        "created_at": "2026-05-01T12:00:00Z"}}).encode()  # fmt: skip
    now = int(time.time())
    assert (await hook.post(raw, JSON | signers.svix(raw, WHSEC, now)))[0] == 200
    assert (await hook.post(raw, JSON | signers.svix(raw, WHSEC, now - 400)))[0] == 403


async def test_amazons_mail(rosa, monkeypatch, eventually):
    now = datetime.now(UTC)
    amazon, asked = signers.Sns(now), []

    async def fetch(door, call):
        asked.append(call.url)
        return Answer(200, {}, amazon.pem) if call.url == amazon.CERTIFICATE else NoAnswer("before", "refused")

    monkeypatch.setattr(OutboundHttp, "call", fetch)
    hook = await hooked(rosa, "email", inbound={"provider": "ses", "topic_arns": [amazon.ARN]})
    content = "From: Caio <caio@example.com>\r\nTo: a@example.com\r\nMessage-ID: <9@x>\r\nSubject: Oi\r\n\r\nOnde?"
    headers = {"from": ["Caio <caio@example.com>"], "to": ["a@example.com"], "messageId": "<9@x>", "subject": "Oi"}
    told = {"messageId": "s1", "timestamp": "2026-05-01T12:00:00Z", "commonHeaders": headers}
    receipt = {"recipients": ["a@example.com"]}
    message = json.dumps({"notificationType": "Received", "content": content, "receipt": receipt, "mail": told})
    for foreign in ({"TopicArn": amazon.ARN + "x"}, {"SigningCertURL": "https://evil.example/x.pem"},
                    {"SigningCertURL": amazon.CERTIFICATE.replace(".com/", ".com:8443/")}):  # fmt: skip
        raw, headers = amazon(message, now, **foreign)
        assert (await hook.post(raw, headers))[0] == 403
    assert asked == []
    for _ in range(2):
        raw, headers = amazon(message, now)
        assert (await hook.post(raw, headers))[0] == 200
    assert asked == [amazon.CERTIFICATE]
    assert len(await rosa.conversations()) == 1
    raw, headers = amazon("x", now, kind="SubscriptionConfirmation")
    assert (await hook.post(raw, headers))[0] == 200
    assert asked[1:] == [amazon.SUBSCRIBE]
    counted = await hook.counted(eventually, lambda hook: hook["last_error"] and hook["received"] == 3)
    assert counted["last_error"]["code"] == "subscription_not_confirmed"
