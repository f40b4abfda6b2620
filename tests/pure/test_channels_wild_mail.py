"""Mails as they are in the wild: senders, headers, parts and transfer encodings that no standard allows."""

import base64

import pytest

from tests.pure.mails import files, mime, one


def written_by(header: str) -> bytes:
    return mime().replace(b"Ana <Ana@Example.com>", header.encode())


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Bia Nunes <bia@example.com", "Bia Nunes"),
        ("Bia Nunes<bia@example.com", "Bia Nunes"),
        ('"Bia Nunes <bia@example.com>"', "Bia Nunes"),
        ('"Bia Nunes <bia@example.com>', "Bia Nunes"),
        ("Bia Nunes bia@example.com", "Bia Nunes"),
        ("Bia Nunes [bia@example.com]", "Bia Nunes"),
        ("Bia Nunes [mailto:bia@example.com]", "Bia Nunes"),
        ("Bia Nunes 'bia@example.com'", "Bia Nunes"),
        ('"Bia Nunes" bia@example.com', "Bia Nunes"),
        ("bia@example.com (Bia Nunes", "Bia Nunes"),
        ("(Bia Nunes) bia@example.com", "Bia Nunes"),
        ("<bia@example.com> Bia Nunes", "Bia Nunes"),
        ("Bia Nunes <bia@example.com> <caio@example.org>", "Bia Nunes"),
        ("Bia Nunes <bia@example.com>, Caio <caio@example.org", "Bia Nunes"),
        ("Bia Nunes <mailto:bia@example.com>", "Bia Nunes"),
        ("Bia Nunes <BIA@EXAMPLE.COM>\t", "Bia Nunes"),
        ("Bia\u00a0Nunes <bia\uff20example.com>", "Bia\u00a0Nunes"),
        ("=?utf-8?Q?Bia_Nunes_=3Cbia=40example=2Ecom=3E?=", "Bia Nunes"),
        ("Bia Nunes <=?utf-8?Q?bia=40example.com?=>", "Bia Nunes"),
        ("bia@example.com caio@example.org", None),
        ("bia@example.com / caio@example.org", None),
        ("bia@example.com;caio@example.org", None),
        ("<<bia@example.com>>", None),
        ("<bia@example.com", None),
        ("bia@example.com>", None),
        ("bia@example.com.", None),
        ("'bia@example.com'", None),
        ("Bia <bia @example.com>", None),
        ("Bia <bia@ example.com>", None),
        ("mailto:bia@example.com", None),
        ("Bia;<bia@example.com>", None),
    ],
)
def test_one_readable_address_names_the_sender(header, name):
    item = one(written_by(header))
    assert (item.kind, item.sender.handle) == ("message", "bia@example.com")
    if name is not None:
        assert " ".join(item.sender.name.split()) == " ".join(name.split())


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfFrom: a@b.example\r\nTo: c@d.example\r\n\r\nQuero",
        b"\r\n\r\nFrom: a@b.example\r\nTo: c@d.example\r\n\r\nQuero",
        b">From a@b.example Tue Jan  6 10:00:00 2026\nFrom: a@b.example\nTo: c@d.example\n\nQuero",
        b"From a@b.example Tue Jan  6 10:00:00 2026\nFrom: a@b.example\nTo: c@d.example\n\nQuero",
        b"X-A: 1\nno header at all\n its continuation\nFrom: a@b.example\nTo: c@d.example\n\nQuero",
        b"From : a@b.example\nTo : c@d.example\n\nQuero",
        b"From:\n a@b.example\nTo:\n\tc@d.example\n\nQuero",
        b"From: a@b.example\nTo: c@d.example\nQuero",
        b"From: a@b.example\rTo: c@d.example\r\rQuero",
        b": no name\nFrom: a@b.example\nTo: c@d.example\n\nQuero",
    ],
)
def test_stray_lines_and_marks_in_the_headers_are_skipped(source):
    item = one(source)
    assert (item.sender.handle, item.recipient, item.text) == ("a@b.example", "c@d.example", "Quero")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "encoding",
    ["base64;", '"base64"', "'base64'", "(x) base64", "BASE64 (x)", "base64, x", "base-64", "x-base64", "base64 x=y"],
)
def test_the_first_word_of_the_transfer_encoding_counts(encoding):
    lines = ["Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"]
    assert one(mime(*lines, body=encoded("até amanhã"))).text == "até amanhã"


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", encoded("Olá, ") + encoded("até amanhã"), "Olá, até amanhã"),
        ("base64", "\r\n".join(encoded(word) for word in ("um\n", "dois\n", "três")), "um\ndois\ntrês"),
        ("base64", encoded("até") + "\r\n____\r\nlista de clientes", "até\n____\r\nlista de clientes"),
        ("base64", "Quero 2 mesas hoje, por favor", "Quero 2 mesas hoje, por favor"),
        ("base64", "Olá!", "Olá!"),
        ("base64", "", None),
        ("quoted_printable", "at=C3=A9 amanh=C3=A3", "até amanhã"),
        ('"quoted-printable";', "at=C3=A9=\r\n!", "até!"),
        ("uuencode", "Ola\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\ntchau", "Ola\nCat\ntchau"),
        ("x-uue", "begin 644 a.txt\r\n#0V%T  \r\n`\r\nend", "Cat"),
        ("uuencode", "no such thing", "no such thing"),
        ("utf-8", "até", "até"),
        ("8bit", "até", "até"),
    ],
)
def test_bodies_come_out_of_their_transfer_encoding(encoding, body, text):
    lines = ["Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}"]
    assert one(mime(*lines, body=body)).text == (text and text.replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("text/html charset=utf-8", "até amanhã"),
        ("text/html, charset=utf-8", "até amanhã"),
        ('"text/html"; charset=utf-8', "até amanhã"),
        ("TEXT/HTML;; charset = utf-8", "até amanhã"),
        ("text/html (page); charset=utf-8", "até amanhã"),
        ("text/html:charset=utf-8", "até amanhã"),
        ("html/text", "até amanhã"),
        ("text/plain/x", "<p>até</p> amanhã"),
        ("text", "<p>até</p> amanhã"),
        ("", "<p>até</p> amanhã"),
        ("multipart/mixed", "<p>até</p> amanhã"),
        ("multipart/alternative; boundary=", "<p>até</p> amanhã"),
        ('multipart/mixed; boundary="abc', "<p>até</p> amanhã"),
        ("text/x-markdown", "<p>até</p> amanhã"),
        ("text/plain; name=carta.txt; charset=utf-8", "<p>até</p> amanhã"),
        ("text/plain; charset=utf-8 format=flowed", "<p>até</p> amanhã"),
    ],
)
def test_content_types_are_read_as_they_begin(content_type, text):
    assert one(mime(f"Content-Type: {content_type}", body="<p>até</p> amanhã")).text == text


