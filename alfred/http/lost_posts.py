"""Of a refused post to a webhook: whose token it came with, so that its owner is told."""

import structlog
from aiohttp import web

from alfred.crm.lost_posts import KINDS
from alfred.http.auth import bearer
from alfred.http.context import SERVICES
from alfred.http.problems import Problem
from alfred.identity import API_PREFIX, BadToken, digest, looks_like_api_token
from alfred.log import kind_of

log = structlog.get_logger()

WEBHOOKS = "/api/v1/webhooks/"


async def note_loss(request: web.Request, status: int) -> None:
    """Count the post, where its token is somebody's; whatever fails here changes no answer."""
    if status not in KINDS or request.method != "POST" or not request.path.startswith(WEBHOOKS):
        return
    services = request.app[SERVICES]
    try:
        token, owner = bearer(request), None
        if not token.startswith(API_PREFIX):
            owner = services.tokens.owner_of(token)
        elif looks_like_api_token(token):
            owner = await services.lost_posts.owner_of(digest(token))
        if owner is not None:
            await services.lost_posts.note(owner, status)
    except (Problem, BadToken):
        return  # nobody's
    except Exception as error:  # noqa: BLE001 the answer stands
        log.warning("lost_post_not_counted", error=kind_of(error))
