"""Clients over raw sockets: each sends its next request when it has the answer to the one before, or at a pace."""

import asyncio
import functools
import itertools
import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

CHANNELS = ("whatsapp", "email")
TEXTS = (
    "Bom dia, a mesa ainda está à venda?",
    "What does the annual plan cost?",
    "Obrigado, ficou ótimo!",
    "My order is late, I want a refund",
    "Preciso disso hoje, é urgente!",
    "Vocês abrem no sábado?",
    "Can you send the invoice again?",
    "Podemos marcar para quinta?",
    "O boleto venceu, como emito outro?",
    "Which sizes do you have?",
    "Tudo certo, pode entregar",
    "Is there a branch in the south?",
    "Fiquei em dúvida sobre o prazo",
    "Thanks, that was quick",
    "Qual é o horário de vocês?",
    "Where do I change my address?",
)


@dataclass(frozen=True)
class Rate:
    """What a run has measured: answers a second, milliseconds of an answer, CPU milliseconds for each."""

    per_second: float
    median: float
    p99: float
    service_cpu: float = 0.0
    database_cpu: float = 0.0


def _itself(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    """One connection; `make` gives the bytes of its next request.

    That is sent `pause` seconds after the one before, if that is over.
    """

    def __init__(
        self,
        make: Callable[[], bytes],
        deadline: float,
        taken: list[float],
        over: "asyncio.Future[None]",
        pause: float = 0.0,
    ) -> None:
        self._make, self._deadline, self._taken, self.over, self._pause = make, deadline, taken, over, pause
        self._buffer = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        if self._began < self._deadline:
            self._transport.write(self._make())
        else:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 2"):
            self.over.set_exception(SystemExit(f"{head[:60]!r}: {body[:300]!r}"))
            self._transport.abort()
            return
        self._buffer = b""
        took = time.perf_counter() - self._began
        self._taken.append(took)
        if took < self._pause:
            asyncio.get_running_loop().call_later(self._pause - took, self._send)
        else:
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def rate(  # noqa: PLR0913, PLR0917 what a load is made of
    addresses: Sequence[str],
    make: Callable[[], bytes],
    clients: int,
    seconds: float,
    pids: Sequence[Sequence[int]] = (),
    pace: float | None = None,
) -> Rate:
    """Measure; `pids` are the roots of the service's and of the database's processes.

    `pace`: requests a second in all.
    """
    loop = asyncio.get_running_loop()
    taken: list[float] = []
    before = [cpu_seconds(roots) for roots in pids]
    began = time.perf_counter()
    waits = []
    for number in range(clients):
        place = urlsplit(addresses[number % len(addresses)])
        over: asyncio.Future[None] = loop.create_future()
        client = _Client(make, began + seconds, taken, over, clients / pace if pace else 0.0)
        waits.append(over)
        await loop.create_connection(functools.partial(_itself, client), place.hostname or "", place.port or 80)
    await asyncio.wait_for(asyncio.gather(*waits), seconds + 30)
    took = time.perf_counter() - began
    cpu = [1000 * (cpu_seconds(roots) - first) / len(taken) for roots, first in zip(pids, before, strict=True)]
    ordered = sorted(taken)
    return Rate(len(taken) / took, 1000 * ordered[len(ordered) // 2], 1000 * ordered[len(ordered) * 99 // 100], *cpu)


def webhooks(tokens: Sequence[str], contacts: int, channels: Sequence[str] = CHANNELS) -> Callable[[], bytes]:
    """A new message for each call; tenants, channels, contacts and texts in turn."""
    numbers, nonce = itertools.count(), secrets.token_hex(5)

    def make() -> bytes:
        number = next(numbers)
        tenant, turn = number % len(tokens), number // len(tokens)
        channel, who = channels[turn % len(channels)], turn * 7919 % contacts
        payload = _mail if channel == "email" else _whatsapp
        body = json.dumps(payload(f"{nonce}-{number}", who, TEXTS[number * 5 % len(TEXTS)])).encode()
        return _request("POST", f"/api/v1/webhooks/{channel}", tokens[tenant], body)

    return make


def page(token: str, path: str) -> Callable[[], bytes]:
    """The same read for each call."""
    request = _request("GET", f"/api/v1{path}", token)
    return lambda: request


def _request(method: str, path: str, token: str, body: bytes = b"") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
    length = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
    return f"{head}{length}\r\n".encode() + body


def _mail(ident: str, who: int, text: str) -> dict[str, object]:
    return {"message_id": f"{ident}@bench.example", "from": f"c{who}@bench.example", "from_name": f"Contact {who}",
            "body": text, "sent_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}  # fmt: skip


def _whatsapp(ident: str, who: int, text: str) -> dict[str, object]:
    digits = f"5511{900_000_000 + who}"
    message = {"from": digits, "id": f"wamid.{ident}", "timestamp": str(int(time.time())), "type": "text",
               "text": {"body": text}}  # fmt: skip
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1001"},
             "contacts": [{"profile": {"name": f"Contact {who}"}, "wa_id": digits}], "messages": [message]}  # fmt: skip
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}


def cpu_seconds(roots: Sequence[int]) -> float:
    """CPU that these processes and all below them have used, from the scheduler's own counts.

    Of those that have ended since, as autovacuum's do, it is what their parents were told.
    """
    children: dict[int, list[int]] = {}
    ended: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid, parent = int(stat.parent.name), int(fields[1])
        children.setdefault(parent, []).append(pid)
        ended[pid] = int(fields[13]) + int(fields[14])
    total, queue = 0, list(roots)
    while queue:
        pid = queue.pop()
        queue += children.get(pid, [])
        total += ended.get(pid, 0) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def noise(seconds: float = 0.5) -> float:
    """How many cores others use just now, while this process sleeps."""
    before = _busy()
    time.sleep(seconds)
    return (_busy() - before) / seconds


def _busy() -> float:
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")
