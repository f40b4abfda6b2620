"""Suggests a price: from the base or custom price, the customer's offer and the settings, each step said."""

import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from alfred.ai.builtin.amounts import Amount, offered, quantity
from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.replies import LAST_MESSAGES, in_language
from alfred.ai.builtin.signals import read
from alfred.ai.money import rounded, written
from alfred.ai.provider import NoBasePrice, PriceRequest, PriceSuggestion
from alfred.terms import Language

LIMIT = Decimal("0.10")  # the most that is taken off a price
VIP_LIMIT = Decimal("0.15")
CUSTOM_LIMIT = Decimal("0.05")  # a price made for this contact has given already
MANY = ((10, Decimal("0.05")), (3, Decimal("0.03")))  # pieces from which on more is taken off


@cache
def steps() -> dict[str, dict[str, str]]:
    """The steps of a rationale, by language."""
    return tomllib.loads((FOLDER / "prices.toml").read_text(encoding="utf-8"))


def price(request: PriceRequest, provider: str) -> PriceSuggestion:
    """The price of one unit; raises `NoBasePrice` where none is known."""
    deal = Deal(request, request.user_language or in_language(request))
    fixed = deal.fixed()
    if not request.negotiation_enabled or request.negotiation_mode == "off":
        deal.say("off")
        minimum = suggested = fixed
    else:
        minimum = deal.floor(fixed)
        suggested = min(fixed, max(minimum, rounded(deal.suggest(fixed, minimum), request.currency)))
    return PriceSuggestion(
        minimum=minimum,
        suggested=suggested,
        maximum=fixed,
        currency=request.currency,
        rationale="; ".join(deal.steps),
        provider=provider,
    )


@dataclass
class Deal:
    """One pricing and the steps that it took."""

    request: PriceRequest
    language: Language
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reading = read("\n".join(self.request.texts[-LAST_MESSAGES:]))
        pieces = quantity(self.reading)
        self.pieces = int(pieces.value) if pieces else 1

    def say(self, step: str, *values: str) -> None:
        """One more step of the rationale."""
        self.steps.append(steps()[self.language][step].format(*values))

    def money(self, value: Decimal) -> str:
        """An amount as this currency is written."""
        return written(value, self.request.currency)

    def fixed(self) -> Decimal:
        """The price to start from: the contact's own, else the base price."""
        custom, base = self.request.custom_price, self.request.base_price
        known = custom if custom is not None else base
        if known is None:
            raise NoBasePrice("no base price and no custom price is known")
        value = rounded(known, self.request.currency)
        self.say("custom" if custom is not None else "base", self.money(value))
        return value

    def floor(self, fixed: Decimal) -> Decimal:
        """The lowest price that may be given."""
        limit = VIP_LIMIT if self.request.vip else LIMIT
        if self.request.custom_price is not None:
            limit = CUSTOM_LIMIT
        if self.request.vip:
            self.say("vip")
        extra = next((more for least, more in MANY if self.pieces >= least), Decimal(0))
        if extra:
            self.say("many", str(self.pieces))
        limit += extra
        self.say("limit", f"{limit * 100:.0f}%")
        lowest = rounded(fixed * (1 - limit), self.request.currency, up=True)
        return min(fixed, max(lowest, self.request.floor)) if self.request.floor is not None else lowest

    def suggest(self, fixed: Decimal, minimum: Decimal) -> Decimal:
        """What to ask for, between the lowest price and the full one."""
        auto = self.request.negotiation_mode == "auto"
        offer = self._offer(fixed)
        if offer is None:
            asked = self.reading.has("discount", "costly", "outrage")
            self.say("asked" if asked else "unasked")
            return (minimum + fixed) / 2 if asked else fixed
        if offer < minimum:
            self.say("under")
            return minimum if auto else (minimum + fixed) / 2
        if auto or offer >= fixed:
            self.say("accepted")
            return offer
        self.say("halfway")
        return (offer + fixed) / 2

    def _offer(self, fixed: Decimal) -> Decimal | None:
        named = offered(self.reading)
        if named is None:
            return None
        if named.percent:
            self.say("percent", f"{named.value.normalize():f}%")
            return fixed * (1 - named.value / 100)
        if named.currency and named.currency != self.request.currency:
            self.say("foreign")
            return None
        self.say("offer", self.money(named.value))
        return self._each(named, fixed)

    def _each(self, named: Amount, fixed: Decimal) -> Decimal:
        """An offer for several pieces, for one of them."""
        if self.pieces > 1 and named.value > fixed * Decimal("1.2"):
            each = named.value / self.pieces
            self.say("each", self.money(rounded(each, self.request.currency)))
            return each
        return named.value
