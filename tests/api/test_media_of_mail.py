"""Files that come along with a mail."""

import base64
import io
import json

import aiohttp
import asyncpg
import pytest

from tests.api.media_files import LIMIT, PNG, content


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
async def test_a_mails_files_come_with_it(lena, kind, http, files_service):
    for _ in range(2):
        if kind == "raw":
            answer = await lena.call(
                "POST", "/webhooks/email", data=raw_mail(), headers={"Content-Type": "message/rfc822"}
            )
        elif kind == "postmark":
            answer = await lena.call("POST", "/webhooks/email", postmark())
        else:
            answer = await lena.call("POST", "/webhooks/email", data=mailgun())
        assert answer[0] == 200, answer
    message, file = await content(lena)
    assert (file["state"], file["size"]) == ("stored", len(PNG))
    async with http.get(files_service + file["url"]) as response:
        assert await response.read() == PNG
    status, _, kept = await lena.call("GET", f"/messages/{message}/payload")
    assert status == 200
    assert base64.b64encode(PNG)[:60] not in kept
    assert len(kept) < 4000


async def test_a_mail_and_its_files_are_written_at_once(lena, cluster, files_database):
    """A service that is killed between the two would leave a message without its files."""
    answer = await lena.call("POST", "/webhooks/email", data=raw_mail(), headers={"Content-Type": "message/rfc822"})
    assert answer[0] == 200, answer
    root = await asyncpg.connect(cluster.superuser(files_database.rpartition("/")[2].partition("?")[0]))
    try:
        rows = await root.fetch(
            """select p.xmin = d.xmin from media d join message_payloads p using (user_id, message_id)
                where user_id = $1""",
            lena.id,
        )
    finally:
        await root.close()
    assert [tuple(row) for row in rows] == [(True,)]


async def test_a_mails_file_over_the_cap_is_named_and_the_mail_taken_in(lena):
    mail = io.BytesIO(raw_mail(b"x" * (LIMIT + 1)))
    assert (await lena.call("POST", "/webhooks/email", data=mail, headers={"Content-Type": "message/rfc822"}))[0] == 200
    _, file = await content(lena)
    assert (file["state"], file["error"]["code"]) == ("failed", "too_large")


async def test_a_tenants_room_is_bounded(lena, eventually):
    for number in range(5):
        mail = io.BytesIO(raw_mail(bytes([number]) * (LIMIT - 1000), message_id=f"<q{number}@x>"))
        await lena.call("POST", "/webhooks/email", data=mail, headers={"Content-Type": "message/rfc822"})
    (conversation,) = await lena.conversations()
    states = [each["attachments"][0]["content"] for each in await lena.messages(conversation["id"])]
    assert [each["state"] for each in states].count("stored") == 3
    assert {each["error"]["code"] for each in states if each["error"]} == {"media_quota"}
    form = aiohttp.FormData()
    form.add_field("file", b"x" * (LIMIT - 1000), filename="a.pdf")
    status, _, body = await lena.call("POST", "/media", data=form)
    assert (status, json.loads(body)["code"]) == (409, "media_quota")
