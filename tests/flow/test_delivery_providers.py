"""Each provider's way: what it is asked, how its id comes back, how an echo and a status find the message."""

import asyncio
import email
import json
from email import policy

import aiohttp
import pytest
from aiosmtpd.smtp import SMTP

from bench.peers import Say
from tests.api.connecting import SECRET, body_of, connected
from tests.flow.conftest import Chat, now
from tests.people import Person

PHONE = "+5511900000012"
HANDLES = {"messenger": "7001", "instagram": "7002", "email": "marina@example.com"}
PATHS = {
    "whatsapp_cloud": "/graph/v26.0/109900000000001/messages",
    "messenger": "/graph/v26.0/1234/messages",
    "instagram": "/graph/v26.0/17841/messages",
    "evolution": "/graph/message/sendText/loja",
    "waha": "/graph/api/sendText",
    "zapi": f"/graph/instances/3C01/token/{SECRET}instance/send-text",
    "twilio": "/graph/2010-04-01/Accounts/AC1/Messages.json",
}
SENDS_IN_KEY = {"whatsapp_cloud": "wamid.{}", "messenger": "m_{}", "instagram": "m_{}", "twilio": "SM{}"}


async def chat_on(person, provider, ask, *, base_url="", body=None, **options):
    """A conversation on a channel of the provider; the window is open, since the customer has written."""
    channel_id, _ = await connected(
        person, provider, base_url=base_url, body=body, options={"rate_per_second": 80, **options}
    )
    kind = provider if provider in HANDLES else "whatsapp"
    contact = await person.made("/contacts", {"handle": HANDLES.get(provider, PHONE), "channel_type": kind})
    conversation = await person.made("/conversations", {"contact_id": contact["id"], "channel_id": channel_id})
    return Chat(person, channel_id, conversation["id"], ask)


async def opened_now(root, chat):
    await root.execute("update conversations set last_inbound_at = now() where conversation_id = $1", chat.id)


@pytest.mark.parametrize("provider", PATHS)
async def test_a_text_goes_out_and_its_id_comes_back(provider, rosa, meta, root, eventually):
    chat = await chat_on(rosa, provider, eventually, base_url=meta.base_url)
    await opened_now(root, chat)
    message = await chat.write("Olá ❤️")
    sent = await chat.becomes(message, "sent")
    (seen,) = meta.seen
    assert (seen.method, seen.path, seen.text) == ("POST", PATHS[provider], "Olá ❤️")
    assert sent["external_id"] == SENDS_IN_KEY.get(provider, "{}").format(meta.ids[0])


def evolution_echo(text, key_id, event="send.message"):
    key = {"remoteJid": "5511900000012@s.whatsapp.net", "fromMe": True, "id": key_id}
    data = {"key": key, "message": {"conversation": text}, "messageTimestamp": now(), "status": "PENDING"}
    return {"event": event, "instance": "loja", "data": data}


async def echo(person, payload):
    status, answer = await person.post("/webhooks/whatsapp", payload)
    assert status == 200, answer
    return answer["messages"][0]


async def outbound(chat):
    return [each for each in await chat.person.messages(chat.id) if each["direction"] == "outbound"]


@pytest.mark.parametrize("seconds", [0.0, 0.5])
async def test_an_echo_before_the_answer_is_no_second_message(rosa, meta, eventually, seconds):
    chat = await chat_on(rosa, "evolution", eventually, base_url=meta.base_url)
    meta.script.append(Say(201, {"key": {"fromMe": True, "id": "3EB0ECHO"}}, seconds=seconds))
    message = await chat.write("Olá!")
    await eventually(lambda: asyncio.sleep(0, meta.seen))  # the call is under way
    entry = await echo(rosa, evolution_echo("Olá!", "3EB0ECHO"))
    assert (entry["duplicate"], entry["message_id"]) == (True, message["id"])
    sent = await chat.becomes(message, "sent")
    assert (sent["external_id"], len(await outbound(chat))) == ("3EB0ECHO", 1)


async def test_an_echo_proves_what_nobody_knew(rosa, meta, eventually):
    chat = await chat_on(rosa, "evolution", eventually, base_url=meta.base_url)
    meta.script.append(Say(how="reset"))
    message = await chat.write("Chegou?")
    await chat.delivery_is(message, "unknown")
    await echo(rosa, evolution_echo("Chegou?", "3EB0LATE"))
    sent = await chat.becomes(message, "sent")
    assert (sent["external_id"], sent["error"], sent["delivery"]["state"]) == ("3EB0LATE", None, "done")
    assert (len(meta.seen), len(await outbound(chat))) == (1, 1)


