"""Loopback peers that play the messengers: they note what they were asked, and answer as each provider would."""

import asyncio
import itertools
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes = b""
    at: float = 0.0

    @property
    def text(self) -> str:
        """What the customer would read."""
        body = self.body if isinstance(self.body, dict) else {}
        inner = body.get("text")
        message = body.get("message")
        if isinstance(inner, dict):
            return str(inner.get("body"))
        if isinstance(message, dict):
            return str(message.get("text"))
        return str(inner or message or body.get("Body") or "")


@dataclass(frozen=True)
class Say:
    """An answer that is not the usual one; `how` may be `reset` (accept, read, hang up) or `hang`."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = "answer"
    seconds: float = 0.0


class Peer:
    """One server for all providers; what is in `script` is said first, in that order."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.script: deque[Say] = deque()
        self.always: Say | None = None
        self.ids: list[str] = []
        self.base_url = ""

    @property
    def texts(self) -> list[str]:
        """What was asked to be sent, in the order of its coming."""
        return [each.text for each in self.seen if each.method == "POST"]

    def counts(self) -> Counter[str]:
        """How often each text came."""
        return Counter(self.texts)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Note it, and say what the script has, or what the provider would."""
        raw = await request.read()
        now = asyncio.get_running_loop().time()
        seen = Seen(request.method, request.path_qs, dict(request.headers), _decoded(request, raw), raw, now)
        self.seen.append(seen)
        say = self.script.popleft() if self.script else self.always or Say(*usual(seen, self._new_id()))
        if say.seconds:
            await asyncio.sleep(say.seconds)
        if say.how == "hang":
            await asyncio.sleep(3600)
        if say.how == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(say.body, str | bytes):
            text = say.body.encode() if isinstance(say.body, str) else say.body
            return web.Response(status=say.status, body=text, headers=say.headers)
        return web.json_response(say.body, status=say.status, headers=say.headers)

    def _new_id(self) -> str:
        self.ids.append(f"3EB0{next(_numbers):08d}")
        return self.ids[-1]


def usual(seen: Seen, new_id: str) -> tuple[int, Any]:
    """Status and body of a success, by the path that each provider has."""
    path, body = seen.path, seen.body if isinstance(seen.body, dict) else {}
    if seen.method == "GET":
        return 200, {"id": "1", "name": "Loja", "instance": {"state": "open"}, "status": "WORKING", "connected": True}
    if body.get("messaging_product") == "whatsapp":
        if "status" in body:
            return 200, {"success": True}
        to = body.get("to", "")
        return 200, {"contacts": [{"input": to, "wa_id": to}], "messages": [{"id": f"wamid.{new_id}"}]}
    if "/message/send" in path:
        return 201, {"key": {"remoteJid": body.get("number"), "fromMe": True, "id": new_id}, "status": "PENDING"}
    if "/api/send" in path:
        return 201, {"id": f"true_{body.get('chatId')}_{new_id}"}
    if "/instances/" in path:
        return 200, {"zaapId": new_id, "messageId": new_id, "id": new_id}
    if path.endswith("/Messages.json"):
        return 201, {"sid": f"SM{new_id}", "status": "queued"}
    return 200, {"recipient_id": "1", "message_id": f"m_{new_id}"}


def _decoded(request: web.Request, raw: bytes) -> Any:
    if request.content_type == "application/x-www-form-urlencoded":
        return {name: values[0] for name, values in parse_qs(raw.decode()).items()}
    try:
        return json.loads(raw)
    except ValueError:
        return None


@asynccontextmanager
async def peer(port: int = 0) -> AsyncIterator[Peer]:
    """A peer on a port of its own."""
    playing = Peer()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", playing.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        playing.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/graph"
        yield playing
    finally:
        await runner.cleanup()
