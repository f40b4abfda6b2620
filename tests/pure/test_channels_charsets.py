"""Charset labels mean what mail programs mean by them, in bodies, header words, file names, pages and forms."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alfred.channels.body import read_body
from alfred.channels.charsets import codec_of, decoded, page_decoded
from tests.pure.mails import mime, one

TABLE = [
    ("iso-8859-1", "cp1252", "“até” – €…"),
    ("ISO_8859-1", "cp1252", "€"),
    ("latin-1", "cp1252", "€"),
    ("us-ascii", "cp1252", "até €"),
    (None, "cp1252", "até €"),
    (None, "utf-8", "até €"),
    ("us-ascii", "utf-8", "até €"),
    ("x-unknown", "utf-8", "até €"),
    ("windows-1252http-equivcontent-type", "cp1252", "até €"),
    ("ansi_x3.4-1968", "cp1252", "até"),
    ("iso-8859-9", "cp1254", "ığ€"),
    ("iso-8859-15", "iso8859-15", "até €"),
    ("iso-8859-8-i", "iso8859-8", "שלום"),
    ("windows-1250", "cp1250", "Łódź"),
    ("cp-1251", "cp1251", "стол"),
    ("x-cp1251", "cp1251", "стол"),
    ("koi8r", "koi8-r", "стол"),
    ("gb2312", "gb18030", "訂單—𠮷"),
    ("x-gbk", "gb18030", "訂單"),
    ("gb_2312-80", "gbk", "訂單"),
    ("cp936", "gbk", "訂單"),
    ("hz-gb-2312", "hz", "订单"),
    ("big5", "cp950", "訂單"),
    ("x-x-big5", "big5", "訂單"),
    ("euc-kr", "cp949", "똠방각하 한국"),
    ("ks_c_5601-1987", "cp949", "똠방각하"),
    ("ks_c_5601", "cp949", "똠방각하"),
    ("iso-2022-kr", "iso2022_kr", "한국"),
    ("shift_jis", "cp932", "①番の机～㈱"),
    ("x-sjis", "cp932", "机はいくらですか"),
    ("ms_kanji", "cp932", "①"),
    ("windows-31j", "cp932", "髙"),
    ("iso-2022-jp", "iso2022_jp", "日本語"),
    ("x-euc-jp", "euc_jp", "日本語"),
    ("tis-620", "cp874", "โต๊ะ"),
    ("macintosh", "mac_roman", "até"),
    ("cp850", "cp850", "até"),
    ("utf7", "utf-7", "até"),
    ("unicode-1-1-utf-8", "utf-8", "até"),
    ("utf8", "utf-8", "até"),
]


@pytest.mark.parametrize(("label", "codec", "text"), TABLE)
def test_bodies_words_and_file_names_alike(label, codec, text):
    source = text.encode(codec)
    assert decoded(source, label) == text
    encoded = base64.b64encode(source).decode()
    charset = f"; charset={label}" if label else ""
    word = f"=?{label or 'us-ascii'}?B?{encoded}?="
    lines = [f"Content-Type: text/plain{charset}", "Content-Transfer-Encoding: base64", f"Subject: {word}"]
    item = one(mime(*lines, body=encoded))
    assert (item.text, item.subject) == (text, text)
    quoted = "".join(f"%{byte:02X}" for byte in source)
    file = f"Content-Disposition: attachment; filename*={label or ''}''{quoted}"
    assert one(mime(file, body="x")).attachments[0].id_or_url == text


def test_japanese_letters_that_only_microsoft_has():
    assert decoded(b"\x1b$B\x2d\x21\x30\x21\x1b(B!", "iso-2022-jp") == "①亜!"
    assert decoded(b"\xad\xa1\xb0\xa1", "euc-jp") == "①亜"
    assert decoded(b"\x1b(I123\x1b(B", "iso-2022-jp") == "ｱｲｳ"


@pytest.mark.parametrize(
    ("page", "codec"),
    [
        ('<meta charset="windows-1251">стол', "cp1251"),
        ("<META http-equiv=content-type content='text/html; charset=koi8-r'>стол", "koi8-r"),
        ("<html><head><title>x</title><meta name=a><meta charset = iso-8859-2 >Łódź", "iso8859-2"),
        ("<meta charset=utf-16>até", "utf-8"),
        ("<meta charset=x-nothing>até", "utf-8"),
        ("até", "cp1252"),
    ],
)
def test_a_page_can_tell_its_charset_itself(page, codec):
    assert page_decoded(page.encode(codec), None) == page
    assert page_decoded(page.encode(codec), "x-unknown") == page
    assert page_decoded(page.encode(), "utf-8") == page


def test_pages_in_forms_and_fields_without_a_charset():
    fields = {"envelope": b"{}", "from": b"a@b.example", "html": "<meta charset=windows-1251>стол".encode("cp1251")}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n'.encode() + v for n, v in fields.items()]
    payload = read_body(b"\r\n".join([*parts, b"--b--"]), "multipart/form-data; boundary=b")
    assert one(payload).text == "стол"
    form = read_body(
        b"recipient=v%40x.example&from=a%40b.example&body-plain=at%E9+%80", "application/x-www-form-urlencoded"
    )
    assert one(form).text == "até €"


def test_a_byte_that_the_charset_does_not_have_is_no_reason_to_lose_it():
    assert decoded("até ".encode() + b"\xe9\x80", "utf-8") == "até é€"
    assert decoded(b"\x81\x8d\x9d", "windows-1252") == "\x81\x8d\x9d"
    assert decoded("\ufeffaté".encode(), "iso-8859-1") == "até"


@pytest.mark.parametrize(
    "label", ["base64", "hex", "rot13", "zlib", "punycode", "idna", "unicode_escape", "a\0b", "é", "-"]
)
def test_what_is_no_charset_is_none(label):
    assert codec_of(label) is None
    assert decoded("até".encode(), label) == "até"


@given(st.binary(max_size=60), st.sampled_from([label for label, _, _ in TABLE]) | st.text(max_size=20))
def test_any_bytes_under_any_label_are_text(source, label):
    assert isinstance(decoded(source, label), str)
    assert isinstance(page_decoded(source, label), str)