async def test_an_echo_that_nobody_recognised_becomes_one_with_the_answer(rosa, meta, eventually):
    chat = await chat_on(rosa, "evolution", eventually, base_url=meta.base_url)
    meta.script.append(Say(201, {"key": {"fromMe": True, "id": "3EB0COPY"}}, seconds=0.6))
    message = await chat.write("Olá *você*")
    await eventually(lambda: asyncio.sleep(0, meta.seen))  # the call is under way
    entry = await echo(rosa, evolution_echo("Olá você, dito de outro modo", "3EB0COPY"))
    assert entry["duplicate"] is False
    await chat.becomes(message, "sent")
    (only,) = await outbound(chat)
    assert (only["id"], only["external_id"]) == (message["id"], "3EB0COPY")
    assert [event["message_id"] for event in await rosa.events("message.deleted")] == [entry["message_id"]]


async def test_an_echo_of_a_later_part_is_no_second_message(rosa, meta, eventually):
    chat = await chat_on(rosa, "evolution", eventually, base_url=meta.base_url)
    message = await chat.write(" ".join(["palavra"] * 1000))
    await chat.becomes(message, "sent")
    entry = await echo(rosa, evolution_echo(meta.texts[1], meta.ids[1]))
    assert (entry["duplicate"], entry["message_id"], len(await outbound(chat))) == (True, message["id"], 1)


async def test_what_a_person_writes_elsewhere_is_a_message_of_its_own(rosa, meta, eventually):
    chat = await chat_on(rosa, "evolution", eventually, base_url=meta.base_url)
    message = await chat.write("Olá!")
    await chat.becomes(message, "sent")
    entry = await echo(rosa, evolution_echo("Do meu telefone", "3EB0OWN", "messages.upsert"))
    assert entry["duplicate"] is False
    assert {each["source"] for each in await outbound(chat)} == {"api", "native_app"}


async def test_an_echo_proves_what_somebody_else_was_given(rosa, eventually):
    await echo(rosa, {**evolution_echo("x", "3EB0START"), "event": "messages.upsert"})
    ((conversation),) = await rosa.conversations()
    message = await rosa.made(f"/conversations/{conversation['id']}/messages", {"body": "Segue o preço"})
    (item,) = (await rosa.post("/messages/claim"))[1]["items"]
    assert item["id"] == message["id"]
    entry = await echo(rosa, evolution_echo("Segue o preço", "3EB0GIVEN"))
    assert (entry["duplicate"], entry["message_id"]) == (True, message["id"])
    status, after = await rosa.post(
        f"/messages/{message['id']}/outcome", {"status": "sent", "external_id": "3EB0GIVEN"}
    )
    assert (status, after["status"], after["external_id"]) == (200, "sent", "3EB0GIVEN")


class Mailbox:
    """What a mail server on loopback was given; it may refuse, or hang up after it has all."""

    def __init__(self):
        self.mails, self.refuse = [], []

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if self.refuse:
            return self.refuse.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=policy.default))
        if self.refuse:
            return self.refuse.pop(0)
        return "250 OK"


@pytest.fixture
async def mailbox():
    handler = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    handler.port = server.sockets[0].getsockname()[1]
    yield handler
    server.close()


async def mail_chat(person, mailbox, ask, **more):
    body = body_of("email")
    smtp = {"host": "127.0.0.1", "port": mailbox.port, "security": "none", "from_address": "loja@shop.example",
            "from_name": "Loja"}  # fmt: skip
    return await chat_on(person, "email", ask, body=body | {"smtp": smtp} | more)


async def mails_in(person, subject, message_id):
    head = f"From: Marina <marina@example.com>\r\nTo: loja@shop.example\r\nSubject: {subject}\r\n"
    raw = (head + f"Message-ID: <{message_id}>\r\nReferences: <first@example.com>\r\n\r\nOi").encode()
    status, answer = await person.post("/webhooks/email", None, data=raw, headers={"Content-Type": "message/rfc822"})
    assert status == 200, answer
    return answer["messages"][0]


