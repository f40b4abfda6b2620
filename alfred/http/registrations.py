"""Who may register: nobody where registration is closed, else so many from one address in an hour."""

import time
from collections import deque
from ipaddress import ip_address

import structlog
from aiohttp import web

from alfred.http.problems import Problem

log = structlog.get_logger()

HOUR = 3600.0
MOST_ADDRESSES = 10_000


class Registrations:
    """The registrations of the last hour by address, in this process."""

    def __init__(self, most: int, *, closed: bool) -> None:
        self._most = most
        self._closed = closed
        self._times: dict[str, deque[float]] = {}

    def count(self, request: web.Request) -> None:
        """Count one; a client on this machine, with no proxy between, is not counted.

        Raises:
            Problem: 403 `registration_closed`, 429 `too_many_registrations`.
        """
        if self._closed:
            log.info("registration_refused", reason="closed")
            raise Problem(403, "registration_closed", "Registration is closed. Ask the operator for an account.")
        if _is_local(request):
            return
        address, now = request.remote or "unknown", time.monotonic()
        times = self._times.pop(address, deque())
        while times and times[0] < now - HOUR:
            times.popleft()
        self._times[address] = times  # the address that came longest ago stands first
        if len(self._times) > MOST_ADDRESSES:
            del self._times[next(iter(self._times))]
        if len(times) >= self._most:
            log.warning("registration_refused", reason="limit")
            detail = "Too many accounts were created from this address. Try again in an hour."
            raise Problem(429, "too_many_registrations", detail, headers={"Retry-After": str(int(HOUR))})
        times.append(now)


def _is_local(request: web.Request) -> bool:
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
