"""Phrases as data: reads `lexicon/*.txt` once and finds every phrase of a text in one walk."""

from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from alfred.ai.text import NO_SLANG, Slang, Token, forms

FOLDER = Path(__file__).parent / "lexicon"
LANGUAGES = ("pt", "en", "es")
GAP = 3  # words that a "~" may stand for, at most


class Hit(NamedTuple):
    """A phrase found: tokens `first` to `last` (inclusive) say `label` with `weight`."""

    label: str
    weight: float
    language: str
    rule: str
    first: int
    last: int


class Meaning(NamedTuple):
    """What a phrase of the lexicon says."""

    label: str
    weight: float
    language: str
    rule: str


@dataclass(slots=True)
class Node:
    """A place in the tree of phrases: where each symbol leads, and what ends here."""

    next: dict[str, "Node"] = field(default_factory=dict)
    gap: "Node | None" = None
    meanings: tuple[Meaning, ...] = ()


class Lexicon:
    """All phrases of all languages in one tree; a token is its word, its classes and its known beginnings."""

    def __init__(self) -> None:
        self.root = Node()
        self.classes: dict[str, list[str]] = {}
        self.stems: set[str] = set()
        self.words: dict[str, set[str]] = {}
        self.entries: dict[str, int] = {}
        self.slang = NO_SLANG
        self._symbols: dict[str, tuple[str, ...]] = {}

    def add(self, phrase: str, meaning: Meaning) -> None:
        """One line of a file: words, `a|b`, `stem*`, `maybe?`, `@class` and `~` for up to three words."""
        self.entries[meaning.language] = self.entries.get(meaning.language, 0) + 1
        for choice in product(*map(_choices, phrase.split())):
            node = self.root
            for symbol in (part for group in choice for part in group):
                node = self._step(node, symbol, meaning.language)
            if meaning not in node.meanings:
                node.meanings = (*node.meanings, meaning)

    def _step(self, node: Node, symbol: str, language: str) -> Node:
        if symbol == "~":
            node.gap = node.gap or Node()
            return node.gap
        if symbol.endswith("*"):
            self.stems.add(symbol[:-1])
        elif symbol[0] != "@":
            self.words.setdefault(symbol, set()).add(language)
        return node.next.setdefault(symbol, Node())

    def symbols(self, token: Token) -> tuple[str, ...]:
        """Under which names the tree may know this token."""
        if token.kind == "mark":
            return ()
        if token.kind not in ("word", "face", "sign", "money"):
            return _NUMERIC[token.kind]
        found = self._symbols.get(token.form)
        if found is None:
            word = token.form
            stems = (f"{word[:n]}*" for n in range(3, len(word) + 1) if word[:n] in self.stems)
            found = (word, *self.classes.get(word, ()), *stems)
            if len(self._symbols) > 20_000:
                self._symbols.clear()
            self._symbols[word] = found
        return found

    def find(self, tokens: list[Token]) -> list[Hit]:
        """Every phrase in the tokens; none crosses a mark. Linear: a phrase has a bounded length."""
        named = [self.symbols(token) for token in tokens]
        hits: list[Hit] = []
        root = self.root.next
        for first, symbols in enumerate(named):
            for symbol in symbols:
                if (node := root.get(symbol)) is not None:
                    _walk(node, named, first, hits)
        return hits


_NUMERIC = {
    "number": ("@number",),
    "num": ("@number",),
    "date": ("@date", "@number"),
    "time": ("@time",),
    "percent": ("@percent",),
    "times": ("@times",),
    "ordinal": ("@ordinal",),
    "amount": ("@amount", "@number"),
}


def _walk(node: Node, named: list[tuple[str, ...]], first: int, hits: list[Hit]) -> None:
    waiting = [(node, first)]
    while waiting:
        node, last = waiting.pop()
        hits.extend(Hit(*meaning, first, last) for meaning in node.meanings)
        _ahead(node, named, last + 1, waiting)
        if node.gap is not None:
            for at in range(last + 1, min(last + 2 + GAP, len(named))):
                _ahead(node.gap, named, at, waiting)
                if not named[at]:
                    break


def _ahead(node: Node, named: list[tuple[str, ...]], at: int, waiting: list[tuple[Node, int]]) -> None:
    if at < len(named) and node.next:
        for symbol in named[at]:
            if (child := node.next.get(symbol)) is not None:
                waiting.append((child, at))


def _choices(element: str) -> list[tuple[str, ...]]:
    optional = element.endswith("?")
    found: list[tuple[str, ...]] = [_written(one) for one in element.rstrip("?").split("|")]
    return [*found, ()] if optional else found


def _written(one: str) -> tuple[str, ...]:
    if one[0] in "@~" or one.endswith("*"):
        return (one,)
    return forms(one, NO_SLANG)


def read(path: Path) -> list[tuple[str, float, str]]:
    """The lines of a data file as (section, weight, phrase); `#` begins a comment."""
    section, weight, found = "", 1.0, []
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.split(" #")[0].strip()
        if line.startswith("["):
            section, _, number = line.strip("[]").partition(" ")
            weight = float(number or 1)
        elif line and not line.startswith("#"):
            found.append((section, weight, line))
    return found


@cache
def lexicon() -> Lexicon:
    """The one lexicon of this process."""
    made = Lexicon()
    slang: dict[str, tuple[str, ...]] = {}
    for path in sorted(FOLDER.glob("*.txt")):
        language = path.name[:2]
        for section, weight, line in read(path):
            if section.startswith("@"):
                for word in line.split():
                    made.classes.setdefault(word, []).append(section)
                    made.words.setdefault(word, set()).add(language)
            elif section == "slang":
                short, _, full = line.partition("=")
                slang[short.strip()] = tuple(full.split())
            else:
                made.add(line, Meaning(section, weight, language, line))
    made.slang = Slang(slang, frozenset(made.words))
    return made
