"""Finds all phrases of some languages in a text, by one walk."""

from itertools import accumulate, chain, count
from operator import attrgetter

from alfred.ai.builtin.phrase_trie import CLOSED, END, Hit, Meaning, Net, Node, Start, Symbols

GAP = 3  # words that a "~" may stand for, at most
AHEAD = GAP + 1  # words that can follow at once or after a gap
MOST_LEADS = 10_000  # words of which it is kept where they lead; when there are more, all are forgotten
Place = tuple[Start | Node, int]  # in the net, and the last token on the way to it
_MEANING, _LAST = attrgetter("meaning"), attrgetter("last")


class Lead:
    """Where a word leads by all of its symbols, what it says alone, and what can come next, at once or after a gap."""

    __slots__ = ("keys", "meanings", "starts")

    def __init__(self, starts: list[Start]) -> None:
        for start in starts:
            start.open()
        self.starts = tuple(reversed(starts))  # the last one is followed first
        self.meanings = tuple(dict.fromkeys(chain.from_iterable(start.meanings for start in starts)))
        keys, *more = [start.keys for start in starts]
        self.keys = keys.union(*more) if more else keys


class Leads(dict[Symbols, Lead | None]):
    """Where each word leads in these nets, by its symbols, put together when it is first met; bounded."""

    def __init__(self, nets: list[Net], *, opening: bool) -> None:
        self._tables = [(net.anywhere, net.opening) if opening else (net.anywhere,) for net in nets]

    def __missing__(self, symbols: Symbols) -> Lead | None:
        if len(self) >= MOST_LEADS:
            self.clear()
        tables = [(symbol, table) for own in self._tables for symbol in symbols for table in own]
        starts = [table[symbol] for symbol, table in tables if symbol in table]
        lead = self[symbols] = Lead(starts) if starts else None
        return lead


class Reader:
    """Finds the phrases of some languages."""

    def __init__(self, nets: list[Net]) -> None:
        self._anywhere = Leads(nets, opening=False)
        self._opening = Leads(nets, opening=True)

    def hits(self, named: list[Symbols], closed: list[int], most: int) -> list[Hit]:
        """The phrases in a text's symbols, in order of their places, `most` at most; `closed`: where clauses end."""
        leads = list(map(self._anywhere.__getitem__, named))
        for end in [-1, *closed]:
            if end + 1 < len(named):
                leads[end + 1] = self._opening[named[end + 1]]
        return Walk(named).hits(leads, most)


class Walk:
    """One walk through the symbols of a text, of which the last is its end."""

    __slots__ = ("_ends", "_flat", "_last", "_named")

    def __init__(self, named: list[Symbols]) -> None:
        self._last = len(named) - 1
        self._named = [*named, END, *[()] * AHEAD]
        self._flat = list(chain.from_iterable(self._named))
        self._ends = list(accumulate(map(len, self._named)))

    def hits(self, leads: list[Lead | None], most: int) -> list[Hit]:
        """The phrases that begin where words lead somewhere, in order of their places, `most` at most."""
        found: list[Hit] = []
        flat, ends = self._flat, self._ends
        for first, lead, begin, end in zip(count(), leads, ends, ends[AHEAD:]):
            if lead is None:
                continue
            if lead.keys.isdisjoint(flat[begin:end]):
                for meaning in lead.meanings:
                    found.append(Hit(meaning, first, first))
                continue
            reached = self._follow(lead, first)
            found += _in_order(reached) if len(reached) > 1 else reached
            if len(found) >= most:
                break
        return found[:most]

    def _follow(self, lead: Lead, first: int) -> list[Hit]:
        """The phrases that begin with one word, in no order."""
        named, end = self._named, self._last
        reached: list[Hit] = []
        waiting: list[Place] = []
        for start in lead.starts:
            waiting.append((start, first))
        while waiting:
            node, at = waiting.pop()
            for meaning in node.meanings:
                reached.append(Hit(meaning, first, min(at, end)))
            edges, gap = node.next, node.gap
            for symbol in named[at + 1]:
                if symbol in edges:
                    for after in edges[symbol]:
                        waiting.append((after, at + 1))
            if gap:
                edges = gap.next
                for symbols in named[at + 1 : at + 1 + AHEAD]:  # up to a mark
                    at += 1
                    for symbol in symbols:
                        if symbol in edges:
                            for after in edges[symbol]:
                                waiting.append((after, at))
                    if symbols[0] == CLOSED:
                        break
        return reached


def _in_order(reached: list[Hit]) -> list[Hit]:
    """Of each meaning the nearest end and the furthest, in order."""
    if len(set(map(_MEANING, reached))) < len(reached):
        reached = _nearest_and_furthest(reached)
    return sorted(reached, key=_LAST)


def _nearest_and_furthest(reached: list[Hit]) -> list[Hit]:
    nearest: dict[Meaning, Hit] = {}
    furthest: dict[Meaning, Hit] = {}
    for hit in reached:
        if furthest.setdefault(hit.meaning, hit).last < hit.last:
            furthest[hit.meaning] = hit
        if nearest.setdefault(hit.meaning, hit).last > hit.last:
            nearest[hit.meaning] = hit
    near = [hit for meaning, hit in nearest.items() if hit.last < furthest[meaning].last]
    return [*near, *furthest.values()]
