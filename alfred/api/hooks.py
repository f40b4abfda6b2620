"""Hooks: a messenger posts to its channel's own address; who posts is told by the signature it makes."""

import re
from typing import get_args

import structlog
from aiohttp import web

from alfred.api import webhooks
from alfred.api.hook_models import META
from alfred.api.hook_routing import route
from alfred.api.rejected_posts import Posted, Unreadable, keep_rejected, rejected_of
from alfred.channels.item import InboundItem
from alfred.crm import connections
from alfred.crm.connections import UNREADABLE, Connection
from alfred.crm.hook_keys import verify_tokens
from alfred.crm.hooks import Hook
from alfred.db import UnknownUser
from alfred.http.context import Services
from alfred.http.endpoint import Routes
from alfred.http.pages import base_url
from alfred.http.problems import Problem, not_found
from alfred.http_calls import Answer, HttpCall
from alfred.signatures import Post, Refused, Verdict, sns, verify
from alfred.signatures.post import among
from alfred.terms import InboundProvider
from alfred.vault import DamagedSecret, UnknownKey

MAIL = frozenset(get_args(InboundProvider))
routes = Routes("Hooks")
log = structlog.get_logger()

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TYPES = re.compile(r"(application/([\w.-]+\+)?json|application/x-www-form-urlencoded|application/octet-stream|"
                    r"multipart/.*|text/.*|message/rfc822|)", re.IGNORECASE)  # fmt: skip
# Evolution posts its own secret along: it is gone before anything is kept.
_APIKEY = re.compile(rb'"apikey"\s*:\s*"(?:[^"\\]|\\.)*"')
FETCH_SECONDS = 5.0
_TEXT = {
    "200": {
        "description": "The challenge.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": "1158201444"}},
    }
}
_ANSWER = {
    "200": {
        "description": "Stored, in the form that the provider expects.",
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": {}},
            "text/xml": {"schema": {"type": "string"}, "example": "<Response/>"},
        },
    }
}


@routes.on("GET", "/hooks/{provider}/{key}", scope=None, lenient=True, errors=(403, 404, 405),
           document={"responses": _TEXT})  # fmt: skip
async def verify_hook(request: web.Request, services: Services, provider: str, key: str) -> web.StreamResponse:
    """Verify the address of a hook.

    Meta asks this once, when the address and the token are typed in: the answer is the bare challenge.
    """
    hook = await _hook(services, provider, key)
    if provider not in META:
        raise Problem(405, "method_not_allowed", "This path takes POST.", headers={"Allow": "POST"})
    given, challenge = request.query.get("hub.verify_token", ""), request.query.get("hub.challenge", "")
    knows = among(given, verify_tokens(services.vault, key))
    if request.query.get("hub.mode") != "subscribe" or not knows or not _CHALLENGE.fullmatch(challenge):
        detail = "Meta's challenge came with another verify token than the connection shows. Copy it again."
        services.hooks.failed(hook, "wrong_verify_token", detail, services.clock())
        raise Problem(403, "wrong_verify_token", "The verify token is not the one of this address.")
    services.hooks.challenged(hook, services.clock())
    return web.Response(text=challenge, content_type="text/plain")


@routes.on("POST", "/hooks/{provider}/{key}", scope=None, lenient=True, has_tail=True,
           errors=(400, 403, 404, 413, 415),
           document={"responses": _ANSWER, "requestBody": webhooks.DOCUMENT["requestBody"]})  # fmt: skip
async def post_hook(request: web.Request, services: Services, provider: str, key: str) -> web.StreamResponse:
    """Receive what a messenger or a mail service posts.

    The post is verified by its signature, and answered after the commit. What is genuine but cannot be read is kept
    under `/webhooks/rejected`; what is not genuine is only counted.
    """
    hook = await _hook(services, provider, key)
    if not _TYPES.fullmatch(request.content_type):
        raise Problem(415, "unsupported_media_type", "Send JSON, a form or a mail.")
    mail = hook.provider in MAIL
    limit = services.settings.mail_body_limit if mail else services.settings.hook_body_limit
    async with services.bodies.body_of(request, hook.user_id, limit) as raw:
        post = _post_of(request, raw)
        connection = await _checked(services, hook, post)
        if await _is_for_us(services, hook, post):
            kept = _APIKEY.sub(b'"apikey": null', raw) if hook.provider == "evolution" else raw
            posted = Posted(kept, request.headers.get("Content-Type", ""), connection.channel_type)
            await _take_in(services, hook, posted, connection, request.query.get("d"))
    services.hooks.received(hook, services.clock())
    if hook.provider == "twilio":
        return web.Response(text="<Response/>", content_type="text/xml")
    return web.json_response({})


async def _hook(services: Services, provider: str, key: str) -> Hook:
    """One answer for an unknown key, a revoked one and another provider's."""
    hook = await services.hooks.find(key)
    if hook is None or hook.provider != provider:
        raise not_found("hook")
    return hook


