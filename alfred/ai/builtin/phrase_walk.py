"""Finds all phrases of some languages in a text, by one walk."""

from itertools import accumulate, chain
from operator import itemgetter

from alfred.ai.builtin.phrase_trie import END, Edges, Hit, Meaning, Net, Node, Start, Symbols

GAP = 3  # words that a "~" may stand for, at most
AHEAD = GAP + 1  # words that can follow at once or after a gap
MOST_LEADS = 10_000  # words of which it is kept where they lead; when there are more, all are forgotten
Lead = tuple[Start, ...]  # of a word: those of all its symbols
Reached = tuple[Meaning, int]  # and the last token of the phrase
_new = tuple.__new__  # what Hit(...) does, in half the time
_LAST = itemgetter(Hit._fields.index("last"))


class Leads(dict[Symbols, Lead]):
    """Where each word leads in these nets, by its symbols, put together when it is first met; bounded."""

    def __init__(self, nets: list[Net], *, opening: bool) -> None:
        self._tables = [(net.anywhere, net.opening) if opening else (net.anywhere,) for net in nets]

    def __missing__(self, symbols: Symbols) -> Lead:
        if len(self) >= MOST_LEADS:
            self.clear()
        tables = [(symbol, table) for own in self._tables for symbol in symbols for table in own]
        lead = self[symbols] = tuple([table[symbol] for symbol, table in tables if symbol in table])
        for start in lead:
            start.open()
        return lead


class Reader:
    """Finds the phrases of some languages."""

    def __init__(self, nets: list[Net]) -> None:
        self._anywhere = Leads(nets, opening=False)
        self._opening = Leads(nets, opening=True)

    def hits(self, named: list[Symbols], most: int) -> list[Hit]:
        """The phrases in the symbols of a text, in order of their places, `most` at most."""
        if not named:
            return []
        leads = list(map(self._anywhere.__getitem__, named))
        for at in [at for at, before in enumerate([END, *named[:-1]]) if before[0] == "$"]:
            leads[at] = self._opening[named[at]]
        return Walk([*named, END]).hits(leads, most)


class Walk:
    """One walk through the symbols of a text, of which the last is its end."""

    __slots__ = ("_end", "_ends", "_flat", "_named")

    def __init__(self, named: list[Symbols]) -> None:
        self._named = named
        self._end = len(named) - 1
        self._flat = list(chain.from_iterable(named))
        self._ends = [*accumulate(map(len, named)), *[len(self._flat)] * AHEAD]

    def hits(self, leads: list[Lead], most: int) -> list[Hit]:
        """The phrases that begin where words lead somewhere, in order of their places, `most` at most."""
        found: list[Hit] = []
        flat, ends = self._flat, self._ends
        for first, lead in enumerate(leads):
            if not lead:
                continue
            near = flat[ends[first] : ends[first + AHEAD]]
            reached: list[Reached] = []
            for start in lead:
                if not start.keys.isdisjoint(near):
                    self._follow(start, first, reached)
                elif start.meanings:
                    reached += [(meaning, first) for meaning in start.meanings]
            if len(reached) == 1:
                found.append(self._hit(*reached[0], first))
            elif reached:
                found += self._spans(first, reached)
            if len(found) >= most:
                break
        return found[:most]

    def _follow(self, start: Start, first: int, reached: list[Reached]) -> None:
        """Notes where each phrase ends that goes on from its first word."""
        waiting: list[tuple[Start | Node, int]] = [(start, first)]
        while waiting:
            node, last = waiting.pop()
            for meaning in node.meanings:
                reached.append((meaning, last))
            if last == self._end:
                continue
            edges, at = node.next, last + 1
            if edges:
                for symbol in self._named[at]:
                    if symbol in edges:
                        for after in edges[symbol]:
                            waiting.append((after, at))
            if node.gap:
                self._skip(node.gap.next, at, waiting)

    def _skip(self, edges: Edges, at: int, waiting: list[tuple[Start | Node, int]]) -> None:
        """Goes on beyond a gap of none to three words up to a mark."""
        if edges.keys().isdisjoint(self._flat[self._ends[at - 1] : self._ends[at + GAP]]):
            return
        for symbols in self._named[at : at + AHEAD]:
            for symbol in symbols:
                if symbol in edges:
                    for after in edges[symbol]:
                        waiting.append((after, at))
            if symbols[0] == "$":
                return
            at += 1

    def _spans(self, first: int, reached: list[Reached]) -> list[Hit]:
        """Of each meaning the nearest end and the furthest, in order."""
        if len(dict(reached)) < len(reached):
            reached = _nearest_and_furthest(reached)
        return sorted([self._hit(meaning, last, first) for meaning, last in reached], key=_LAST)

    def _hit(self, meaning: Meaning, last: int, first: int) -> Hit:
        return _new(Hit, meaning + (first, last - (last == self._end)))  # noqa: RUF005 no list on the way


def _nearest_and_furthest(reached: list[Reached]) -> list[Reached]:
    shortest: dict[Meaning, int] = {}
    longest: dict[Meaning, int] = {}
    for meaning, last in reached:
        if longest.setdefault(meaning, last) < last:
            longest[meaning] = last
        if shortest.setdefault(meaning, last) > last:
            shortest[meaning] = last
    near = [(meaning, last) for meaning, last in shortest.items() if last < longest[meaning]]
    return [*near, *longest.items()]
