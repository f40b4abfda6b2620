"""Serving: the application is loaded while PostgreSQL starts; root gives itself up for it."""

import asyncio
import contextlib
import ctypes
import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import structlog

from alfred import keeper
from alfred.ai import registry
from alfred.logins import sizes_beside
from alfred.privileges import fork_apart, give_up_root, hand_over, open_way, web_account
from alfred.running import Provisioned, guests_of, provisioned
from alfred.settings import BadSetting, Settings

if TYPE_CHECKING:
    from alfred.http.server import Bound  # loads beside the rest

log = structlog.get_logger()

GRACE_SECONDS = 2.0


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or Ctrl-C; 0 after a clean end. Root's web process is another account's."""
    registry.check(settings.ai_provider)
    _check_address(settings.host, settings.port)
    gc.disable()  # until all is loaded: looking through it again and again is a fifth of that time
    loading = Thread(target=_load)
    loading.start()
    try:
        with provisioned(settings) as base:
            loading.join()
            return _serve_as_allowed(base)
    finally:
        loading.join()
        gc.enable()


def _check_address(host: str, port: int) -> None:
    """What nobody can listen at is told before PostgreSQL is started, which takes a while."""
    try:
        found = {(each[0], str(each[4][0])) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except socket.gaierror as error:
        raise BadSetting(f"ALFRED_HOST: {host}: {error.strerror}") from None
    for family, name in found:
        try:
            socket.create_server((name, port), family=family).close()
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                continue  # a family that this machine does not have
            words = os.strerror(error.errno).lower()
            raise BadSetting(f"ALFRED_HOST, ALFRED_PORT: cannot listen at {name}, port {port}: {words}") from None


def _load() -> None:
    """Import the application and read its word lists while PostgreSQL starts; what fails fails again for who asks."""
    with contextlib.suppress(Exception):
        from alfred import app  # noqa: F401
        from alfred.ai.builtin.provider import classify

        classify("Oi, tudo bem?")


def _serve_as_allowed(base: Provisioned) -> int:
    """As ourselves; root binds the port, and serves in a process of another account while this one keeps PostgreSQL."""
    from alfred.http.server import bind

    settings = base.settings
    if os.geteuid():
        return _run(base, (settings.host, settings.port))
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(each) for each in bind(settings.host, settings.port)]
        if base.embedded is None:
            return _run(_become(base), bound)
        guests = guests_of(settings, base.embedded.account)
        signal.pthread_sigmask(signal.SIG_BLOCK, keeper.STOPS)
        child = fork_apart(lambda: _web(base, bound))
    return keeper.become(base.embedded, child, guests, (settings.log_level, settings.log_format))


def _web(base: Provisioned, bound: "Bound") -> int:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, keeper.STOPS)
    return _run(_become(base), bound)


def _become(base: Provisioned) -> Provisioned:
    """Give up root, for the account that serves; what that needs of the home is handed to it before."""
    settings, server = base.settings, base.embedded
    assert settings.home is not None
    account = web_account(settings.account, server.account if server else None)
    groups = [server.account.gid] if server else []  # as which it passes through the home to the server's socket
    if server is not None:
        server.disown()
    open_way(settings.home, account, groups)
    if settings.media_url is None:
        hand_over(settings.home / "media", account)
    needed = [Path(__file__), Path(sys.executable), settings.home]
    give_up_root(account, groups, needed, at_parents_death=signal.SIGTERM if server else 0)
    log.info("root_given_up", account=account.name)
    return replace(base, embedded=None)


def _run(base: Provisioned, where: "tuple[str, int] | Bound") -> int:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_serve(base, where))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed: a message costs the service a tenth less."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _serve(base: Provisioned, where: "tuple[str, int] | Bound") -> int:
    from alfred.app import build
    from alfred.http.server import RESERVE, ConnectionLimits, raise_descriptor_limit, served

    settings = base.settings
    if not base.logins.are_separate:
        log.warning("one_login_for_everything", advice="set ALFRED_AUTH_DATABASE_URL and ALFRED_BUS_DATABASE_URL")
    app = build(settings, base.logins, base.listen_dsn)
    _settle()
    connections = settings.pool_size + sum(sizes_beside(settings.pool_size))
    limits = ConnectionLimits(raise_descriptor_limit(connections + RESERVE), settings.trusted_proxies)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    keeping = asyncio.create_task(base.embedded.keep()) if base.embedded else None
    try:
        async with served(app, where, limits, grace=GRACE_SECONDS) as address:
            _welcome(address)
            await stop.wait()
            log.info("service_stopping")
    finally:
        if keeping:
            keeping.cancel()
    return 0


def _settle() -> None:
    """What is loaded at the start stays, the rest of it is given back to the system.

    The collector leaves it: looking through all of it took 90 ms now and then, a fifteenth of the time.

    Nor is it looked through now: among it are 2,000 objects to let go, which is not worth a tenth of a second.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)  # up to 15 MB that only reading the lists took
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
    gc.enable()


def _welcome(address: str) -> None:
    lines = (
        f"Alfred listens on {address}",
        f"  inbox          {address}/",
        f"  documentation  {address}/api/v1/docs",
        "  demo data      bin/seed",
    )
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201
    log.info("service_started", address=address)
