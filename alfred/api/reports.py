"""Reports: numbers for plots, in days, weeks or months of the user's time zone."""

from datetime import date, datetime, time, timedelta
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field

from alfred.api.tasks import Due
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Output
from alfred.http.problems import Fault, invalid
from alfred.queries import Db, Query, Row, sql
from alfred.terms import ChannelType

routes = Routes("Reports")

B = TypeVar("B", bound="Bucket")

DEFAULT_DAYS = 30
MOST_BUCKETS = 400
_DAYS = {"day": 1, "week": 7, "month": 28}  # at least


class ReportQuery(Input):
    from_: Due | None = Field(
        None,
        alias="from",
        description="A timestamp, or a date, which means the beginning of that day in the user's time zone. "
        "Default: 29 days before today.",
    )
    to: Due | None = Field(
        None,
        description="A timestamp, or a date, which means the end of that day in the user's time zone. Default: now.",
    )
    interval: Literal["day", "week", "month"] = "day"
    channel: ChannelType | None = Field(None, description="Only conversations on channels of this type.")

    @classmethod
    def _may_be_left_out(cls, name: Any) -> bool:
        return super()._may_be_left_out("from_" if name == "from" else name)


class Bucket(Output):
    start: datetime = Field(description="When the day, week (Monday) or month begins in the user's time zone.")


class MessagesBucket(Bucket):
    inbound: int = Field(examples=[41])
    outbound: int = Field(examples=[38])


class ResponseTimesBucket(Bucket):
    """By the day of the answer. Waiting begins with the first message that was not answered."""

    answers: int = Field(examples=[25], description="Answers to customers who waited.")
    median: float | None = Field(examples=[312.5], description="Seconds.")
    p90: float | None = Field(examples=[2710.0], description="Seconds that nine of ten answers did not exceed.")


class SentimentBucket(Bucket):
    positive: int = Field(examples=[12])
    neutral: int = Field(examples=[25])
    negative: int = Field(examples=[4])


class UrgencyBucket(Bucket):
    low: int = Field(examples=[30])
    medium: int = Field(examples=[8])
    high: int = Field(examples=[3])


class TasksBucket(Bucket):
    created: int = Field(examples=[5])
    completed: int = Field(examples=[4])
    open: int = Field(examples=[11], description="Open or in progress when the interval ended.")


class SuggestionsBucket(Bucket):
    suggested: int = Field(examples=[20])
    sent: int = Field(examples=[9], description="Used as suggested.")
    edited: int = Field(examples=[5], description="Used after a change.")
    dismissed: int = Field(examples=[2])


class Report(Output, Generic[B]):
    buckets: list[B]


@routes.on("GET", "/reports/messages")
async def get_messages_report(db: Db, caller: Caller, services: Services, query: ReportQuery) -> Report[MessagesBucket]:
    """Get the number of messages in and out."""
    return _report(MessagesBucket, await _rows(db, caller, services, query, sql.reports.messages))


@routes.on("GET", "/reports/response-times")
async def get_response_times_report(
    db: Db, caller: Caller, services: Services, query: ReportQuery
) -> Report[ResponseTimesBucket]:
    """Get how long customers waited for answers, as median and 90th percentile."""
    return _report(ResponseTimesBucket, await _rows(db, caller, services, query, sql.reports.response_times))


@routes.on("GET", "/reports/sentiment")
async def get_sentiment_report(
    db: Db, caller: Caller, services: Services, query: ReportQuery
) -> Report[SentimentBucket]:
    """Get the sentiment of the inbound messages."""
    return _report(SentimentBucket, await _rows(db, caller, services, query, sql.reports.sentiment))


@routes.on("GET", "/reports/urgency")
async def get_urgency_report(db: Db, caller: Caller, services: Services, query: ReportQuery) -> Report[UrgencyBucket]:
    """Get the urgency of the inbound messages."""
    return _report(UrgencyBucket, await _rows(db, caller, services, query, sql.reports.urgency))


@routes.on("GET", "/reports/tasks")
async def get_tasks_report(db: Db, caller: Caller, services: Services, query: ReportQuery) -> Report[TasksBucket]:
    """Get the tasks created, completed and left open."""
    return _report(TasksBucket, await _rows(db, caller, services, query, sql.reports.tasks))


@routes.on("GET", "/reports/suggestions")
async def get_suggestions_report(
    db: Db, caller: Caller, services: Services, query: ReportQuery
) -> Report[SuggestionsBucket]:
    """Get the assistant's suggestions and what became of them."""
    return _report(SuggestionsBucket, await _rows(db, caller, services, query, sql.reports.suggestions))


async def _rows(db: Db, caller: Caller, services: Services, query: ReportQuery, rows_of: Query) -> list[Row]:
    """A bucket each, in their order, the empty ones too."""
    zone = await sql.users.timezone.value(db, user_id=caller.user_id)
    since, until = _span(query, zone, services.clock())
    span = {"since": since, "until": until, "zone": zone, "interval": query.interval}
    return await rows_of.all(db, user_id=caller.user_id, channel=query.channel, **span)


def _report(shape: type[B], rows: list[Row]) -> Report[B]:
    return Report(buckets=[shape.read(row) for row in rows])


def _span(query: ReportQuery, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The span that is asked for, to its end.

    Raises:
        Problem: 422 where it is empty, or has too many buckets.
    """
    until = now if query.to is None else _moment(query.to, zone, end=True)
    if query.from_ is None:
        since = _moment(until.astimezone(ZoneInfo(zone)).date() - timedelta(days=DEFAULT_DAYS - 1), zone)
    else:
        since = _moment(query.from_, zone)
    if since >= until:
        raise invalid([Fault("from", "Must lie before `to`.", "empty_span")])
    if (until - since).days > MOST_BUCKETS * _DAYS[query.interval]:
        words = f"Ask for at most {MOST_BUCKETS} intervals, or choose a longer interval."
        raise invalid([Fault("from", words, "too_many_buckets")])
    return since, until


def _moment(day_or_moment: Any, zone: str, *, end: bool = False) -> datetime:
    """A plain date begins at midnight of the user's zone, or ends at the next one."""
    if isinstance(day_or_moment, datetime):
        return day_or_moment
    day: date = day_or_moment + timedelta(days=end)
    return datetime.combine(day, time.min, ZoneInfo(zone))
