"""What happens around every request: its id, who really asks, one log line, one door for errors, CORS."""

import re
import time
from collections.abc import Awaitable, Callable
from functools import cache
from ipaddress import ip_address

import structlog
from aiohttp import hdrs, web
from uuid_utils import uuid4

from alfred import metrics
from alfred.http.context import PUBLIC_BASE, QUOTA, REQUEST_ID, SERVICES
from alfred.http.lost_posts import note_loss
from alfred.http.problems import problem_of, response_of
from alfred.http.server import has_begun, while_served
from alfred.log import begin_fields
from alfred.settings import Settings
from alfred.stages import next_stage

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PACK_FROM = 1024  # bytes
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_HOOK = re.compile(r"/api/v1/hooks/.", re.DOTALL)
_KEY = re.compile(r"(/(?i:hooks)(?:/[a-z_]{1,20}(?=/))?)/.+", re.DOTALL)  # of a hook, also where its root is mistaken
_ALLOWED = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-ID"
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
_told: list[bool] = []  # that a proxy is not trusted
_EXPOSED = "X-Request-ID, Idempotent-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The only layer."""
    began = time.perf_counter()
    settings = request.app[SERVICES].settings
    request = _as_sent(request, settings)
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
    request[REQUEST_ID], request[PUBLIC_BASE] = request_id, settings.public_url or ""
    begin_fields(request_id=request_id, address=request.remote)
    try:
        with while_served(request):
            response = _preflight(request, settings) or await handler(request)
    except Exception as error:
        if has_begun(request):
            log.warning("answer_broken_off", method=request.method, path=_shown(request))
            raise ConnectionAbortedError from error  # the line is closed: a client sees that it is not whole
        response = response_of(problem_of(error), request_id)
        await note_loss(request, response.status)
    await next_stage()
    _seal(request, response, settings)
    seconds = time.perf_counter() - began
    _count(request, response, seconds)
    log.info(
        "request_answered",
        method=request.method,
        path=_shown(request),
        status=response.status,
        ms=round(seconds * 1000, 1),
    )
    await next_stage()
    return response


def _shown(request: web.Request) -> str:
    """The path as it is logged: the key of a hook is a secret."""
    path = request.path
    return _KEY.sub(r"\1/…", path) if "hooks" in path.casefold() else path


def _count(request: web.Request, response: web.StreamResponse, seconds: float) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "none"
    _answered(request.method if resource else "", route, response.status).inc()
    if not response.headers.get(hdrs.CONTENT_TYPE, "").startswith("text/event-stream"):
        _seconds(route).observe(seconds)


# To find them among their labels takes longer than to count.
_answered = cache(metrics.requests.labels)
_seconds = cache(metrics.request_seconds.labels)


def _seal(request: web.Request, response: web.StreamResponse, settings: Settings) -> None:
    if response.prepared:
        return
    response.headers.extend(request.get(QUOTA, {}))
    response.headers["X-Request-ID"] = request[REQUEST_ID]
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status == 401 and "Sec-Fetch-Mode" in request.headers:
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="alfred"'  # a browser would ask for a password itself
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and not _HOOK.match(request.path) and (origin in settings.cors_origins or "*" in settings.cors_origins):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)
    if _worth_packing(request, response):
        response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
        response.enable_compression(web.ContentCoding.gzip)


def _worth_packing(request: web.Request, response: web.StreamResponse) -> bool:
    """Reading answers only: one that carries a secret is never packed together with what a stranger sent."""
    return (
        "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, "")
        and request.method == hdrs.METH_GET
        and isinstance(response, web.Response)
        and response.content_type == "application/json"
        and hdrs.CONTENT_ENCODING not in response.headers
        and (response.content_length or 0) > PACK_FROM
    )


def _preflight(request: web.Request, settings: Settings) -> web.StreamResponse | None:
    """The answer to a browser that asks beforehand whether it may."""
    asked = request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    if not asked or not settings.cors_origins or _HOOK.match(request.path):
        return None
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _ALLOWED,
            hdrs.ACCESS_CONTROL_MAX_AGE: "600",
        },
    )


def _as_sent(request: web.Request, settings: Settings) -> web.Request:
    """The request as the client sent it, where a trusted proxy tells: its address, scheme and host."""
    if not _trusted(request.remote, settings):
        _warn_of_proxy(request, settings)
        return request
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    while len(hops) > 1 and _trusted(hops[-1], settings):
        hops.pop()
    told: dict[str, str] = {}
    if hops and _is_address(hops[-1]):
        told["remote"] = hops[-1]
    if (scheme := request.headers.get("X-Forwarded-Proto", "").lower()) in {"http", "https"}:
        told["scheme"] = scheme
    if re.fullmatch(r"[\w.:\[\]-]{1,255}", host := request.headers.get("X-Forwarded-Host", "")):
        told["host"] = host
    return request.clone(**told) if told else request  # type: ignore[arg-type]


def _warn_of_proxy(request: web.Request, settings: Settings) -> None:
    """Once in a process: behind a proxy that is not listed, everybody has the proxy's address."""
    if settings.trusted_proxies or _told or not any(name in request.headers for name in _FORWARDED):
        return
    _told.append(True)
    advice = "set ALFRED_TRUSTED_PROXIES to the proxy's address, if it is yours: now all its clients count as one"
    log.warning("proxy_not_trusted", peer=request.remote, advice=advice)


def _trusted(address: str | None, settings: Settings) -> bool:
    if not settings.trusted_proxies or not address or not _is_address(address):
        return False
    return any(ip_address(address) in network for network in settings.trusted_proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
