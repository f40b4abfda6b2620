"""The built-in assistant: rules, a lexicon and weights that were learnt; no network, the same answer every time."""

from collections.abc import Sequence
from operator import itemgetter

from alfred.ai.builtin.follow_ups import follow_up
from alfred.ai.builtin.intent import intent_of
from alfred.ai.builtin.negotiation import is_about_price
from alfred.ai.builtin.prices import price
from alfred.ai.builtin.replies import reply
from alfred.ai.builtin.sentiment import Mood, mood_of
from alfred.ai.builtin.signals import Reading, read, read_all
from alfred.ai.builtin.tasks import leaves_a_task
from alfred.ai.builtin.urgency import urgency_of
from alfred.ai.builtin.weighing import Rules, Verdict, weigh
from alfred.ai.provider import (
    Classification,
    FollowUpRequest,
    FollowUpSuggestion,
    PriceRequest,
    PriceSuggestion,
    ReplyRequest,
    ReplySuggestion,
    Signal,
)
from alfred.terms import Language

NAME = "mock"
SIDE_BY_SIDE = 16  # messages
_PLACE = itemgetter(0, 1)
SHOWN, FEW = 25, 3  # signals in an answer at most, and of one label


def classify(text: str, *, language: Language | None = None, explained: bool = True) -> Classification:
    """How one message reads, judged alone; `explained`: with the signals that speak for it."""
    reading = read(text or "", language)
    ruled = mood_of(reading)
    verdict = weigh(reading, rules_of(reading, ruled), text or "")
    return _answer(reading, felt(ruled, verdict), verdict, _signals(reading) if explained else ())


def _answer(reading: Reading, mood: Mood, verdict: Verdict, signals: Sequence[Signal]) -> Classification:
    fields = {
        "sentiment": mood.sentiment,
        "sentiment_score": mood.score,
        "urgency": verdict.urgency,
        "negotiation": verdict.negotiation,
        "should_create_task": verdict.task,
        "intent": intent_of(reading, mood, verdict.negotiation),
        "language": reading.language,
        "confidence": _confidence(reading, mood),
        "provider": NAME,
        "signals": signals,
    }
    return Classification.model_validate(fields)


def rules_of(reading: Reading, mood: Mood) -> Rules:
    """What the rules alone decide, before anything is weighed."""
    return Rules(
        sentiment=mood.sentiment,
        urgency=urgency_of(reading, mood),
        negotiation=is_about_price(reading),
        task=leaves_a_task(reading, mood),
        problem=mood.open_problem,
    )


def felt(ruled: Mood, verdict: Verdict) -> Mood:
    """The mood that the verdict names; that of the rules where both agree."""
    if verdict.sentiment == ruled.sentiment:
        return ruled
    size = round(min(1.0, 0.4 + 0.2 * verdict.lead), 2)
    score = {"positive": size, "neutral": 0.0, "negative": -size}[verdict.sentiment]
    unpleasant = verdict.sentiment == "negative"
    return Mood(verdict.sentiment, score, ruled.open_problem and unpleasant, ruled.unanswered and unpleasant)


def classify_in(text: str, language: Language | None) -> Classification:
    """How one message reads, in a language that is known already."""
    return classify(text, language=language)


def classify_all(texts: Sequence[str]) -> list[Classification]:
    """How each of several messages reads, without the signals, which only who asks for them sees.

    Some at a time go through each step side by side: a step that has just been taken finds its code and tables in the
    processor's caches.
    """
    starts = range(0, len(texts), SIDE_BY_SIDE)
    return [answer for start in starts for answer in _side_by_side(texts[start : start + SIDE_BY_SIDE])]


def _side_by_side(texts: Sequence[str]) -> list[Classification]:
    readings = read_all(texts)
    moods = [mood_of(reading) for reading in readings]
    rules = list(map(rules_of, readings, moods))
    verdicts = list(map(weigh, readings, rules, texts))
    moods = list(map(felt, moods, verdicts))
    return [_answer(*read_so, ()) for read_so in zip(readings, moods, verdicts, strict=True)]


def _confidence(reading: Reading, mood: Mood) -> float:
    """How sure the rules are: little where nothing was found, less where praise and blame meet."""
    known = sum(map(len, reading.by.values())) - len(reading.by.get("ask", ()))
    sure = 0.4 + 0.08 * min(known, 5) + 0.15 * abs(mood.score)
    mixed = reading.has("praise", "fine") and reading.has("pain", "sour", "trouble")
    return round(max(0.1, min(0.95, sure - (0.2 if mixed else 0.0))), 2)


def _signals(reading: Reading) -> list[Signal]:
    """Those that are shown, in order of their places."""
    said = [
        (hit.first, hit.last, label, hit.meaning)
        for label, hits in reading.by.items()
        if label != "ask"
        for hit in hits[:FEW]
    ]
    for label, hits in reading.denied.items():
        said += [(hit.first, hit.last, f"not {label}", hit.meaning) for hit in hits[:FEW]]
    said.sort(key=_PLACE)
    spans = reading.said.spans() if said else []
    return [
        Signal(label, meaning.rule, (spans[first][0], spans[last][1])) for first, last, label, meaning in said[:SHOWN]
    ]


class MockAIProvider:
    """Alfred's own provider, always there."""

    name = NAME

    async def classify(self, text: str, *, language: Language | None = None) -> Classification:
        """Read one message, alone; never raises on any text."""
        return classify(text, language=language)

    async def suggest_reply(self, request: ReplyRequest) -> ReplySuggestion:
        """Answer the customer's last turn, with nothing but the facts at hand."""
        return reply(request, NAME)

    async def suggest_price(self, request: PriceRequest) -> PriceSuggestion:
        """Price one unit; raises `NoBasePrice` where no price is known."""
        return price(request, NAME)

    async def suggest_follow_up(self, request: FollowUpRequest) -> FollowUpSuggestion:
        """Say when to come back and with what; never in the past."""
        return follow_up(request, NAME)
