"""A model reads messages once more, after the built-in assistant, where a tenant wants it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from alfred.ai.llm import prompts
from alfred.ai.llm.masking import Mask
from alfred.ai.llm.reading import Refinement
from alfred.bus import Consumer
from alfred.crm import ai_accounts
from alfred.crm.leases import Room, Work
from alfred.crm.wording import note, spent_on
from alfred.db import Database
from alfred.events import Event, record
from alfred.model_calls import Models
from alfred.queries import Db, Row, sql
from alfred.vault import Vault

CALLS, MOST_OF_A_TENANT = 8, 2  # at once in a process
LEASE = timedelta(seconds=90)


async def expect(db: Db, event: Event) -> None:
    """A message was classified: a model is to read it."""
    await sql.refinements.add.run(db, user_id=event.user_id, message_id=event.message_id)


CONSUMER = Consumer(name="refine", types=("message.classified",), act=expect, users="users_who_refine", may_wait=True)


@dataclass(frozen=True)
class Claimed:
    """A message to read."""

    user_id: UUID
    message_id: UUID

    @property
    def lane(self) -> UUID:
        """The tenant's model."""
        return self.user_id


@dataclass(frozen=True)
class Refiner:
    """Asks the tenants' models; `announce` tells the bus whose events were recorded."""

    database: Database
    vault: Vault
    models: Models
    announce: Callable[[Iterable[UUID]], None]

    def work(self) -> Work[Claimed]:
        """What the worker does."""
        return Work("refine", self._claim, self._refine, self._due_in)

    async def _claim(self, db: Db, room: Room) -> Sequence[Claimed]:
        busy = [user_id for user_id, count in room.tenants.items() if count >= MOST_OF_A_TENANT]
        rows = await sql.refinements.claim.all(db, most=min(room.most, MOST_OF_A_TENANT), lease=LEASE, busy=busy)
        return [Claimed(row["user_id"], row["message_id"]) for row in rows]

    async def _due_in(self, db: Db) -> float | None:
        seconds: float | None = await sql.refinements.due_in.value(db)
        return None if seconds is None else max(seconds, 0.0)

    async def _refine(self, claimed: Claimed) -> None:
        about = {"user_id": claimed.user_id, "message_id": claimed.message_id}
        async with self.database.acting_as(claimed.user_id) as db:
            row = await sql.refinements.to_read.one(db, **about)
            chosen = await ai_accounts.chosen(db, self.vault, claimed.user_id, self.models.service_wide)
            wanted = chosen is not None and "refine" in chosen.features and not chosen.is_spent
            if row is None or chosen is None or chosen.account is None or not wanted:
                await sql.refinements.done.run(db, **about)
                return
            earlier = await sql.refinements.earlier.all(db, most=prompts.MOST_MESSAGES - 1, **about)
        mask = Mask(row["name"])
        prompt = prompts.refining(mask.hide(row["body"]), [mask.hide(before["body"]) for before in earlier])
        asked = await self.models.ask(claimed.user_id, chosen.account, prompt, Refinement)
        async with self.database.acting_as(claimed.user_id) as db:
            await sql.refinements.done.run(db, **about)
            await note(db, claimed.user_id, "refine", spent_on(asked, chosen.account.protocol))
            if asked.answer is not None:
                await _reclassify(db, claimed, row, asked.answer, chosen.account.protocol)
        self.announce([claimed.user_id])


async def _reclassify(db: Db, claimed: Claimed, row: Row, answer: Refinement, provider: str) -> None:
    """Keep what the model read, and tell of it where it differs; the language stays as it was told."""
    reading = answer.model_dump() | {"provider": provider}
    telling = ("sentiment", "urgency", "negotiation", "should_create_task", "intent")
    differs = any(row["classification"].get(name) != reading[name] for name in telling)
    about = {"user_id": claimed.user_id, "message_id": claimed.message_id}
    found = await sql.refinements.reclassify.one(db, body=row["body"], classification=reading, **about)
    if found is not None and differs:
        await record(
            db, claimed.user_id, "message.reclassified", dict(found["classification"]), message_id=claimed.message_id,
            conversation_id=found["conversation_id"], contact_id=found["contact_id"],
        )  # fmt: skip
