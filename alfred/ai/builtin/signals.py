"""A message as signals: the phrases found, without those that others, a "not" or an "if" explain away."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from alfred.ai.builtin.grammar import Grammar
from alfred.ai.builtin.language import near, spoken, weigh
from alfred.ai.builtin.lexicon import lexicon
from alfred.ai.builtin.masks import unmask
from alfred.ai.builtin.phrase_trie import Hit
from alfred.ai.builtin.text import MARKS
from alfred.ai.builtin.word_cache import Said, Word, vocabulary
from alfred.terms import Language

MOST_HITS = 1_000  # of one text that are weighed; a natural one of 10,000 characters has fewer
_BOUNDS = frozenset(".!?…\n¿")  # of sentences


@dataclass
class Reading:
    """A text as tokens and, by label, the hits that count."""

    said: Said
    language: Language | None
    near: tuple[Language, ...]  # the languages whose phrases are read
    scores: dict[Language, float]
    tokens: list[Word] = field(init=False)
    closed: list[int] = field(init=False)  # the places of the words that end a clause
    by: dict[str, list[Hit]] = field(init=False)
    denied: dict[str, list[Hit]] = field(init=False)
    sentences: list[int] = field(init=False)
    asking: frozenset[int] = field(init=False)
    marked: frozenset[int] = field(init=False)
    but: int = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.said.words
        self.closed = [at for at, word in enumerate(self.tokens) if word.closes]

    def has(self, *labels: str) -> bool:
        """Whether any of the labels was found."""
        return not self.by.keys().isdisjoint(labels)

    def weight(self, *labels: str) -> float:
        """The weights of all hits of these labels."""
        return sum(hit.meaning.weight for label in labels for hit in self.by.get(label, ()))

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
    def stretches(self) -> dict[int, list[Word]]:
        """The tokens of each sentence."""
        found: dict[int, list[Word]] = {}
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


def sentences(forms: list[str], closed: list[int]) -> tuple[list[int], frozenset[int]]:
    """The number of each token's sentence, and the numbers of those that end in a question mark."""
    number, begun = 0, 0
    numbers: list[int] = []
    asking = set()
    for at in closed:
        if forms[at] not in _BOUNDS:
            continue
        if forms[at] == "¿":
            if not _tagged(forms, at + 2):
                numbers += [number] * (at - begun)
                number, begun = number + 1, at
                asking.add(number)
            continue
        if forms[at] == "?" and not _tagged(forms, at):
            asking.add(number)
        numbers += [number] * (at + 1 - begun)
        number, begun = number + 1, at + 1
    numbers += [number] * (len(forms) - begun)
    return numbers, frozenset(asking)


def _tagged(forms: list[str], mark: int) -> bool:
    """Whether nothing but "ok" and the like stands before the question mark: "pago amanhã, tá?"."""
    if not 2 <= mark < len(forms):
        return False
    return forms[mark - 1] in lexicon().grammar["any", "@tag"] and forms[mark - 2] in MARKS


def read(text: str, language: Language | None = None) -> Reading:
    """Everything that the lexicon knows about a text."""
    reading = _cut(text, language)
    return _settled(reading, _phrases(reading))


def read_all(texts: Sequence[str]) -> list[Reading]:
    """The same of several texts: each step for all of them, so that it finds its code in the processor's caches."""
    readings = [_cut(text) for text in texts]
    hits = list(map(_phrases, readings))
    return list(map(_settled, readings, hits))


def _cut(text: str, language: Language | None = None) -> Reading:
    """The words of a text and its language."""
    words = vocabulary()
    said = words.cut(text)
    scores = weigh([word.votes for word in said.words])
    main = language or spoken(scores)
    words.write_out(said, main)
    return Reading(said, main, near(scores, language), scores)


def _phrases(reading: Reading) -> list[Hit]:
    named = [word.symbols for word in reading.tokens]
    return lexicon().reader(reading.near).hits(named, reading.closed, MOST_HITS)


def _settled(reading: Reading, hits: list[Hit]) -> Reading:
    """Which phrases count, and which stand in questions."""
    forms = reading.said.forms
    reading.sentences, reading.marked = sentences(forms, reading.closed)
    reading.asking = reading.marked | {reading.sentences[hit.first] for hit in hits if hit.meaning.label == "ask"}
    grammar = Grammar(reading.tokens, forms, reading.language)
    kept, denied = grammar.settle(unmask(hits))
    reading.by, reading.denied, reading.but = _by_label(kept), _by_label(denied), grammar.last_but()
    return reading


def _by_label(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    found: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        found[hit.meaning.label].append(hit)
    return dict(found)
