"""A message as signals: the phrases found, without those that others, a "not" or an "if" explain away."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from alfred.ai.language import near, spoken, weigh
from alfred.ai.lexicon import Hit, lexicon
from alfred.ai.provider import Language, Signal
from alfred.ai.text import Token, expand, tokens

REACH = 4  # words that a negation can stand before what it denies
_ENDS = frozenset(".!?…\n")
_ASIDE = frozenset(",;:()¿¡")

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

    def same_sentence(self, one: Hit, other: Hit) -> bool:
        """Whether both stand in one sentence."""
        return self.sentences[one.first] == self.sentences[other.first]

    def sentence(self, hit: Hit) -> list[Token]:
        """The tokens of the sentence that the hit stands in."""
        number = self.sentences[hit.first]
        return [token for token, at in zip(self.tokens, self.sentences, strict=True) if at == number]

    def words(self) -> int:
        """How many tokens are words or numbers."""
        return sum(token.kind not in ("mark", "sign", "face", "money") for token in self.tokens)

    def signal(self, hit: Hit, label: str | None = None) -> Signal:
        """The hit as the seller sees it."""
        span = (self.tokens[hit.first].start, self.tokens[hit.last].end)
        return Signal(label=label or hit.label, rule=f"{hit.language}: {hit.rule}", span=span)


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
    hits = [_within(hit, len(found)) for hit in words.find(found) if hit.language in active]
    numbers, asking = sentences(found)
    marked = asking
    asking |= {numbers[hit.first] for hit in hits if hit.label == "ask"}
    reading = Reading(found, main, {}, sentences=numbers, asking=asking, marked=marked, scores=scores)
    grammar = Grammar(reading)
    kept, denied = grammar.settle(_unmask(hits))
    reading.by, reading.denied, reading.but = _by_label(kept), _by_label(denied), grammar.last_but()
    return reading


def _within(hit: Hit, length: int) -> Hit:
    """A hit that ends at the end of the text ends with its last token."""
    return hit if hit.last < length else hit._replace(last=length - 1)


def _by_label(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    found: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        found[hit.label].append(hit)
    return dict(found)


def _unmask(hits: list[Hit]) -> list[Hit]:
    """The hits that no other one takes away."""
    masks = [hit for hit in hits if hit.label in _CLEARS or hit.label in _CONTAINS]
    dropped_fine = {hit for hit in masks if hit.label == "fine" and _answered(hit, hits)}
    masks = [hit for hit in masks if hit not in dropped_fine]
    masks = [hit for hit in masks if not any(_takes(mask, hit) for mask in masks)]
    kept = [hit for hit in hits if hit not in dropped_fine]
    return [hit for hit in kept if not any(_takes(mask, hit) for mask in masks) and not _leads(hit, hits)]


def _leads(act: Hit, hits: list[Hit]) -> bool:
    """Whether what is asked for is a discount: "pode fazer um desconto?" is nothing to do."""
    if act.label not in ("act", "order"):
        return False
    return any(
        (hit.label == "discount" and 0 < hit.first - act.first <= 4 and hit.last >= act.last)
        or (hit.label == "price" and hit.first < act.first <= hit.last + 2)
        for hit in hits
    )


def _answered(fine: Hit, hits: list[Hit]) -> bool:
    """Whether "never so" is followed by blame: "nunca vi atendimento tão ruim"."""
    return fine.rule.split()[-1].startswith(("tao|", "tan|", "so|", "never")) and any(
        hit.label == "pain" and 0 < hit.first - fine.last <= 2 for hit in hits
    )


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
            token.seen[-1:] in "éó" and token.kind == "word"
            for token in self.tokens[hit.first : hit.last + 1]
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
