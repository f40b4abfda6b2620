"""Weighs what the rules found, the words, their pairs and their fields, by weights learnt from labelled rows."""

from bisect import bisect_left
from collections.abc import Collection
from functools import cache, lru_cache
from typing import Any, NamedTuple

from alfred.ai.builtin.fields import Fields, fields
from alfred.ai.builtin.signals import Reading
from alfred.ai.builtin.weights import BEGIN, END, LABELS, Clue, Lanes, apart, decided, summed, table
from alfred.terms import Language, Sentiment, Urgency

Own = tuple[int, ...]  # the fields of a word
Placed = tuple[Lanes, ...]  # four: not denied and denied, each before and in the last sentence
# What a word weighs, its denial, whether it tells something, and what it weighs with each word after it.
Met = tuple[Placed, int | None, bool, dict[str, Lanes]]
MOST_WORDS = 400  # of a text that are weighed, the first ones; a natural message has fewer
MOST_REMEMBERED = 5_000  # words; when there are more, all are forgotten
STEM = 5  # letters that a word must have in common with another to be weighed with it
NEAR = 3  # words that a denial reaches
DENIED, LAST = 500, 1_000  # added to the number of a field: denied, in the last sentence
_FULL = frozenset(".!?…\n")
SPARED = -1
NOTHING: Own = ()
NO_PAIRS: dict[str, Lanes] = {}
# Hundredths; what a word and its fields must weigh for some label, to say anything where the rules found nothing.
TELLING = 30
SURE = 40_000  # hundred-thousandths; by how much a label must then outweigh the others
UNSURE = (0, SURE, 0, SURE, 0, 0, -SURE, -SURE)


class Rules(NamedTuple):
    """What the rules alone decide."""

    sentiment: Sentiment
    urgency: Urgency
    negotiation: bool
    task: bool
    problem: bool


class Verdict(NamedTuple):
    """What the weights decide, and by how much the sentiment leads."""

    sentiment: Sentiment
    lead: float
    urgency: Urgency
    negotiation: bool
    task: bool


NOTHING_SAID = Verdict("neutral", 0.0, "low", False, False)


class Shape(NamedTuple):
    """How a text looks: eights of tokens, sentences, whether it asks, begins with a capital, ends with a stop.

    `silent`: the rules found nothing in it.
    """

    length: int
    sentences: int
    asks: bool
    capital: bool
    stop: bool
    silent: bool


def weigh(reading: Reading, rules: Rules, text: str) -> Verdict:
    """The labels whose clues weigh most; those of the rules where no language is spoken.

    Where the rules found nothing, the others must outweigh neutral, low and false by `SURE`, and some word must tell.
    """
    if reading.language is None:
        return Verdict(rules.sentiment, 0.0, rules.urgency, rules.negotiation, rules.task)
    sums = sums_of(reading, rules, text)
    if not reading.by and not reading.denied:
        if not weighed(reading.language).tells(reading):
            return NOTHING_SAID
        sums = [total + lead for total, lead in zip(sums, UNSURE, strict=True)]
    feelings, haste = sums[:3], sums[3:6]
    best = max(feelings)
    sentiment: Sentiment = LABELS[feelings.index(best)]  # type: ignore[assignment]
    urgency: Urgency = LABELS[3 + haste.index(max(haste))]  # type: ignore[assignment]
    feelings.remove(best)
    return Verdict(sentiment, (best - max(feelings)) / 100_000, urgency, sums[6] > 0, sums[7] > 0)


def sums_of(reading: Reading, rules: Rules, text: str) -> list[int]:
    """What all clues of a text weigh for each label, with what the units add, in hundred-thousandths."""
    language = reading.language or "pt"
    total = _worded(reading, language) + _aside(rules, shape_of(reading, text), reading)
    return decided(total)


