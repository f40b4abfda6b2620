"""Phrases as data: reads `lexicon/*.txt` once and finds every phrase of a text in one walk."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from alfred.ai.text import Token, fold, forms

FOLDER = Path(__file__).parent / "lexicon"
GAP = 3  # words that a "~" may stand for, at most


class Meaning(NamedTuple):
    """What a phrase of the lexicon says."""

    label: str
    weight: float
    language: str
    rule: str


class Hit(NamedTuple):
    """A phrase found: tokens `first` to `last` (inclusive) say `label` with `weight`."""

    label: str
    weight: float
    language: str
    rule: str
    first: int
    last: int


class Node:
    """A place in the net of phrases: where each symbol leads, what may be skipped, and what ends here."""

    __slots__ = ("gap", "groups", "meanings", "next")

    def __init__(self) -> None:
        self.next: dict[str, list[Node]] = {}
        self.groups: dict[str, Node] = {}
        self.gap: Node | None = None
        self.meanings: tuple[Meaning, ...] = ()

    def step(self, element: str) -> "Node":
        """The node after one element of a phrase; phrases that begin alike share their beginning."""
        if element == "~":
            self.gap = self.gap or Node()
            return self.gap
        found = self.groups.get(element)
        if found is None:
            found = self.groups[element] = Node()
            for choice in dict.fromkeys(element.split("|")):
                _lead(self, choice.split("_"), found)
        return found


def _lead(start: Node, words: list[str], end: Node) -> None:
    symbols = [symbol for word in words for symbol in spelled(word)]
    for symbol in symbols[:-1]:
        between = Node()
        start.next.setdefault(symbol, []).append(between)
        start = between
    start.next.setdefault(symbols[-1], []).append(end)


def spelled(word: str) -> tuple[str, ...]:
    """The symbols that a word of a data file stands for."""
    if word[0] in "@^$":
        return (word,)
    return (fold(word),) if word.endswith("*") else forms(word)


class Start:
    """Where a first word leads, for all phrases of a language that begin with it at once."""

    __slots__ = ("gap", "meanings", "next")

    def __init__(self, nodes: list[Node]) -> None:
        self.next: dict[str, list[Node]] = {}
        self.gap: dict[str, list[Node]] = {}
        for node in nodes:
            for symbol, after in node.next.items():
                self.next.setdefault(symbol, []).extend(after)
            for symbol, after in node.gap.next.items() if node.gap else ():
                self.gap.setdefault(symbol, []).extend(after)
        self.meanings = tuple(meaning for node in nodes for meaning in node.meanings)


class Net:
    """The phrases of one language; the starts are put together when they are first seen."""

    def __init__(self) -> None:
        self.root = Node()
        self.root.step("^")
        self.starts: dict[str, Start | None] = {}

    def start(self, symbol: str) -> Start | None:
        """Where a symbol leads from the root; None where no phrase begins with it."""
        try:
            return self.starts[symbol]
        except KeyError:
            return self._start(symbol)

    def _start(self, symbol: str) -> Start | None:
        root = self.root.groups["^"] if symbol[0] == "^" and len(symbol) > 1 else self.root
        nodes = root.next.get(symbol.removeprefix("^") if root is not self.root else symbol)
        if nodes is None:
            return None
        self.starts[symbol] = Start(nodes)
        return self.starts[symbol]


class Lexicon:
    """The phrases of all languages; a token is known by its word, its classes and its known beginnings."""

    def __init__(self) -> None:
        self.nets: dict[str, Net] = {}
        self.classes: dict[str, list[str]] = {}
        self.grammar: dict[tuple[str, str], set[str]] = {}
        self.stems: set[str] = set()
        self.tells: dict[str, dict[str, float]] = {}
        self.known: frozenset[str] = frozenset()
        self._known: set[str] = set()
        self.entries: dict[str, int] = {}
        self.slang: dict[str, dict[str, tuple[str, ...]]] = {}
        self._symbols: dict[str, tuple[str, ...]] = {}

    def add(self, phrase: str, meaning: Meaning) -> None:
        """One line of a file: words, `a|b`, `two_words`, `stem*`, `maybe?`, `@class`, `^`, `$` and `~`."""
        self.entries[meaning.language] = self.entries.get(meaning.language, 0) + 1
        nodes = [self.nets.setdefault(meaning.language, Net()).root]
        for element in phrase.split():
            after = list(dict.fromkeys(node.step(element.rstrip("?")) for node in nodes))
            nodes = nodes + after if element.endswith("?") else after
        for node in nodes:
            node.meanings = (*node.meanings, meaning)
        self._learn(phrase, meaning.language)

    def learn(self, word: str, language: str) -> None:
        """A word that a language has; it speaks for it a little."""
        self._known.add(word)
        self.tells.setdefault(word, {}).setdefault(language, 0.3)

    def close(self) -> None:
        """Nothing more is added."""
        self.known = frozenset(self._known)

    def _learn(self, phrase: str, language: str) -> None:
        for word in phrase.replace("|", " ").replace("_", " ").split():
            if word.endswith("*"):
                self.stems.add(fold(word[:-1]))
            elif word[0] not in "@^~$":
                for symbol in spelled(word.rstrip("?")):
                    self.learn(symbol, language)

    def symbols(self, token: Token) -> tuple[str, ...]:
        """Under which names the nets may know this token."""
        if token.kind == "mark":
            return PAUSE if token.form == "," else END
        if token.kind in NUMERIC:
            return NUMERIC[token.kind]
        found = self._symbols.get(token.form)
        if found is None:
            word = token.form
            begun = [f"{word[:n]}*" for n in range(3, len(word) + 1) if word[:n] in self.stems]
            found = (word, *self.classes.get(word, ()), *begun)
            if len(self._symbols) > MOST_WORDS:
                self._symbols.clear()
            self._symbols[word] = found
        return found

    def find(self, tokens: list[Token], languages: Iterable[str]) -> list[Hit]:
        """Every phrase of these languages in the tokens; none crosses a mark. Linear in their number."""
        named = [self.symbols(token) for token in tokens]
        named.append(END)
        walk = Walk(named)
        for language in languages:
            walk.through(self.nets[language])
        last_token = len(tokens) - 1
        hits = [
            Hit(*meaning, first, min(last, last_token)) for (meaning, first), last in walk.longest.items()
        ]
        hits.sort(key=_place)
        return hits


MOST_WORDS = 20_000  # whose symbols are remembered
END = ("$",)  # what a mark is, and the end of the text
PAUSE = ("$", "$,")
NUMERIC = {
    "num": ("@number",),
    "number": ("@number",),
    "date": ("@date", "@number"),
    "time": ("@time",),
    "percent": ("@percent",),
    "times": ("@times",),
    "ordinal": ("@ordinal",),
    "amount": ("@amount", "@number"),
}


def _place(hit: Hit) -> tuple[int, int, str]:
    return hit.first, hit.last, hit.label


def windows(named: list[tuple[str, ...]]) -> list[frozenset[str]]:
    """For each place the symbols within a gap's reach from there, up to a mark."""
    found = []
    for at in range(len(named)):
        reach: list[str] = []
        for symbols in named[at : at + GAP + 1]:
            reach += symbols
            if symbols[0] == "$":
                break
        found.append(frozenset(reach))
    found.append(frozenset())
    return found


