"""A model from outside: a tenant asks for one, tests it, and takes it back; its key is never shown again."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from alfred.ai.llm.exchange import Prompt
from alfred.ai.llm.protocols import PROTOCOLS
from alfred.ai.llm.reading import schema_of
from alfred.api.connection_checks import ADDRESS_FAULTS
from alfred.api.connection_fields import Secret
from alfred.crm import ai_accounts
from alfred.crm.wording import note, spent_on
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.http.problems import Fault, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import FallbackReason, Language, ModelFeature, ModelKind

routes = Routes("AI")

MOST_DAILY_TOKENS = 1_000_000_000
_WHY: dict[FallbackReason, str] = {
    "timeout": "The model did not answer in time, or could not be reached.",
    "rate_limited": "The model's account is asked too much just now; try again later.",
    "circuit_open": "The model failed several times and is left alone for a while.",
    "invalid_output": "The model answered, but not in the shape that Alfred asks for.",
    "budget": "The daily tokens are used up.",
    "auth": "The model's server refuses the key, the model's name or the address.",
    "guard": "The model said what Alfred does not let through.",
}


def _short_kind(value: Any) -> Any:
    return "openai" if value in ("openai_compatible", "openai-compatible") else value


class NewProvider(Input):
    kind: Annotated[ModelKind, BeforeValidator(_short_kind)] = Field(
        description="Protocol of the server. `default` is the account of whoever runs this service.",
        examples=["openai"],
    )
    base_url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)] | None = Field(
        None, description="None: the vendor's own address.", examples=["https://openrouter.ai/api/v1"]
    )
    model: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = Field(
        None, examples=["gpt-4.1-mini"]
    )
    api_key: Secret | None = Field(
        None, description="Left out, it keeps its value; null clears it.", examples=["a secret"]
    )
    features: list[ModelFeature] = Field(max_length=3, examples=[["reply", "follow_up"]])
    daily_tokens: int = Field(200_000, ge=1, le=MOST_DAILY_TOKENS, description="Tokens in and out in a day of UTC.")
    language: Language | None = Field(None, description="Language of replies where the customer's is not known.")


class ProviderKeyState(Output):
    set: bool
    updated_at: datetime | None


class ProviderSecrets(Output):
    api_key: ProviderKeyState


class ModelProvider(Output):
    """The model that was asked for, without its key."""

    kind: ModelKind
    base_url: str | None
    model: str | None
    features: list[ModelFeature]
    daily_tokens: int
    tokens_today: int
    language: Language | None
    secrets: ProviderSecrets
    created_at: datetime
    updated_at: datetime


class ProviderError(Output):
    code: FallbackReason
    detail: str


class ProviderTest(Output):
    ok: bool
    model: str | None
    latency_ms: int = Field(examples=[412])
    error: ProviderError | None


class _Works(BaseModel):
    ok: bool


@routes.on("GET", "/ai/provider", scope="admin", errors=(404,))
async def get_ai_provider(db: Db, caller: Caller) -> ModelProvider:
    """Get the model from outside, without its key."""
    return await _shown(db, caller)


@routes.on("PUT", "/ai/provider", scope="admin")
async def store_ai_provider(caller: Caller, services: Services, body: NewProvider) -> ModelProvider:
    """Store the model that words suggestions.

    Without one, no text leaves the service. A key that is left out keeps its value; where the host of the address
    changes, it has to come along.
    """
    if faults := await _faults_of(services, body):
        raise invalid(faults)
    base_url = None if body.kind == "default" else body.base_url or PROTOCOLS[body.kind].base_url
    key = body.api_key.get_secret_value() if body.api_key else None
    async with services.database.acting_as(caller.user_id) as db:
        stored = await sql.ai_providers.lock.one(db, user_id=caller.user_id)
        keep = "api_key" not in body.model_fields_set and body.kind != "default"
        if keep and stored and stored["sealed"] and _place_of(stored["base_url"]) != _place_of(base_url):
            words = "The address has changed: send the key along, or null where the server needs none."
            raise invalid([Fault("/api_key", words, "missing")])
        wanted = ai_accounts.Wanted(
            body.kind,
            base_url,
            body.model if body.kind != "default" else None,
            tuple(dict.fromkeys(body.features)),
            body.daily_tokens,
            body.language,
            key,
            keep,
        )
        await ai_accounts.put(db, services.vault, caller.user_id, wanted)
        answer = await _shown(db, caller)
    services.models.forget(caller.user_id)
    return answer


@routes.on("DELETE", "/ai/provider", scope="admin", status=204, errors=(404,))
async def delete_ai_provider(db: Db, caller: Caller, services: Services) -> None:
    """Delete the model and its key: no text leaves the service any more."""
    if not await sql.ai_providers.remove.run(db, user_id=caller.user_id):
        raise not_found("provider")
    services.models.forget(caller.user_id)


@routes.on("POST", "/ai/provider/test", scope="admin", errors=(404,))
async def test_ai_provider(caller: Caller, services: Services) -> ProviderTest:
    """Test the model.

    Asks it one short question that holds nothing of a customer's. The answer is 200 also where the model fails. What
    it spends counts in the day's tokens; where they are used up, the model is not asked.
    """
    async with services.database.acting_as(caller.user_id) as db:
        chosen = await ai_accounts.chosen(db, services.vault, caller.user_id, services.models.service_wide)
    if chosen is None:
        raise not_found("provider")
    if chosen.account is None:
        return ProviderTest(ok=False, model=None, latency_ms=0, error=_error("auth"))
    if chosen.is_spent:
        return ProviderTest(ok=False, model=chosen.account.model, latency_ms=0, error=_error("budget"))
    prompt = Prompt('Answer with this JSON object only: {"ok": true}', "{}", schema_of(_Works), most_tokens=50)
    asked = await services.models.ask(caller.user_id, chosen.account, prompt, _Works, fresh=True)
    async with services.database.acting_as(caller.user_id) as db:
        await note(db, caller.user_id, "test", spent_on(asked, chosen.account.protocol))
    return ProviderTest(
        ok=asked.answer is not None,
        model=chosen.account.model,
        latency_ms=asked.milliseconds,
        error=_error(asked.reason) if asked.reason else None,
    )


def _error(reason: FallbackReason) -> ProviderError:
    return ProviderError(code=reason, detail=_WHY[reason])


async def _faults_of(services: Services, body: NewProvider) -> list[Fault]:
    """What does not go together, and what speaks against the address as far as it can be seen now."""
    if body.kind == "default":
        if services.models.service_wide is None:
            words = "This service has no account of its own: give the kind, model and key of yours."
            return [Fault("/kind", words, "not_available")]
        theirs = [name for name in ("base_url", "model", "api_key") if getattr(body, name) is not None]
        return [Fault(f"/{name}", "The service's own account needs none.", "not_allowed") for name in theirs]
    if body.model is None:
        return [Fault("/model", "This is required.", "missing")]
    if body.base_url is None:
        return []
    if "?" in body.base_url:
        return [Fault("/base_url", "Give the address without a query.", "invalid_url")]
    code = await services.outbound.address_problem(body.base_url)
    return [Fault("/base_url", ADDRESS_FAULTS[code], code)] if code else []


def _place_of(url: str | None) -> tuple[str | None, str | None, int | None]:
    parts = urlsplit(url or "")
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


async def _shown(db: Db, caller: Caller) -> ModelProvider:
    row: Row | None = await sql.ai_providers.get.one(db, user_id=caller.user_id)
    if row is None:
        raise not_found("provider")
    key = ProviderKeyState(set=row["sealed"] is not None, updated_at=row["secret_updated_at"])
    shown = {name: row[name] for name in ModelProvider.model_fields if name in dict(row)}
    return ModelProvider(**shown, secrets=ProviderSecrets(api_key=key))
