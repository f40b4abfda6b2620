"""Connections that waste time or come in masses give way; what cannot be read is answered with a problem."""

import asyncio
import json

import pytest

from alfred.http import server
from alfred.http.server import ConnectionLimits
from tests.conftest import serving
from tests.people import Person

HALF = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


async def opened(address, data=HALF):
    """A connection on which this was sent."""
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    return reader, writer


async def answer_to(address, data):
    """Everything that comes back: status, headers and body."""
    reader, writer = await opened(address, data)
    raw = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), dict(line.lower().split(": ", 1) for line in lines[1:]), json.loads(body)


async def ended(connection):
    """Whether the service has closed it."""
    try:
        return await asyncio.wait_for(connection[0].read(), 0.01) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.fixture
async def narrow(cluster, database):
    """A service that takes 20 connections."""
    async with serving(cluster.logins(database), limits=ConnectionLimits(20)) as address:
        yield address


async def test_half_requests_give_way_to_whole_ones(narrow, http):
    halves = [await opened(narrow) for _ in range(40)]
    assert (await Person(http, narrow).call("GET", "/health"))[0] == 200
    closed = [await ended(half) for half in halves]
    assert closed[:20] == [True] * 20  # the oldest
    assert not closed[-1]


async def test_headers_that_never_end_are_waited_for_in_vain_once(narrow, monkeypatch, eventually):
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    half = await opened(narrow)
    assert await eventually(lambda: ended(half))


async def test_an_idle_connection_is_closed_and_a_stream_is_not(cluster, database, http, monkeypatch, eventually):
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    async with serving(cluster.logins(database)) as address:
        ana = await Person.sign_up(http, address, "Ana")
        bearer = f"Authorization: Bearer {ana.session['access_token']}".encode()
        stream = await opened(
            address, b"GET /api/v1/notifications/stream HTTP/1.1\r\nHost: x\r\n" + bearer + b"\r\n\r\n"
        )
        assert b"200 OK" in await stream[0].readline()
        idle = await opened(address, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        await idle[0].readuntil(b'{"status":"ok"}')
        assert await eventually(lambda: ended(idle))
        assert not stream[0].at_eof()
        stream[1].close()


async def test_strangers_of_one_address_have_their_share_only(narrow, monkeypatch):
    monkeypatch.setattr(server, "MOST_UNPROVEN", 5)
    monkeypatch.setattr(ConnectionLimits, "_is_shared", lambda *_: False)
    strangers = [await opened(narrow) for _ in range(6)]
    await asyncio.sleep(0.05)
    assert [await ended(stranger) for stranger in strangers] == [False] * 5 + [True]


async def test_who_shows_a_credential_is_no_stranger(narrow, http, monkeypatch):
    ana = await Person.sign_up(http, narrow, "Ana")
    monkeypatch.setattr(server, "MOST_UNPROVEN", 5)
    monkeypatch.setattr(ConnectionLimits, "_is_shared", lambda *_: False)
    request = (
        f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ana.session['access_token']}\r\n\r\n".encode()
    )
    for _ in range(10):
        reader, _ = await opened(narrow, request)
        assert b"200 OK" in await asyncio.wait_for(reader.readline(), 5)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer alf_0_secret\x00\r\n\r\n", 400, "bad_request"),
        (b"alf_0_secret\r\n\r\n", 400, "bad_request"),
        (
            b"POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nExpect: alf_0_secret\r\n\r\n",
            417,
            "expectation_failed",
        ),
    ],
)
async def test_what_is_no_request_is_a_problem_and_not_in_the_log(address, log, data, status, code):
    found, headers, body = await answer_to(address, data)
    assert (found, headers["content-type"], body["code"]) == (status, "application/problem+json", code)
    assert body["request_id"]
    assert (headers["server"], headers["x-content-type-options"]) == ("alfred", "nosniff")
    assert "request_refused" in str(log)
    assert "alf_0_secret" not in json.dumps(body) + str(log)
