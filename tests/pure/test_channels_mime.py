"""The sentences of the payloads' specification about raw mail, each with a mail of its own."""

import json

import pytest

from tests.pure.mails import NOON, files, mime, one


# Raw MIME
def test_a_raw_mail():
    item = one(mime("References: <a@x> <b@x>", "X-Original-To: outra@example.org"))
    assert (item.sender.handle, item.sender.name) == ("ana@example.com", "Ana")
    assert (item.external_id, item.reply_to, item.recipient) == ("m1@example.com", "b@x", "outra@example.org")
    assert (item.sent_at, item.text) == (NOON, "hello")


@pytest.mark.parametrize(
    "lines",
    [
        ["Auto-Submitted: auto-replied"],
        ["auto-submitted: Auto-Generated; x=y"],
        ["From: x"],
    ],
)
def test_mail_of_machines_is_ignored(lines):
    source = mime(*lines)
    if lines == ["From: x"]:
        source = source.replace(b"From: Ana <Ana@Example.com>\r\n", b"")
    assert one(source).kind == "ignored"


@pytest.mark.parametrize("writer", ["MAILER-DAEMON@x.example", "Postmaster <postmaster@x.example>", "nobody", ""])
def test_mail_of_nobody_is_ignored(writer):
    assert one(mime().replace(b"Ana <Ana@Example.com>", writer.encode())).kind == "ignored"


def test_a_mail_that_says_it_is_no_auto_reply_counts_even_when_empty():
    item = one(mime("Auto-Submitted: no", body=""))
    assert (item.kind, item.text) == ("message", None)


def test_delivered_to_comes_before_the_others():
    lines = ["Delivered-To: <Um@Example.org>", "X-Original-To: dois@example.org"]
    assert one(mime(*lines)).recipient == "um@example.org"


MIXED = """--b
Content-Type: multipart/alternative; boundary="c c"

--c c
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable
Content-ID: <body@x>

Ol=E1
--c c
Content-Type: text/html

<p>no <img src="cid:logo"></p>
--c c--
--b
Content-Type: image/png; name="logo.png"
Content-ID: <logo>
Content-Disposition: inline

x
--b
Content-Type: Application/PDF; name="=?UTF-8?Q?or=C3=A7.pdf?="
Content-ID: <gmail-gives-one>
Content-Disposition: attachment

x
--b
Content-Disposition: attachment; filename*0*=UTF-8''or%C3%A7; filename*1=amento.txt
Content-Type: text/plain

not the body
--b
Content-Type: message/rfc822

From: x@y.example

inner
--b
Content-Type: text/vcard

x
--b
Content-Type: text/plain

tchau
--b--
trailer"""


def test_parts_of_a_mail():
    item = one(mime('Content-Type: multipart/mixed; boundary="b"', body=MIXED))
    assert item.text == "Olá\ntchau"
    assert files(item) == [
        ("document", "Application/PDF", "orç.pdf"),
        ("document", "text/plain", "orçamento.txt"),
        ("document", "message/rfc822", None),
        ("contact", "text/vcard", None),
    ]
    assert "not the body" not in json.dumps(item.raw)


def test_a_charset_that_lies_or_is_none_loses_no_letter():
    for charset in ("utf-8", "us-ascii", "x-unknown", "punycode", "a\0b"):
        assert one(mime(f"Content-Type: text/plain; charset={charset}", body="olá")).text == "olá"
    latin = mime("X: y", body="ol").replace(b"ol", b"ol\xe1")
    assert one(latin).text == "olá"


def test_a_broken_base64_gives_what_can_be_read():
    assert one(mime("Content-Transfer-Encoding: base64", body="aGVs*bG8gd")).text == "hello "[:-1]
