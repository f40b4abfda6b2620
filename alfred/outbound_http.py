"""The one guarded door to other hosts: runs an HttpCall, checks each address when it connects, follows nothing."""

import asyncio
import socket
import zlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from alfred.addresses import Address, Network, Targets, UrlFault, fault_of, literal_of, split
from alfred.http_calls import Answer, HttpCall, NoAnswer

CONNECT_SECONDS = 5.0
LOOK_SECONDS = 2.0  # for a name, where a URL is only looked at
MAIL_PORTS = frozenset({25, 465, 587, 2525})
_RESOLVERS = 8


class Refused(OSError):
    """The host has no address that may be called."""


class TooLarge(Exception):
    """The answer is longer than was asked for."""


class OutboundHttp:
    """Calls other hosts for senders, subscriptions and media. `longest` (seconds) caps every deadline."""

    def __init__(self, networks: tuple[Network, ...] = (), longest: float | None = None) -> None:
        self.targets = Targets(networks)
        self._longest = longest
        self._sessions: dict[tuple[bool, bool], aiohttp.ClientSession] = {}
        # A name server that does not answer holds these threads, not those of the service.
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolver")

    async def close(self) -> None:
        """Hang up."""
        for session in self._sessions.values():
            await session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def address_problem(self, url: str) -> UrlFault | None:
        """What speaks against calling it, as far as can be seen now; each call looks again."""
        parts = split(url)
        if parts is None or parts.hostname is None or literal_of(parts.hostname):
            return fault_of(url, self.targets)
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                found = await self.addresses_of(parts.hostname, 0)
        except (OSError, TimeoutError, UnicodeError):
            found = []
        return fault_of(url, self.targets, found)

    async def call(self, call: HttpCall) -> Answer | NoAnswer:
        """Run it, and read its answer up to `most_bytes`."""
        body = bytearray()

        async def keep(chunk: bytes) -> None:
            body.extend(chunk[: call.most_bytes + 1 - len(body)])
            if len(body) > call.most_bytes:
                raise TooLarge

        answer = await self.download(call, keep)
        if isinstance(answer, NoAnswer):
            return answer
        opened, cut = _opened(bytes(body), answer.headers, call.most_bytes)
        return replace(answer, body=opened[: call.most_bytes], cut=answer.cut or cut)

    async def download(self, call: HttpCall, keep: Callable[[bytes], Awaitable[None]]) -> Answer | NoAnswer:
        """Run it, and give the body to `keep` as it comes; where that raises TooLarge, the answer is `cut`."""
        fault = self._fault(call)
        if fault is not None:
            return NoAnswer("before", fault)
        sent = SimpleNamespace(begun=False)
        status, headers = 0, dict[str, str]()
        try:
            async with self._request(call, sent) as response:
                status, headers = response.status, {name.lower(): value for name, value in response.headers.items()}
                async for chunk in response.content.iter_any():
                    await keep(chunk)
        except TooLarge:
            return Answer(status, headers, cut=True)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            return NoAnswer("after" if sent.begun else "before", _reason_of(error))
        return Answer(status, headers)

    async def connect(self, host: str, port: int) -> socket.socket:
        """A connected socket to a mail server, within the same rules; raises Refused, OSError or TimeoutError."""
        if port not in MAIL_PORTS and port < 1024:
            raise Refused("this port is not for mail")
        async with asyncio.timeout(self.within(CONNECT_SECONDS)):
            found = [literal] if (literal := literal_of(host)) else await self.addresses_of(host, port)
            allowed = [address for address in found if self.targets.allow(address)]
            if not allowed:
                raise Refused("no address of this host may be called")
            return await _connected(allowed, port)

    async def addresses_of(self, host: str, port: int) -> list[Address]:
        """What a name leads to now."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port)
        return [ip_address(text.partition("%")[0]) for text in found]

    def within(self, seconds: float) -> float:
        """The deadline, capped."""
        return seconds if self._longest is None else min(seconds, self._longest)

    def _fault(self, call: HttpCall) -> UrlFault | None:
        """Literal addresses never reach the resolver, so they are judged here."""
        parts = split(call.url)
        if parts is None or parts.hostname is None:
            return "invalid_url"
        targets = self.targets if call.own_host else Targets()
        if literal_of(parts.hostname) is not None or not targets.networks:
            return fault_of(call.url, targets)
        return None

    def _request(self, call: HttpCall, sent: SimpleNamespace) -> Any:
        seconds = self.within(call.seconds)
        url = URL(call.url, encoded=True)
        return self._session(url.scheme == "http", call.own_host).request(
            call.method,
            url,
            data=call.body,
            headers={"User-Agent": "Alfred", "Accept-Encoding": "identity", **call.headers},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds)),
            trace_request_ctx=sent,
        )

    def _session(self, plain: bool, private: bool) -> aiohttp.ClientSession:
        """One for each rule; connections are not kept, so a call never fails on one that the peer has closed."""
        if (plain, private) not in self._sessions:
            connector = aiohttp.TCPConnector(
                resolver=_Resolver(self, plain, private), use_dns_cache=False, force_close=True, limit=0
            )
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_note_sent)
            self._sessions[plain, private] = aiohttp.ClientSession(
                connector=connector,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
                auto_decompress=False,
            )
        return self._sessions[plain, private]


class _Resolver(AbstractResolver):
    """Gives the connector only addresses that may be called, so that a name cannot change between look and call."""

    def __init__(self, door: OutboundHttp, plain: bool, private: bool) -> None:
        self._door, self._plain, self._private = door, plain, private

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 both are looked up
    ) -> list[ResolveResult]:
        found = await self._door.addresses_of(host, port)
        targets = self._door.targets
        allowed = [a for a in found if targets.allow(a, plain=self._plain, private=self._private)]
        if not allowed:
            raise Refused("no address of this host may be called")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in allowed
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _note_sent(_session: Any, context: Any, _parameters: Any) -> None:
    context.trace_request_ctx.begun = True


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


async def _connected(addresses: list[Address], port: int) -> socket.socket:
    fault: OSError = Refused("there is no address")
    for address in addresses:
        sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (str(address), port))
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError):
                raise
            fault = error
        else:
            return sock
    raise fault


def _opened(body: bytes, headers: Mapping[str, str], most: int) -> tuple[bytes, bool]:
    """A body that came compressed although none was asked for; at most what is read of a plain one."""
    if headers.get("content-encoding", "").lower() not in {"gzip", "deflate"}:
        return body, False
    opening = zlib.decompressobj(wbits=47)
    try:
        return opening.decompress(body, most), bool(opening.unconsumed_tail)
    except zlib.error:
        return body, False


def _reason_of(error: BaseException) -> Any:
    causes = (error, error.__cause__, getattr(error, "os_error", None))
    if any(isinstance(cause, Refused) for cause in causes):
        return "private_address"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "unresolved"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "insecure"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        return "invalid_url"
    return "refused" if isinstance(error, aiohttp.ClientConnectorError) else "broken"
