"""Long texts in pieces that a messenger takes: cut where people pause, never inside of what they see as one letter."""

import re
import unicodedata
from collections.abc import Callable

MOST_PARTS = 20  # of one message

_SPACE = re.compile(r"\s+")
# In the order of preference; a piece ends before the white space that is found there.
_PAUSES = (
    re.compile(r"\n[^\S\n]*\n"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])[\"'»”’)\]]*(?=\s)|(?<=[。！？])"),
    _SPACE,
)
_JOINER = "\u200d"


class TooLong(Exception):
    """The text does not fit into the parts that one message may have."""


def utf16_units(text: str) -> int:
    """How long most messengers count a text."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def utf8_bytes(text: str) -> int:
    """How long Instagram counts a text."""
    return len(text.encode())


def split(body: str, limit: int, size: Callable[[str], int] = utf16_units) -> list[str]:
    """Pieces of at most `limit`; joined without the white space at the cuts they are the body.

    Raises:
        TooLong: more than MOST_PARTS pieces.
    """
    pieces: list[str] = []
    rest = body
    while size(rest) > limit:
        end, after = _cut(rest, _reach(rest, limit, size))
        if rest[:end].strip():
            pieces.append(rest[:end])
        rest = rest[after:]
        if len(pieces) >= MOST_PARTS and rest.strip():
            raise TooLong
    if rest.strip() or not pieces:
        pieces.append(rest)
    if len(pieces) > MOST_PARTS:
        raise TooLong
    return pieces


def _reach(text: str, limit: int, size: Callable[[str], int]) -> int:
    """How many characters fit; at least one, whatever it weighs."""
    used = 0
    for index, letter in enumerate(text):
        used += size(letter)
        if used > limit:
            return max(index, 1)
    return len(text)


def _cut(text: str, reach: int) -> tuple[int, int]:
    """Where the piece ends and where the next begins: what lies between is white space."""
    window = text[: reach + 1]  # a space just behind the limit is as good
    for pause in _PAUSES:
        for found in reversed(list(pause.finditer(window))):
            end = found.start() if found[0].isspace() else found.end()
            end = len(text[:end].rstrip())
            if 0 < end <= reach:
                behind = _SPACE.match(text, end)
                return end, behind.end() if behind else end
            if end == 0:
                break
    end = _letter_edge(text, reach)
    return end, end


def _letter_edge(text: str, reach: int) -> int:
    """The last edge between two letters at or before `reach`; inside of an endless one there is no better place."""
    for end in range(reach, 0, -1):
        if not _joined(text, end):
            return end
    return reach


def _joined(text: str, index: int) -> bool:
    """Whether the characters before and at `index` are one letter to the eye (after Unicode's annex 29)."""
    if index >= len(text):
        return False
    before, at = text[index - 1], text[index]
    if before == "\r" and at == "\n":
        return True
    if unicodedata.category(at) in {"Mn", "Me", "Mc"} or _extends(at) or _JOINER in {before, at}:
        return True
    if _is_flag(before) and _is_flag(at):
        flags = 0
        while flags < index and _is_flag(text[index - 1 - flags]):
            flags += 1
        return flags % 2 == 1
    return _hangul(before, at)


def _extends(letter: str) -> bool:
    """Skin tones, tags of regional flags, the joiner's opposite."""
    return "\U0001f3fb" <= letter <= "\U0001f3ff" or "\U000e0020" <= letter <= "\U000e007f" or letter == "\u200c"


def _is_flag(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"


def _hangul(before: str, at: str) -> bool:
    lead, vowel, tail = "\u1100" <= before <= "\u115f", "\u1160" <= at <= "\u11a7", "\u11a8" <= at <= "\u11ff"
    middle = "\u1160" <= before <= "\u11a7" or "\uac00" <= before <= "\ud7a3"
    return (lead and (vowel or "\u1100" <= at <= "\u115f" or "\uac00" <= at <= "\ud7a3")) or (
        middle and (vowel or tail)
    )