def _post_of(request: web.Request, raw: bytes) -> Post:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        headers.setdefault(name.lower(), []).append(value)
    return Post(
        headers,
        raw,
        url=base_url(request) + request.raw_path,
        asked=f"{request.scheme}://{request.host}{request.raw_path}",
    )


async def _checked(services: Services, hook: Hook, post: Post) -> Connection:
    """The connection whose secret the poster knows.

    Raises:
        Problem: 403; what is wrong is told to the channel's owner only.
    """
    try:
        connection = await connections.load_for_hook(services.database, services.vault, hook.user_id, hook.channel_id)
    except (UnknownKey, DamagedSecret):
        raise _refused(services, hook, Refused("hook_not_configured", UNREADABLE)) from None
    except UnknownUser:
        raise not_found("hook") from None
    if connection is None:
        raise not_found("hook")
    verdict = await _verdict(services, hook, connection, post)
    if isinstance(verdict, Refused):
        raise _refused(services, hook, verdict)
    return connection


def _refused(services: Services, hook: Hook, refused: Refused) -> Problem:
    services.hooks.rejected(hook, refused.code, refused.detail, services.clock())
    details = {
        "bad_signature": "The post is not signed as this address asks for.",
        "hook_not_configured": "This address cannot check posts yet: its owner has to store a secret.",
    }
    return Problem(403, refused.code, details[refused.code])


async def _verdict(services: Services, hook: Hook, connection: Connection, post: Post) -> Verdict:
    secrets = connection.settings.get("inbound", {}) if hook.provider in MAIL else connection.settings
    if hook.provider != "ses":
        return verify(hook.provider, post, secrets, services.clock())
    envelope = sns.envelope_of(post, secrets.get("topic_arns") or ())
    if isinstance(envelope, Refused):
        return envelope
    return sns.verify(envelope, await _certificate(services, envelope.certificate_url), services.clock())


async def _certificate(services: Services, url: str) -> bytes:
    """Amazon's certificate, kept for a day; the URL is known to lead to Amazon."""
    known = services.hooks.certificates.get(url)
    if known is None:
        answer = await services.outbound.call(HttpCall("GET", url, seconds=FETCH_SECONDS))
        if not isinstance(answer, Answer) or answer.status != 200 or answer.cut:
            detail = "Amazon's certificate cannot be fetched now; send the post again."
            raise Problem(503, "certificate_unavailable", detail, headers={"Retry-After": "20"})
        known = answer.body
        services.hooks.certificates.put(url, known)
    return known


async def _is_for_us(services: Services, hook: Hook, post: Post) -> bool:
    """Whether it holds a mail: what SNS says of the subscription itself is dealt with here."""
    if hook.provider != "ses":
        return True
    fields = sns.fields_of(post.raw)
    match fields.get("Type"):
        case "SubscriptionConfirmation":
            answer = await services.outbound.call(HttpCall("GET", fields["SubscribeURL"], seconds=FETCH_SECONDS))
            if not isinstance(answer, Answer) or not 200 <= answer.status < 300:
                detail = "The subscription could not be confirmed. Ask for the confirmation again in the SNS console."
                services.hooks.failed(hook, "subscription_not_confirmed", detail, services.clock())
            return False
        case "UnsubscribeConfirmation":
            detail = "The SNS subscription was removed: no mail comes in until you subscribe the address again."
            services.hooks.failed(hook, "unsubscribed", detail, services.clock(), told=True)
            return False
    return True


async def _take_in(
    services: Services, hook: Hook, posted: Posted, connection: Connection, delivery_id: str | None
) -> None:
    """Store what can be read; what cannot is kept, and no reason for the provider to repeat it."""
    user_id = hook.user_id
    try:
        reading = await webhooks.read(services, user_id, posted)
    except Unreadable as trouble:
        await keep_rejected(services, user_id, trouble.kept, trouble.problem.detail)
        services.hooks.failed(hook, trouble.problem.code, trouble.problem.detail, services.clock())
        if trouble.problem.status == 400:
            raise trouble.problem from None
        return
    items = [item for item in reading.items if item.channel_type == posted.channel_type]
    if len(items) < len(reading.items):
        detail = "The post is of another kind of channel than this address is for."
        await keep_rejected(services, user_id, posted, detail)
        services.hooks.failed(hook, "wrong_channel", detail, services.clock())
    if items:
        routed = await route(services.database, hook, connection, items)
        told = [_with_delivery(item, delivery_id) for item in routed]
        await webhooks.take_in_posted(services, user_id, posted, reading.model_copy(update={"items": tuple(told)}))
    if reading.rejected:
        await keep_rejected(services, user_id, *rejected_of(posted, reading))


def _with_delivery(item: InboundItem, delivery_id: str | None) -> InboundItem:
    """Twilio says by the query which of our deliveries a status is about."""
    if delivery_id is None or item.kind != "status" or item.delivery_id is not None:
        return item
    return item.model_copy(update={"delivery_id": delivery_id[:64]})
