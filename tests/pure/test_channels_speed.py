"""Time to read grows at most linearly with what a stranger posts, for every reader."""

import contextlib
import gc
import json
import time

import pytest

from alfred.channels import normalise
from alfred.channels.body import UnreadableBody, read_body
from tests.pure.payloads import cloud, evolution, jid, meta, says, waha, zapi

SMALL = 1 << 13
TIMES = 8  # as much of it
SLOWER = 2.5  # linear work is TIMES as slow; quadratic work TIMES * TIMES
NOTHING_TO_MEASURE = 0.01  # seconds
TRIES = 4
JSON = "application/json"


def repeated(piece: bytes, size: int) -> bytes:
    return (piece * (size // len(piece) + 1))[:size]


def mail(piece: bytes, start: bytes = b"", end: bytes = b""):
    return lambda size: b"From: a@b.example\r\nSubject: x\r\n" + start + repeated(piece, size) + end


def parts(header: bytes):
    return mail(b"--b\r\n" + header + b"\r\n\r\nx\r\n", b"Content-Type: multipart/mixed; boundary=b\r\n\r\n")


def text(charset: bytes, piece: bytes = b"\xff\x81\x1b$B"):
    return mail(piece, b"Content-Type: text/plain; charset=" + charset + b"\r\n\r\n")


def encoded(encoding: bytes, piece: bytes, start: bytes = b""):
    return mail(piece, b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + start)


def page(piece: bytes):
    return mail(piece, b"Content-Type: text/html\r\n\r\n")


CHARSETS = (b"utf-8", b"iso-2022-jp", b"euc-jp", b"big5", b"utf-7")
MAILS = {
    "headers": mail(b"X-Abc: 1\r\n"),
    "headers of different names": lambda size: mail(b"x")(0) + b"".join(b"X-%d: 1\r\n" % i for i in range(size // 9)),
    "senders": mail(b"From: aaaaaa bbbbb\r\n"),
    "signs in a sender": mail(b"<a@", b"From: "),
    "words in a sender": mail(b"a b=?utf-8?Q?a?= ", b"From: "),
    "folds": mail(b"\r\n ", b"X: "),
    "blanks": mail(b" ", b"X: a", b"b"),
    "stray lines": mail(b"abc\r\n"),
    "empty lines before": lambda size: repeated(b"\r\n", size) + mail(b"x")(9),
    "carriage returns": mail(b"\r"),
    "references": mail(b"<a@b> ", b"References: "),
    "reports": mail(b"Action: failed\r\n\r\n", b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"
                    b"Content-Type: message/delivery-status\r\n\r\n"),
    "parts": parts(b""),
    "parameters": parts(b"Content-Type: text/plain; " + b'a="\\"' * 500),
    "parameters without semicolons": parts(b"Content-Type: text/plain; " + b"a= b " * 500),
    "pieces of a file name": parts(b"Content-Disposition: attachment; " + b"filename*1*='';" * 200),
    "parts in parts": mail(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
    "other boundaries": mail(b"--a\r\n", b"Content-Type: multipart/mixed; boundary=z\r\n\r\n"),
    "long boundaries": mail(b"\n--a" + b" " * 9, b"Content-Type: multipart/mixed; boundary=z\r\n\r\n"),
    "base64 lines": encoded(b"base64", b"QUJD\n"),
    "base64 pieces": encoded(b"base64", b"QQ="),
    "base64 signs": encoded(b"base64", b"QU!! "),
    "quoted-printable": encoded(b"quoted-printable", b"=E"),
    "uuencode begins": encoded(b"uuencode", b"begin 644 a\n"),
    "uuencode ends": encoded(b"uuencode", b"end x\n", b"begin 644 a\n"),
    "uuencode lines": encoded(b"uuencode", b"#0V%T\n", b"begin 644 a\n"),
    "metas": page(b"<meta "),
    "pictures": page(b"cid:a&#"),
    "tags": page(b"<a href='"),
    **{f"stray bytes in {name.decode()}": text(name) for name in CHARSETS},
    "stray bytes in hz": text(b"hz", b"+~{\x0e!"),
}  # fmt: skip


def wrapped(depth: int) -> dict:
    message: dict = {"conversation": "x"}
    for _ in range(depth):
        message = {"viewOnceMessage": {"message": message}}
    return {"key": jid(), "message": message}


def answered(size: int) -> dict:
    return {"paramsJson": "[" * size}


def contacts(size: int) -> dict:
    known = [{"wa_id": "5511900000012", "user_id": f"u{number}"} for number in range(size // 90)]
    return cloud(*[says("text", text={"body": "x"})] * (size // 90), contacts=known)


CHATS = {
    "strings": lambda size: ["a:b"] * (size // 6),
    "JSON in strings": lambda size: ["[1]"] * (size // 6),
    "mails in strings": lambda size: ["From: a@b.c\nTo: x@y.z\n\nx"] * (size // 30),
    "numbers": lambda size: [0] * (size // 2),
    "brackets in a wrapper": lambda size: {"headers": {}, "body": "[" * size},
    "contacts": contacts,
    "wrappers": lambda size: evolution([wrapped(15)] * (size // 600)),
    "parts side by side": lambda size: evolution(
        {"key": jid(), "message": {f"m{number}": {"message": {"a": 1}} for number in range(size // 30)}}
    ),
    "a form's answer": lambda size: evolution(
        {"key": jid(), "message": {"interactiveResponseMessage": {"nativeFlowResponseMessage": answered(size)}}}
    ),
    "a thumbnail": lambda size: waha("message", body="/9j/" + " A" * (size // 2) + "!"),
    "ids of a receipt": lambda size: meta({"sender": {"id": "1"}, "delivery": {"mids": ["a"] * (size // 5)}}),
    "ids of a status": lambda size: zapi(type="MessageStatusCallback", status="READ", ids=["a"] * (size // 5)),
}  # fmt: skip
BODIES = {f"mail: {name}": ("message/rfc822", make) for name, make in MAILS.items()} | {
    f"JSON: {name}": (JSON, lambda size, make=make: json.dumps(make(size)).encode()) for name, make in CHATS.items()
}


def seconds_for(body: bytes, content_type: str) -> float:
    """Of this process alone: what else it holds must not count, nor what else the machine does."""
    gc.disable()  # its full collections walk whatever other tests have left
    start = time.process_time()
    try:
        with contextlib.suppress(UnreadableBody):
            assert normalise(read_body(body, content_type), "email").items
    finally:
        gc.enable()
    return time.process_time() - start


@pytest.mark.parametrize("name", BODIES)
def test_time_grows_at_most_linearly(name):
    content_type, make = BODIES[name]
    large, small = make(SMALL * TIMES), make(SMALL)
    slow = fast = float("inf")
    for _ in range(TRIES):  # others of this machine make one slower, never all
        slow = min(slow, seconds_for(large, content_type))
        if slow < NOTHING_TO_MEASURE:
            return
        fast = min(fast, *(seconds_for(small, content_type) for _ in range(2)))
        if slow < max(fast, NOTHING_TO_MEASURE / TIMES) * TIMES * SLOWER:
            return
    assert slow < fast * TIMES * SLOWER
