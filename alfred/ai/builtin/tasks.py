"""Whether something remains to be done after the next reply."""

from alfred.ai.builtin.phrase_trie import Hit
from alfred.ai.builtin.sentiment import Mood
from alfred.ai.builtin.signals import Reading


def leaves_a_task(reading: Reading, mood: Mood) -> bool:
    """Whether the seller, or the customer by own word, has something left to do."""
    if mood.open_problem or is_cancellation(reading):
        return True
    if reading.has("order", "promise", "act") and reading.where("order", "promise", "act") - reading.where("vague"):
        return True
    return is_promise(reading) or helpless(reading) or needs_by(reading, "today", "weekday", "urgent")


def is_promise(reading: Reading) -> bool:
    """Whether the customer says what he or she will do, and when, in one sentence."""
    return _together(reading, "vow", ("today", "weekday", "later", "clock", "once")) and "vague" not in reading.by


def needs_by(reading: Reading, *times: str) -> bool:
    """Whether the customer needs something by such a time, both said in one sentence."""
    return _together(reading, "need", times)


def _together(reading: Reading, label: str, times: tuple[str, ...]) -> bool:
    return label in reading.by and bool((reading.where(label) & reading.where(*times)) - reading.asking)


def is_cancellation(reading: Reading) -> bool:
    """Whether the customer cancels, returns or wants money back, rather than asks how that works."""
    return "cancel" in reading.by and any(not _how(reading, hit) for hit in reading.by["cancel"])


def _how(reading: Reading, hit: Hit) -> bool:
    return reading.asks(hit) and any(
        token.form in ("como", "how", "what", "qual", "cual", "se", "if", "prazo", "policy", "politica")
        for token in reading.tokens[max(0, hit.first - 5) : hit.first + 1]
    )


def helpless(reading: Reading) -> bool:
    """Whether the customer is stuck somewhere and says or asks so."""
    return reading.has("mishap", "onspot")
