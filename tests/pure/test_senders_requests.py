"""What goes over the wire to each provider."""

import email
import json
from datetime import UTC, datetime
from email import policy as email_policy
from urllib.parse import parse_qs

import pytest

from alfred.http_calls import Answer
from alfred.senders import sender_of
from alfred.senders.addresses import Unsendable
from alfred.senders.mail import Envelope, File, mail_of, references_of, subject_of
from alfred.senders.parts import Content, OutFile, Part, Template, complaints, parts_of
from alfred.senders.registry import ABILITIES, SENDERS

PHONE = "+5511900000012"
IMAGE = OutFile(type="image", url="https://x.example/a.jpg", mime_type="image/jpeg", caption="foto")
PAPER = OutFile(type="document", url="https://x.example/nota.PDF?x=1", file_name="nota.pdf")
CONFIG = {
    "whatsapp_cloud": {"phone_number_id": "109", "access_token": "tok", "base_url": "http://127.0.0.1:1/graph/"},
    "messenger": {"page_id": "77", "access_token": "tok"},
    "instagram": {"account_id": "88", "access_token": "tok", "login": "instagram"},
    "evolution": {"base_url": "https://evo.example/x", "instance": "loja 1", "api_key": "tok"},
    "waha": {"base_url": "https://waha.example", "api_key": "tok"},
    "zapi": {"instance_id": "I1", "instance_token": "T1", "client_token": "tok"},
    "twilio": {"account_sid": "AC1", "from": "+1415", "auth_tokens": ["tok"], "hook_url": "https://a.example/h"},
}
TO = {"messenger": "psid", "instagram": "igsid"}


def wire(provider, part, to=None, **more):
    call = sender_of(provider).request(part, to or TO.get(provider, PHONE), CONFIG[provider] | more, "d-1")
    kind = call.headers["Content-Type"]
    body = (
        json.loads(call.body)
        if kind == "application/json"
        else {k: v[0] for k, v in parse_qs(call.body.decode()).items()}
    )
    return call, body


def text(words="Oi", **more):
    return Part(kind="text", text=words, **more)


def test_whatsapp_text():
    call, body = wire("whatsapp_cloud", text(reply_to="wamid.1"))
    assert call.url == "http://127.0.0.1:1/graph/v26.0/109/messages"
    assert call.headers["Authorization"] == "Bearer tok"
    assert call.own_host
    assert body == {
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "5511900000012", "type": "text",
        "text": {"body": "Oi", "preview_url": False}, "context": {"message_id": "wamid.1"},
        "biz_opaque_callback_data": "d-1",
    }  # fmt: skip


def test_whatsapp_knows_people_without_a_number():
    _, body = wire("whatsapp_cloud", text(), to="BR.1349120")
    assert (body["recipient"], "to" in body) == ("BR.1349120", False)


def test_whatsapp_files_templates_and_receipts():
    assert wire("whatsapp_cloud", Part(kind="attachment", file=IMAGE))[1]["image"] == {
        "link": "https://x.example/a.jpg", "caption": "foto",
    }  # fmt: skip
    assert wire("whatsapp_cloud", Part(kind="attachment", file=PAPER))[1]["document"]["filename"] == "nota.pdf"
    template = Template(name="promo", language="pt_BR", variables=["Ana", "10"])
    assert wire("whatsapp_cloud", Part(kind="template", template=template))[1]["template"] == {
        "name": "promo", "language": {"code": "pt_BR"},
        "components": [{
            "type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "10"}],
        }],
    }  # fmt: skip
    assert wire("whatsapp_cloud", Part(kind="read", reply_to="wamid.9"))[1] == {
        "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.9",
    }  # fmt: skip
    assert wire("whatsapp_cloud", Part(kind="typing", reply_to="wamid.9"))[1]["typing_indicator"] == {"type": "text"}


