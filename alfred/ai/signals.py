"""A message as signals: the phrases found, without those that others, a "not" or an "if" explain away."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from alfred.ai.language import near, spoken, weigh
from alfred.ai.lexicon import Hit, lexicon
from alfred.ai.provider import Language, Signal
from alfred.ai.text import Token, expand, tokens

REACH = 4  # words that a negation can stand before what it denies
_ENDS = frozenset(".!?…\n")

# A phrase of the first kind takes away those of the second that lie in or across it ...
_CLEARS: dict[str, frozenset[str]] = {
    "fine": frozenset(("discount", "mishap", "pain", "trouble", "silence", "sour", "danger", "stopped")),
    "sour": frozenset(("praise",)),
    "unmoney": frozenset(("price", "priceword", "discount", "outrage", "costly", "dispute", "money")),
    "declined": frozenset(("act", "order", "promise", "discount")),
    "settled": frozenset(("act", "order")),
    "mishap": frozenset(("trouble", "act")),
    "norush": frozenset(("urgent", "today", "silence")),
    "irony": frozenset(("praise",)),
    "promise": frozenset(("act", "order")),
    "calm": frozenset(("today", "weekday", "trouble", "hours", "silence", "pain")),
    "discount": frozenset(("act", "order", "trouble")),
    "silence": frozenset(("trouble", "act")),
    "dispute": frozenset(("act", "order", "onspot")),
    "outrage": frozenset(("act", "order")),
}
# ... and a longer one of the first kind those of the second that it contains.
_CONTAINS: dict[str, frozenset[str]] = {
    "greeting": frozenset(("praise", "pain", "today")),
    "praise": frozenset(("trouble", "pain", "danger")),
    "pain": frozenset(("praise",)),
    "nod": frozenset(("praise", "pain")),
    "discount": frozenset(("praise", "pain")),
    "price": frozenset(("praise", "pain")),
    "act": frozenset(("praise",)),
    "past": frozenset(("weekday", "later", "today")),
    "today": frozenset(("today",)),
    "hours": frozenset(("today",)),
}


_MASKS = frozenset((*_CLEARS, *_CONTAINS))
_CLEARED = frozenset(("price", "discount", "costly", "outrage", "dispute"))
_MASKABLE = frozenset().union(*_CLEARS.values(), *_CONTAINS.values())
_ONLY_MASKED = _MASKABLE - _MASKS


@dataclass
class Reading:
    """A text as tokens and, by label, the hits that count."""

    tokens: list[Token]
    language: Language | None
    by: dict[str, list[Hit]]
    denied: dict[str, list[Hit]] = field(default_factory=dict)
    sentences: list[int] = field(default_factory=list)
    asking: frozenset[int] = frozenset()
    marked: frozenset[int] = frozenset()
    but: int = -1
    scores: dict[Language, float] = field(default_factory=dict)

    def has(self, *labels: str) -> bool:
        """Whether any of the labels was found."""
        return any(label in self.by for label in labels)

    def weight(self, *labels: str) -> float:
        """The weights of all hits of these labels."""
        return sum(hit.weight for label in labels for hit in self.by.get(label, ()))

    def asks(self, hit: Hit) -> bool:
        """Whether the hit stands in a question."""
        return self.sentences[hit.first] in self.asking

    def questioned(self, hit: Hit) -> bool:
        """Whether the hit stands in a sentence with a question mark."""
        return self.sentences[hit.first] in self.marked

    def where(self, *labels: str) -> set[int]:
        """The numbers of the sentences in which any of the labels was found."""
        return {self.sentences[hit.first] for label in labels for hit in self.by.get(label, ())}

    @cached_property
    def stretches(self) -> dict[int, list[Token]]:
        """The tokens of each sentence."""
        found: dict[int, list[Token]] = {}
        for token, number in zip(self.tokens, self.sentences, strict=True):
            found.setdefault(number, []).append(token)
        return found

    @cached_property
    def commas(self) -> dict[int, int]:
        """The place of each sentence's last comma."""
        places = enumerate(zip(self.tokens, self.sentences, strict=True))
        return {number: at for at, (token, number) in places if token.kind == "mark" and token.form in ",;:"}

    def words(self) -> int:
        """How many tokens are words or numbers."""
        return sum(token.kind not in ("mark", "sign", "face", "money") for token in self.tokens)

    def signal(self, hit: Hit, label: str) -> Signal:
        """The hit as the seller sees it."""
        span = (self.tokens[hit.first].start, self.tokens[hit.last].end)
        rule = f"{hit.language}: {hit.rule}"
        return Signal.model_construct(label=label, rule=rule, span=span)  # trusted, so not checked


def sentences(found: list[Token]) -> tuple[list[int], frozenset[int]]:
    """The number of each token's sentence, and the numbers of those that end in a question mark."""
    number, numbers, asking = 0, [], set()
    for token in found:
        numbers.append(number)
        if token.kind == "mark" and token.form in _ENDS:
            if token.form == "?":
                asking.add(number)
            number += 1
        elif token.form == "¿":
            number += 1
            numbers[-1] = number
            asking.add(number)
    return numbers, frozenset(asking)


def read(text: str, language: Language | None = None) -> Reading:
    """Everything that the lexicon knows about a text."""
    words = lexicon()
    found = tokens(text, words.known)
    scores = weigh(found, words)
    main = language or spoken(scores)
    found = expand(found, words.slang.get(main or "", {}))
    active = near(scores, language)
    hits = words.find(found, active)
    numbers, asking = sentences(found)
    marked = asking
    asking |= {numbers[hit.first] for hit in hits if hit.label == "ask"}
    reading = Reading(found, main, {}, sentences=numbers, asking=asking, marked=marked, scores=scores)
    grammar = Grammar(reading)
    kept, denied = grammar.settle(_unmask(hits))
    reading.by, reading.denied, reading.but = _by_label(kept), _by_label(denied), grammar.last_but()
    return reading