PLAIN, PAGE = "Content-Type: text/plain\n\num", "Content-Type: text/html\n\n<b>dois</b>"


def parts(kind: str, *parts: str, before: str = "", boundary: str = "b") -> bytes:
    body = before + "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"
    return mime(f"Content-Type: multipart/{kind}; boundary={boundary}", body=body)


def inside(kind: str, *several: str) -> str:
    return f"Content-Type: multipart/{kind}; boundary=c\n\n" + "".join(f"--c\n{part}\n" for part in several) + "--c--"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (parts("alternative", PLAIN, PAGE), "um"),
        (parts("alternative", PAGE, PLAIN), "um"),
        (parts("alternative", "Content-Type: text/plain\n\n \n", PAGE), "dois"),
        (parts("mixed", PLAIN, PAGE), "um\ndois"),
        (parts("mixed", PAGE, PLAIN), "dois\num"),
        (parts("mixed", inside("alternative", PLAIN, PAGE), PLAIN), "um\num"),
        (parts("alternative", PLAIN, inside("related", PAGE)), "um"),
        (parts("alternative", PLAIN, inside("mixed", PAGE, PLAIN)), "um"),
        (parts("related", PAGE, PAGE), "dois\ndois"),
        (parts("mixed", "\nno headers"), "no headers"),
        (parts("mixed", before="Quero 2 mesas\n"), "Quero 2 mesas"),
        (parts("mixed", "Content-Type: text/plain\n\n", before="Quero 2 mesas\n"), "Quero 2 mesas"),
        (parts("mixed", PLAIN, boundary="other"), "um"),
        (parts("mixed", PLAIN, boundary='""'), "um"),
        (mime("Content-Type: multipart/mixed; boundary=b", body="Quero 2 mesas"), "Quero 2 mesas"),
        (mime("Content-Type: text/plain", "Content-Disposition: attachment", body="Quero"), "Quero"),
    ],
)
def test_a_body_is_never_lost(source, text):
    assert one(source).text == text


