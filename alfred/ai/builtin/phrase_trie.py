"""The net of phrases: how they are kept, and one walk that finds all of them in a text."""

import sys
from functools import lru_cache
from itertools import accumulate, chain
from operator import attrgetter
from typing import NamedTuple

from alfred.ai.builtin.text import fold, forms

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


Symbols = tuple[str, ...]
Edges = dict[str, tuple["Node", ...]]
Reached = tuple[Meaning, int]  # and the last token of the phrase
_new = tuple.__new__  # what Hit(...) does, in half the time
_LAST = attrgetter("last")


class Node:
    """A place in the net of phrases: where each symbol leads, what may be skipped, and what ends here."""

    __slots__ = ("gap", "meanings", "next")

    def __init__(self) -> None:
        self.next: Edges = {}
        self.gap: Node | None = None
        self.meanings: tuple[Meaning, ...] = ()


class Start:
    """Where a first word leads, for all phrases that begin with it; put together when it is first met."""

    __slots__ = ("_nodes", "edges", "gap", "keys", "meanings")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self._nodes = nodes
        self.edges: Edges = {}
        self.gap: Edges = {}
        self.keys: frozenset[str] | None = None
        self.meanings = tuple(meaning for node in nodes for meaning in node.meanings)

    def open(self) -> frozenset[str]:
        """What can come next, at once or after a gap."""
        for node in self._nodes:
            _merge(self.edges, node.next)
            if node.gap:
                _merge(self.gap, node.gap.next)
        self._nodes = ()
        self.keys = frozenset((*self.edges, *self.gap))
        return self.keys


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
        start.next[symbol] = (*start.next.get(symbol, ()), between)
        start = between
    last = symbols[-1]
    start.next[last] = (*start.next[last], end) if last in start.next else alone


@lru_cache(maxsize=4096)
def spelled(word: str) -> tuple[str, ...]:
    """The symbols that a word of a data file stands for."""
    if word[0] in "@^$":
        return (word,)
    return (fold(word),) if word.endswith("*") else forms(word)


class Walk:
    """One walk through the symbols of a text, of which the last is its end."""

    __slots__ = ("_ahead", "_end", "_named")

    def __init__(self, named: list[Symbols]) -> None:
        self._named = named
        self._end = len(named) - 1
        self._ahead = ahead(named)

    def hits(self, nets: list[Net], most: int) -> list[Hit]:
        """The phrases of these nets in order of their places, `most` at most."""
        tables = [(net.anywhere, net.opening) for net in nets]
        found: list[Hit] = []
        fresh = True
        for first, (symbols, near) in enumerate(zip(self._named, self._ahead, strict=True)):
            reached: list[Reached] = []
            for anywhere, opening in tables:
                for symbol in symbols:
                    start = anywhere.get(symbol)
                    if start:
                        self._follow(start, first, near, reached)
                    if fresh and symbol in opening:
                        self._follow(opening[symbol], first, near, reached)
            if reached:
                found += self._spans(first, reached)
                if len(found) >= most:
                    break
            fresh = symbols[0] == "$"
        return found[:most]

    def _follow(self, start: Start, first: int, near: list[str], reached: list[Reached]) -> None:
        """Notes where each phrase ends that goes on from its first word."""
        for meaning in start.meanings:
            reached.append((meaning, first))
        if (start.keys or start.open()).isdisjoint(near):
            return
        waiting: list[tuple[Node, int]] = []
        self._go(start.edges, start.gap, first, waiting)
        while waiting:
            node, last = waiting.pop()
            for meaning in node.meanings:
                reached.append((meaning, last))
            if last < self._end and (node.next or node.gap):
                self._go(node.next, node.gap.next if node.gap else None, last, waiting)

    def _go(self, edges: Edges, gap: Edges | None, last: int, waiting: list[tuple[Node, int]]) -> None:
        """To the word after the last, and beyond a gap of none to three words up to a mark."""
        at = last + 1
        for symbol in self._named[at]:
            if symbol in edges:
                for node in edges[symbol]:
                    waiting.append((node, at))
        if not gap or gap.keys().isdisjoint(self._ahead[last]):
            return
        for symbols in self._named[at : at + GAP + 1]:
            for symbol in symbols:
                if symbol in gap:
                    for node in gap[symbol]:
                        waiting.append((node, at))
            if symbols[0] == "$":
                return
            at += 1

    def _spans(self, first: int, reached: list[Reached]) -> list[Hit]:
        """Of each meaning the nearest end and the furthest, in order."""
        if len(reached) == 1 or len(dict(reached)) == len(reached):
            found = [self._hit(meaning, first, last) for meaning, last in reached]
            return sorted(found, key=_LAST) if len(found) > 1 else found
        shortest: dict[Meaning, int] = {}
        longest: dict[Meaning, int] = {}
        for meaning, last in reached:
            if longest.setdefault(meaning, last) < last:
                longest[meaning] = last
            if shortest.setdefault(meaning, last) > last:
                shortest[meaning] = last
        near = [self._hit(meaning, first, last) for meaning, last in shortest.items() if last < longest[meaning]]
        far = [self._hit(meaning, first, last) for meaning, last in longest.items()]
        return sorted(near + far, key=_LAST)

    def _hit(self, meaning: Meaning, first: int, last: int) -> Hit:
        return _new(Hit, (*meaning, first, last if last < self._end else self._end - 1))


def ahead(named: list[Symbols]) -> list[list[str]]:
    """What can follow each place: the symbols of the next few words."""
    symbols = list(chain.from_iterable(named))
    ends = list(accumulate(map(len, named)))
    ends += [ends[-1]] * (GAP + 1)
    return [symbols[end:far] for end, far in zip(ends, ends[GAP + 1 :], strict=False)]
