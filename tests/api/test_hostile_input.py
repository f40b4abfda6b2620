"""What nobody sends by mistake: each is refused by name, and none is an error of ours."""

import asyncio
import base64
import gzip
import hashlib
import json
import time
import zlib
from functools import cache

import pytest

from alfred.app import described
from alfred.http import inputs
from tests.people import whatsapp

JSON = {"Content-Type": "application/json"}
ID = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
NOW = "2026-01-01T00:00:00+00:00"


def forged(text):
    """A cursor with the right checksum: it has no secret."""
    raw = text.encode()
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()[:6] + raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "key",
    [
        [NOW, 5], [NOW, []], [NOW, None], [NOW, "x"], [5, ID], [None, ID], [[], ID], ["infinity", ID], [NOW],
        [NOW, ID, 1],
        ["2026-01-01T00:00:00", ID], ["0001-01-01T00:00:00+23:59", ID], ["9999-12-31T23:59:59-23:59", ID],
    ],
)  # fmt: skip
async def test_a_cursor_written_by_hand_is_refused(ana, key):
    for kind, path in (("contacts", "/contacts"), ("rejected", "/webhooks/rejected"), ("tokens", "/tokens")):
        status, problem = await ana.get(path, cursor=forged(json.dumps([kind, *key])))
        assert (status, problem["code"]) == (400, "invalid_cursor")


LISTS = [
    path.removeprefix("/api/v1")
    for path, item in described()["paths"].items()
    if "{" not in path and any(each.get("name") == "cursor" for each in item.get("get", {}).get("parameters", ()))
]


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_of_any_length_is_damaged_alike(ana, path):
    for cursor in ("x", "x" * 1000, "x" * 1001, "x" * 7000, forged(json.dumps(["y" * 2000, 1]))):
        status, problem = await ana.get(path, cursor=cursor)
        assert (status, problem["code"]) == (400, "invalid_cursor"), len(cursor)


@pytest.mark.parametrize("key", ["1e999", "NaN", "9223372036854775808", "-1" + "0" * 30, "null", "[]", '"x"'])
async def test_a_number_that_no_row_has_is_refused(ana, key):
    for kind in ("events", "notifications"):
        status, problem = await ana.get(f"/{kind}", cursor=forged(f'["{kind}", {key}]'))
        assert (status, problem["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("depth", [110, 300, 700, 5000])
async def test_a_body_nested_too_deeply_is_refused(ana, depth):
    for opening, closing in (('{"a":', "}"), ("[", "]")):
        body = f'{{"name": "x", "definition": {opening * depth}1{closing * depth}}}'
        for path in ("/flows", "/flows/validate", "/tasks"):
            status, problem = await ana.post(path, data=body, headers=JSON)
            assert (status, problem["code"]) == (400, "invalid_json"), (path, problem)


async def test_a_definition_of_some_depth_is_kept(ana):
    definition = "x"
    for _ in range(90):
        definition = {"a": definition}
    assert (await ana.made("/flows", {"name": "Fundo", "definition": definition}))["definition"] == definition


async def test_a_path_that_cannot_be_stored_names_nothing(ana):
    status, problem = await ana.post("/webhooks/%00", {}, headers={"Idempotency-Key": "k"})
    assert (status, problem["code"]) == (404, "not_found")


@pytest.mark.parametrize("host", ["x:99999", "x:y"])
async def test_a_host_that_is_none_is_refused(ana, host):
    for title in ("Um", "Dois"):
        await ana.made("/tasks", {"title": title})
    status, problem = await ana.get("/tasks", limit=1, headers={"Host": host})
    assert (status, problem["code"]) == (400, "invalid_host")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_compressed_as_it_says(address, ana, encoding):
    """By hand: the connection ends with the answer, which aiohttp's client may miss."""
    body = b'{"title": "Um"}'
    head = [
        "POST /api/v1/tasks HTTP/1.1", "Host: alfred", f"Authorization: {ana.headers['Authorization']}",
        "Content-Type: application/json", f"Content-Encoding: {encoding}", f"Content-Length: {len(body)}",
        "Connection: close",
    ]  # fmt: skip
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"unreadable_body" in answer


PACKINGS = {"gzip": gzip.compress, "deflate": zlib.compress, "Deflate": lambda raw: zlib.compress(raw, wbits=-15)}


@pytest.mark.parametrize("encoding", PACKINGS)
async def test_a_packed_body_is_unpacked(ana, encoding):
    pack, form = PACKINGS[encoding], {"Content-Encoding": encoding, "Content-Type": "application/json"}
    for path, body, status in (
        ("/tasks", {"title": "Um"}, 201),
        ("/webhooks/whatsapp", whatsapp("oi"), 200),
        ("/contacts/import", None, 200),
    ):
        raw = b"name,handle\r\nAna,+5511900000099\r\n" if body is None else json.dumps(body).encode()
        headers = form if body else form | {"Content-Type": "text/csv"}
        assert (await ana.call("POST", path, data=pack(raw), headers=headers))[0] == status
        cut = await ana.call("POST", path, data=pack(raw)[:-5], headers=headers)
        assert (cut[0], json.loads(cut[2])["code"]) == (400, "unreadable_body")
        assert (await ana.call("POST", path, data=raw, headers=headers | {"Content-Encoding": "br"}))[0] == 415


@cache
def bomb():
    return gzip.compress(b" " * 400_000_000, 9)


@pytest.mark.parametrize("path", ["/tasks", "/auth/login", "/webhooks/whatsapp", "/webhooks/email", "/contacts/import"])
async def test_a_body_that_grows_when_it_is_unpacked_is_refused_at_once(ana, path):
    """400 KB that are 400 MB took four seconds of the event loop, also without an account."""
    raw = bomb()
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/csv" if "import" in path else "application/json"}
    began = time.process_time()
    status, _, raw = await ana.call("POST", path, data=raw, headers=headers)
    assert (status, json.loads(raw)["code"]) == (413, "too_large")
    assert time.process_time() - began < 1


async def test_head_of_the_stream_ends(ana):
    async with asyncio.timeout(30):
        status, headers, raw = await ana.call("HEAD", "/notifications/stream")
    assert (status, headers["Content-Type"], raw) == (200, "text/event-stream; charset=utf-8", b"")


@pytest.mark.parametrize("path", ["/tasks", "/webhooks/whatsapp"])
async def test_a_body_that_never_ends_is_not_waited_for(address, ana, monkeypatch, path):
    monkeypatch.setattr(inputs, "BODY_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
    head = f"POST /api/v1{path} HTTP/1.1\r\nHost: alfred\r\nAuthorization: {ana.headers['Authorization']}\r\n"
    writer.write(f'{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"tit'.encode())
    answer = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
