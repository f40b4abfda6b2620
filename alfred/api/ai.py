"""The assistant: reads a message, suggests a reply, a price, a follow-up; nothing is sent by itself."""

from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from alfred import metrics
from alfred.ai.builtin.replies import in_language
from alfred.ai.provider import (
    FollowUpRequest,
    FollowUpSuggestion,
    NoBasePrice,
    PriceSuggestion,
    ReplyRequest,
    ReplySuggestion,
    Signal,
)
from alfred.api.assistant import assistant_of
from alfred.api.message_models import ClassificationOut
from alfred.api.suggestion_answers import Draft, as_drafted, by_model, kept
from alfred.api.suggestion_context import Talk, talk_with
from alfred.crm import ai_accounts
from alfred.crm.ai_accounts import Chosen
from alfred.crm.wording import Ledger
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Money, Output
from alfred.http.problems import Fault, Problem, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import FallbackReason, Language, ModelFeature, SuggestionKind, SuggestionOutcome, Tone

routes = Routes("AI")

Text = Annotated[str, StringConstraints(max_length=65_536)]


def _without_region(value: object) -> object:
    """A locale such as pt-BR names its language."""
    return value.strip().lower().replace("_", "-").partition("-")[0] if isinstance(value, str) else value


Spoken = Annotated[Language, BeforeValidator(_without_region)]


class MessageToRead(Input):
    text: Text | None = Field(None, examples=["Cadê meu pedido? Preciso hoje!"])
    texts: list[Text] | None = Field(
        None,
        min_length=1,
        max_length=20,
        description="In place of `text`: the customer's last turn, oldest message first, read as one.",
        examples=[None],
    )
    language: Spoken | None = None

    @classmethod
    def _may_be_left_out(cls, name: Any) -> bool:
        return name != "text" and super()._may_be_left_out(name)

    def whole(self) -> str:
        """The text, or those of the turn, one a line."""
        if self.texts is None and self.text is None:
            raise invalid([Fault("/text", "This is required.", "missing")])
        if self.texts is not None and self.text is not None:
            raise invalid([Fault("/texts", "Send either text or texts.", "not_allowed")])
        return "\n".join(self.texts) if self.texts is not None else self.text or ""


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
    rationale: str = Field(examples=["O cliente pergunta sobre a entrega. Tom neutro."])
    provider: str = Field(examples=["mock"], description="Who worded it: `mock` is the built-in assistant.")
    degraded: bool = Field(description="A model was asked for, and the built-in assistant answered in its place.")
    fallback_reason: FallbackReason | None = Field(description="Why it did.")
    used: list[UUID] = Field(description="The facts that it rests on.")
    placeholders: list[str] = Field(
        [], description="What is left to fill in: each stands in the text in double braces.", examples=[["prazo"]]
    )


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
async def classify_message(caller: Caller, services: Services, body: MessageToRead) -> Reading:
    """Classify a message, or the messages of a turn together.

    The spans of a turn's signals count in its texts, joined by line feeds.
    """
    return Reading.model_validate(
        await assistant_of(services, caller.user_id).classify(body.whole(), language=body.language)
    )


@routes.on("POST", "/ai/suggest-reply", repeatable=True)
async def suggest_reply(caller: Caller, services: Services, body: ReplyAsked) -> ReplyOut:
    """Suggest a reply to the customer's last messages.

    Written in the customer's language and the contact's tone, from the facts at hand; a model from outside words it
    where one was asked for.
    """
    since = monotonic()
    with metrics.assistant_seconds.labels("reply").time():
        async with services.database.acting_as(caller.user_id) as db:
            talk = await talk_with(db, caller, body.conversation_id, None, body.text)
            chosen = await _chosen(db, caller, services, "reply")
            request = ReplyRequest(
                **_spoken(talk, chosen) | ({"language": body.language} if body.language else {}),
                tone=body.tone or talk.tone,
                facts=await talk.facts(assistant_of(services, caller.user_id)),
                **talk.terms,
            )
            found: ReplySuggestion = await assistant_of(services, caller.user_id).suggest_reply(request)
            brief = replace(talk.brief("reply", found.reply, found.language, found.tone), author=found.provider)
            draft = Draft("reply", talk, chosen, brief, found.model_dump(), since)
            answer = await as_drafted(db, caller, services, draft)
        return ReplyOut(**await by_model(caller, services, draft, answer))


@routes.on("POST", "/ai/suggest-price", repeatable=True)
async def suggest_price(db: Db, caller: Caller, services: Services, body: PriceAsked) -> PriceOut:
    """Suggest a price for one unit.

    Answers minimum, suggested and maximum, from the contact's settings, the product that is spoken of and the
    customer's offer. A model from outside has no part in it.
    """
    talk = await talk_with(db, caller, body.conversation_id, body.contact_id, body.text)
    try:
        with metrics.assistant_seconds.labels("price").time():
            found: PriceSuggestion = await assistant_of(services, caller.user_id).suggest_price(talk.prices)
    except NoBasePrice:
        detail = "No price is known: set base_price or custom_price in the contact's settings."
        raise Problem(422, "no_base_price", detail) from None
    ledger = Ledger(found.provider, talk.priced)
    return PriceOut(**found.model_dump(), **await kept(db, caller, "price", talk, ledger))


@routes.on("POST", "/ai/suggest-follow-up", repeatable=True)
async def suggest_follow_up(caller: Caller, services: Services, body: FollowUpAsked) -> FollowUpOut:
    """Suggest when and how to follow up.

    The date and the title are Alfred's; a model from outside words the message where one was asked for.
    """
    since = monotonic()
    with metrics.assistant_seconds.labels("follow_up").time():
        async with services.database.acting_as(caller.user_id) as db:
            talk = await talk_with(db, caller, body.conversation_id, None, None)
            chosen = await _chosen(db, caller, services, "follow_up")
            request = FollowUpRequest(**_spoken(talk, chosen), now=services.clock(), timezone=talk.timezone)
            found: FollowUpSuggestion = await assistant_of(services, caller.user_id).suggest_follow_up(request)
            brief = talk.brief("follow_up", found.message, in_language(request), talk.tone)
            draft = Draft("follow_up", talk, chosen, replace(brief, author=found.provider), found.model_dump(), since)
            answer = await as_drafted(db, caller, services, draft)
        return FollowUpOut(**await by_model(caller, services, draft, answer))


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


async def _chosen(db: Db, caller: Caller, services: Services, feature: ModelFeature) -> Chosen | None:
    """The model that the tenant has asked for to do this; None: the built-in assistant does it."""
    found = await ai_accounts.chosen(db, services.vault, caller.user_id, services.models.service_wide)
    return found if found is not None and feature in found.features else None


def _spoken(talk: Talk, chosen: Chosen | None) -> dict[str, Any]:
    """The turn, with the language to use where the customer's is not known."""
    known = talk.turn.get("conversation_language") or (chosen.language if chosen else None)
    return talk.turn | {"conversation_language": known}
