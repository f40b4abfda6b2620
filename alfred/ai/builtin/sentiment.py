"""How a message feels: praise against blame, open problems first, irony by what is meant."""

from typing import NamedTuple

from alfred.ai.builtin.lexicon import lexicon
from alfred.ai.builtin.phrase_trie import Hit
from alfred.ai.builtin.signals import Reading
from alfred.terms import Sentiment

ENOUGH = 0.5
_PROBLEMS = ("trouble", "danger", "stopped", "dispute", "threat")


class Mood(NamedTuple):
    """The sentiment, its score from -1 to 1, and whether a problem is open."""

    sentiment: Sentiment
    score: float
    open_problem: bool
    unanswered: bool


def mood_of(reading: Reading) -> Mood:
    """The mood of a message."""
    problem, silence = open_problem(reading), unanswered(reading)
    good, bad = _praise(reading), _blame(reading)
    if problem or silence:
        return Mood("negative", _score(-0.6 - 0.1 * bad), problem, silence)
    if ironic(reading, good) or _mocking(reading, bad):
        return Mood("negative", -0.6, False, False)
    score = good - bad
    if score >= ENOUGH:
        return Mood("positive", _score(0.4 + 0.2 * score), False, False)
    if score <= -ENOUGH:
        return Mood("negative", _score(-0.4 + 0.2 * score), False, False)
    return Mood("neutral", _score(0.3 * score), False, False)


def _score(value: float) -> float:
    return round(max(-1.0, min(1.0, value)), 2)


def open_problem(reading: Reading) -> bool:
    """Whether something is broken, late, missing, wrong or dangerous, and not said to be solved."""
    if "solved" in reading.denied:
        return True
    if not reading.has(*_PROBLEMS):
        return False
    hits = [hit for label in _PROBLEMS for hit in reading.by.get(label, ())]
    hits = [hit for hit in hits if not _only_asked(reading, hit) and not excused(reading, hit)]
    if "repair" in reading.by and not reading.has("dispute", "danger", "stopped"):
        return False  # the customer's own thing, to be repaired
    return bool(hits) and not solved(reading, hits)


def excused(reading: Reading, hit: Hit) -> bool:
    """Whether somebody's illness is only why an appointment is cancelled."""
    ailing = hit.meaning.label == "danger" and reading.tokens[hit.last].form in lexicon().grammar["any", "@ailing"]
    return ailing and "cancel" in reading.by and reading.has("schedule", "weekday")


def _only_asked(reading: Reading, hit: Hit) -> bool:
    """Whether a short question merely asks about such a problem ("does it leak?")."""
    if hit.meaning.label == "dispute" or not reading.questioned(hit):
        return False
    sentence = reading.stretches[reading.sentences[hit.first]]
    if hit.last - hit.first >= 2 or len(sentence) > 9 or hit.first == 0:
        return False
    return not any(token.form in lexicon().grammar["any", "@mine"] for token in sentence)


def solved(reading: Reading, problems: list[Hit]) -> bool:
    """Whether the message says that its problem is over."""
    said = [hit for hit in reading.by.get("solved", ()) if not reading.asks(hit) and not _wished(reading, hit)]
    if not said:
        return False
    end = said[-1].last
    anew = reading.but > end or any(token.form in lexicon().grammar["any", "@again"] for token in reading.tokens[end:])
    return not (anew and any(hit.first > end for hit in problems))


def _wished(reading: Reading, hit: Hit) -> bool:
    before = reading.tokens[max(0, hit.first - 4) : hit.first]
    wishes = lexicon().grammar["any", "@wish"]
    return any(token.form in wishes for token in before)


def unanswered(reading: Reading) -> bool:
    """Whether the customer has waited for an answer in vain."""
    return "silence" in reading.by


def ironic(reading: Reading, good: float) -> bool:
    """Praise with waiting time or an ironic sign is meant the other way round."""
    if "irony" in reading.by and (reading.has("praise", "wait", "nod") or _ironic_sign(reading)):
        return True
    if "wait" not in reading.by or "solved" in reading.by:
        return False
    return good > 0 or any(": ^" in hit.meaning.rule for hit in reading.by.get("nod", ()))


def _mocking(reading: Reading, bad: float) -> bool:
    """Congratulations on something bad: "parabéns, conseguiram estragar a festa"."""
    if bad < 1 or "praise" not in reading.by:
        return False
    congrats = lexicon().grammar["any", "@congrats"]
    return any(reading.tokens[hit.first].form in congrats for hit in reading.by["praise"])


def _ironic_sign(reading: Reading) -> bool:
    return any(hit.meaning.language == "any" for hit in reading.by["irony"])


def _praise(reading: Reading) -> float:
    by = reading.by
    total = _felt_of(reading, "praise") if "praise" in by else 0.0
    if "fine" in by:
        total += sum(1.2 for _ in _apart(by["fine"]))
    if "solved" in by and "thanks" in by and "declined" not in by:
        total += 0.5
    if "pain" in reading.denied:
        total += sum(0.7 for hit in reading.denied["pain"] if hit.meaning.weight >= 1)
    return total


def _blame(reading: Reading) -> float:
    by = reading.by
    total = _felt_of(reading, "pain") if "pain" in by else 0.0
    if "sour" in by:
        total += sum(1.2 for _ in _apart(by["sour"]))
    if "praise" in reading.denied:
        total += sum(hit.meaning.weight for hit in reading.denied["praise"] if not reading.asks(hit))
    return total + sum(1.0 for label in ("outrage", "threat") if label in by for _ in by[label])


def _felt_of(reading: Reading, label: str) -> float:
    """The weights of all hits of a label, of those that overlap the longest."""
    return sum(_felt(reading, hit) for hit in _apart(reading.by[label]))


def _felt(reading: Reading, hit: Hit) -> float:
    """A hit's weight: little in a question, more after the last "but"."""
    weight = hit.meaning.weight * (0.4 if _wondered(reading, hit) else 1.0)
    return weight * (1.6 if -1 < reading.but < hit.first else 1.0)


def _wondered(reading: Reading, hit: Hit) -> bool:
    """Whether a word is part of the question itself ("is it good?"), not said before it."""
    if not reading.asks(hit) or hit.last - hit.first > 1 or hit.meaning.language == "any":
        return False
    return reading.commas.get(reading.sentences[hit.last], -1) <= hit.last


def _apart(hits: tuple[Hit, ...] | list[Hit]) -> list[Hit]:
    """The longest of hits that overlap."""
    if len(hits) == 1:
        return list(hits)
    kept: list[Hit] = []
    taken: set[int] = set()
    for hit in sorted(hits, key=lambda hit: (hit.first - hit.last, -hit.meaning.weight)):
        places = range(hit.first, hit.last + 1)
        if taken.isdisjoint(places):
            kept.append(hit)
            taken.update(places)
    return kept