Edges = dict[str, list[Node]]
_NOWHERE: Edges = {}


class Walk:
    """One walk through the symbols of a text; `longest` keeps how far each phrase reached from each start."""

    __slots__ = ("ahead", "longest", "named")

    def __init__(self, named: list[tuple[str, ...]]) -> None:
        self.named = named
        self.ahead = windows(named)
        self.longest: dict[tuple[Meaning, int], int] = {}

    def through(self, net: Net) -> None:
        """Finds every phrase of a net."""
        fresh = True
        for first, symbols in enumerate(self.named):
            for symbol in symbols:
                if (start := net.start(symbol)) is not None:
                    self._begin(start, first)
                if fresh and (start := net.start("^" + symbol)) is not None:
                    self._begin(start, first)
            fresh = symbols[0] == "$"

    def _begin(self, start: Start, first: int) -> None:
        longest = self.longest
        for meaning in start.meanings:
            longest.setdefault((meaning, first), first)
        waiting: list[tuple[Node, int]] = []
        self._go_on(start.next, start.gap, first + 1, waiting)
        while waiting:
            node, last = waiting.pop()
            for meaning in node.meanings:
                if longest.get((meaning, first), -1) < last:
                    longest[meaning, first] = last
            if node.next or node.gap is not None:
                self._go_on(node.next, node.gap.next if node.gap else _NOWHERE, last + 1, waiting)

    def _go_on(self, near: Edges, far: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        """Goes on to the next word, and after a gap of none to three words."""
        if at >= len(self.named):
            return
        if near:
            for symbol in self.named[at]:
                for child in near.get(symbol, ()):
                    waiting.append((child, at))
        if far and not self.ahead[at].isdisjoint(far):
            self._leap(far, at, waiting)

    def _leap(self, far: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        for place in range(at, min(at + GAP + 1, len(self.named))):
            for symbol in self.named[place]:
                for child in far.get(symbol, ()):
                    waiting.append((child, place))
            if self.named[place][0] == "$":
                break


def read(path: Path) -> list[tuple[list[str], str]]:
    """The lines of a data file, each with the words of the `[section]` that it stands in."""
    section: list[str] = []
    found = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]").split()
        elif line and not line.startswith("#"):
            found.append((section, line))
    return found


@cache
def lexicon() -> Lexicon:
    """The one lexicon of this process."""
    made = Lexicon()
    for path in sorted(FOLDER.glob("*.txt")):
        for section, line in read(path):
            _take(made, path.name.partition(".")[0], section, line)
    made.close()
    return made


def _take(made: Lexicon, language: str, section: list[str], line: str) -> None:
    name, *rest = section
    if name == "slang":
        short, _, full = line.partition("=")
        made.slang.setdefault(language, {})[fold(short.strip())] = tuple(map(fold, full.split()))
        made.tells.setdefault(short.strip(), {}).setdefault(language, 0.8)
    elif name == "tells":
        for word in line.split("|"):
            told = made.tells.setdefault(word, {})
            told[language] = max(float(rest[0]), told.get(language, 0))
    elif name.startswith("@"):
        for word in line.split():
            for ending in rest or [""]:
                form = fold(word + ending)
                made.learn(form, language)
                made.grammar.setdefault((language, name), set()).add(form)
                if name not in made.classes.setdefault(form, []):
                    made.classes[form].append(name)
    else:
        made.add(line, Meaning(name, float(rest[0]), language, line))
