"""How soon a message needs somebody."""

from alfred.ai.builtin.lexicon import lexicon
from alfred.ai.builtin.phrase_trie import Hit
from alfred.ai.builtin.sentiment import Mood, excused
from alfred.ai.builtin.signals import Reading
from alfred.ai.builtin.tasks import is_cancellation, needs_by
from alfred.terms import Urgency


def urgency_of(reading: Reading, mood: Mood) -> Urgency:
    """How soon this message needs somebody."""
    if mood.open_problem and ("stopped" in reading.by or _dangerous(reading)):
        return "high"
    if "crowd" in reading.by and mood.open_problem:
        return "high"
    if "event" in reading.by and not reading.has("weekday", "later", "norush"):
        return "high"
    if "norush" in reading.by:
        return "low"
    own_word = "promise" in reading.by and not reading.has("act", "order", "mishap") and not mood.open_problem
    if (reading.has("urgent", "onspot") and not own_word) or _needed_today(reading, mood):
        return "high"
    if "mishap" in reading.by and (reading.has("act", "need") or reading.asking):
        return "high"
    if mood.open_problem or mood.unanswered or is_cancellation(reading) or "threat" in reading.by:
        return "medium"
    if "hours" in reading.by and "today" in reading.by:
        return "medium"
    return "medium" if _needed_this_week(reading) else "low"


def _dangerous(reading: Reading) -> bool:
    return any(not excused(reading, hit) for hit in reading.by.get("danger", ()))


def _needed_today(reading: Reading, mood: Mood) -> bool:
    if "today" not in reading.by and not ("clock" in reading.by and not reading.has("weekday", "later", "past")):
        return False
    due = any(hit.meaning.weight >= 1 or reading.asks(hit) for hit in reading.by.get("today", ()))
    return (
        (mood.open_problem and due)
        or reading.has("act", "order", "mishap", "threat")
        or needs_by(reading, "today", "clock")
    )


def _needed_this_week(reading: Reading) -> bool:
    if "weekday" not in reading.by:
        return False
    return reading.has("act", "order") or needs_by(reading, "weekday") or _comes(reading)


def _comes(reading: Reading) -> bool:
    """Whether the customer says to come on a named day, rather than to pay or to answer."""
    said = reading.where("promise", "vow") & reading.where("weekday")
    owed = lexicon().grammar.get((reading.language or "en", "@owe"), set())
    visits = any(_visit(reading, hit) for hit in reading.by.get("promise", ()))
    return visits or any(all(token.form not in owed for token in reading.stretches[number]) for number in said)


def _visit(reading: Reading, hit: Hit) -> bool:
    """Whether the customer promises to come, rather than to pay or to answer."""
    visits = lexicon().grammar.get((hit.meaning.language, "@visit"), set())
    return any(token.form in visits for token in reading.tokens[hit.first : hit.last + 1])
