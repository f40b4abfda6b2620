"""The weights of each clue for each label and each unit, read once, and sums of them side by side in one number.

A unit adds its own weights to the labels, as often as what it is told of a text is above nothing: so two clues can say
together what neither says alone.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from struct import Struct

from alfred.ai.builtin.lexicon import FOLDER

Clue = str | int  # a word, its beginning, two words or what a rule found; a field as a number
Lanes = int  # sums of all labels side by side in one number, and how many clues they are of
WEIGHTS, UNITS = FOLDER / "weights.dat", FOLDER / "units.dat"
BEGIN, END = "^", "$"  # what stands before the first word of a text, and after the last
LABELS = ("positive", "neutral", "negative", "low", "medium", "high", "negotiation", "create_task")
HIDDEN = 8  # units
_LABELLED = len(LABELS)
WIDTH = _LABELLED + HIDDEN
_LANE, _WIDE = 32, 64  # bits of a sum, and of a sum of what units add
_MIDDLE = 1 << 15  # what stands for no weight, so that no lane is ever below nothing
_COUNT = WIDTH * _LANE
_BYTES, _WIDE_BYTES = (WIDTH + 1) * _LANE // 8, len(LABELS) * _WIDE // 8
_unpack = Struct(f"<{WIDTH + 1}I").unpack  # the lanes of a sum, and their count
_unpack_wide = Struct(f"<{len(LABELS)}Q").unpack


@cache
def weights() -> dict[Clue, Lanes]:
    """The weights of each clue that is no pair of words."""
    return {int(name) if name.isdecimal() else name: weight for name, weight in _read(pairs=False)}


@cache
def pairs() -> dict[str, dict[str, Lanes]]:
    """The weights of two words, one after the other: by the first, then by the second."""
    found: dict[str, dict[str, Lanes]] = {}
    for name, weight in _read(pairs=True):
        first, _, second = name.partition(" ")
        found.setdefault(first, {})[second] = weight
    return found


def is_pair(clue: Clue) -> bool:
    """Whether it is two words: no other clue has a blank."""
    return isinstance(clue, str) and " " in clue


def _read(*, pairs: bool) -> Iterator[tuple[str, Lanes]]:
    for line in WEIGHTS.read_text(encoding="utf-8").splitlines():
        name, _, values = line.partition("\t")
        if is_pair(name) == pairs:
            yield name, lanes([int(value) for value in values.split(",")])


@cache
def ruled() -> tuple[dict[str, Lanes], dict[str, Lanes]]:
    """The weights of what the rules may find, by label: where it stands, and where it is denied."""
    stood, denied = (
        {
            clue[1:]: weight
            for clue, weight in weights().items()
            if isinstance(clue, str) and clue[0] == sign and clue[1:]
        }
        for sign in "+-"
    )
    return stood, denied


@cache
def units() -> tuple[int, ...]:
    """What each unit adds to the labels, thousandths side by side."""
    lines = UNITS.read_text(encoding="utf-8").splitlines()
    return tuple(side_by_side([int(value) for value in line.split(",")], _WIDE) for line in lines)


def side_by_side(values: list[int], bits: int) -> int:
    return sum((value + _MIDDLE) << bits * at for at, value in enumerate(values))


def lanes(values: list[int]) -> Lanes:
    """One clue's weights, thousandths of either sign, side by side."""
    return side_by_side(values, _LANE) + (1 << _COUNT)


def apart(total: Lanes) -> list[int]:
    """The weights for labels and units that lie side by side in a sum, in thousandths."""
    *sums, count = _unpack(total.to_bytes(_BYTES, "little"))
    nothing = count * _MIDDLE
    return [one - nothing for one in sums]


def decided(total: Lanes) -> list[int]:
    """What a sum weighs for each label, with what the units add to it, in millionths."""
    told = _unpack(total.to_bytes(_BYTES, "little"))
    nothing = told[WIDTH] * _MIDDLE
    lit = more = 0
    for one, unit in zip(told[_LABELLED:WIDTH], units(), strict=False):
        if one > nothing:
            over = one - nothing
            lit += over
            more += over * unit
    nothing = 1_000 * nothing + lit * _MIDDLE
    added = _unpack_wide(more.to_bytes(_WIDE_BYTES, "little"))
    return [1_000 * own + one - nothing for own, one in zip(told, added, strict=False)]


def summed(found: Iterable[Clue]) -> Lanes:
    """The weights of all these clues together."""
    table = weights()
    return sum(table.get(clue, 0) for clue in found)
