"""What was read out of texts, kept for the next time, as far as it does not take too much memory."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Reads each text once while it is in use; the texts kept have at most so many characters in all."""

    def __init__(self, read: Callable[[str], T], most: int) -> None:
        self._read, self._most, self._size = read, most, 0
        self._kept: OrderedDict[str, T] = OrderedDict()

    def __call__(self, text: str) -> T:
        """What it says; the longest unused ones make room."""
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        value = self._kept[text] = self._read(text)
        self._size += len(text)
        while self._size > self._most:
            gone, _ = self._kept.popitem(last=False)
            self._size -= len(gone)
        return value
