"""Hooks: a messenger posts to its channel's own address, and is believed by its signature."""

import asyncio
import base64
import contextlib
import io
import json
import re
import time
from datetime import UTC, datetime
from urllib.parse import unquote, urlencode, urlsplit

import pytest
import structlog

from alfred.api import webhooks
from alfred.crm import hooks
from alfred.http import middleware, problems
from alfred.http_calls import Answer, NoAnswer
from alfred.outbound_http import OutboundHttp
from tests import signers
from tests.api.connecting import SECRET, body_of, connected
from tests.conftest import serving
from tests.people import Person, cloud, delivery, whatsapp

APP, JSON = SECRET + "app", {"Content-Type": "application/json"}
WHSEC = "whsec_" + base64.b64encode(b"a key of twenty-four bytes").decode()


@pytest.fixture(scope="module")
async def house(cluster, database):
    settings = {"private_targets": "127.0.0.0/8", "hook_body_limit": 200_000, "mail_body_limit": 6_000_000}
    async with serving(cluster.logins(database), **settings) as address:
        yield address


@pytest.fixture
async def rosa(http, house):
    return await Person.sign_up(http, house, "Rosa")


class Hooked:
    """A connected channel, and whoever posts to its hook."""

    def __init__(self, person, channel, answer):
        self.person, self.channel, self.hook = person, channel, answer["hook"]
        self.url = self.hook["url"]

    async def post(self, raw, headers=(), **query):
        return await self.person.call(
            "POST", self.url, data=raw, headers={"Authorization": "", **dict(headers)}, **query
        )

    async def get(self, **query):
        return await self.person.call("GET", self.url, headers={"Authorization": ""}, **query)

    async def posts(self, payload, secret=APP, sign=signers.meta):
        raw = json.dumps(payload).encode()
        status, _, body = await self.post(raw, JSON | sign(raw, secret))
        return status, json.loads(body) if body.startswith(b"{") else body

    async def counted(self, eventually, wanted):
        async def ask():
            return (await self.person.get(f"/channels/{self.channel}"))[1]["hook"]

        return await eventually(ask, wanted)


async def hooked(person, provider="whatsapp_cloud", **more):
    return Hooked(person, *await connected(person, provider, **more))


async def texts(person):
    return sorted([each["snippet"] for each in await person.conversations()])


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


async def test_one_answer_for_every_key_that_opens_nothing(rosa, http, house):
    hook = await hooked(rosa)
    other = await hooked(await Person.sign_up(http, house, "Bruno"), "evolution")
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


async def test_nobody_reaches_another_tenant(rosa, http, house):
    bruno = await Person.sign_up(http, house, "Bruno")
    hook, other = await hooked(rosa), await hooked(bruno)
    assert (await hook.posts(whatsapp("para a Rosa")))[0] == 200
    assert await bruno.conversations() == []
    assert other.url != hook.url


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


async def test_bodies_are_bounded(rosa):
    hook = await hooked(rosa)
    status, _, body = await hook.post(b"x" * 200_001, JSON)
    assert (status, json.loads(body)["code"]) == (413, "too_large")
    hook = await hooked(rosa, "email", inbound={"provider": "mail"})
    raw = b"From: a@example.com\r\nMessage-ID: <big@x>\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n"
    raw += b"x" * 5_000_000
    assert (await hook.post(io.BytesIO(raw), {"Content-Type": "message/rfc822"}))[0] == 200
    assert (await hook.post(io.BytesIO(b"x" * 6_000_001), {"Content-Type": "text/plain"}))[0] == 413


async def test_a_picture_is_no_post(rosa):
    hook = await hooked(rosa)
    status, _, body = await hook.post(b"\x89PNG", {"Content-Type": "image/png"})
    assert (status, json.loads(body)["code"]) == (415, "unsupported_media_type")


