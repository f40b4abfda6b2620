"""Rules tried on the past: which messages they would have matched."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID
from weakref import WeakValueDictionary

from pydantic import Field, model_validator

from alfred.api.rules import EXAMPLE_COMPILED, EXAMPLE_SENTENCE, Sentence, compiled_rule, get_rule
from alfred.crm.automation import situation_of
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.queries import Db, sql
from alfred.rules.backtest import backtest
from alfred.rules.conditions import Compiled, match

routes = Routes("Rules")

_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
BACKTEST_LIMIT = 20_000
NEWEST_TRIED = 1_000
MOST_EXAMPLES = 20
LONGEST_EXAMPLE = 500
TRY_SECONDS = 5.0
# The threads that try rules leave the rest of the machine to everybody else, and one tenant has one of them.
_TRYING = asyncio.Semaphore(2)
_TRYING_BY_TENANT: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


class Backtest(Input):
    days: int = Field(30, ge=1, le=365)


class RuleTry(Input):
    text: Sentence | None = Field(None, examples=[EXAMPLE_SENTENCE])
    compiled: Compiled | None = Field(
        None, description="The compiled form, in place of `text`.", examples=[EXAMPLE_COMPILED]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.compiled is None):
            raise ValueError("give either text or compiled")
        return self


class PastMatch(Output):
    message_id: UUID
    conversation_id: UUID
    sent_at: datetime


class BacktestResult(Output):
    days: int
    checked: int = Field(description="Number of inbound messages tried, newest first.")
    matched: int
    truncated: bool = Field(description="Whether there are more messages than one call tries.")
    matches: list[PastMatch] = Field(description="At most 200 matches, newest first.")


class MatchExample(Output):
    message_id: UUID
    conversation_id: UUID
    text: str = Field(examples=["Tem desconto à vista?"], description="Up to 500 characters.")
    sent_at: datetime


class RuleTryResult(Output):
    tried: int = Field(examples=[1000], description="How many of the newest 1,000 inbound messages were tried.")
    matched: int = Field(examples=[37])
    examples: list[MatchExample] = Field(description="The newest 20 matches.")


@routes.on("POST", "/rules/backtest")
async def preview_rule_matches(caller: Caller, services: Services, body: RuleTry) -> RuleTryResult:
    """Find the past messages that a rule would match, before storing it.

    Tries the newest 1,000 inbound messages. Contact and conversation count as they are now. A rule that waits for
    something else than a message matches none.
    """
    async with _TRYING_BY_TENANT.setdefault(caller.user_id, asyncio.Lock()):
        async with services.database.acting_as(caller.user_id) as db:
            rule = await compiled_rule(db, caller, body.text, body.compiled)
            compiled = Compiled.model_validate(rule["compiled"])
            most = NEWEST_TRIED if compiled.trigger == "message.received" else 0
            rows = await sql.rules.situations.all(db, user_id=caller.user_id, since=_LONG_AGO, limit=most)
        situations = (situation_of(row, row["sent_at"]) for row in rows)
        async with _TRYING:
            found = await asyncio.to_thread(backtest, compiled.when, situations, TRY_SECONDS)
    examples = [rows[place] for place in found.matching[:MOST_EXAMPLES]]
    return RuleTryResult(
        tried=found.tried,
        matched=len(found.matching),
        examples=[MatchExample(**{**dict(row), "text": row["text"][:LONGEST_EXAMPLE]}) for row in examples],
    )


@routes.on("POST", "/rules/{rule_id}/backtest", errors=(404,))
async def backtest_rule(db: Db, caller: Caller, services: Services, rule_id: UUID, body: Backtest) -> BacktestResult:
    """Find the past messages that a rule matches.

    Contact and conversation count as they are now.
    A rule that waits for something else than a message fires on none.
    """
    rule = Compiled.model_validate((await get_rule(db, caller, rule_id)).compiled)
    since = services.clock() - timedelta(days=body.days)
    most = BACKTEST_LIMIT + 1 if rule.trigger == "message.received" else 0
    rows = await sql.rules.situations.all(db, user_id=caller.user_id, since=since, limit=most)
    checked = rows[:BACKTEST_LIMIT]
    matches = []
    for number, row in enumerate(checked):
        if number % 500 == 0:
            await asyncio.sleep(0)  # a long look back takes seconds: others are served meanwhile
        if match(rule.when, situation_of(row, row["sent_at"])):
            matches.append(row)
    return BacktestResult(
        days=body.days,
        checked=len(checked),
        matched=len(matches),
        truncated=len(rows) > BACKTEST_LIMIT,
        matches=[PastMatch.read(row) for row in matches[:200]],
    )
