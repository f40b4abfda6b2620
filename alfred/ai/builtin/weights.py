"""The weights of each clue for each label, read once, and sums of them side by side in one number."""

from collections.abc import Iterable, Iterator
from functools import cache
from struct import Struct

from alfred.ai.builtin.lexicon import FOLDER

Clue = str | int  # a word, its beginning, two words or what a rule found; a field as a number
Lanes = int  # sums of all labels side by side in one number, and how many clues they are of
WEIGHTS = FOLDER / "weights.dat"
BEGIN, END = "^", "$"  # what stands before the first word of a text, and after the last
LABELS = ("positive", "neutral", "negative", "low", "medium", "high", "negotiation", "create_task")
_LANE = 32  # bits of a sum
_MIDDLE = 1 << 15  # what stands for no weight, so that no lane is ever below nothing
_COUNT = len(LABELS) * _LANE
_BYTES = (len(LABELS) + 1) * _LANE // 8
_unpack = Struct(f"<{len(LABELS) + 1}I").unpack  # the lanes of a sum, and their count


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


def lanes(values: list[int]) -> Lanes:
    """One clue's weights, thousandths of either sign, side by side."""
    return sum((value + _MIDDLE) << _LANE * at for at, value in enumerate(values)) + (1 << _COUNT)


def apart(total: Lanes) -> list[int]:
    """The weights that lie side by side in a sum, in thousandths."""
    *sums, count = _unpack(total.to_bytes(_BYTES, "little"))
    nothing = count * _MIDDLE
    return [one - nothing for one in sums]


def summed(found: Iterable[Clue]) -> Lanes:
    """The weights of all these clues together."""
    table = weights()
    return sum(table.get(clue, 0) for clue in found)
