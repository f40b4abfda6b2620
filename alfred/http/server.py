"""The HTTP server: connections that waste time or come in masses give way, and its own errors are problems too."""

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from uuid import uuid4

import structlog
from aiohttp import HttpVersion11, hdrs, web

from alfred.http.problems import Problem, problem_of, response_of
from alfred.http.security_headers import secure
from alfred.settings import Networks

log = structlog.get_logger()

HEADER_SECONDS = 15.0  # from the connection to the end of the first request's headers
IDLE_SECONDS = 75.0  # between two requests
MOST_UNPROVEN = 256  # connections of one address that have shown no valid credential
RESERVE = 64  # descriptors for PostgreSQL, the bell, files and calls to other hosts


class Connection(web.RequestHandler):
    """One connection, known to the limits; a request that cannot be read is answered with a problem."""

    __slots__ = ("address", "limits", "proven", "since")

    def __enter__(self) -> None:
        """While a request of it is served, a stream too, it does not wait."""
        self.limits.begin(self)

    def __exit__(self, *_: object) -> None:
        self.limits.end(self)

    def __init__(self, server: web.Server, limits: "ConnectionLimits", **options: Any) -> None:
        super().__init__(server, **options)
        self.limits = limits
        self.address = ""
        self.proven = False
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let it in, if there is room."""
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        super().connection_made(transport)
        if not self.limits.admit(self):
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room."""
        self.limits.forget(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Answer what the parser could not read, without a byte of it in the answer or the log.

        Raises:
            ConnectionAbortedError: some of an answer is sent; the line is closed.
        """
        if has_begun(request):
            raise ConnectionAbortedError
        if status == 400:
            problem = Problem(400, "bad_request", "The request is not valid HTTP.")
        else:
            problem = problem_of(exc or RuntimeError(f"status {status}"))
        log.info("request_refused", status=problem.status, address=self.address, error=type(exc).__name__)
        response = response_of(problem, str(uuid4()))
        secure(response.headers)
        response.force_close()
        return response


def has_begun(request: web.BaseRequest) -> bool:
    """Whether some of the answer is sent: nothing may be written into it, and no other one after it."""
    return request.writer.output_size > 0


@dataclass
class ConnectionLimits:
    """Who is connected: how many in all, and how many of an address that has shown no credential."""

    most: int
    proxies: Networks = ()
    _open: set[Connection] = field(default_factory=set)
    _half: dict[Connection, None] = field(default_factory=dict)  # no complete request yet, the oldest first
    _idle: dict[Connection, None] = field(default_factory=dict)  # between two requests, the oldest first
    _unproven: Counter[str] = field(default_factory=Counter)
    _refused: Counter[str] = field(default_factory=Counter)

    def admit(self, connection: Connection) -> bool:
        """Count it in, where there is room: at the limit the oldest that waits gives way."""
        if self._unproven[connection.address] >= MOST_UNPROVEN and not self._is_shared(connection.address):
            self._refused["address"] += 1
            return False
        if len(self._open) >= self.most and not self._give_way():
            self._refused["all"] += 1
            return False
        self._open.add(connection)
        self._unproven[connection.address] += 1
        self._wait(self._half, connection)
        return True

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        self._half.pop(connection, None)
        self._idle.pop(connection, None)
        if not connection.proven:
            self._count_down(connection.address)

    def prove(self, connection: Connection) -> None:
        """It has shown a valid credential."""
        if not connection.proven and connection in self._open:
            connection.proven = True
            self._count_down(connection.address)

    def begin(self, connection: Connection) -> None:
        """A request of it is served."""
        self._half.pop(connection, None)
        self._idle.pop(connection, None)

    def end(self, connection: Connection) -> None:
        """It waits for the next one."""
        if connection in self._open:
            self._wait(self._idle, connection)

    async def run(self) -> None:
        """Close those that wait too long, each second, until cancelled; say once in a while how many were refused."""
        while True:
            for _ in range(10):
                await asyncio.sleep(1)
                now = asyncio.get_running_loop().time()
                self._close_older(self._half, now - HEADER_SECONDS)
                self._close_older(self._idle, now - IDLE_SECONDS)
            if self._refused:
                log.warning("connections_refused", **self._refused)
                self._refused.clear()

    def _give_way(self) -> bool:
        for waiting in (self._half, self._idle):
            for connection in waiting:
                self._refused["gave_way"] += 1
                self.forget(connection)
                connection.force_close()
                return True
        return False

    def _close_older(self, waiting: dict[Connection, None], moment: float) -> None:
        for connection in list(waiting):
            if connection.since > moment:
                return
            self.forget(connection)
            connection.force_close()

    def _wait(self, waiting: dict[Connection, None], connection: Connection) -> None:
        connection.since = asyncio.get_running_loop().time()
        waiting[connection] = None

    def _count_down(self, address: str) -> None:
        self._unproven[address] -= 1
        if self._unproven[address] <= 0:
            del self._unproven[address]

    def _is_shared(self, address: str) -> bool:
        """Whether many people stand behind an address: loopback, or a proxy of ours."""
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return known.is_loopback or any(known in network for network in self.proxies)


def while_served(request: web.BaseRequest) -> AbstractContextManager[None]:
    """Its connection does not wait while the request is served."""
    connection = request.protocol
    return connection if isinstance(connection, Connection) else nullcontext()


def prove(request: web.BaseRequest) -> None:
    """Its connection has shown a valid credential."""
    connection = request.protocol
    if isinstance(connection, Connection):
        connection.limits.prove(connection)


async def expect(request: web.Request) -> None:
    """Let a client that asks first send its body; another expectation is refused."""
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise Problem(417, "expectation_failed", "The only expectation that can be met is 100-continue.")
    if request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


def raise_descriptor_limit(reserve: int = RESERVE) -> int:
    """Take as many descriptors as the system allows; how many connections that is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max((wanted if soft == resource.RLIM_INFINITY else soft) - reserve, 16)


Bound = Sequence[socket.socket]  # sockets that listen already: bound by root, for whom it becomes


def bind(host: str, port: int) -> Bound:
    """Listen at every address that the host has."""
    found = {(each[0], str(each[4][0])) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    return [socket.create_server((name, port), family=family, backlog=1024) for family, name in sorted(found)]


@asynccontextmanager
async def served(
    app: web.Application, where: tuple[str, int] | Bound, limits: ConnectionLimits, *, grace: float
) -> AsyncIterator[str]:
    """The application, listening; its address. At the end open requests have `grace` seconds."""
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=grace)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        server = runner.server
        assert server is not None

        def connection() -> Connection:
            options = {"keepalive_timeout": IDLE_SECONDS, "auto_decompress": False}  # see packed_bodies
            return Connection(server, limits, loop=loop, access_log=None, **options)

        if isinstance(where, tuple):
            listeners = [await loop.create_server(connection, *where, backlog=1024)]
        else:
            listeners = [await loop.create_server(connection, sock=each, backlog=1024) for each in where]
        for listener in listeners:
            stack.callback(listener.close)
        stack.callback(asyncio.create_task(limits.run()).cancel)
        host, port = listeners[0].sockets[0].getsockname()[:2]
        host = where[0] if isinstance(where, tuple) else host
        yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
