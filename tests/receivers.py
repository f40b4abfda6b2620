"""URLs on loopback that webhooks are sent to: they record each call, and answer as they are told."""

import asyncio
import contextlib
import hashlib
import hmac
import json

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from tests.hosts import host


class Receiver:
    """`answers` are taken in turn, then 200: a status, a (status, headers, body), or "hang" or "reset"."""

    def __init__(self, address):
        self.url = f"{address}/hook"
        self.address = address
        self.calls = []
        self.answers = []
        self.default = 200
        self.release, self.came = asyncio.Event(), asyncio.Event()

    async def handle(self, request):
        body = await request.read()
        self.calls.append(Call(dict(request.headers), body, asyncio.get_running_loop().time(), request.path))
        self.came.set()
        answer = self.answers.pop(0) if self.answers else self.default
        if answer == "hang":
            await self.release.wait()
            return web.Response()
        if answer == "reset":
            request.transport.abort()
            return web.Response()
        status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, "ok")
        return web.Response(status=status, headers=headers, text=text)

    async def seen(self, count, seconds=30):
        """The calls, once there are so many."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.calls) < count:
                    self.came.clear()
                    await self.came.wait()
        assert len(self.calls) >= count, f"{len(self.calls)} of {count} calls came"
        return self.calls

    @property
    def ids(self):
        return [call.headers["webhook-id"] for call in self.calls]


class Call:
    def __init__(self, headers, raw, at, path):
        self.headers, self.raw, self.at, self.path = headers, raw, at, path

    @property
    def body(self):
        return json.loads(self.raw)

    def verify(self, secret, previous=False):
        """By the library of the standard, and by the other header."""
        Webhook(secret).verify(self.raw, {name.lower(): value for name, value in self.headers.items()})
        name = "X-Alfred-Signature-Previous" if previous else "X-Alfred-Signature"
        assert self.headers[name] == "sha256=" + hmac.new(secret.encode(), self.raw, hashlib.sha256).hexdigest()


@contextlib.asynccontextmanager
async def receiving():
    """A receiver that is open."""
    receiver = Receiver("")
    async with host(receiver.handle) as receiver.address:
        receiver.url = receiver.address + "/hook"
        try:
            yield receiver
        finally:
            receiver.release.set()
