"""The guarded door, with real peers on loopback: what it sends, reads, refuses, and how it tells before from after."""

import asyncio
import contextlib
import gzip
import socket
from ipaddress import ip_network

import pytest
from aiohttp import web

from alfred import outbound_http
from alfred.http_calls import MOST_ANSWER_BYTES, Answer, HttpCall, NoAnswer, form_call, json_call
from alfred.outbound_http import OutboundHttp, Refused
from tests.hosts import host

LOOPBACK = (ip_network("127.0.0.0/8"),)


@pytest.fixture
async def door():
    door = OutboundHttp(LOOPBACK, longest=30)
    yield door
    await door.close()


@pytest.fixture
async def hasty():
    """Does not wait for long."""
    door = OutboundHttp(LOOPBACK, longest=0.5)
    yield door
    await door.close()


@pytest.fixture
async def strict():
    door = OutboundHttp()
    yield door
    await door.close()


@contextlib.asynccontextmanager
async def peer(answer):
    """A host of ours on loopback; its URL, and what it was asked."""
    asked = []

    async def seen(request):
        asked.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        return await answer(request)

    async with host(seen) as address:
        yield address, asked


def own(method, url, body=None):
    """A call to a host that its user named."""
    return HttpCall(method, url, {}, body, own_host=True)


async def ok(request):
    return web.json_response({"id": "1"})


async def test_json_forms_and_bytes_arrive_as_they_are(door):
    async with peer(ok) as (url, asked):
        await door.call(json_call(f"{url}/a%2Fb?q=%20", {"é": [1, None]}, {"X-One": "1"}, seconds=1))
        await door.call(form_call(url, {"Body": "olá & tchau", "To": "+55"}, {}, seconds=1))
        answer = await door.call(own("PUT", url, b"\x00raw"))
    assert answer.status == 200
    assert answer.body == b'{"id": "1"}'
    assert answer.headers["content-type"].startswith("application/json")
    assert asked[0][1] == "/a%2Fb?q=%20"
    assert (asked[0][2]["X-One"], asked[0][2]["Content-Type"]) == ("1", "application/json")
    assert asked[0][3] == '{"é":[1,null]}'.encode()
    assert asked[1][3] == b"Body=ol%C3%A1+%26+tchau&To=%2B55"
    assert asked[2][3] == b"\x00raw"


async def test_a_redirect_is_an_answer_and_nothing_is_followed(door):
    async def elsewhere(request):
        raise web.HTTPFound("/other")

    async with peer(elsewhere) as (url, asked):
        answer = await door.call(own("GET", url))
    assert (answer.status, answer.headers["location"], len(asked)) == (302, "/other", 1)


async def test_an_endless_answer_is_read_up_to_a_bound(door):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(b"x" * 65_536)
        return response

    async with peer(endless) as (url, _):
        answer = await door.call(own("GET", url))
    assert (answer.status, len(answer.body), answer.cut) == (200, MOST_ANSWER_BYTES, True)


async def test_a_compressed_answer_does_not_grow_beyond_the_bound(door):
    async def bomb(request):
        return web.Response(body=gzip.compress(b"\0" * 50_000_000), headers={"Content-Encoding": "gzip"})

    async with peer(bomb) as (url, _):
        answer = await door.call(own("GET", url))
    assert (len(answer.body), answer.cut) == (MOST_ANSWER_BYTES, True)


async def test_what_fails_before_the_first_byte(door):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert await door.call(own("POST", f"http://127.0.0.1:{port}/")) == NoAnswer("before", "refused")
    async with peer(ok) as (url, asked):
        assert await door.call(own("POST", url.replace("http:", "https:"))) == NoAnswer("before", "insecure")
    assert asked == []


async def test_what_fails_after_it(door, hasty):
    async def hang(request):
        await asyncio.sleep(10)

    async def hang_up(request):
        request.transport.abort()
        return web.Response()

    async def cut(request):
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.abort()
        return response

    for caller, answer, reason in ((hasty, hang, "timeout"), (door, hang_up, "broken"), (door, cut, "broken")):
        async with peer(answer) as (url, asked):
            assert await caller.call(own("POST", url)) == NoAnswer("after", reason)
        assert len(asked) == 1


async def test_private_addresses_are_not_called(strict):
    async with peer(ok) as (url, asked):
        port = url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"):
            answer = await strict.call(own("GET", f"https://{host}:{port}/"))
            assert answer == NoAnswer("before", "private_address"), host
            assert await strict.address_problem(f"https://{host}:{port}/") == "private_address", host
            assert (await strict.call(own("GET", f"http://{host}:{port}/"))).when == "before"
    assert asked == []


async def test_a_url_out_of_a_payload_reaches_no_private_network(door):
    async with peer(ok) as (url, asked):
        assert await door.call(HttpCall("GET", url)) == NoAnswer("before", "private_address")
        named = url.replace("127.0.0.1", "localhost")
        assert (await door.call(HttpCall("GET", named))).when == "before"
    assert asked == []


async def test_a_name_that_turns_private_after_the_look_is_not_called(strict, monkeypatch):
    leads_to = ["93.184.216.34"]
    monkeypatch.setattr(outbound_http, "_look_up", lambda *_: list(leads_to))
    async with peer(ok) as (url, asked):
        rebinding = url.replace("http://127.0.0.1", "https://shop.example")
        assert await strict.address_problem(rebinding) is None
        leads_to[:] = ["127.0.0.1"]
        assert await strict.call(own("POST", rebinding)) == NoAnswer("before", "private_address")
    assert asked == []


async def test_of_several_addresses_only_the_allowed_are_tried(door, monkeypatch):
    monkeypatch.setattr(outbound_http, "_look_up", lambda *_: ["10.255.255.1", "127.0.0.1"])
    async with peer(ok) as (url, asked):
        assert isinstance(await door.call(own("GET", url.replace("127.0.0.1", "gateway"))), Answer)
    assert len(asked) == 1


async def test_mail_servers_are_reached_by_the_same_rules(door, strict):
    async with peer(ok) as (url, _):
        port = int(url.rpartition(":")[2])
        (await door.connect("localhost", port)).close()
        with pytest.raises(Refused):
            await strict.connect("127.0.0.1", port)
    with pytest.raises(Refused):
        await door.connect("127.0.0.1", 22)


async def test_no_call_leaves_its_url_or_headers_in_a_text():
    call = HttpCall("POST", "https://a.example/token/SECRET", {"Authorization": "SECRET"}, b"SECRET")
    assert "SECRET" not in repr(call)
