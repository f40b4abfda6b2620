"""What was sent to a subscription, what came back, and how to send it again."""

from datetime import datetime
from typing import Self
from uuid import UUID

from aiohttp import web
from pydantic import Field, model_validator

from alfred.api.subscriptions import SCOPE, WebhookError, get_subscription
from alfred.crm.subscriptions.outcomes import DETAILS
from alfred.crm.subscriptions.queueing import MOST_REPLAYED, NoSuchEvent, TooMany
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Moment, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Problem, bad_reference, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import WebhookState

routes = Routes("Subscriptions")


class DeliveryFilter(Listing):
    state: WebhookState | None = None
    type: str | None = Field(None, max_length=100)
    event_id: UUID | None = None


class WebhookDelivery(Output):
    id: UUID
    event_id: UUID
    type: str = Field(examples=["message.received"])
    state: WebhookState = Field(examples=["delivered"])
    attempts: int = Field(examples=[1])
    next_attempt_at: datetime | None
    status: int | None = Field(examples=[200], description="Of the last attempt's answer.")
    error: WebhookError | None
    created_at: datetime
    delivered_at: datetime | None


class WebhookTry(Output):
    at: datetime
    ms: int = Field(examples=[84])
    status: int | None = Field(examples=[200])
    error: WebhookError | None
    response: str | None = Field(examples=["ok"], description="The first 1,024 bytes of the answer.")


class WholeWebhookDelivery(WebhookDelivery):
    body: str = Field(examples=['{"id":"0190f3a8-...","type":"message.received"}'], description="As it was sent.")
    tries: list[WebhookTry] = Field(description="The last 12.")


class Replay(Input):
    since: Moment | None = Field(None, description="All that happened from then on.")
    after_event_id: UUID | None = Field(None, description="All that happened after this event.")
    failed_since: Moment | None = Field(None, description="Only what was given up since then.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if sum(value is not None for value in (self.since, self.after_event_id, self.failed_since)) != 1:
            raise ValueError("give exactly one of since, after_event_id and failed_since")
        return self


class Replayed(Output):
    queued: int = Field(examples=[12], description="What waited already is not counted.")


@routes.on("GET", "/subscriptions/{subscription_id}/deliveries", scope=SCOPE, errors=(404,))
async def list_webhook_deliveries(
    db: Db, caller: Caller, request: web.Request, subscription_id: UUID, query: DeliveryFilter
) -> Page[WebhookDelivery]:
    """List the deliveries of a subscription, newest first."""
    await get_subscription(db, caller, subscription_id)
    filters = query.model_dump(exclude={"limit", "cursor"})
    filters |= {"user_id": caller.user_id, "subscription_id": subscription_id}
    return (await newest_first(db, request, query, sql.subscriptions.deliveries, **filters)).of(delivery_of)


@routes.on("GET", "/subscriptions/{subscription_id}/deliveries/{delivery_id}", scope=SCOPE, errors=(404,))
async def get_webhook_delivery(
    db: Db, caller: Caller, subscription_id: UUID, delivery_id: UUID
) -> WholeWebhookDelivery:
    """Get a delivery with the body that is sent and the last attempts."""
    row = await sql.subscriptions.delivery.one(
        db, user_id=caller.user_id, subscription_id=subscription_id, delivery_id=delivery_id
    )
    if row is None:
        raise not_found("delivery")
    tries = [WebhookTry.model_validate(each) for each in row["tries"]]
    return WholeWebhookDelivery(**dict(delivery_of(row)), body=row["body"], tries=tries)


@routes.on(
    "POST",
    "/subscriptions/{subscription_id}/deliveries/{delivery_id}/retry",
    scope=SCOPE,
    status=202,
    errors=(404, 409),
)
async def retry_webhook_delivery(
    db: Db, caller: Caller, services: Services, subscription_id: UUID, delivery_id: UUID
) -> WebhookDelivery:
    """Retry a delivery now, from its first attempt; a delivered one is sent again too."""
    if not (await get_subscription(db, caller, subscription_id)).enabled:
        raise Problem(409, "disabled", "The subscription is disabled; enable it first.")
    about = {"user_id": caller.user_id, "subscription_id": subscription_id}
    await sql.subscriptions.retry.run(db, **about, delivery_id=delivery_id)
    await sql.subscriptions.wake.run(db, **about)
    services.webhooks.note()
    return await get_webhook_delivery(db, caller, subscription_id, delivery_id)


@routes.on("POST", "/subscriptions/{subscription_id}/replay", scope=SCOPE, status=202, errors=(404,))
async def replay_events(db: Db, caller: Caller, services: Services, subscription_id: UUID, body: Replay) -> Replayed:
    """Replay what happened, or what was given up, to a subscription."""
    await get_subscription(db, caller, subscription_id)
    about = (db, caller.user_id, subscription_id)
    try:
        if body.since is not None:
            queued = await services.queueing.replay_since(*about, body.since)
        elif body.after_event_id is not None:
            queued = await services.queueing.replay_after(*about, body.after_event_id)
        else:
            assert body.failed_since is not None
            queued = await services.queueing.replay_failed(*about, body.failed_since)
    except NoSuchEvent:
        raise bad_reference("/after_event_id", "event in the log") from None
    except TooMany as error:
        detail = f"This would replay {error.count} events; replay at most {MOST_REPLAYED} at once."
        raise Problem(422, "too_many", detail, extra={"count": error.count}) from None
    services.webhooks.note()
    return Replayed(queued=queued)


def delivery_of(row: Row) -> WebhookDelivery:
    """A row of sql/subscriptions.sql as the API shows it."""
    code = row["error"]
    error = WebhookError(code=code, detail=DETAILS.get(code, "It failed.")) if code else None
    return WebhookDelivery(**dict(row) | {"error": error})