def picture(name: str, *lines: str) -> str:
    return "\n".join([f"Content-Type: image/png; name={name}", *lines, "", "x"])


def test_only_what_a_page_shows_is_inline():
    page = 'Content-Type: text/html\n\n<img src="cid:shown"><img src=CID:per%40cent>'
    files_of = [
        picture("1.png", "Content-ID: <shown>"),
        picture("2.png", "Content-ID: <per@cent>", "Content-Disposition: inline"),
        picture("3.png", "Content-ID: <other>", "Content-Disposition: inline"),
        picture("4.png", "Content-ID: <shown>", "Content-Disposition: attachment"),
        picture("5.png", "Content-Disposition: inline"),
    ]
    shown = [name for _, _, name in files(one(parts("related", page, *files_of)))]
    assert shown == ["3.png", "4.png", "5.png"]
    assert len(files(one(parts("mixed", PLAIN, *files_of)))) == len(files_of)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="=?iso-8859-1?Q?or=E7a_=80.pdf?="', "orça €.pdf"),
        ("Content-Disposition: attachment; filename*=iso-8859-1''or%E7a%80.pdf", "orça€.pdf"),
        ("Content-Disposition: attachment; filename*0*=shift_jis''%87%40; filename*1=.pdf", "①.pdf"),
        ("Content-Disposition: attachment; filename*1=b.pdf; filename*0=a", "ab.pdf"),
        ("Content-Disposition: attachment; filename=meu pedido.pdf", "meu pedido.pdf"),
        ('Content-Disposition: attachment; filename="meu pedido.pdf', "meu pedido.pdf"),
        ('Content-Disposition: "attachment"; filename="a;b.pdf"; x=y', "a;b.pdf"),
        ("Content-Disposition: attachment; filename=orçamento.pdf", "orçamento.pdf"),
        ('Content-Disposition: attachment; filename="a\\"b.pdf"', 'a"b.pdf'),
    ],
)
def test_file_names(header, name):
    assert files(one(parts("mixed", PLAIN, f"Content-Type: application/pdf\n{header}\n\nx")))[0][2] == name


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("X-Autoreply: yes", "machine_mail"),
        ("X-Autorespond: Fora do escritório", "machine_mail"),
        ("Precedence: auto_reply", "machine_mail"),
        ("Precedence: Auto-Reply", "machine_mail"),
        ("Return-Path: <>", "machine_mail"),
        ("Return-Path: < >", "machine_mail"),
        ("Auto-Submitted: auto-generated (by a script)", "machine_mail"),
        ("Content-Type: multipart/report; boundary=x", "delivery_report"),
        ("Auto-Submitted: no (by hand)", None),
        ("X-Autorespond: no", None),
        ("Precedence: bulk", None),
        ("Precedence: list", None),
        ("List-Id: <clientes>", None),
        ("Return-Path: <bia@example.com>", None),
    ],
)
def test_machines_mark_their_mail_in_many_ways(line, kind):
    assert one(mime(line)).ignored_kind == kind


REPORT = (
    "Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; Caio@Example.org\n"
    "Action: failed\nStatus: 5.1.1\n",
    "Content-Type: text/rfc822-headers\n\nMessage-ID: <ours@example.org>\n",
)


def test_a_report_that_somebody_forwards_is_their_mail():
    report = one(parts("report", PLAIN, *REPORT))
    assert (report.kind, report.status, report.external_id) == ("status", "failed", "ours@example.org")
    assert (report.sender.handle, report.failure.provider_code) == ("caio@example.org", "5.1.1")
    forwarded = one(parts("mixed", PLAIN, *REPORT))
    assert (forwarded.kind, forwarded.sender.handle, len(forwarded.attachments)) == ("message", "ana@example.com", 2)


def test_headers_by_which_mailboxes_join_answers():
    item = one(mime("Subject: =?utf-8?Q?or=C3=A7amento?=", "In-Reply-To: <b@x>", "References: <a@x>\r\n <b@x>"))
    assert (item.subject, item.reply_to) == ("orçamento", "b@x")
    thread = {"message_id": "<m1@example.com>", "in_reply_to": "<b@x>", "references": "<a@x> <b@x>"}
    assert item.thread.model_dump() == thread