def test_messenger():
    call, body = wire("messenger", text())
    assert call.url == "https://graph.facebook.com/v26.0/77/messages"
    assert body == {
        "messaging_type": "RESPONSE", "recipient": {"id": "psid"}, "message": {"text": "Oi", "metadata": "d-1"},
    }  # fmt: skip
    _, late = wire("messenger", text(human_tag=True))
    assert (late["messaging_type"], late["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    _, file = wire("messenger", Part(kind="attachment", file=PAPER))
    assert file["message"]["attachment"] == {"type": "file", "payload": {"url": PAPER.url}}
    assert wire("messenger", Part(kind="typing"))[1] == {"recipient": {"id": "psid"}, "sender_action": "typing_on"}


def test_instagram():
    call, body = wire("instagram", text())
    assert call.url == "https://graph.instagram.com/v26.0/88/messages"
    assert body == {"recipient": {"id": "igsid"}, "message": {"text": "Oi"}}
    call, _ = wire("instagram", text(), login="facebook", page_id="99")
    assert call.url == "https://graph.facebook.com/v26.0/99/messages"


def test_evolution():
    call, body = wire("evolution", text(reply_to="3EB0"))
    assert call.url == "https://evo.example/x/message/sendText/loja%201"
    assert (call.headers["apikey"], call.seconds) == ("tok", 35)
    assert body == {"number": "5511900000012", "text": "Oi", "linkPreview": False, "quoted": {"key": {"id": "3EB0"}}}
    assert wire("evolution", text(), to="123@lid")[1]["number"] == "123@lid"
    call, body = wire("evolution", Part(kind="attachment", file=IMAGE))
    assert call.url.endswith("/message/sendMedia/loja%201")
    assert (body["mediatype"], body["media"], body["caption"]) == ("image", IMAGE.url, "foto")
    call, body = wire("evolution", Part(kind="attachment", file=OutFile(type="audio", url="https://x.example/a.ogg")))
    assert (call.url.endswith("/message/sendWhatsAppAudio/loja%201"), body["audio"]) == (
        True,
        "https://x.example/a.ogg",
    )
    _, body = wire("evolution", Part(kind="read", reply_to="3EB0"))
    assert body["readMessages"] == [{"remoteJid": "5511900000012@s.whatsapp.net", "fromMe": False, "id": "3EB0"}]


def test_waha():
    call, body = wire("waha", text(reply_to="3EB0"))
    assert (call.url, call.headers["X-Api-Key"]) == ("https://waha.example/api/sendText", "tok")
    assert body == {
        "session": "default", "chatId": "5511900000012@c.us", "text": "Oi",
        "reply_to": "false_5511900000012@c.us_3EB0",
    }  # fmt: skip
    call, body = wire("waha", Part(kind="attachment", file=IMAGE))
    assert call.url.endswith("/api/sendImage")
    assert body["file"] == {"mimetype": "image/jpeg", "url": IMAGE.url}


def test_zapi():
    call, body = wire("zapi", text(reply_to="3EB0"))
    assert call.url == "https://api.z-api.io/instances/I1/token/T1/send-text"
    assert call.headers["Client-Token"] == "tok"
    assert body == {"phone": "5511900000012", "message": "Oi", "messageId": "3EB0"}
    assert wire("zapi", Part(kind="attachment", file=PAPER))[0].url.endswith("/send-document/pdf")
    assert wire("zapi", Part(kind="attachment", file=IMAGE))[1]["image"] == IMAGE.url
    assert "T1" not in repr(call)


def test_twilio():
    call, body = wire("twilio", text())
    assert call.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert call.headers["Authorization"] == "Basic QUMxOnRvaw=="
    assert body == {
        "To": "whatsapp:+5511900000012", "From": "whatsapp:+1415", "Body": "Oi",
        "StatusCallback": "https://a.example/h?d=d-1",
    }  # fmt: skip
    _, body = wire("twilio", Part(kind="template", template=Template(name="HX1", variables=["Ana"])))
    assert (body["ContentSid"], json.loads(body["ContentVariables"])) == ("HX1", {"1": "Ana"})
    assert wire("twilio", Part(kind="attachment", file=IMAGE))[1]["MediaUrl"] == IMAGE.url


@pytest.mark.parametrize(
    ("provider", "handle"),
    [
        ("whatsapp_cloud", "123@lid"),
        ("evolution", "BR.1234"),
        ("waha", "someone@example.com"),
        ("zapi", "123@lid"),
        ("twilio", "BR.1234"),
        ("messenger", ""),
    ],
)
def test_who_cannot_be_reached_is_not_called(provider, handle):
    with pytest.raises(Unsendable) as raised:
        sender_of(provider).request(text(), handle, CONFIG[provider], "d-1")
    assert raised.value.error.code == "recipient_unreachable"


@pytest.mark.parametrize("provider", SENDERS)
def test_a_test_of_the_connection_sends_nothing(provider):
    call = sender_of(provider).probe(CONFIG[provider])
    assert (call.method, call.seconds <= 10, "/messages" in call.url) == ("GET", True, False)


@pytest.mark.parametrize(
    ("provider", "body", "account"),
    [
        ("whatsapp_cloud", {"id": "109", "verified_name": "Loja"}, ("109", "Loja", None)),
        ("messenger", {"id": "77", "name": "Loja"}, ("77", "Loja", None)),
        ("instagram", {"id": "88", "username": "loja"}, ("88", "loja", None)),
        ("evolution", {"instance": {"instanceName": "loja", "state": "open"}}, ("loja", "loja", None)),
        ("evolution", {"instance": {"state": "close"}}, (None, None, "channel_down")),
        ("waha", {"status": "WORKING", "me": {"id": "5511@c.us", "pushName": "Loja"}}, ("5511@c.us", "Loja", None)),
        ("waha", {"status": "SCAN_QR_CODE"}, (None, None, "channel_down")),
        ("zapi", {"connected": True, "smartphoneConnected": True, "error": None}, (None, None, None)),
        ("zapi", {"connected": False, "error": "You are not connected."}, (None, None, "channel_down")),
        ("twilio", {"sid": "AC1", "friendly_name": "Loja"}, ("AC1", "Loja", None)),
    ],
)
def test_whose_account_answers(provider, body, account):
    found = sender_of(provider).account(Answer(200, {}, json.dumps(body).encode()))
    assert (found.id, found.name, found.error and found.error.code) == account


def test_a_message_in_its_parts():
    can = ABILITIES["whatsapp_cloud"]
    one = parts_of(Content(body="Olha", files=(OutFile(type="image", url="https://x.example/1"),)), can)
    assert [(part.kind, part.file.caption) for part in one] == [("attachment", "Olha")]
    for files in (
        (OutFile(type="audio", url="https://x.example/1"),),
        (OutFile(type="image", url="https://x.example/1", caption="já tem"),),
        (OutFile(type="image", url="https://x.example/1"), OutFile(type="image", url="https://x.example/2")),
    ):
        kinds = [part.kind for part in parts_of(Content(body="Olha", files=files), can)]
        assert kinds == ["text", *["attachment"] * len(files)]
    long = parts_of(Content(body="a" * 1025, files=(OutFile(type="image", url="https://x.example/1"),)), can)
    assert [part.kind for part in long] == ["text", "attachment"]
    assert [len(part.text) for part in parts_of(Content(body="a" * 4097), can)] == [4096, 1]
    bytes_of = [len(part.text.encode()) for part in parts_of(Content(body="é" * 501), ABILITIES["instagram"])]
    assert bytes_of == [1000, 2]
    assert [part.kind for part in parts_of(Content(body="Oi", files=(IMAGE,)), ABILITIES["email"])] == ["mail"]


@pytest.mark.parametrize(
    ("provider", "content", "pointers"),
    [
        ("evolution", Content(template=Template(name="x")), ["/template"]),
        ("whatsapp_cloud", Content(body="Oi", template=Template(name="x")), ["/body"]),
        ("whatsapp_cloud", Content(body="Oi", subject="x"), ["/subject"]),
        ("messenger", Content(files=(IMAGE,)), ["/attachments/0/caption"]),
        ("messenger", Content(body="a" * 40_001), ["/body"]),
        ("email", Content(body="a" * 60_000, subject="x"), []),
        ("whatsapp_cloud", Content(body="a" * 4_097), []),
    ],
)
def test_what_a_provider_cannot_carry(provider, content, pointers):
    assert [fault.pointer for fault in complaints(content, ABILITIES[provider])] == pointers


def test_without_splitting_a_long_text_is_refused():
    (fault,) = complaints(Content(body="a" * 4_097), ABILITIES["whatsapp_cloud"], split_text=False)
    assert (fault.pointer, fault.code) == ("/body", "too_long")


def test_a_part_is_kept_as_it_is():
    part = Part(kind="attachment", file=IMAGE, reply_to="x", human_tag=True)
    assert Part.model_validate(json.loads(json.dumps(part.row()))) == part


SMTP = {"smtp": {"from_address": "loja@shop.example", "from_name": "Lója, Centro", "reply_to": "oi@shop.example"}}
NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def read_mail(part, files=()):
    mail = mail_of(part, Envelope("marina@example.com", "d-1", NOON), SMTP, files)
    return mail, email.message_from_bytes(mail.content, policy=email_policy.default)


def test_a_mail_has_its_thread():
    part = Part(kind="mail", text="Olá ❤️", subject="Re: Pedido", references=("a@x", "b@x"), automation=True)
    mail, read = read_mail(part, [File("nota.pdf", "application/pdf", b"%PDF")])
    assert mail.message_id == "d-1@shop.example"
    assert mail.content.isascii()
    assert max(map(len, mail.content.splitlines())) <= 998
    assert read["From"].addresses[0].display_name == "Lója, Centro"
    headers = ("To", "Subject", "Message-ID", "In-Reply-To", "References", "Reply-To", "Auto-Submitted", "Date")
    assert [str(read[name]) for name in headers] == [
        "marina@example.com", "Re: Pedido", "<d-1@shop.example>", "<b@x>", "<a@x> <b@x>", "oi@shop.example",
        "auto-replied", "Fri, 01 Mar 2030 12:00:00 +0000",
    ]  # fmt: skip
    assert read.get_body().get_content().strip() == "Olá ❤️"
    assert [part.get_filename() for part in read.iter_attachments()] == ["nota.pdf"]


def test_no_header_can_be_smuggled_in():
    _, read = read_mail(Part(kind="mail", text="x", subject="a\r\nBcc: evil@example.com"))
    assert read["Bcc"] is None
    with pytest.raises(Unsendable):
        mail_of(Part(kind="mail"), Envelope("a@b.c\r\nBcc: x@y.z", "d", NOON), SMTP)


def test_a_thread_keeps_its_ends():
    chain = references_of([f"{n}@x" for n in range(40)], "new@x")
    assert (len(chain), chain[0], chain[-1], chain[1]) == (20, "0@x", "new@x", "22@x")


@pytest.mark.parametrize(
    ("given", "answered", "subject"),
    [
        ("Oferta", "Pedido", "Oferta"),
        (None, "Pedido", "Re: Pedido"),
        (None, "RE: Re: Pedido", "Re: Pedido"),
        (None, None, "Loja"),
        (None, " ", "Loja"),
    ],
)
def test_a_subject_answers_once(given, answered, subject):
    assert subject_of(given, answered, "Loja") == subject
