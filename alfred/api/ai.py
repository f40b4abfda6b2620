"""The assistant: reads a message, suggests a reply, a price, a follow-up; nothing is sent by itself."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from uuid_utils.compat import uuid7

from alfred import metrics
from alfred.ai.provider import (
    FollowUpRequest,
    FollowUpSuggestion,
    NoBasePrice,
    PriceSuggestion,
    ReplyRequest,
    ReplySuggestion,
    Signal,
)
from alfred.api.message_models import ClassificationOut
from alfred.api.suggestion_context import Talk, talk_with
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Money, Output
from alfred.http.problems import Problem, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import Language, SuggestionKind, SuggestionOutcome, Tone

routes = Routes("AI")

Text = Annotated[str, StringConstraints(max_length=65_536)]


def _without_region(value: object) -> object:
    """A locale such as pt-BR names its language."""
    return value.strip().lower().replace("_", "-").partition("-")[0] if isinstance(value, str) else value


Spoken = Annotated[Language, BeforeValidator(_without_region)]


class MessageToRead(Input):
    text: Text = Field(examples=["Cadê meu pedido? Preciso hoje!"])
    language: Spoken | None = None


class ReplyAsked(Input):
    conversation_id: UUID | None = None
    text: Text | None = Field(None, examples=["Qual o prazo de entrega?"])
    tone: Tone | None = Field(None, description="Tone of the reply. Default: the contact's preferred tone.")
    language: Spoken | None = Field(None, description="Language of the reply. Default: the customer's language.")

    @model_validator(mode="after")
    def _something_to_answer(self) -> Self:
        if self.conversation_id is None and not self.text:
            raise ValueError("give a conversation_id or a text")
        return self


class PriceAsked(Input):
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    text: Text | None = Field(
        None, examples=["Faz por 80?"], description="Text to answer, in place of the customer's last messages."
    )

    @model_validator(mode="after")
    def _somebody_to_ask_it(self) -> Self:
        if self.conversation_id is None and self.contact_id is None:
            raise ValueError("give a conversation_id or a contact_id")
        return self


class FollowUpAsked(Input):
    conversation_id: UUID


class Feedback(Input):
    outcome: SuggestionOutcome = Field(examples=["sent"])


class Reading(ClassificationOut):
    signals: list[Signal] = Field(description="The rules that decided, each with the characters that it matched.")


class Suggested(Output):
    id: UUID
    based_on_message_id: UUID | None = Field(
        description="The latest message considered. A newer message makes the suggestion stale."
    )
    rationale: str = Field(examples=["asked about delivery"])
    provider: str = Field(examples=["mock"])


class ReplyOut(Suggested):
    reply: str = Field(examples=["Oi, Marina! O prazo é de {{prazo}}."])
    tone: Tone = Field(examples=["friendly"])
    language: Language


class PriceOut(Suggested):
    minimum: Money
    suggested: Money
    maximum: Money
    currency: str = Field(examples=["BRL"])


class FollowUpOut(Suggested):
    due_date: datetime
    title: str = Field(examples=["Retornar para Marina"])
    message: str = Field(examples=["Oi, Marina! Conseguiu pensar na proposta?"])


class FeedbackTaken(Output):
    id: UUID
    kind: SuggestionKind
    outcome: SuggestionOutcome
    outcome_at: datetime


class KindStats(Output):
    kind: SuggestionKind
    suggested: int
    sent: int
    edited: int
    dismissed: int
    acceptance: float | None = Field(
        description="Share sent or edited of those with an outcome, 0 to 1; null without outcomes."
    )


class Stats(Output):
    items: list[KindStats]


@routes.on("POST", "/ai/classify-message")
async def classify_message(services: Services, body: MessageToRead) -> Reading:
    """Classify a message."""
    return Reading.model_validate(await services.assistant.classify(body.text, language=body.language))


@routes.on("POST", "/ai/suggest-reply")
async def suggest_reply(db: Db, caller: Caller, services: Services, body: ReplyAsked) -> ReplyOut:
    """Suggest a reply to the customer's last messages.

    Written in the customer's language and the contact's tone.
    """
    talk = await talk_with(db, caller, body.conversation_id, None, body.text)
    request = ReplyRequest(
        **talk.turn | ({"language": body.language} if body.language else {}),
        tone=body.tone or (talk.contact["preferred_tone"] if talk.contact else "neutral"),
        facts=await talk.facts(services.assistant),
        **talk.terms,
    )
    with metrics.assistant_seconds.labels("reply").time():
        found: ReplySuggestion = await services.assistant.suggest_reply(request)
    return ReplyOut(**found.model_dump(), **await _kept(db, caller, "reply", talk, found.provider))


@routes.on("POST", "/ai/suggest-price")
async def suggest_price(db: Db, caller: Caller, services: Services, body: PriceAsked) -> PriceOut:
    """Suggest a price for one unit.

    Answers minimum, suggested and maximum, from the contact's settings and the customer's offer.
    """
    talk = await talk_with(db, caller, body.conversation_id, body.contact_id, body.text)
    try:
        with metrics.assistant_seconds.labels("price").time():
            found: PriceSuggestion = await services.assistant.suggest_price(talk.prices)
    except NoBasePrice:
        detail = "No price is known: set base_price or custom_price in the contact's settings."
        raise Problem(422, "no_base_price", detail) from None
    return PriceOut(**found.model_dump(), **await _kept(db, caller, "price", talk, found.provider))


@routes.on("POST", "/ai/suggest-follow-up")
async def suggest_follow_up(db: Db, caller: Caller, services: Services, body: FollowUpAsked) -> FollowUpOut:
    """Suggest when and how to follow up."""
    talk = await talk_with(db, caller, body.conversation_id, None, None)
    zone = await sql.users.timezone.value(db, user_id=caller.user_id)
    request = FollowUpRequest(**talk.turn, now=services.clock(), timezone=zone)
    with metrics.assistant_seconds.labels("follow_up").time():
        found: FollowUpSuggestion = await services.assistant.suggest_follow_up(request)
    return FollowUpOut(**found.model_dump(), **await _kept(db, caller, "follow_up", talk, found.provider))


@routes.on("POST", "/ai/suggestions/{suggestion_id}/feedback", errors=(404,))
async def create_suggestion_feedback(db: Db, caller: Caller, suggestion_id: UUID, body: Feedback) -> FeedbackTaken:
    """Record what became of a suggestion.

    The latest feedback counts.
    """
    row = await sql.suggestions.feedback.one(
        db, user_id=caller.user_id, suggestion_id=suggestion_id, outcome=body.outcome
    )
    if row is None:
        raise not_found("suggestion")
    return FeedbackTaken.read(row)


@routes.on("GET", "/ai/suggestions/stats")
async def get_suggestion_stats(db: Db, caller: Caller) -> Stats:
    """Get how often suggestions were taken, by kind."""
    return Stats(items=[_stats_of(row) for row in await sql.suggestions.stats.all(db, user_id=caller.user_id)])


def _stats_of(row: Row) -> KindStats:
    taken, judged = row["sent"] + row["edited"], row["sent"] + row["edited"] + row["dismissed"]
    return KindStats(**dict(row), acceptance=round(taken / judged, 4) if judged else None)


async def _kept(db: Db, caller: Caller, kind: SuggestionKind, talk: Talk, provider: str) -> dict[str, Any]:
    """Note the suggestion, so that its outcome can be told; what its answer says of it."""
    suggestion_id = uuid7()
    await sql.suggestions.add.run(
        db,
        user_id=caller.user_id,
        suggestion_id=suggestion_id,
        kind=kind,
        contact_id=talk.contact["id"] if talk.contact else None,
        conversation_id=talk.conversation_id,
        based_on_message_id=talk.based_on,
        provider=provider,
    )
    return {"id": suggestion_id, "based_on_message_id": talk.based_on}
