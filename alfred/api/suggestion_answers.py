"""What a suggestion answers: the draft of the built-in assistant, or a model's words for it; each is noted."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from uuid_utils.compat import uuid7

from alfred.ai.llm.exchange import Account
from alfred.api.suggestion_context import Talk
from alfred.crm.ai_accounts import Chosen
from alfred.crm.wording import Brief, Ledger, at_once, note, placeholders, worded
from alfred.http.context import Caller, Services
from alfred.queries import Db, sql
from alfred.terms import SuggestionKind

TO_NOTE = 0.03  # seconds of the deadline that are kept for writing down what came of it


@dataclass(frozen=True)
class Draft:
    """What the built-in assistant suggests, of which a model may word the text."""

    kind: Literal["reply", "follow_up"]
    talk: Talk
    chosen: Chosen | None
    brief: Brief
    answer: dict[str, Any]
    since: float  # when it was asked for; the deadline of a model counts from there

    @property
    def text(self) -> str:
        """The name of the text in the answer."""
        return "reply" if self.kind == "reply" else "message"


async def as_drafted(db: Db, caller: Caller, services: Services, draft: Draft) -> dict[str, Any] | Account:
    """The answer in the built-in assistant's words; where a model is to word it, the model's account."""
    found = at_once(services.models, caller.user_id, draft.chosen, draft.brief)
    return found if isinstance(found, Account) else await _suggested(db, caller, draft, found)


async def by_model(caller: Caller, services: Services, draft: Draft, found: dict[str, Any] | Account) -> dict[str, Any]:
    """The answer, in a model's words where one is to be asked; no transaction is open meanwhile."""
    if not isinstance(found, Account):
        return found
    text, ledger = await worded(services.models, caller.user_id, found, draft.brief, draft.since - TO_NOTE)
    draft = replace(draft, answer=draft.answer | {draft.text: text, "provider": ledger.provider})
    async with services.database.acting_as(caller.user_id) as db:
        return await _suggested(db, caller, draft, ledger)


async def _suggested(db: Db, caller: Caller, draft: Draft, ledger: Ledger) -> dict[str, Any]:
    """The answer, noted, with what is left to fill in."""
    about = await kept(db, caller, draft.kind, draft.talk, ledger)
    return draft.answer | about | {"placeholders": placeholders(draft.answer[draft.text])}


async def kept(db: Db, caller: Caller, kind: SuggestionKind, talk: Talk, ledger: Ledger) -> dict[str, Any]:
    """Note the suggestion, so that its outcome can be told; what its answer says of it."""
    suggestion_id = uuid7()
    await sql.suggestions.add.run(
        db,
        user_id=caller.user_id,
        suggestion_id=suggestion_id,
        kind=kind,
        contact_id=talk.contact["contact_id"] if talk.contact else None,
        conversation_id=talk.conversation_id,
        based_on_message_id=talk.based_on,
        **ledger.kept,
    )
    await note(db, caller.user_id, kind, ledger)
    return {
        "id": suggestion_id,
        "based_on_message_id": talk.based_on,
        "degraded": ledger.degraded,
        "fallback_reason": ledger.fallback_reason,
        "used": list(ledger.used),
    }
