"""A model words what Alfred has decided; whatever fails, the built-in assistant's words stand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from alfred.ai.llm import prompts
from alfred.ai.llm.exchange import Account
from alfred.ai.llm.masking import Mask
from alfred.ai.llm.reading import Wording
from alfred.crm.ai_accounts import Chosen
from alfred.model_calls import Asked, Models
from alfred.queries import Db, sql
from alfred.terms import FallbackReason, Language, ModelFeature, Tone, UsageFeature

PLACEHOLDER = re.compile(r"\{\{([^{}]{1,40})\}\}")
_CLOSER = re.compile(r"[^\W\d_]{2,}")  # a word


@dataclass(frozen=True)
class Fact:
    """Something that the seller lets replies claim."""

    fact_id: UUID
    text: str
    mark: str  # where this stands in a text, the fact was used


@dataclass(frozen=True)
class Ledger:
    """How a suggestion came about: what is kept of it, and counted."""

    provider: str
    used: tuple[UUID, ...] = ()
    fallback_reason: FallbackReason | None = None
    model: str | None = None
    prompt_version: str | None = None
    input_hash: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    milliseconds: int = 0
    cost: Decimal | None = None
    asked: str | None = None  # whose tokens were spent, also where the answer was of no use

    @property
    def kept(self) -> dict[str, Any]:
        """What a suggestion keeps of it."""
        return {name: value for name, value in vars(self).items() if name != "asked"} | {"used": list(self.used)}

    @property
    def degraded(self) -> bool:
        """Whether a model was asked for, and the built-in assistant answered."""
        return self.fallback_reason is not None


@dataclass(frozen=True)
class Brief:
    """What is to be worded: the built-in assistant's draft, and what it may rest on."""

    feature: ModelFeature
    draft: str
    language: Language
    tone: Tone
    texts: tuple[str, ...] = field(repr=False)
    contact_name: str | None = field(repr=False)
    facts: tuple[Fact, ...] = field(default=(), repr=False)
    author: str = "mock"  # of the draft

    @property
    def own(self) -> Ledger:
        """How the draft came about."""
        return Ledger(self.author, tuple(fact.fact_id for fact in self.facts if fact.mark in self.draft))


def at_once(models: Models, user_id: UUID, chosen: Chosen | None, brief: Brief) -> Ledger | Account:
    """How the draft came to be the answer, where no model is to be asked; else the account of the one to ask."""
    if chosen is None or not _is_worth_a_call(brief.texts):
        return brief.own
    if chosen.account is None:
        return replace(brief.own, fallback_reason="auth")
    if chosen.is_spent:
        return replace(brief.own, fallback_reason="budget")
    if models.is_shut(user_id, chosen.account):
        return replace(brief.own, fallback_reason="circuit_open")
    return chosen.account


async def worded(
    models: Models, user_id: UUID, account: Account, brief: Brief, since: float | None = None
) -> tuple[str, Ledger]:
    """The text to suggest, and how it came about; never raises. `since` is when the deadline began (monotonic).

    Without a transaction: this may take as long as the deadline of a model.
    """
    mask = Mask(brief.contact_name)
    names = {f"f{at}": fact for at, fact in enumerate(brief.facts, 1)}
    prompt = prompts.wording(
        [mask.hide(text) for text in brief.texts[-prompts.MOST_MESSAGES :]],
        draft=mask.hide_ours(brief.draft),
        style=prompts.Style(brief.feature, brief.language, brief.tone),
        facts={name: mask.hide_ours(fact.text) for name, fact in names.items()},
    )
    asked = await models.ask(user_id, account, replace(prompt, since=since), Wording)
    about: dict[str, Any] = {
        "model": account.model,
        "prompt_version": prompts.VERSION,
        "input_hash": asked.input_hash,
        "input_tokens": asked.input_tokens,
        "output_tokens": asked.output_tokens,
        "milliseconds": asked.milliseconds,
        "cost": asked.cost,
        "asked": account.protocol,
    }
    text, reason = _let_through(asked, mask, brief, prompt.system)
    if text is None or asked.answer is None:
        return brief.draft, replace(brief.own, fallback_reason=reason, **about)
    used = tuple(names[name].fact_id for name in dict.fromkeys(asked.answer.used) if name in names)
    return text, Ledger(account.protocol, used, **about)


def spent_on(asked: Asked[Any], provider: str) -> Ledger:
    """What a question that is no suggestion has cost."""
    return Ledger(
        provider,
        fallback_reason=asked.reason,
        input_tokens=asked.input_tokens,
        output_tokens=asked.output_tokens,
        milliseconds=asked.milliseconds,
        cost=asked.cost,
    )


async def note(db: Db, user_id: UUID, feature: UsageFeature, ledger: Ledger) -> None:
    """Count it in the sums of the day."""
    await sql.ai_usage.add.run(
        db,
        user_id=user_id,
        provider=ledger.asked or ledger.provider,
        feature=feature,
        degraded=ledger.degraded,
        input_tokens=ledger.input_tokens,
        output_tokens=ledger.output_tokens,
        milliseconds=ledger.milliseconds,
        cost=ledger.cost,
    )


def placeholders(text: str) -> list[str]:
    """What is left to fill in, in order."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def _let_through(
    asked: Asked[Wording], mask: Mask, brief: Brief, instructions: str
) -> tuple[str | None, FallbackReason | None]:
    """The answer with the customer's data in it again, where the guard has nothing against it."""
    if asked.answer is None:
        return None, asked.reason
    from alfred.ai.llm.guard import Allowed, amounts_in, fault_of  # only who has a model needs its patterns

    text = mask.show(asked.answer.text).strip()
    sources = (brief.draft, *(fact.text for fact in brief.facts))
    allowed = Allowed(
        brief.language,
        amounts_in(sources),
        sources,
        tuple(prompts.last(brief.texts)),
        instructions,
        frozenset(placeholders(brief.draft)),
        mask.harmless,
        mask.names,
    )
    if asked.answer.language != brief.language or fault_of(text, allowed) is not None:
        return None, "guard"
    return text, None


def _is_worth_a_call(texts: Sequence[str]) -> bool:
    """A lone "ok" or an emoji needs no model."""
    return any(len(_CLOSER.findall(text)) > 1 or "?" in text for text in texts)
