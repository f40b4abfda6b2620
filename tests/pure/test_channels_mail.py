"""What mails share, whoever brings them: addresses, pages, times, names, bodies of posts."""

from datetime import UTC, datetime

import pytest

from alfred.channels.address import decode_words, mailboxes
from alfred.channels.body import UnreadableBody, read_body
from alfred.channels.clean import moment, name
from alfred.channels.html_text import words
from tests.pure.mails import NOON, mime


# What they share
@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('"Lima, Ana" <Ana@X.example>', [("ana@x.example", "Lima, Ana")]),
        (
            "=?UTF-8?Q?Lima=2C_Ana?= <a@x.example>, b@x.example",
            [("a@x.example", "Lima, Ana"), ("b@x.example", None)],
        ),
        ("=?utf-8?B?w6k=?= =?utf-8?Q?=C3?=\t=?UTF-8?Q?=A9?= b <a@x.example>", [("a@x.example", "éé b")]),
        ("a@x.example (Ana (B))", [("a@x.example", "Ana B")]),
        ("Team: a@x.example, <b@x.example>;", [("a@x.example", None), ("b@x.example", None)]),
        ("undisclosed-recipients:;", []),
        ("Lima, Ana <a@x.example>", [("a@x.example", "Ana")]),
        ("a b@x.example", []),
        ('"a\\"b" <a@x.example>', [("a@x.example", 'a"b')]),
    ],
)
def test_addresses_are_split_before_they_are_decoded(header, expected):
    assert [tuple(box) for box in mailboxes(header)] == expected


def test_broken_words_stay_readable():
    assert decode_words("=?nope?Q?a=E9?= =?utf-8?B?!?= x") == "aé x"
    assert decode_words("a =?b") == "a =?b"


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>a</p><p>b<b>c</b>d</p>e<br>f", "a bcd e f"),
        ("<html><head><title>t</title>x<style>p{}</style></head><body>a&nbsp;&amp;&eacute;</body>", "a &é"),
        ("<head><meta x>t<p>a", "a"),
        ("<script>if (a < b) '</p>'</SCRIPT >a<style>b", "a"),
        ("<a title=\"x>y\" href='<b>'>a</a>b", "ab"),
        ("a <!-- <p> --> b<!-->c<![if x]>d<?xml?>e</>f", "a bcdef"),
        ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"),
        ("a <b", "a <b"),
        ("<td>a</td><td>b</td>", "a b"),
        ("&#99999999999;x", "\ufffdx"),
        ("<p> </p>", None),
    ],
)
def test_html_becomes_words(page, expected):
    assert words(page) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (1714564800, NOON),
        ("1714564800", NOON),
        (1714564800.0, NOON),
        (10**11, datetime(1973, 3, 3, 9, 46, 40, tzinfo=UTC)),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("1714564800000", NOON),
        (1714564800000.9, NOON),
        ("2024-05-01T12:00:00", NOON),
        ("2024-05-01T09:00:00.0009-03:00", NOON),
        ("2024-05-01T12:00:00z", NOON),
        ("Wed, 1 May 2024 08:00:00 -0400 (EDT)", NOON),
        ("1 May 2024 12:00 GMT", NOON),
        (1714564800.123, NOON.replace(microsecond=123000)),
        ("1714564800.9999", NOON.replace(microsecond=999000)),
        (0, None),
        (-5, None),
        ("-5", None),
        ("", None),
        ("x", None),
        (True, None),
        ([], None),
        (float("inf"), None),
        (10**30, None),
        ("9" * 19, None),
        ("2024-13-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("(" * 9999, None),
    ],
)
def test_times(written, expected):
    assert moment(written) == expected


@pytest.mark.parametrize(
    ("called", "handle", "expected"),
    [
        ("Ana", "x", "Ana"),
        (" ", "x", None),
        ("x", "x", None),
        ("Ana@X.example", "ana@x.example", None),
        ("+55 (11) 9-8.7", "x", None),
        ("\u202a+55 11 9\u20111\u202c", "x", None),
        ("24/7", "x", "24/7"),
        (5, "x", None),
        ({}, "x", None),
    ],
)
def test_names(called, handle, expected):
    assert name(called, handle) == expected


# Bodies
@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'\xef\xbb\xbf{"a": 1}', "application/json", {"a": 1}),
        (b'{"a": 1}', "text/plain; charset=UTF-8", {"a": 1}),
        (b' {"a": 1}', None, {"a": 1}),
        (b'{"a": 1}', "application/x-www-form-urlencoded", {"a": 1}),
        (b"a=1&a=2&b=&c=%C3%A9", "application/x-www-form-urlencoded", {"a": "1", "b": "", "c": "é"}),
        (b"a=1&b=2\n", None, {"a": "1", "b": "2"}),
        (mime(), "text/plain", mime()),
        (mime(), "application/octet-stream", mime()),
        (b"x", "message/rfc822", b"x"),
    ],
)
def test_bodies(body, content_type, expected):
    assert read_body(body, content_type) == expected


def test_of_a_file_only_its_description_is_kept():
    head = b'Content-Disposition: form-data; name="f"; filename="x.bin"\r\nContent-Type: a/b'
    body = b"--b\r\n" + head + b"\r\n\r\n12\xff\r\n--b--"
    assert read_body(body, "multipart/form-data; boundary=b") == {"f": {"filename": "x.bin", "type": "a/b", "size": 3}}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", None),
        (b"hello there", "text/plain"),
        (b'{"a"', "text/plain"),
        (b"a=1&" * 1001, "application/x-www-form-urlencoded"),
        (b"--b\r\n\r\nx\r\n" * 1002, "multipart/form-data; boundary=b"),
        (b"nothing", "multipart/form-data; boundary=b"),
    ],
)
def test_bodies_that_nobody_posts(body, content_type):
    with pytest.raises(UnreadableBody, match=r"\.$"):
        read_body(body, content_type)