async def test_hook_only_channels_refuse_tokens(rosa):
    hook = await hooked(rosa, options={"hook_only": True})
    status, problem = await rosa.post("/webhooks/whatsapp", whatsapp("forjada"))
    assert (status, problem["code"]) == (403, "hook_only")
    assert (await rosa.post("/webhooks/whatsapp", whatsapp("outra", account="2")))[0] == 200
    assert (await hook.posts(whatsapp("assinada")))[0] == 200
    assert await texts(rosa) == ["assinada", "outra"] or len(await rosa.conversations()) == 2
    assert (await rosa.put(f"/channels/{hook.channel}/connection", body_of("whatsapp_cloud")))[0] == 200
    assert (await rosa.post("/webhooks/whatsapp", whatsapp("de novo")))[0] == 200


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
    logged = out.getvalue()
    assert "hook_rejected" in logged
    assert "/api/v1/hooks/whatsapp_cloud/…" in logged
    for secret in (hook.url.rpartition("/")[2], hook.hook["verify_token"], APP, signature["X-Hub-Signature-256"][7:]):
        assert secret not in logged


class Wire:
    """Between a service and PostgreSQL, to be cut."""

    def __init__(self, dsn, folder):
        self.socket = re.search(r"host=([^&]+)", dsn)[1]
        self.dsn, self.folder, self.ends = dsn.replace(self.socket, str(folder)), folder, set()
        self.server = None

    async def join(self):
        self.server = await asyncio.start_unix_server(self._through, self.folder / ".s.PGSQL.5432")

    async def cut(self):
        self.server.close()
        for end in self.ends:
            end.transport.abort()
        (self.folder / ".s.PGSQL.5432").unlink(missing_ok=True)

    async def _through(self, reader, writer):
        there, back = await asyncio.open_unix_connection(f"{unquote(self.socket)}/.s.PGSQL.5432")
        self.ends |= {writer, back}
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    @staticmethod
    async def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
        target.transport.abort()


async def test_while_postgresql_is_away_the_answer_is_503_and_nothing_is_lost(cluster, http, tmp_path):
    wire = Wire(cluster.app(cluster.copy()), tmp_path)
    await wire.join()
    async with serving(wire.dsn, private_targets="127.0.0.0/8") as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        hook = await hooked(rosa)
        assert (await hook.posts(whatsapp("antes", id="wamid.1")))[0] == 200
        await wire.cut()
        raw = json.dumps(whatsapp("durante", id="wamid.2")).encode()
        status, headers, body = await hook.post(raw, JSON | signers.meta(raw, APP))
        assert (status, json.loads(body)["code"]) == (503, "database_unavailable")
        assert headers["Retry-After"]
        await wire.join()
        assert (await hook.posts(whatsapp("durante", id="wamid.2")))[0] == 200
        (conversation,) = await rosa.conversations()
        assert len(await rosa.messages(conversation["id"])) == 2
    await wire.cut()


async def test_few_large_bodies_at_a_time(cluster, database, http):
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8", request_deadline=20) as address:
        people = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno", "Clara")]
        hooks_of = [await hooked(person, "email", inbound={"provider": "mail"}) for person in people]
        go_on = asyncio.Event()

        async def mail(number):
            yield f"From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <{number}@x>\r\n".encode()
            yield b"Content-Type: application/pdf; name=a.pdf\r\n\r\n" + b"x" * 4_400_000
            await go_on.wait()
            yield b"end"

        plain = {"Content-Type": "message/rfc822"}
        first = [asyncio.create_task(hook.post(mail(n), plain)) for n in range(2) for hook in hooks_of[:2]]
        await asyncio.sleep(0.6)
        status, headers, body = await hooks_of[2].post(mail(9), plain)
        assert (status, json.loads(body)["code"]) == (503, "busy")
        assert headers["Retry-After"]
        assert (await hooks_of[2].post(b"From: a@example.com\r\nMessage-ID: <s@x>\r\n\r\nsmall", plain))[0] == 200
        go_on.set()
        assert {status for status, _, _ in await asyncio.gather(*first)} == {200}
        assert (await hooks_of[2].post(mail(10), plain))[0] == 200


async def test_a_key_makes_a_webhook_happen_once(rosa):
    for _ in range(2):
        status, _, body = await rosa.call(
            "POST", "/webhooks/whatsapp", whatsapp("oi", id="wamid.k"), headers={"Idempotency-Key": "k1"}
        )
        assert (status, json.loads(body)["received"]) == (200, 1)
