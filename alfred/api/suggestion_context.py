"""What the assistant is asked about: the customer's last turn, who they are, how far they may be met."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from alfred.ai.builtin.amounts import amounts
from alfred.ai.builtin.signals import read
from alfred.ai.money import rounded, written
from alfred.ai.provider import AIProvider, NoBasePrice, PriceRequest, PriceSuggestion
from alfred.api.suggestion_facts import Known, known_about
from alfred.crm.wording import Brief
from alfred.http.context import Caller
from alfred.http.problems import Fault, bad_reference, invalid
from alfred.queries import Db, Row, sql
from alfred.terms import Language, ModelFeature, Tone, language_of


@dataclass(frozen=True)
class Talk:
    """`turn` is what every request of the assistant takes; `based_on` the last message that it holds."""

    turn: dict[str, Any]
    contact: Row | None
    conversation_id: UUID | None
    based_on: UUID | None
    currency: str
    timezone: str
    known: Known

    @property
    def terms(self) -> dict[str, Any]:
        """How far this contact may be met; without one, not at all."""
        if self.contact is None:
            return {"negotiation_enabled": False, "negotiation_mode": "off"}
        return {name: self.contact[name] for name in ("negotiation_enabled", "negotiation_mode")}

    @property
    def tone(self) -> Tone:
        """The contact's."""
        tone: Tone = self.contact["preferred_tone"] if self.contact else "neutral"
        return tone

    @property
    def priced(self) -> tuple[UUID, ...]:
        """The product that a price rests on."""
        product = self.known.product
        own = self.contact is not None and self.contact["custom_price"] is not None
        return (product.fact_id,) if product is not None and not own else ()

    def brief(self, feature: ModelFeature, draft: str, language: Language, tone: Tone) -> Brief:
        """What a model is asked to word."""
        texts, name = self.turn.get("texts", ()), self.turn["contact_name"]
        return Brief(feature, draft, language, tone, texts, name, self.known.all)

    @property
    def prices(self) -> PriceRequest:
        """What a price may build on."""
        known: dict[str, Any] = {"currency": self.currency}
        if self.contact is not None:
            known = {name: self.contact[name] for name in ("base_price", "custom_price", "vip")}
            known["currency"] = self.contact["currency"] or self.currency
        product = self.known.product
        if product is not None and known.get("custom_price") is None:
            known |= {"base_price": product.price, "floor": product.floor, "currency": product.currency}
        return PriceRequest(**self.turn, **self.terms, **known)

    async def facts(self, assistant: AIProvider) -> dict[str, str]:
        """What a reply may claim: the contact's price, and an offer where the settings allow one."""
        facts = dict(self.known.by_topic)
        try:
            found = await assistant.suggest_price(self.prices)
        except NoBasePrice:
            return facts
        facts |= {"price": written(found.maximum, found.currency)}
        if self.terms["negotiation_enabled"] and self.terms["negotiation_mode"] != "off":
            facts["offer"] = written(self._offer(found), found.currency)
        return facts

    def _offer(self, found: PriceSuggestion) -> Decimal:
        """What a reply may offer: the floor only where the customer has named it, else halfway to it."""
        floor = self.known.product.floor if self.known.product is not None else None
        if floor is None or found.suggested != floor:
            return found.suggested
        named = {amount.value for text in self.turn.get("texts", ()) for amount in amounts(read(text[-1000:]))}
        if floor in named:
            return floor
        return rounded((floor + found.maximum) / 2, found.currency)


async def talk_with(
    db: Db, caller: Caller, conversation_id: UUID | None, contact_id: UUID | None, text: str | None
) -> Talk:
    """The talk of a conversation, or with a contact; a text given stands for the turn.

    Raises:
        Problem: 422 for a conversation or contact that is not there, or that do not belong together.
    """
    named = {"conversation_id": conversation_id, "contact_id": contact_id}
    whom = await sql.suggestions.whom.one(db, user_id=caller.user_id, **named)
    assert whom is not None
    _make_sure_of(whom, conversation_id, contact_id)
    contact = whom if whom["contact_id"] is not None else None
    turn: dict[str, Any] = {
        "user_language": language_of(whom["locale"]),
        "seed": str(conversation_id or contact_id or ""),
        "contact_name": contact["name"] if contact else None,
    }
    based_on = None
    if conversation_id is not None:
        about = {"user_id": caller.user_id, "conversation_id": conversation_id}
        rows = [] if text else await sql.suggestions.turn.all(db, **about)
        answered = [row["message_id"] for row in rows]
        turn["conversation_language"] = await sql.suggestions.language.value(db, **about, turn=answered)
        turn["texts"] = tuple(row["body"] for row in rows)
        based_on = answered[-1] if answered else None
    if text:
        turn["texts"] = (text,)
    known = await known_about(db, caller.user_id, turn.get("texts", ()), whom["own_currency"])
    return Talk(turn, contact, conversation_id, based_on, whom["own_currency"], whom["timezone"], known)


def _make_sure_of(whom: Row, conversation_id: UUID | None, contact_id: UUID | None) -> None:
    """That what is named is there, and that it belongs together."""
    if conversation_id is not None and whom["spoken_to"] is None:
        raise bad_reference("/conversation_id", "conversation")
    if conversation_id is not None and contact_id not in {None, whom["spoken_to"]}:
        raise invalid([Fault("/contact_id", "This is not the contact of the conversation.", "mismatch")])
    if contact_id is not None and whom["contact_id"] is None:
        raise bad_reference("/contact_id", "contact")
