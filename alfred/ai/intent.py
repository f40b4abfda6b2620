"""What a message wants, as one word of a small closed set."""

from typing import Literal, get_args

from alfred.ai.sentiment import Mood
from alfred.ai.signals import Reading
from alfred.ai.tasks import cancels, vows

Intent = Literal[
    "cancellation",
    "complaint",
    "discount_request",
    "price_question",
    "order",
    "scheduling",
    "delivery_question",
    "promise",
    "request",
    "question",
    "praise",
    "thanks",
    "greeting",
    "acknowledgement",
    "other",
]
INTENTS: tuple[str, ...] = get_args(Intent)


def want(reading: Reading, mood: Mood, bargaining: bool) -> Intent:
    """The first of the intents, in the order of what a seller must not miss, that the message shows."""
    checks: tuple[tuple[Intent, bool], ...] = (
        ("cancellation", cancels(reading)),
        ("complaint", mood.open_problem or mood.unanswered or mood.sentiment == "negative"),
        ("discount_request", bargaining and reading.has("discount", "costly", "outrage")),
        ("price_question", bargaining),
        ("scheduling", reading.has("schedule") and reading.has("act", "order", "weekday")),
        ("order", reading.has("order")),
        ("delivery_question", reading.has("delivery") and bool(reading.asking)),
        ("promise", reading.has("promise") or vows(reading)),
        ("request", reading.has("act", "mishap", "onspot")),
        ("question", bool(reading.asking) and not _only_manners(reading)),
        ("praise", mood.sentiment == "positive" and not reading.has("thanks")),
        ("thanks", reading.has("thanks")),
        ("greeting", reading.has("greeting")),
        ("acknowledgement", reading.has("nod")),
    )
    return next((intent for intent, holds in checks if holds), "other")


def _only_manners(reading: Reading) -> bool:
    covered = sum(hit.last - hit.first + 1 for hit in reading.by.get("greeting", ()))
    return covered >= reading.words()