def _by_label(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    found: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        found[hit.label].append(hit)
    return dict(found)


def _unmask(hits: list[Hit]) -> list[Hit]:
    """The hits that no other one takes away."""
    masks = [hit for hit in hits if hit.label in _MASKS]
    gone = _answered(hits)
    cover = _cover(masks)
    for labels in (_CLEARED, _MASKABLE):  # what is cleared away contains nothing any more
        gone |= {mask for mask in masks if mask.label in labels and _masked(mask, cover, gone)}
    gone |= {hit for hit in hits if hit.label in _ONLY_MASKED and _masked(hit, cover, gone)}
    return _without_led([hit for hit in hits if hit not in gone])


def _cover(masks: Iterable[Hit]) -> dict[int, list[Hit]]:
    """The masks that lie on each token."""
    found: dict[int, list[Hit]] = {}
    for mask in masks:
        for at in range(mask.first, mask.last + 1):
            found.setdefault(at, []).append(mask)
    return found


def _masked(hit: Hit, cover: dict[int, list[Hit]], gone: set[Hit]) -> bool:
    for at in range(hit.first, hit.last + 1):
        for mask in cover.get(at, ()):
            if _takes(mask, hit) and mask not in gone:
                return True
    return False


def _answered(hits: list[Hit]) -> set[Hit]:
    """Each "never so" that blame follows: "nunca vi atendimento tão ruim"."""
    blame = {hit.first for hit in hits if hit.label == "pain"}
    return {
        hit
        for hit in hits
        if hit.label == "fine"
        and (hit.last + 1 in blame or hit.last + 2 in blame)
        and hit.rule.split()[-1].startswith(("tao|", "tan|", "so|", "never"))
    }


def _without_led(hits: list[Hit]) -> list[Hit]:
    """Without requests for a discount ("pode fazer um desconto?"), or for what is only priced."""
    discounts: dict[int, int] = {}
    priced: set[int] = set()
    for hit in hits:
        if hit.label == "discount":
            discounts[hit.first] = max(hit.last, discounts.get(hit.first, 0))
        elif hit.label == "price":
            priced.update(range(hit.first + 1, hit.last + 3))

    def led(act: Hit) -> bool:
        after = range(act.first + 1, act.first + 5)
        return act.first in priced or any(discounts.get(at, -1) >= act.last for at in after)

    return [hit for hit in hits if hit.label not in ("act", "order") or not led(hit)]


def _takes(mask: Hit, hit: Hit) -> bool:
    if hit is mask or hit.first > mask.last or hit.last < mask.first:
        return False
    if hit.label in _CLEARS.get(mask.label, ()):
        return True
    if hit.label not in _CONTAINS.get(mask.label, ()):
        return False
    if not (mask.first <= hit.first and hit.last <= mask.last):
        return False
    if mask.label in ("greeting", "nod"):
        return mask.label == "greeting" or mask.last > mask.first
    return mask.last - mask.first > hit.last - hit.first


class Grammar:
    """Negations, conditions and turns ("but") of a text, each in the text's own language."""

    def __init__(self, reading: Reading) -> None:
        code = reading.language or "en"
        words = lexicon().grammar
        self.reading = reading
        self.tokens = reading.tokens
        self.nots = words.get((code, "@not"), set())
        self.buts = words.get((code, "@but"), set()) - ({"mas"} if code == "es" else set())
        self.ifs = words.get((code, "@if"), set())

    def last_but(self) -> int:
        """The place of the last "but", -1 where there is none."""
        places = [at for at, token in enumerate(self.tokens) if token.form in self.buts]
        return places[-1] if places else -1

    def settle(self, hits: list[Hit]) -> tuple[list[Hit], list[Hit]]:
        """The hits that stand, and those that are denied."""
        kept, denied = [], []
        for hit in hits:
            if hit.label in _CONDITIONAL and self._supposed(hit):
                continue
            if hit.label == "act" and self._told(hit):
                continue
            if hit.label in _DENIABLE and self._negated(hit):
                denied.append(hit)
            else:
                kept.append(hit)
        return kept, denied

    def _negated(self, hit: Hit) -> bool:
        for at in range(hit.first - 1, max(-1, hit.first - 1 - REACH), -1):
            token = self.tokens[at]
            if token.kind == "mark" or token.form in self.buts:
                return False
            if token.form in self.nots:
                return self.tokens[min(at + 1, hit.first)].form not in _ONLY
        return False

    def _told(self, hit: Hit) -> bool:
        """Whether a Spanish verb looks like a command but tells what was done: "pasé"."""
        return self.reading.language == "es" and any(
            token.seen[-1:] in "éó" and token.kind == "word" for token in self.tokens[hit.first : hit.last + 1]
        )

    def _supposed(self, hit: Hit) -> bool:
        for at in range(hit.first, max(-1, hit.first - 7), -1):
            token = self.tokens[at]
            if token.kind == "mark" and token.form != ",":
                return False
            if token.form in self.ifs and token.seen != "sí" and at < hit.first:
                return True
        return False


_ONLY = frozenset(("so", "solo", "only", "just", "apenas"))
_CONDITIONAL = frozenset(("trouble", "pain", "praise", "danger", "stopped", "silence", "solved", "sour"))
_DENIABLE = frozenset(
    (
        "praise",
        "pain",
        "trouble",
        "solved",
        "urgent",
        "danger",
        "costly",
        "outrage",
        "threat",
        "cancel",
        "act",
        "order",
    )
)
