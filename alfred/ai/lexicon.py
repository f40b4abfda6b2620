"""Phrases as data: reads `lexicon/*.txt` once and finds every phrase of a text in one walk."""

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


class Lexicon:
    """All phrases of all languages in one net; a token is its word, its classes and its known beginnings."""

    def __init__(self) -> None:
        self.root = Node()
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
        nodes = [self.root]
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
        """Under which names the net may know this token."""
        if token.kind == "mark":
            return PAUSE if token.form == "," else END
        if token.kind in NUMERIC:
            return NUMERIC[token.kind]
        found = self._symbols.get(token.form)
        if found is None:
            word = token.form
            begun = [f"{word[:n]}*" for n in range(3, len(word) + 1) if word[:n] in self.stems]
            found = (word, *self.classes.get(word, ()), *begun)
            if len(self._symbols) > 20_000:
                self._symbols.clear()
            self._symbols[word] = found
        return found

    def find(self, tokens: list[Token]) -> list[Hit]:
        """Every phrase in the tokens; none crosses a mark. Linear: a phrase has a bounded length."""
        named = [self.symbols(token) for token in tokens]
        named.append(END)
        hits: set[Hit] = set()
        root, starts = self.root.next, self.root.groups["^"].next
        fresh = True
        for first, symbols in enumerate(named):
            for symbol in symbols:
                for node in root.get(symbol, ()):
                    _walk(node, named, first, hits)
                if fresh:
                    for node in starts.get(symbol, ()):
                        _walk(node, named, first, hits)
            fresh = symbols[0] == "$"
        return sorted(hits, key=lambda hit: (hit.first, hit.last, hit.label))


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


def _walk(node: Node, named: list[tuple[str, ...]], first: int, hits: set[Hit]) -> None:
    waiting = [(node, first)]
    while waiting:
        node, last = waiting.pop()
        for meaning in node.meanings:
            hits.add(Hit(*meaning, first, last))
        if node.next:
            _ahead(node, named, last + 1, waiting)
        if node.gap is not None:
            for at in range(last + 1, min(last + 2 + GAP, len(named))):
                _ahead(node.gap, named, at, waiting)
                if named[at][0] == "$":
                    break


def _ahead(node: Node, named: list[tuple[str, ...]], at: int, waiting: list[tuple[Node, int]]) -> None:
    if at < len(named):
        for symbol in named[at]:
            for child in node.next.get(symbol, ()):
                waiting.append((child, at))


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
    made.root.step("^")
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
