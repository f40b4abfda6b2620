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


Edges = dict[str, list[Node]]


class Start:
    """Where a first word leads, for all phrases of a language that begin with it at once."""

    __slots__ = ("gap", "meanings", "next")

    def __init__(self, nodes: list[Node]) -> None:
        self.next: Edges = {}
        self.gap: Edges = {}
        for node in nodes:
            for symbol, after in node.next.items():
                self.next.setdefault(symbol, []).extend(after)
            for symbol, after in node.gap.next.items() if node.gap else ():
                self.gap.setdefault(symbol, []).extend(after)
        self.meanings = tuple(meaning for node in nodes for meaning in node.meanings)


class Net:
    """The phrases of one language, and their starts: anywhere, and at the beginning of a clause."""

    def __init__(self) -> None:
        self.root = Node()
        self.anywhere: dict[str, Start] = {}
        self.opening: dict[str, Start] = {}

    def close(self, shared: Node) -> None:
        """Nothing more is added but what every language shares."""
        symbols = dict.fromkeys((*self.root.next, *shared.next))
        nodes = {symbol: [*self.root.next.get(symbol, ()), *shared.next.get(symbol, ())] for symbol in symbols}
        self.anywhere = {symbol: Start(after) for symbol, after in nodes.items() if symbol != "^"}
        self.opening = {symbol: Start(nodes) for symbol, nodes in self.root.step("^").next.items()}


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
        shared = self.nets.pop(SHARED).root
        for net in self.nets.values():
            net.close(shared)

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
        return walk.hits(len(tokens) - 1)


SHARED = "any"  # the language of what every language shares
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


def _place(hit: Hit) -> tuple[int, int]:
    return hit[4], hit[5]


class Walk:
    """One walk through the symbols of a text; `longest` is how far each meaning reached from each place."""

    __slots__ = ("ahead", "longest", "named")

    def __init__(self, named: list[tuple[str, ...]]) -> None:
        self.named = named
        self.ahead: list[frozenset[str] | None] = [None] * len(named)
        self.longest: dict[int, dict[Meaning, int]] = {}

    def hits(self, last_token: int) -> list[Hit]:
        """What was found, in order."""
        found = [
            Hit(*meaning, at, min(last, last_token))
            for at, meanings in self.longest.items()
            for meaning, last in meanings.items()
        ]
        found.sort(key=_place)
        return found

    def through(self, net: Net) -> None:
        """Finds every phrase of a net."""
        anywhere, opening = net.anywhere, net.opening
        fresh = True
        for first, symbols in enumerate(self.named):
            for symbol in symbols:
                if symbol in anywhere:
                    self._begin(anywhere[symbol], first)
                if fresh and symbol in opening:
                    self._begin(opening[symbol], first)
            fresh = symbols[0] == "$"

    def _begin(self, start: Start, first: int) -> None:
        found = self.longest.setdefault(first, {})
        for meaning in start.meanings:
            found.setdefault(meaning, first)
        waiting: list[tuple[Node, int]] = []
        at = first + 1
        if at < len(self.named):
            self._step(start.next, at, waiting)
            self._leap(start.gap, at, waiting)
        while waiting:
            node, last = waiting.pop()
            for meaning in node.meanings:
                if found.get(meaning, -1) < last:
                    found[meaning] = last
            at = last + 1
            if at < len(self.named):
                if node.next:
                    self._step(node.next, at, waiting)
                if node.gap is not None:
                    self._leap(node.gap.next, at, waiting)

    def _step(self, edges: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        """Goes on to the next word."""
        for symbol in self.named[at]:
            if symbol in edges:
                waiting += [(child, at) for child in edges[symbol]]

    def _leap(self, edges: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        """Goes on after a gap of none to three words, up to a mark."""
        if not edges:
            return
        ahead = self.ahead[at]
        if ahead is None:
            ahead = self.ahead[at] = self._reach(at)
        if ahead.isdisjoint(edges):
            return
        for place in range(at, min(at + GAP + 1, len(self.named))):
            symbols = self.named[place]
            for symbol in symbols:
                if symbol in edges:
                    waiting += [(child, place) for child in edges[symbol]]
            if symbols[0] == "$":
                break

    def _reach(self, at: int) -> frozenset[str]:
        reach: list[str] = []
        for symbols in self.named[at : at + GAP + 1]:
            reach += symbols
            if symbols[0] == "$":
                break
        return frozenset(reach)


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
