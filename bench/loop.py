"""The longest that the event loop stands still while the worst legal input of each entrance is read."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp

from bench.ground import Service, User, service, show, sign_up, whatsapp

EACH_SECONDS = 0.4  # of looking on after an answer
CONSUMED_SECONDS = 3.0  # and until a message was tried on all rules and flows
PROBE_SECONDS = 0.002
MEBIBYTE = 1 << 20
# A probe inside the service: who sleeps for 2 ms and wakes later has waited for the loop.
PROBE = """
import asyncio, pathlib, time, os
from alfred import app as composition
run = composition.background
async def probe(application):
    async def look():
        worst = 0.0
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            worst = max(worst, time.perf_counter() - before - 0.002)
            application_worst[0] = max(application_worst[0], worst)
            worst = 0.0
    task = asyncio.create_task(look())
    async for each in run(application):
        yield each
    task.cancel()
application_worst = [0.0]
composition.background = probe
from alfred.http import middleware
plain = composition.around
from aiohttp import web
@web.middleware
async def told(request, handler):
    if request.path == '/loop':
        worst, application_worst[0] = application_worst[0], 0.0
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


async def stalls(at: Service, user: User, calls: list[Call]) -> dict[str, tuple[float, float, str]]:
    """By the entrance's name the longest stall and the longest answer in milliseconds, and the statuses."""
    found: dict[str, tuple[float, float, str]] = {}
    async with aiohttp.ClientSession(headers={"Authorization": user.headers["Authorization"]}) as http:
        for name, path, raw, kind in calls:
            call = http.post(at.api + path, data=raw, headers={"Content-Type": kind})
            stall, took, status = await _stall(http, at, call)
            before = found.get(name, (0.0, 0.0, ""))
            statuses = " ".join(dict.fromkeys([*before[2].split(), status]))
            found[name] = (max(before[0], stall), max(before[1], took), statuses)
    return found


async def _worst(http: aiohttp.ClientSession, at: Service) -> float:
    async with http.get(f"{at.address}/loop") as answer:
        worst: float = await answer.json()
        return worst


async def beside_consumers(at: Service, user: User) -> dict[str, tuple[float, float, str]]:
    """The same for the largest rules and flows, for lists of them, and while messages are tried on them."""
    found: dict[str, tuple[float, float, str]] = {}
    for number in range(30):
        made = await stalls(at, user, list(largest(number)))
        for name, row in made.items():
            found[name] = max(row, found.get(name, row))
        if all(told == "409" for _, _, told in made.values()):
            break
    async with aiohttp.ClientSession(headers=user.headers) as http:
        for path in ("/rules?limit=200", "/flows?limit=200"):
            found[f"GET {path}"] = await _stall(http, at, http.get(at.api + path))
        for number in range(5):
            body = whatsapp(REPETITIONS, 1, number)
            row = await _stall(http, at, http.post(at.api + "/webhooks/whatsapp", data=body), CONSUMED_SECONDS)
            found["consumers: a message"] = max(row, found.get("consumers: a message", row))
    return found


async def _stall(
    http: aiohttp.ClientSession, at: Service, call: Any, seconds: float = EACH_SECONDS
) -> tuple[float, float, str]:
    """The longest stall in milliseconds during a call and some seconds after it, the answer's time and status."""
    await _worst(http, at)
    began = time.perf_counter()
    async with call as answer:
        await answer.read()
    took = time.perf_counter() - began
    await asyncio.sleep(seconds)
    return await _worst(http, at) * 1000, took * 1000, str(answer.status)


def main() -> None:
    """Measure, and print."""
    with service(change=PROBE, rate_limit="100000") as running:
        found = asyncio.run(stalls(running, sign_up(running), [*texts(), *bodies(), *posts()]))
        found |= asyncio.run(beside_consumers(running, sign_up(running)))
    rows = [(name, f"{stall:.0f}", f"{took:.0f}", told) for name, (stall, took, told) in found.items()]
    show("the worst legal input of each entrance", ("entrance", "stall ms", "answer ms", "status"), rows)
    print(f"longest stall: {max(stall for stall, _, _ in found.values()):.0f} ms")


if __name__ == "__main__":
    main()
