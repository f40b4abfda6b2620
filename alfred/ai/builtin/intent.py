"""What a message wants, as one word of a small closed set."""

from collections.abc import Callable
from typing import get_args

from alfred.ai.builtin.sentiment import Mood
from alfred.ai.builtin.signals import Reading
from alfred.ai.builtin.tasks import is_cancellation, is_promise
from alfred.terms import Intent

INTENTS: tuple[str, ...] = get_args(Intent)


def intent_of(reading: Reading, mood: Mood, bargaining: bool) -> Intent:
    """The first of the intents, in the order of what a seller must not miss, that the message shows."""
    if is_cancellation(reading):
        return "cancellation"
    if mood.open_problem or mood.unanswered or mood.sentiment == "negative":
        return "complaint"
    if bargaining:
        return "discount_request" if reading.has("discount", "costly", "outrage") else "price_question"
    if mood.sentiment == "positive" and "thanks" not in reading.by:
        return next((intent for intent, holds in _ERRANDS if holds(reading)), "praise")
    return next((intent for intent, holds in _ALL if holds(reading)), "other")


def _only_manners(reading: Reading) -> bool:
    covered = sum(hit.last - hit.first + 1 for hit in reading.by.get("greeting", ()))
    return covered >= reading.words()


_ERRANDS: tuple[tuple[Intent, Callable[[Reading], bool]], ...] = (
    ("scheduling", lambda reading: "schedule" in reading.by and reading.has("act", "order", "weekday")),
    ("order", lambda reading: "order" in reading.by),
    ("delivery_question", lambda reading: "delivery" in reading.by and bool(reading.asking)),
    ("promise", lambda reading: "promise" in reading.by or is_promise(reading)),
    ("request", lambda reading: reading.has("act", "mishap", "onspot")),
    ("question", lambda reading: bool(reading.asking) and not _only_manners(reading)),
)
_MANNERS: tuple[tuple[Intent, Callable[[Reading], bool]], ...] = (
    ("thanks", lambda reading: "thanks" in reading.by),
    ("greeting", lambda reading: "greeting" in reading.by),
    ("acknowledgement", lambda reading: "nod" in reading.by),
)
_ALL = (*_ERRANDS, *_MANNERS)