async def test_a_mail_answers_in_its_thread(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    entry = await mails_in(rosa, "Pedido 17", "in-1@example.com")
    answered = Chat(rosa, chat.channel_id, entry["conversation_id"], eventually)
    message = await answered.write("Sai hoje às 16h.")
    sent = await answered.becomes(message, "sent")
    (mail,) = mailbox.mails
    assert (mail["To"], mail["Subject"], mail["In-Reply-To"]) == (
        "marina@example.com",
        "Re: Pedido 17",
        "<in-1@example.com>",
    )
    assert mail["References"] == "<first@example.com> <in-1@example.com>"
    assert mail["Message-ID"] == f"<{sent['external_id']}>"
    assert sent["external_id"].endswith("@shop.example")
    assert mail["Auto-Submitted"] is None
    assert mail.get_content().strip() == "Sai hoje às 16h."


async def test_a_mail_is_tried_again_under_one_id(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    mailbox.refuse += ["451 greylisted", "421 busy"]
    message = await chat.write("De novo", subject="Oferta")
    sent = await chat.becomes(message, "sent")
    assert sent["delivery"]["attempts"] == 3
    assert {mail["Message-ID"] for mail in mailbox.mails} == {f"<{sent['external_id']}>"}
    assert mailbox.mails[0]["Subject"] == "Oferta"


async def test_nobody_under_that_address(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    mailbox.refuse.append("550 5.1.1 no such user")
    failed = await chat.becomes(await chat.write("Alguém?"), "failed")
    assert (failed["error"]["code"], failed["error"]["provider_code"]) == ("recipient_unreachable", "550")


async def test_a_mail_takes_its_files_along(rosa, mailbox, meta, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    meta.always = Say(200, b"%PDF-1.4", {"Content-Type": "application/pdf"})
    file = {"type": "document", "url": meta.base_url + "/nota.pdf", "file_name": "nota.pdf"}
    await chat.becomes(await chat.write("Segue a nota", attachments=[file]), "sent")
    (part,) = mailbox.mails[0].iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_content()) == (
        "nota.pdf",
        "application/pdf",
        b"%PDF-1.4",
    )


async def test_no_tls_means_no_mail(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    body = body_of("email")
    smtp = {"host": "127.0.0.1", "port": mailbox.port, "security": "starttls", "from_address": "loja@shop.example"}
    await rosa.put(f"/channels/{chat.channel_id}/connection", body | {"smtp": smtp})
    failed = await chat.becomes(await chat.write("Em segredo"), "failed")
    assert failed["error"]["code"] == "network_error"
    assert mailbox.mails == []


async def test_a_bounce_is_told(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    sent = await chat.becomes(await chat.write("Oi"), "sent")
    parts = [
        "Content-Type: text/plain\r\n\r\nfailed",
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; marina@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        f"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{sent['external_id']}>\r\n",
    ]
    body = "--b\r\n" + "\r\n--b\r\n".join(parts) + "\r\n--b--\r\n"
    head = "From: mailer-daemon@example.com\r\nTo: loja@shop.example\r\nMIME-Version: 1.0\r\n"
    raw = head + 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n' + body
    await rosa.post("/webhooks/email", None, data=raw.encode(), headers={"Content-Type": "message/rfc822"})
    failed = await chat.becomes(sent, "failed")
    assert failed["error"]["code"] == "recipient_unreachable"


async def test_rules_mark_their_mails(rosa, mailbox, eventually, http):
    chat = await mail_chat(rosa, mailbox, eventually)
    token = (await rosa.made("/tokens", {"name": "n8n"}))["token"]
    robot = Person(http, rosa.address, {"access_token": token})
    message = await robot.made(f"/conversations/{chat.id}/messages", {"body": "Recebemos", "subject": "Oi"})
    await chat.becomes(message, "sent")
    assert mailbox.mails[0]["Auto-Submitted"] == "auto-replied"


async def test_an_upload_goes_with_a_mail_without_a_call_to_ourselves(rosa, mailbox, eventually):
    chat = await mail_chat(rosa, mailbox, eventually)
    form = aiohttp.FormData()
    form.add_field("file", b"%PDF-1.7 catalogue", filename="catalogue.pdf", content_type="application/pdf")
    status, _, raw = await rosa.call("POST", "/media", data=form)
    assert status == 201, raw
    file = {"type": "document", "url": json.loads(raw)["url"], "file_name": "catalogue.pdf"}
    message = await rosa.made(f"/conversations/{chat.id}/messages", {"body": "Segue", "attachments": [file]})
    await chat.becomes(message, "sent")
    (attached,) = mailbox.mails[-1].iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("catalogue.pdf", b"%PDF-1.7 catalogue")
