"""What the assistant was asked and what it cost, by day, provider and feature."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.http.problems import Fault, invalid
from alfred.queries import Db, sql
from alfred.terms import UsageFeature

routes = Routes("AI")

DEFAULT_DAYS, MOST_DAYS = 30, 400


def _day_of_moment(value: Any) -> Any:
    """A timestamp names its day."""
    return value.strip()[:10] if isinstance(value, str) and len(value.strip()) > 10 else value


def _in_range(value: date) -> date:
    if not 1900 <= value.year < 2200:
        raise ValueError("must lie between 1900 and 2200")
    return value


Day = Annotated[date, BeforeValidator(_day_of_moment), AfterValidator(_in_range)]


class UsageQuery(Input):
    from_: Day | None = Field(None, alias="from", description="First day, in UTC. Default: 29 days before the last.")
    to: Day | None = Field(None, description="Last day, in UTC. Default: today.")

    @classmethod
    def _may_be_left_out(cls, name: Any) -> bool:
        return super()._may_be_left_out("from_" if name == "from" else name)


class UsageOfDay(Output):
    day: date
    provider: str = Field(examples=["openai"], description="Who was asked; `mock` is the built-in assistant.")
    feature: UsageFeature
    calls: int = Field(examples=[41])
    degraded: int = Field(examples=[1], description="Of them those that a model was asked for in vain.")
    input_tokens: int = Field(examples=[20_110])
    output_tokens: int = Field(examples=[3_204])
    cost: Decimal | None = Field(description="As the server told it; null where it told none.")
    average_ms: int = Field(examples=[810], description="Time that was spent on a model, per call.")


class Usage(Output):
    items: list[UsageOfDay]


@routes.on("GET", "/ai/usage")
async def get_ai_usage(db: Db, caller: Caller, services: Services, query: UsageQuery) -> Usage:
    """Get what the assistant was asked and what it cost.

    Sums by day, provider and feature, the newest day first; they stay when suggestions are gone.
    """
    today: datetime = services.clock()
    last = query.to or today.date()
    first = query.from_ or last - timedelta(days=DEFAULT_DAYS - 1)
    if not timedelta(0) <= last - first < timedelta(days=MOST_DAYS):
        words = f"Ask for 1 to {MOST_DAYS} days: from is at most as late as to."
        raise invalid([Fault("from", words, "out_of_range")])
    rows = await sql.ai_usage.by_day.all(db, user_id=caller.user_id, first_day=first, last_day=last)
    return Usage(items=[UsageOfDay.read(row) for row in rows])
