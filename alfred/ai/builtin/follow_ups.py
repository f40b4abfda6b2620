"""Suggests when to come back to a customer and with what, from the last turn."""

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from alfred.ai.builtin.dates import named_day
from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.negotiation import is_about_price
from alfred.ai.builtin.replies import LAST_MESSAGES, chance, first_name, in_language, rationales
from alfred.ai.builtin.sentiment import mood_of
from alfred.ai.builtin.signals import Reading, read
from alfred.ai.builtin.tasks import leaves_a_task
from alfred.ai.builtin.urgency import urgency_of
from alfred.ai.provider import FollowUpRequest, FollowUpSuggestion
from alfred.terms import Language, Urgency

OPENS, CLOSES, USUAL = time(9), time(18), time(10)  # the working day, and when a named day's follow-up is due
RESTS = 6  # sunday
_PATIENCE = {
    "praise": 3,
    "default": 3,
    "negotiation": 1,
    "task": 1,
    "complaint": 1,
}  # days, where no day is named


class Case(NamedTuple):
    """What the last turn is about."""

    situation: str
    urgency: Urgency
    day: date | None
    words: str


def follow_up(request: FollowUpRequest, provider: str) -> FollowUpSuggestion:
    """When to come back and with what; never in the past."""
    zone = zone_of(request.timezone)
    now = request.now.astimezone(zone)
    case = examine(read("\n".join(request.texts[-LAST_MESSAGES:])), now.date())
    due = moment(case, now)
    language = in_language(request)
    name = first_name(request.contact_name)
    messages = phrases()["messages"][language][case.situation]
    message = messages[chance(f"{request.seed}/{case.situation}", len(messages))]
    titles = phrases()["titles"][request.user_language or language]
    return FollowUpSuggestion(
        due_date=due.astimezone(UTC),
        title=titles[case.situation].format(name=name or titles["nobody"]),
        message=message.format(name=_called(name, language)),
        rationale=explain(case, due, request.user_language or language),
        provider=provider,
    )


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


@cache
def phrases() -> dict[str, Any]:
    """Titles and messages, by language."""
    return tomllib.loads((FOLDER / "follow_ups.toml").read_text(encoding="utf-8"))


def examine(reading: Reading, today: date) -> Case:
    """The situation, its urgency and the day named, if any."""
    mood, bargaining = mood_of(reading), is_about_price(reading)
    urgency = urgency_of(reading, mood)
    named = named_day(reading, today)
    words = ""
    if named is not None:
        words = " ".join(token.form for token in reading.tokens[max(0, named.first - 1) : named.last + 1])
    if mood.open_problem or mood.unanswered:
        return Case("complaint", urgency, named and named.day, words)
    if named is not None and (reading.has("promise", "vow", "act", "order") or not bargaining):
        return Case("promise", urgency, named.day, words)
    checks = (
        ("negotiation", bargaining),
        ("task", leaves_a_task(reading, mood)),
        ("praise", mood.sentiment == "positive"),
    )
    situation = next((name for name, holds in checks if holds), "default")
    return Case(situation, urgency, named and named.day, words)


def moment(case: Case, now: datetime) -> datetime:
    """The working moment to come back: the day named, else by urgency and situation."""
    if case.urgency == "high":
        return working(now + timedelta(minutes=30))
    if case.day is not None and case.day > now.date():
        return datetime.combine(case.day, USUAL, now.tzinfo)
    if case.day is not None or case.urgency == "medium":
        return working(now + timedelta(hours=3))
    return working(datetime.combine(now.date() + timedelta(_PATIENCE[case.situation]), USUAL, now.tzinfo))


def working(at: datetime) -> datetime:
    """The first moment from there on in working hours."""
    if at.time() >= CLOSES:
        at = datetime.combine(at.date() + timedelta(1), OPENS, at.tzinfo)
    elif at.time() < OPENS:
        at = datetime.combine(at.date(), OPENS, at.tzinfo)
    return at if at.weekday() != RESTS else datetime.combine(at.date() + timedelta(1), OPENS, at.tzinfo)


def explain(case: Case, due: datetime, language: Language) -> str:
    """Why then, in the seller's language and time."""
    words = rationales()[language]
    named = case.day is not None and case.urgency != "high"
    why = "named" if named else "urgent" if case.urgency == "high" else "follow_up"
    told: str = words[why].format(words["follow_ups"][case.situation], due.strftime(words["date"]), case.words)
    return told


def _called(name: str, language: Language) -> str:
    """The name as it follows a greeting: "Hi Ana", "Hola, Ana"."""
    return "" if not name else f" {name}" if language == "en" else f", {name}"
