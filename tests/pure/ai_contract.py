"""What any provider must do, whatever is behind it: `ContractFor` is run for each registered provider."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import get_args

import pytest

from alfred.ai.builtin.intent import INTENTS
from alfred.ai.provider import AIProvider, Classification, FollowUpRequest, NoBasePrice, PriceRequest, ReplyRequest
from alfred.terms import Language, Tone

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
TEXTS = (
    "",
    "   ",
    "oi, tudo bem?",
    "Quanto custa o bolo?",
    "My order arrived broken, I want my money back",
    "¿me lo dejas en 80?",
    "😡😡",
    "\x00\ud800\u202e",
    "a" * 20_000,
)


class Contract:
    """Mix into a test class with a `provider` fixture."""

    @pytest.mark.parametrize("text", TEXTS)
    async def test_classifies_any_text(self, provider: AIProvider, text: str) -> None:
        got = await provider.classify(text)

        assert isinstance(got, Classification)
        assert got.provider == provider.name
        assert -1 <= got.sentiment_score <= 1
        assert 0 <= got.confidence <= 1
        assert got.intent in INTENTS
        assert all(0 <= s.span[0] <= s.span[1] <= len(text) for s in got.signals)

    async def test_classifies_nothing_as_nothing(self, provider: AIProvider) -> None:
        got = await provider.classify("")

        assert (got.sentiment, got.urgency, got.negotiation) == ("neutral", "low", False)
        assert (got.should_create_task, got.language) == (False, None)

    @pytest.mark.parametrize("language", get_args(Language))
    async def test_takes_the_language_that_it_is_told(self, provider: AIProvider, language: Language) -> None:
        assert (await provider.classify("ok", language=language)).language == language

    @pytest.mark.parametrize("language", get_args(Language))
    @pytest.mark.parametrize("tone", get_args(Tone))
    @pytest.mark.parametrize("text", TEXTS)
    async def test_replies_in_language_and_tone(
        self, provider: AIProvider, language: Language, tone: Tone, text: str
    ) -> None:
        got = await provider.suggest_reply(ReplyRequest(texts=(text,), language=language, tone=tone))

        assert 0 < len(got.reply) <= 600
        assert (got.language, got.tone, got.provider) == (language, tone, provider.name)
        assert got.rationale

    async def test_replies_even_to_silence(self, provider: AIProvider) -> None:
        assert (await provider.suggest_reply(ReplyRequest())).reply

    async def test_promises_no_discount_that_is_forbidden(self, provider: AIProvider) -> None:
        request = ReplyRequest(texts=("faz por 80?",), facts={"price": "R$ 100", "offer": "R$ 90"})

        assert "R$ 90" not in (await provider.suggest_reply(request)).reply

    async def test_prices_between_minimum_and_maximum(self, provider: AIProvider) -> None:
        request = PriceRequest(
            texts=("faz por 80?",),
            base_price=Decimal(100),
            negotiation_enabled=True,
            negotiation_mode="suggest",
        )
        got = await provider.suggest_price(request)

        assert Decimal(0) <= got.minimum <= got.suggested <= got.maximum <= Decimal(100)
        assert (got.currency, got.provider) == ("BRL", provider.name)
        assert got.rationale

    async def test_keeps_the_fixed_price_where_nobody_negotiates(self, provider: AIProvider) -> None:
        got = await provider.suggest_price(PriceRequest(texts=("faz por 1?",), base_price=Decimal(100)))

        assert got.minimum == got.suggested == got.maximum == Decimal(100)

    async def test_knows_no_price_without_one(self, provider: AIProvider) -> None:
        with pytest.raises(NoBasePrice):
            await provider.suggest_price(PriceRequest(texts=("quanto custa?",)))

    @pytest.mark.parametrize("text", TEXTS)
    async def test_follows_up_later(self, provider: AIProvider, text: str) -> None:
        got = await provider.suggest_follow_up(FollowUpRequest(texts=(text,), now=NOW))

        assert got.due_date >= NOW
        assert got.due_date.utcoffset() == timedelta(0)
        assert got.title
        assert got.message
        assert got.provider == provider.name
