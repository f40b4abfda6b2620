"""Rules tried on the past: which messages they would have matched."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from alfred.api.rules import EXAMPLE_COMPILED, EXAMPLE_SENTENCE, Sentence, compiled_rule, get_rule
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.queries import Db, Row, sql
from alfred.rules.backtest import Backtest as Found
from alfred.rules.backtest import backtest_rows
from alfred.rules.conditions import Compiled

routes = Routes("Rules")

_LONG_AGO = datetime(1900, 1, 1, tzinfo=UTC)
BACKTEST_LIMIT = 20_000
NEWEST_TRIED = 1_000
MOST_EXAMPLES = 20
LONGEST_EXAMPLE = 500
PAGE = 500  # messages that are read and tried at once
FEW = 20  # short ones that are tried here
TRY_SECONDS = 5.0


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
    async with services.database.acting_as(caller.user_id) as db:
        rule = await compiled_rule(db, caller, body.text, body.compiled)
    tried = await _tried(services, caller, Compiled.model_validate(rule["compiled"]), _LONG_AGO, NEWEST_TRIED)
    return RuleTryResult(
        tried=tried.number,
        matched=len(tried.matching),
        examples=[_example(row) for row in tried.matching[:MOST_EXAMPLES]],
    )


@routes.on("POST", "/rules/{rule_id}/backtest", errors=(404,))
async def backtest_rule(caller: Caller, services: Services, rule_id: UUID, body: Backtest) -> BacktestResult:
    """Find the past messages that a rule matches.

    Contact and conversation count as they are now.
    A rule that waits for something else than a message fires on none.
    """
    async with services.database.acting_as(caller.user_id) as db:
        rule = Compiled.model_validate((await get_rule(db, caller, rule_id)).compiled)
    since = services.clock() - timedelta(days=body.days)
    tried = await _tried(services, caller, rule, since, BACKTEST_LIMIT)
    return BacktestResult(
        days=body.days,
        checked=tried.number,
        matched=len(tried.matching),
        truncated=tried.is_cut,
        matches=[PastMatch.read(row) for row in tried.matching[:200]],
    )


@dataclass
class _Tried:
    """How many messages were tried, the rows that match, and whether there are more to try."""

    number: int = 0
    matching: list[Row] = field(default_factory=list)
    is_cut: bool = False


async def _tried(services: Services, caller: Caller, rule: Compiled, since: datetime, most: int) -> _Tried:
    """Page by page, newest first, so that neither a transaction nor the event loop is held for long."""
    tried, last = _Tried(), None
    ends_at = monotonic() + TRY_SECONDS
    while rule.trigger == "message.received":
        async with services.database.acting_as(caller.user_id) as db:
            rows = await _page(db, caller, since, last, min(PAGE, most - tried.number) + 1)
        page = rows[: min(PAGE, most - tried.number)]
        found = await _try(services, caller, rule, page, ends_at - monotonic())
        tried.number += found.tried
        tried.matching += [page[place] for place in found.matching]
        tried.is_cut = found.tried < len(rows)
        if not tried.is_cut or found.tried < len(page) or tried.number >= most:
            break
        last = page[-1]
    return tried


async def _page(db: Db, caller: Caller, since: datetime, last: Row | None, limit: int) -> list[Row]:
    before = {"before_at": last["sent_at"] if last else None, "before_id": last["message_id"] if last else None}
    return await sql.rules.situations.all(db, user_id=caller.user_id, since=since, limit=limit, **before)


async def _try(services: Services, caller: Caller, rule: Compiled, page: list[Row], seconds: float) -> Found:
    """A few short messages here, more of them in another process."""
    rows = [dict(row) for row in page]
    if len(rows) <= FEW and sum(len(row["text"]) for row in rows) <= LONGEST_EXAMPLE * FEW:
        return backtest_rows(rule.when, rows, seconds)
    return await services.heavy.run(caller.user_id, backtest_rows, rule.when, rows, seconds)


def _example(row: Row) -> MatchExample:
    return MatchExample(**{**dict(row), "text": row["text"][:LONGEST_EXAMPLE]})
