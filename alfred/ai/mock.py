"""The built-in assistant: rules and a lexicon, no network, no weights, the same answer every time."""

from alfred.ai.lexicon import lexicon
from alfred.ai.provider import Classification, Language, Sentiment, Signal, Urgency
from alfred.ai.text import tokens

NAME = "mock"


def classify(text: str, *, language: Language | None = None) -> Classification:
    """How one message reads, judged alone."""
    words = lexicon()
    read = tokens(text or "", words.slang)
    hits = words.find(read)
    by = {label: [h for h in hits if h.label == label] for label in {h.label for h in hits}}
    votes = dict.fromkeys(("pt", "en", "es"), 0)
    for token in read:
        for known in words.words.get(token.form, ()):
            votes[known] += 1
    best = max(votes, key=lambda code: votes[code])
    spoken: Language | None = language or (best if votes[best] else None)  # type: ignore[assignment]
    bad = any(label in by for label in ("pain", "trouble", "silence", "sour")) and "fine" not in by
    good = ("praise" in by and "sour" not in by) or "fine" in by
    mood: Sentiment = "negative" if bad and "solved" not in by else "positive" if good else "neutral"
    haste: Urgency = "low"
    if "norush" not in by:
        haste = "high" if "now" in by or "danger" in by else "medium" if bad else "low"
    return Classification(
        sentiment=mood,
        sentiment_score={"negative": -0.6, "neutral": 0.0, "positive": 0.6}[mood],
        urgency=haste,
        negotiation="price" in by or "discount" in by,
        should_create_task="act" in by or "promise" in by or "trouble" in by,
        intent="other",
        language=spoken,
        confidence=0.5,
        provider=NAME,
        signals=tuple(
            Signal(label=h.label, rule=f"{h.language}: {h.rule}", span=(read[h.first].start, read[h.last].end))
            for h in hits
        ),
    )


class MockAIProvider:
    """Alfred's own provider, always there."""

    name = NAME

    async def classify(self, text: str, *, language: Language | None = None) -> Classification:
        """Read one message, alone; never raises on any text."""
        return classify(text, language=language)
