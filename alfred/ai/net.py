"""The net of phrases: how they are kept, and one walk that finds all of them in a text."""

import sys
from typing import NamedTuple

from alfred.ai.text import fold, forms

GAP = 3  # words that a "~" may stand for, at most
END = ("$",)  # what a mark is, and the end of the text
PAUSE = ("$", "$,")


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


Edges = dict[str, tuple["Node", ...]]


class Node:
    """A place in the net of phrases: where each symbol leads, what may be skipped, and what ends here."""

    __slots__ = ("gap", "meanings", "next")

    def __init__(self) -> None:
        self.next: Edges = {}
        self.gap: Node | None = None
        self.meanings: tuple[Meaning, ...] = ()


class Start:
    """Where a first word leads, for all phrases that begin with it; put together when it is first met."""

    __slots__ = ("_nodes", "gap", "keys", "meanings", "next")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self._nodes = nodes
        self.next: Edges | None = None
        self.gap: Edges = {}
        self.meanings = tuple(meaning for node in nodes for meaning in node.meanings)
        self.keys = frozenset().union(*(n.next for n in nodes), *(n.gap.next for n in nodes if n.gap))

    def open(self) -> Edges:
        """Where the next word leads."""
        self.next = {}
        for node in self._nodes:
            for symbol, after in node.next.items():
                self.next[symbol] = (*self.next.get(symbol, ()), *after)
            for symbol, after in node.gap.next.items() if node.gap else ():
                self.gap[symbol] = (*self.gap.get(symbol, ()), *after)
        return self.next


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
        start.next[symbol] = (*start.next.get(symbol, ()), between)
        start = between
    last = symbols[-1]
    start.next[last] = (*start.next[last], end) if last in start.next else alone


def spelled(word: str) -> tuple[str, ...]:
    """The symbols that a word of a data file stands for."""
    if word[0] in "@^$":
        return (word,)
    return (fold(word),) if word.endswith("*") else forms(word)


def _place(hit: Hit) -> tuple[int, int]:
    return hit[4], hit[5]


class Walk:
    """One walk through the symbols of a text; how near and how far each meaning reached from each place."""

    __slots__ = ("ahead", "longest", "named", "shortest")

    def __init__(self, named: list[tuple[str, ...]]) -> None:
        self.named = named
        self.ahead = reach(named)
        self.longest: dict[int, dict[Meaning, int]] = {}
        self.shortest: dict[int, dict[Meaning, int]] = {}

    def hits(self, last_token: int) -> list[Hit]:
        """What was found, in order."""
        found = [
            Hit(*meaning, at, min(last, last_token))
            for reached in (self.shortest, self.longest)
            for at, meanings in reached.items()
            for meaning, last in meanings.items()
            if reached is self.longest or last < self.longest[at][meaning]
        ]
        found.sort(key=_place)
        return found

    def through(self, net: Net) -> None:
        """Finds every phrase of a net."""
        anywhere, opening, ahead = net.anywhere, net.opening, self.ahead
        fresh = True
        for first, symbols in enumerate(self.named):
            for symbol in symbols:
                for starts in (anywhere, opening) if fresh else (anywhere,):
                    start = starts.get(symbol)
                    if start is not None and (start.meanings or not start.keys.isdisjoint(ahead[first + 1])):
                        self._begin(start, first)
            fresh = symbols[0] == "$"

    def _begin(self, start: Start, first: int) -> None:
        found = self.longest.setdefault(first, {})
        short = self.shortest.setdefault(first, {})
        for meaning in start.meanings:
            short[meaning] = first
            found.setdefault(meaning, first)
        if first + 1 == len(self.named):
            return
        waiting: list[tuple[Node, int]] = []
        self._step(start.open() if start.next is None else start.next, first + 1, waiting)
        self._leap(start.gap, first + 1, waiting)
        while waiting:
            node, last = waiting.pop()
            for meaning in node.meanings:
                if found.get(meaning, -1) < last:
                    found[meaning] = last
                if short.get(meaning, last + 1) > last:
                    short[meaning] = last
            if last + 1 < len(self.named):
                self._step(node.next, last + 1, waiting)
                if node.gap is not None:
                    self._leap(node.gap.next, last + 1, waiting)

    def _step(self, edges: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        """Goes on to the next word."""
        if edges:
            for symbol in self.named[at]:
                if symbol in edges:
                    waiting += [(child, at) for child in edges[symbol]]

    def _leap(self, edges: Edges, at: int, waiting: list[tuple[Node, int]]) -> None:
        """Goes on after a gap of none to three words, up to a mark."""
        if edges.keys().isdisjoint(self.ahead[at]):
            return
        for place in range(at, min(at + GAP + 1, len(self.named))):
            symbols = self.named[place]
            for symbol in symbols:
                if symbol in edges:
                    waiting += [(child, place) for child in edges[symbol]]
            if symbols[0] == "$":
                break


def reach(named: list[tuple[str, ...]]) -> list[set[str]]:
    """For each place the symbols from there to three words on, up to a mark."""
    found: list[set[str]] = []
    for at, symbols in enumerate(named):
        near = set(symbols)
        for later in named[at + 1 : at + GAP + 1] if symbols[0] != "$" else ():
            near.update(later)
            if later[0] == "$":
                break
        found.append(near)
    found.append(set())
    return found
