"""The net of phrases: how they are kept, and what leads to them."""

import sys
from dataclasses import dataclass
from functools import cache

from alfred.ai.builtin.text import fold, forms

CLOSED = "$"  # a mark, or the end of the text
END, PAUSE = (CLOSED,), (CLOSED, "$,")


@dataclass(slots=True, eq=False)
class Meaning:
    """What a phrase of the lexicon says."""

    label: str
    weight: float
    language: str
    rule: str  # the language and the phrase: "en: thank you"


@dataclass(slots=True, eq=False)
class Hit:
    """A phrase found: tokens `first` to `last` (inclusive) say what it means."""

    meaning: Meaning
    first: int
    last: int


Symbols = tuple[str, ...]
Edges = dict[str, tuple["Node", ...]]
NOWHERE: Edges = {}  # what every place has that leads nowhere yet, half of them for good; nothing is added to it


class Node:
    """A place in the net of phrases: where each symbol leads, what may be skipped, and what ends here."""

    __slots__ = ("gap", "meanings", "next")

    def __init__(self) -> None:
        self.next: Edges = NOWHERE
        self.gap: Node | None = None
        self.meanings: tuple[Meaning, ...] = ()

    def begin(self) -> None:
        """Ways can be laid from here."""
        if self.next is NOWHERE:
            self.next = {}


class Start:
    """Where a first word leads, for all phrases that begin with it; put together when it is first met."""

    __slots__ = ("_nodes", "gap", "keys", "meanings", "next")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self._nodes = nodes
        self.next: Edges = NOWHERE
        self.gap: Node | None = None
        self.keys: frozenset[str] = frozenset()
        self.meanings = tuple(meaning for node in nodes for meaning in node.meanings)

    def open(self) -> None:
        """Knows from here on what can come next, at once or after a gap."""
        if not self._nodes:
            return
        gap = Node()
        self.next, gap.next = {}, {}
        for node in self._nodes:
            _merge(self.next, node.next)
            if node.gap:
                _merge(gap.next, node.gap.next)
        self.gap = gap if gap.next else None
        self.keys = frozenset((*self.next, *gap.next))
        self._nodes = ()


def _merge(edges: Edges, more: Edges) -> None:
    for symbol, nodes in more.items():
        edges[symbol] = (*edges[symbol], *nodes) if symbol in edges else nodes


class Net:
    """The phrases of one language, and their starts: anywhere, and at the beginning of a clause."""

    def __init__(self) -> None:
        self.root = Node()
        self.anywhere: dict[str, Start] = {}
        self.opening: dict[str, Start] = {}
        self._groups: dict[tuple[Node, str], Node] = {}

    def step(self, node: Node, element: str) -> Node:
        """The node after one element of a phrase; phrases that begin alike share their beginning."""
        if element == "~":
            node.gap = node.gap or Node()
            return node.gap
        found = self._groups.get((node, element))
        if found is None:
            found = self._groups[node, element] = Node()
            alone = (found,)
            for choice in dict.fromkeys(element.split("|")):
                _lead(node, choice.split("_"), found, alone)
        return found

    def close(self, shared: Node) -> None:
        """Nothing more is added but what every language shares."""
        own, theirs = self.root.next, shared.next
        nodes = {symbol: (*own.get(symbol, ()), *theirs.get(symbol, ())) for symbol in {**own, **theirs}}
        self.anywhere = {symbol: Start(after) for symbol, after in nodes.items()}
        self.opening = {symbol: Start(after) for symbol, after in self.step(self.root, "^").next.items()}
        self._groups.clear()


def _lead(start: Node, words: list[str], end: Node, alone: tuple[Node]) -> None:
    """Lays a way from start to end; `alone` is the end as the only edge, shared to save memory."""
    symbols = [sys.intern(symbol) for word in words for symbol in spelled(word)]
    for symbol in symbols[:-1]:
        between = Node()
        start.begin()
        start.next[symbol] = (*start.next.get(symbol, ()), between)
        start = between
    last = symbols[-1]
    start.begin()
    start.next[last] = (*start.next[last], end) if last in start.next else alone


@cache
def spelled(word: str) -> tuple[str, ...]:
    """The symbols that a word of a data file stands for."""
    if word[0] in "@^$":
        return (word,)
    return (fold(word),) if word.endswith("*") else forms(word)