def shape_of(reading: Reading, text: str) -> Shape:
    """How long a text is, how many sentences, whether it asks, and whether it is written like a letter."""
    sentences = reading.sentences[-1] if reading.sentences else 0
    length = min(6, len(reading.tokens) // 8)
    return Shape(
        length, min(4, sentences), bool(reading.asking), text[:1].isupper(), text.rstrip().endswith("."), not reading.by
    )


def _ruled(rules: Rules) -> list[Clue]:
    named: list[Clue] = [f"={rules.sentiment}", f"={rules.urgency}"]
    return [*named, f"=price:{rules.negotiation}", f"=task:{rules.task}", f"=problem:{rules.problem}"]


def _shaped(shape: Shape) -> list[Clue]:
    said = [
        name for name, holds in (("#asks", shape.asks), ("#capital", shape.capital), ("#stop", shape.stop)) if holds
    ]
    return ["#all", f"#length:{shape.length}", f"#sentences:{shape.sentences}", *said]


@lru_cache(maxsize=512)
def sum_decided(rules: Rules, shape: Shape) -> Lanes:
    return summed(_ruled(rules) + _shaped(shape))


def _aside(rules: Rules, shape: Shape, reading: Reading) -> Lanes:
    """The weights of what the rules found and decided, and of the shape of the text."""
    total = sum_decided(rules, shape)
    for label in reading.by:
        total += found_weighs(label)
    for label in reading.denied:
        total += denied_weighs(label)
    return total


@cache
def openings() -> dict[str, Lanes]:
    """The weights of the first word of a text, beside its own."""
    return table().after(BEGIN)


@cache
def found_weighs(label: str) -> Lanes:
    return table().of(f"+{label}")


@cache
def denied_weighs(label: str) -> Lanes:
    return table().of(f"-{label}")


def clues(reading: Reading, rules: Rules, text: str) -> list[Clue]:
    """Every clue of a text as often as it has it: those that `weigh` adds up."""
    found = _ruled(rules) + _shaped(shape_of(reading, text))
    found += ["+" + label for label in reading.by] + ["-" + label for label in reading.denied]
    known = weighed(reading.language or "pt")
    last, denied = _last(reading), 0
    one = two = ""
    before = BEGIN
    spared = _spared(reading)
    for at, word in enumerate(reading.tokens[:MOST_WORDS]):
        clue = word.clue
        own = known.fields_of(clue)
        turn = known.turn(clue, own)
        if clue not in (one, two) and at not in spared:
            found += [*spelled(clue), f"{before} {clue}"]
            found += known.alone(own, denied > 0, at >= last)
        denied = turn if turn is not None else denied - 1
        before, one, two = clue, clue, one
    return [*found, f"{before} {END}"]


def spelled(clue: str) -> list[Clue]:
    """A word, and the beginning that it has in common with its other forms."""
    return [clue, f"{clue[:STEM]}*"] if len(clue) > STEM and clue.isalpha() else [clue]


def _worded(reading: Reading, language: Language) -> Lanes:
    """The weights of the words, of their pairs and of their fields: of all `clues` but those aside.

    Each sum is looked up, since this is done for every word of every message. A word that one of the two
    before it repeats is weighed once.
    """
    known = weighed(language)
    met = known.met
    total = denied = 0
    one = two = ""
    after = openings()
    for word, place in zip(reading.tokens, _places(reading), strict=False):
        clue = word.clue
        weights, turn, _, follow = met.get(clue) or known.meet(clue)
        if clue != one and clue != two and place != SPARED:  # noqa: PLR1714 a tuple for each word takes longer
            total += weights[place + 2 if denied else place]
            if clue in after:
                total += after[clue]
        if turn is not None:
            denied = turn
        elif denied:
            denied -= 1
        after, one, two = follow, clue, one
    return total + after.get(END, 0)


def _places(reading: Reading) -> list[int]:
    """For each word that is weighed, which of its sums counts: before or in the last sentence, or none."""
    size, last = min(len(reading.tokens), MOST_WORDS), _last(reading)
    places = [0] * min(last, size) + [1] * (size - last)
    for at in _spared(reading):
        if at < size:
            places[at] = SPARED
    return places


def _spared(reading: Reading) -> Collection[int]:
    """The places of the words that a phrase explains away, which then say nothing: "never had a bad order"."""
    fine = reading.by.get("fine")
    return {at for hit in fine for at in range(hit.first, hit.last + 1)} if fine else ()


def _last(reading: Reading) -> int:
    """Where the last sentence begins."""
    return bisect_left(reading.sentences, reading.sentences[-1]) if reading.sentences else 0


class Weighed:
    """The words of one language with the sums of their weights, each put together when it is first met."""

    def __init__(self, own: Fields) -> None:
        self.met: dict[str, Met] = {}
        self._sums: dict[Own, Placed] = {NOTHING: (0, 0, 0, 0)}  # of the fields that a word may have, which are few
        self.fields_of = own.of
        self._denial = own.names.index("not")
        self._ceasing = own.names.index("ceasing")  # "does not stop bleeding" denies no bleeding

    def meet(self, clue: str) -> Met:
        """What a word weighs, how many words after it are denied (None: no change), whether it tells something on its
        own, and the words that weigh more after it.
        """
        own = self.fields_of(clue)
        _make_room(self.met, MOST_REMEMBERED)
        word, *beginning = map(table().of, spelled(clue))
        placed = self._placed(word + sum(beginning), own)
        telling = any(placed) and max(map(abs, apart(placed[0])[: len(LABELS)])) >= TELLING
        follow = table().after(clue) if word else NO_PAIRS  # who begins a pair has weights of its own
        found = self.met[clue] = (placed, self.turn(clue, own), telling, follow)
        return found

    def turn(self, clue: str, own: Own) -> int | None:
        """How many words after a word are denied; None where it changes nothing."""
        return NEAR if self._denial in own else 0 if clue in _FULL or self._ceasing in own else None

    def _placed(self, weight: Lanes, own: Own) -> Placed:
        """The weight of a word and of its fields: not denied and denied, each before and in the last sentence."""
        if not own:
            return (weight,) * 4
        sums = self._sums.get(own)
        if sums is None:
            places = [(denied, last) for denied in (False, True) for last in (False, True)]
            sums = self._sums[own] = tuple(summed(self.alone(own, denied, last)) for denied, last in places)
        return tuple(weight + more for more in sums)

    def tells(self, reading: Reading) -> bool:
        """Whether any word of a text tells something on its own."""
        return any((self.met.get(word.clue) or self.meet(word.clue))[2] for word in reading.tokens[:MOST_WORDS])

    def alone(self, own: Own, denied: bool, last: bool) -> list[int]:
        """The clues of the fields of one word, perhaps denied, perhaps in the last sentence."""
        said = [field + DENIED if denied and field != self._denial else field for field in own]
        return said + [field + LAST for field in own] if last else said


def _make_room(remembered: dict[Any, Any], most: int) -> None:
    if len(remembered) >= most:
        remembered.clear()


@cache
def weighed(language: Language) -> Weighed:
    """The one of this process and language."""
    return Weighed(fields(language))
