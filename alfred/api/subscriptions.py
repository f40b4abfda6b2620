"""Subscriptions: URLs that are told what happens, signed, and again until they have taken it."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints
from uuid_utils.compat import uuid7

from alfred.api.event_shapes import DESCRIPTIONS, PING, sample_of
from alfred.api.subscription_inputs import NewSubscriptionInput, SubscriptionInput, check, patterns_of
from alfred.crm.subscriptions import registering
from alfred.crm.subscriptions.registering import NewSubscription, SubscriptionChange, TooManySubscriptions
from alfred.crm.subscriptions.sending import Target
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, Problem, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.quotas import QUOTAS
from alfred.terms import DisabledReason

routes = Routes("Subscriptions")

SCOPE = "subscriptions"


class SubscriptionFilter(Listing):
    url: str | None = Field(None, max_length=8192, description="Exactly this URL.")
    enabled: bool | None = None


class SubscriptionMaker(Output):
    """The API token that a subscription was made with."""

    id: UUID
    name: str | None = Field(examples=["n8n"])


class Subscription(Output):
    id: UUID
    url: str = Field(examples=["https://example.com/hooks/alfred"])
    events: list[str] = Field(examples=[["message.*", "task.created"]])
    description: str | None
    header_names: list[str] = Field(examples=[["Authorization"]], description="Their values are never shown.")
    ordered: bool
    enabled: bool = Field(examples=[True])
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    failing_since: datetime | None
    consecutive_failures: int = Field(examples=[0])
    pending: int = Field(examples=[0], description="Deliveries that wait or are under way.")
    dead: int = Field(examples=[0], description="Deliveries that were given up; they can be replayed.")
    created_by: SubscriptionMaker | None = Field(description="The API token; null for a person.")
    created_at: datetime
    updated_at: datetime


class FreshSubscription(Subscription):
    secret: str | None = Field(
        examples=["whsec_AAECAw..."],
        description=(
            "Signs what is sent. Shown only in this answer: it is null when an `Idempotency-Key` repeats the answer."
        ),
    )


class SecretRotation(Input):
    grace_seconds: int = Field(86_400, ge=0, le=604_800, description="How long the present secret signs beside it.")


class RotatedSecret(Output):
    secret: str = Field(examples=["whsec_AAECAw..."], description="Shown only in this answer.")
    previous_expires_at: datetime


class SubscriptionTestInput(Input):
    type: Annotated[str, StringConstraints(max_length=100)] = Field(PING, description="Whose sample is sent.")


class WebhookError(Output):
    code: str = Field(examples=["timeout"])
    detail: str = Field(examples=["The URL did not answer in time."])


class SubscriptionTest(Output):
    delivered: bool = Field(examples=[True])
    status: int | None = Field(examples=[200])
    ms: int = Field(examples=[84])
    response: str | None = Field(examples=["ok"], description="The first 1,024 bytes of the answer.")
    error: WebhookError | None


@routes.on("GET", "/subscriptions", scope=SCOPE)
async def list_subscriptions(
    db: Db, caller: Caller, request: web.Request, query: SubscriptionFilter
) -> Page[Subscription]:
    """List subscriptions, newest first."""
    given: dict[str, Any] = {"user_id": caller.user_id, "url": query.url, "enabled": query.enabled}
    return (await newest_first(db, request, query, sql.subscriptions.page, **given)).of(subscription_of)


@routes.on("POST", "/subscriptions", status=201, scope=SCOPE, errors=(409,), secrets=("secret",))
async def create_subscription(
    db: Db, caller: Caller, services: Services, body: NewSubscriptionInput
) -> FreshSubscription:
    """Create a subscription; this answer is the only one that shows its secret.

    From now on each event of its types is sent to the URL as a signed POST (see `webhooks` in this document), and
    again for about three days until it answers with a status from 200 to 299.
    """
    await check(services.outbound, body)
    wanted = NewSubscription(
        url=body.url,
        events=patterns_of(body.events),
        description=body.description,
        headers=body.headers or {},
        ordered=bool(body.ordered),
        enabled=body.enabled is not False,
    )
    try:
        made, secret = await registering.add(db, services.vault, caller.user_id, wanted, caller.token_id)
    except TooManySubscriptions:
        detail = f"There are {QUOTAS['subscriptions']} subscriptions already; delete one first."
        raise Problem(409, "too_many_subscriptions", detail) from None
    subscription = await get_subscription(db, caller, made)
    return FreshSubscription(**dict(subscription), secret=secret)


@routes.on("GET", "/subscriptions/{subscription_id}", scope=SCOPE, errors=(404,))
async def get_subscription(db: Db, caller: Caller, subscription_id: UUID) -> Subscription:
    """Get a subscription, without its secret and the values of its headers."""
    row = await sql.subscriptions.get.one(db, user_id=caller.user_id, subscription_id=subscription_id)
    if row is None:
        raise not_found("subscription")
    return subscription_of(row)


@routes.on("PATCH", "/subscriptions/{subscription_id}", scope=SCOPE, errors=(404,))
async def change_subscription(
    db: Db, caller: Caller, services: Services, subscription_id: UUID, body: SubscriptionInput
) -> Subscription:
    """Change a subscription.

    `headers` replaces all of them; where the URL goes to another scheme, host or port they are forgotten unless they
    come along. `enabled: true` lets what waits go on.
    """
    await check(services.outbound, body)
    headers = body.headers
    if headers is None and "headers" in body.model_fields_set:
        headers = {}
    wanted = SubscriptionChange(
        url=body.url,
        events=None if body.events is None else patterns_of(body.events),
        description=body.description,
        describes="description" in body.model_fields_set,
        headers=headers,
        ordered=body.ordered,
        enabled=body.enabled,
    )
    if not await registering.change(db, services.vault, caller.user_id, subscription_id, wanted):
        raise not_found("subscription")
    services.webhooks.note()
    return await get_subscription(db, caller, subscription_id)


@routes.on("DELETE", "/subscriptions/{subscription_id}", scope=SCOPE, status=204, errors=(404,))
async def delete_subscription(db: Db, caller: Caller, subscription_id: UUID) -> None:
    """Delete a subscription and all that waits for it; again for one that was deleted."""
    if not await registering.remove(db, caller.user_id, subscription_id):
        raise not_found("subscription")


@routes.on("POST", "/subscriptions/{subscription_id}/rotate", scope=SCOPE, errors=(404,))
async def rotate_subscription_secret(
    db: Db, caller: Caller, services: Services, subscription_id: UUID, body: SecretRotation
) -> RotatedSecret:
    """Rotate the secret; until the present one expires, both sign."""
    rotated = await registering.rotate(db, services.vault, caller.user_id, subscription_id, body.grace_seconds)
    if rotated is None:
        raise not_found("subscription")
    secret, expires_at = rotated
    return RotatedSecret(secret=secret, previous_expires_at=expires_at)


@routes.on("POST", "/subscriptions/{subscription_id}/test", scope=SCOPE, errors=(404,))
async def test_subscription(
    caller: Caller, services: Services, subscription_id: UUID, body: SubscriptionTestInput
) -> SubscriptionTest:
    """Test a subscription: send it one signed sample, now and once.

    The answer is 200 also where the URL fails; the sample is not in the list of deliveries.
    """
    if body.type not in DESCRIPTIONS:
        words = "There is no such type of event; GET /event-types lists them."
        raise invalid([Fault("/type", words, "unknown_event_type")])
    about: dict[str, Any] = {"user_id": caller.user_id, "subscription_id": subscription_id}
    async with services.database.acting_as(caller.user_id) as db:
        row = await sql.subscriptions.hold.one(db, **about)
    if row is None:
        raise not_found("subscription")
    event_id, now = str(uuid7()), datetime.now(UTC).isoformat().replace("+00:00", "Z")
    sample = sample_of(body.type) | {"id": event_id, "timestamp": now}
    text = json.dumps(sample, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"X-Alfred-Event": body.type, "X-Alfred-Attempt": "1"}
    outcome, ms = await services.webhooks.call(Target.of(row, **about), event_id, text, **headers)
    return SubscriptionTest(
        delivered=outcome.delivered,
        status=outcome.status,
        ms=ms,
        response=outcome.response,
        error=None if outcome.error is None else WebhookError(**outcome.error),
    )


def subscription_of(row: Row) -> Subscription:
    """A row of sql/subscriptions.sql as the API shows it."""
    values = dict(row)
    maker = None
    if values["created_by_id"] is not None:
        maker = SubscriptionMaker(id=values["created_by_id"], name=values["created_by_name"])
    return Subscription(**values, created_by=maker)
