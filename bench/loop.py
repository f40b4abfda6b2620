"""The longest that the event loop stands still while the worst legal input of each entrance is read."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.ground import Service, service, show, sign_up, whatsapp

EACH_SECONDS = 0.4  # of looking on after an answer
MOST_LARGEST = 30
CONSUMED_SECONDS = 3.0  # and until a message was tried on all rules and flows
PROBE_SECONDS = 0.002
MEBIBYTE = 1 << 20
# A probe inside the service: who sleeps for 2 ms and wakes later has waited for the loop. The other figure is what the
# loop has used of a processor meanwhile: it can be believed on a busy machine too, but has no waits for the GIL.
PROBE = """
import asyncio, pathlib, time, os
from alfred import app as composition
run = composition.background
async def probe(application):
    async def look():
        while True:
            before, used = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.002)
            application_worst[0] = max(application_worst[0], time.perf_counter() - before - 0.002)
            application_worst[1] = max(application_worst[1], time.thread_time() - used)
    task = asyncio.create_task(look())
    async for each in run(application):
        yield each
    task.cancel()
application_worst = [0.0, 0.0]
composition.background = probe
from alfred.http import middleware
plain = composition.around
from aiohttp import web
@web.middleware
async def told(request, handler):
    if request.path == '/loop':
        worst = list(application_worst)
        application_worst[:] = [0.0, 0.0]
        return web.json_response(worst)
    return await plain(request, handler)
