"""The assistant as one tenant asks it: what is long is read in another process."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from alfred.ai.builtin.follow_ups import follow_up
from alfred.ai.builtin.prices import price
from alfred.ai.builtin.provider import NAME, MockAIProvider, classify_in
from alfred.ai.builtin.replies import reply
from alfred.ai.provider import (
    AIProvider,
    Classification,
    FollowUpRequest,
    FollowUpSuggestion,
    PriceRequest,
    PriceSuggestion,
    ReplyRequest,
    ReplySuggestion,
)
from alfred.heavy_work import HeavyWork
from alfred.http.context import Services
from alfred.terms import Language

MOST_READ_HERE = 2_000  # characters


def assistant_of(services: Services, user_id: UUID) -> AIProvider:
    """The service's provider; Alfred's own reads long texts elsewhere."""
    inner = services.assistant
    return Patient(inner, services.heavy, user_id) if isinstance(inner, MockAIProvider) else inner


@dataclass
class Patient:
    """Alfred's own assistant, of which one tenant's long texts keep nobody else waiting."""

    inner: MockAIProvider
    heavy: HeavyWork
    user_id: UUID
    name: str = NAME

    async def classify(self, text: str, *, language: Language | None = None) -> Classification:
        """Read one message, alone."""
        if _is_short([text]):
            return await self.inner.classify(text, language=language)
        return await self.heavy.run(self.user_id, classify_in, text, language)

    async def suggest_reply(self, request: ReplyRequest) -> ReplySuggestion:
        """Answer the customer's last turn."""
        if _is_short(request.texts):
            return await self.inner.suggest_reply(request)
        return await self.heavy.run(self.user_id, reply, request, NAME)

    async def suggest_price(self, request: PriceRequest) -> PriceSuggestion:
        """Price one unit; raises `NoBasePrice` where no price is known."""
        if _is_short(request.texts):
            return await self.inner.suggest_price(request)
        return await self.heavy.run(self.user_id, price, request, NAME)

    async def suggest_follow_up(self, request: FollowUpRequest) -> FollowUpSuggestion:
        """Say when to come back and with what."""
        if _is_short(request.texts):
            return await self.inner.suggest_follow_up(request)
        return await self.heavy.run(self.user_id, follow_up, request, NAME)


def _is_short(texts: Sequence[str]) -> bool:
    return sum(map(len, texts)) <= MOST_READ_HERE
