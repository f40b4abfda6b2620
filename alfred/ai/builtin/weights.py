"""The weights of each clue for each label and unit, looked up in a file, and sums of them side by side in one number.

A unit adds its own weights to the labels, as often as what it is told of a text is above nothing: so two clues can say
together what neither says alone.
"""

from collections.abc import Iterable
from functools import cache, partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import Struct
from zlib import crc32

from alfred.ai.builtin.lexicon import FOLDER

Clue = str | int  # a word, its beginning, two words or what a rule found; a field as a number
Lanes = int  # sums of all labels side by side in one number, and how many clues they are of
WEIGHTS, UNITS = FOLDER / "weights.dat", FOLDER / "units.dat"
BEGIN, END = "^", "$"  # what stands before the first word of a text, and after the last
LABELS = ("positive", "neutral", "negative", "low", "medium", "high", "negotiation", "create_task")
HIDDEN = 64  # units
_LABELLED = len(LABELS)
WIDTH = _LABELLED + HIDDEN
NOTHING = 128  # the byte that stands for no weight, so that no sum is ever below nothing
MOST = 127  # hundredths; no clue weighs more for anything
_LANE, _WIDE = 32, 64  # bits of a sum, and of a sum of what units add
_MIDDLE = 1 << 15  # what stands for nothing in the weights of a unit
_BYTES, _WIDE_BYTES = (WIDTH + 1) * _LANE // 8, (_LABELLED + 1) * _WIDE // 8
_ADDED = 1 << _LABELLED * _WIDE
_COUNT, _STEP = WIDTH * _LANE // 8, _LANE // 8
_unpack = Struct(f"<{WIDTH + 1}I").unpack  # the lanes of a sum, and their count
_unpack_wide = Struct(f"<{_LABELLED + 1}Q").unpack
HEAD, NUMBER = Struct("<II"), Struct("<I")


class Table:
    """The file of the weights, of which only what is looked up is read.

    How many clues and how many slots; the slots, each 0 or the number of a row, from 1; where each clue's name begins;
    the rows, a byte for each label and unit; the names in order, each with a line's end. A clue's slot is the first
    one free from that of its key on; so is that of the first of all pairs that begin with a word, for this word.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._file = mmap(file.fileno(), 0, access=ACCESS_READ)
        count, slots = HEAD.unpack_from(self._file)
        self._last = slots - 1
        self._number = partial(NUMBER.unpack_from, self._file)
        self._places = HEAD.size + slots * NUMBER.size
        self._rows = self._places + (count + 1) * NUMBER.size
        self._names = self._rows + count * WIDTH
        self.count = count

    def of(self, clue: Clue) -> Lanes:
        """The weights of a clue; nothing where it has none."""
        row = self._row(key_of(clue))
        return 0 if row is None else self._lanes(row)

    def after(self, first: str) -> dict[str, Lanes]:
        """The weights of the pairs that begin with a word, by the second."""
        begun = key_of_pairs(first)
        row = self._row(begun)
        if row is None:
            return {}
        while row and self._name(row - 1).startswith(begun):
            row -= 1  # on the way to its slot another pair of this word may have been met
        found: dict[str, Lanes] = {}
        while row < self.count and (name := self._name(row)).startswith(begun):
            found[name[len(begun) : -1].decode()] = self._lanes(row)
            row += 1
        return found

    def _row(self, key: bytes) -> int | None:
        """The number of a row whose name begins so."""
        number = self._number
        slot = crc32(key) & self._last
        while row := number(HEAD.size + slot * NUMBER.size)[0]:
            at = self._names + number(self._places + (row - 1) * NUMBER.size)[0]
            if self._file[at : at + len(key)] == key:
                return int(row) - 1
            slot = (slot + 1) & self._last
        return None

    def _name(self, row: int) -> bytes:
        begin, end = HEAD.unpack_from(self._file, self._places + row * NUMBER.size)
        return self._file[self._names + begin : self._names + end]

    def _lanes(self, row: int) -> Lanes:
        return lanes(self._file[self._rows + row * WIDTH : self._rows + (row + 1) * WIDTH])


def key_of(clue: Clue) -> bytes:
    return f"{clue}\n".encode(errors="surrogatepass")


def key_of_pairs(first: str) -> bytes:
    return f"{first} ".encode(errors="surrogatepass")


@cache
def table() -> Table:
    """The one of this process."""
    return Table(WEIGHTS)


def is_pair(clue: Clue) -> bool:
    """Whether it is two words: no other clue has a blank."""
    return isinstance(clue, str) and " " in clue


@cache
def units() -> tuple[int, ...]:
    """What each unit adds to the labels, thousandths side by side, and one that counts how much was added."""
    lines = UNITS.read_text(encoding="utf-8").splitlines()
    return tuple(side_by_side([int(value) for value in line.split(",")]) + _ADDED for line in lines)


def side_by_side(values: list[int]) -> int:
    return sum((value + _MIDDLE) << _WIDE * at for at, value in enumerate(values))


def packed(values: list[int]) -> bytes:
    """One clue's weights, hundredths of either sign, a byte each."""
    return bytes(NOTHING + max(-MOST, min(MOST, value)) for value in values)


def lanes(row: bytes) -> Lanes:
    """One clue's weights side by side, and one for the clue."""
    wide = bytearray(_BYTES)
    wide[:_COUNT:_STEP] = row
    wide[_COUNT] = 1
    return int.from_bytes(wide, "little")


def apart(total: Lanes) -> list[int]:
    """The weights for labels and units that lie side by side in a sum, in hundredths."""
    *sums, count = _unpack(total.to_bytes(_BYTES, "little"))
    nothing = count * NOTHING
    return [one - nothing for one in sums]


def decided(total: Lanes) -> list[int]:
    """What a sum weighs for each label, with what the units add to it, in hundred-thousandths."""
    told = _unpack(total.to_bytes(_BYTES, "little"))
    nothing = told[WIDTH] * NOTHING
    more = 0
    for one, unit in zip(told[_LABELLED:WIDTH], units(), strict=True):
        if one > nothing:
            more += (one - nothing) * unit
    *added, lit = _unpack_wide(more.to_bytes(_WIDE_BYTES, "little"))
    nothing = 1_000 * nothing + lit * _MIDDLE
    return [1_000 * own + one - nothing for own, one in zip(told, added, strict=False)]


def summed(found: Iterable[Clue]) -> Lanes:
    """The weights of all these clues together."""
    return sum(map(table().of, found))