composition.around = told
"""
Call = tuple[str, str, bytes, str]  # what it is called, the path, the body, its content type
JSON = "application/json"


def whole(piece: str, size: int) -> str:
    """The piece again and again."""
    return (piece * (size // len(piece) + 1))[:size]


def asked(name: str, path: str, /, **body: Any) -> Call:
    """A call with a JSON body."""
    return name, path, json.dumps(body).encode(), JSON


def texts() -> Iterator[Call]:
    """Entrances for texts of the API."""
    for piece in ("-a", "((a", "tag ", "me avise se a,a,"):
        yield asked("rules/compile", "/rules/compile", text=whole(piece, 1000))
    for piece in ("a@a.", "¿", "\ufdfa"):
        yield asked("classify-message", "/ai/classify-message", text=whole(piece, 65_536))
        yield asked("classify-message, texts", "/ai/classify-message", texts=[whole(piece, 40_000)] * 8)
        yield asked("suggest-reply", "/ai/suggest-reply", text=whole(piece, 65_536))
        yield asked("flows/simulate", "/flows/simulate", text=whole(piece, 65_536), definition=flow(100))
    yield asked("flows/validate", "/flows/validate", definition=flow(499))
    yield asked("facts", "/facts", kind="text", text=whole("a@a.", 500))


def plain(number: int, values: int) -> dict[str, Any]:
    """A condition."""
    return {"field": "message.text", "op": "contains_any", "value": [f"a b{number + n}" for n in range(values)]}


def flow(count: int, when: Callable[[int, int], dict[str, Any]] = plain) -> dict[str, Any]:
    """A chain of conditions."""
    nodes = [
        {"id": str(n), "type": "condition", "when": when(n, 10), "yes": str(n + 1), "no": str(n + 1)}
        for n in range(count)
    ]
    end = {"id": str(count), "type": "action", "action": {"action": "notify"}, "next": None}
    return {"start": "0", "nodes": [*nodes, end]}


def bodies() -> Iterator[Call]:
    """JSON of a mebibyte."""
    many = {
        "numbers": b'{"text":[' + b"1," * (MEBIBYTE // 2 - 20) + b"1]}",
        "actions": b'{"compiled":{"when":{"any":[]},"then":[' + b"{}," * (MEBIBYTE // 3 - 60) + b"{}]}}",
        "names": json.dumps({f"k{number}": 1 for number in range(80_000)}).encode(),
        "depth": b'{"text":' + b"[" * 500_000,
        "digits": b'{"text":[' + (b"9" * 999 + b",") * 1000 + b"1]}",
    }
    for name, raw in many.items():
        yield f"JSON: {name}", "/rules", raw, JSON


def posts() -> Iterator[Call]:
    """Webhooks and mails, and a contact file."""
    head = b"From: a@b.example\r\nSubject: x\r\n"
    mails = {
        "60,000 headers": head + b"X-Abc: 1\r\n" * 60_000,
        "senders": head + b"From: aaaaaa bbbbb\r\n" * 10_000 + b"\r\nx",
        "encoded words": head + b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nx",
        "parts": head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000,
        "HTML": head + b"Content-Type: text/html\r\n\r\n" + b"<a href='" * 200_000,
        "text": head + b"\r\n" + b"a@a." * MEBIBYTE,
    }
    for name, raw in mails.items():
        yield f"mail: {name}", "/webhooks/email", raw, "message/rfc822"
    message = {"message_id": "m", "from": "+5511900000012", "body": whole("a@a.", 9_000)}
    yield asked("webhook: one long text", "/webhooks/whatsapp", **message | {"body": whole("a@a.", MEBIBYTE)})
    several = [message | {"message_id": f"m{number}"} for number in range(100)]
    yield "webhook: 100 long texts", "/webhooks/whatsapp", json.dumps(several).encode(), JSON
    yield "webhook: numbers", "/webhooks/whatsapp", b"[" + b"1," * MEBIBYTE + b"1]", JSON
    rows = b"name,handle,notes\r\n" + b"".join(b"a,+55119%08d,%s\r\n" % (n, b"=" * 50) for n in range(9_000))
    yield "contact file", "/contacts/import", rows, "text/csv"
    yield "contact file: all known", "/contacts/import", rows.replace(b"\na,", b"\nb,"), "text/csv"
    kinds = (b"whatsapp", b"email", b"instagram")
    many = (b"|".join(b"%s:%x" % (kinds[n % 3], row * 50 + n) for n in range(50)) for row in range(1_000))
    rows = b"name,identities\r\n" + b"".join(b"a,%s\r\n" % each for each in many)
    yield "contact file: identities", "/contacts/import", rows, "text/csv"
    yield asked("rules/backtest", "/rules/backtest", text='Se a mensagem contém "a b", me avise')


# The costliest comparison: a phrase of repetitions in a text of them.
REPETITIONS = whole("a ", 19_980) + "b a b"


def costly(number: int, values: int) -> dict[str, Any]:
    """A condition of so many values that never holds; each number makes others."""
    places = range(number * values, (number + 1) * values)
    phrases = [f"{'a ' * (5 + place % 20)}b b {'a ' * (place // 20 % 20)}" for place in places]
    return {"any": [{"field": "message.text", "op": "contains_any", "value": phrases[at : at + 100]}
                    for at in range(0, values, 100)]}  # fmt: skip


def largest(number: int) -> Iterator[Call]:
    """A rule and a flow, of which a tenant may have a few."""
    values = 3_000
    then = [{"action": "notify"}]
    yield asked("rules: the largest", "/rules", name="x", compiled={"when": costly(number, values), "then": then})
    yield asked("flows: the largest", "/flows", name="x", enabled=True, definition=flow(300, costly))


@dataclass
class Seen:
    """The longest of an entrance, in milliseconds: stall, work of the loop in one go, answer; and the statuses."""

    stall: float = 0.0
    work: float = 0.0
    took: float = 0.0
    statuses: dict[str, None] = field(default_factory=dict)

    def add(self, other: "Seen") -> None:
        """Another call of the same entrance."""
        self.stall, self.work = max(self.stall, other.stall), max(self.work, other.work)
        self.took, self.statuses = max(self.took, other.took), self.statuses | other.statuses


Found = defaultdict[str, Seen]


@dataclass
class Looking:
    """Makes calls for a user, and looks on."""

    at: Service
    http: aiohttp.ClientSession
    found: Found = field(default_factory=lambda: Found(Seen))

    async def post(self, call: Call, seconds: float = EACH_SECONDS) -> str:
        """Make a call; its status."""
        name, path, raw, kind = call
        return await self._see(name, "POST", path, seconds, data=raw, headers={"Content-Type": kind})

    async def get(self, path: str) -> None:
        """Read a list."""
        await self._see(f"GET {path}", "GET", path, EACH_SECONDS)

    async def _see(self, name: str, method: str, path: str, seconds: float, **options: Any) -> str:
        await self._worst()
        began = time.perf_counter()
        async with self.http.request(method, self.at.api + path, **options) as answer:
            await answer.read()
        took, status = (time.perf_counter() - began) * 1000, str(answer.status)
        await asyncio.sleep(seconds)
        stall, work = await self._worst()
        self.found[name].add(Seen(stall * 1000, work * 1000, took, {status: None}))
        return status

    async def _worst(self) -> tuple[float, float]:
        async with self.http.get(f"{self.at.address}/loop") as answer:
            stall, work = await answer.json()
            return stall, work


async def look(at: Service) -> Found:
    """Every entrance; then the largest rules and flows, lists of them, and messages that are tried on them."""
    headers = {"Authorization": sign_up(at).headers["Authorization"]}
    async with aiohttp.ClientSession(headers=headers) as http:
        looking = Looking(at, http)
        for call in (*texts(), *bodies(), *posts()):
            await looking.post(call)
        for number in range(MOST_LARGEST):
            if all([await looking.post(call) == "409" for call in largest(number)]):
                break
        for path in ("/rules?limit=200", "/flows?limit=200"):
            await looking.get(path)
        for number in range(5):
            message = whatsapp(REPETITIONS, 1, number)
            await looking.post(("consumers: a message", "/webhooks/whatsapp", message, JSON), CONSUMED_SECONDS)
    return looking.found


def main() -> None:
    """Measure, and print."""
    with service(change=PROBE, rate_limit="100000") as running:
        found = asyncio.run(look(running))
    rows = [
        (name, f"{seen.stall:.0f}", f"{seen.work:.0f}", f"{seen.took:.0f}", " ".join(seen.statuses))
        for name, seen in found.items()
    ]
    header = ("entrance", "stall ms", "work ms", "answer ms", "status")
    show("the worst legal input of each entrance", header, rows)
    stall, work = max(seen.stall for seen in found.values()), max(seen.work for seen in found.values())
    print(f"longest stall: {stall:.0f} ms; most work of the loop in one go: {work:.0f} ms")


if __name__ == "__main__":
    main()
