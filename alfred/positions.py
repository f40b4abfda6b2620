"""A client's place in the log: the snapshot that it has read up to, as an opaque text that the client keeps."""

import base64
import binascii
import hashlib
import itertools
import re
from dataclasses import dataclass, replace

_SNAPSHOT = re.compile(r"(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19})*)?)")
_NUMBER = re.compile(r"\d{1,18}")
NOTHING = "1:1:"  # a snapshot that saw nothing: everything is news


class DamagedPosition(ValueError):
    """A text that no position has."""


@dataclass(frozen=True)
class Position:
    """Everything visible in `seen` was read, and of what `upto` shows besides, the events up to `number`.

    `log` says whose transaction ids these are; `at` is when it was read, in seconds.
    """

    log: str
    at: int
    seen: str
    upto: str = ""  # empty: nothing was cut
    number: int = 0

    def cut_at(self, number: int) -> "Position":
        """The same look, read up to one event of it."""
        return replace(self, number=number)

    def __str__(self) -> str:
        """As the client keeps it, with a checksum."""
        text = "|".join((self.log, str(self.at), self.seen, self.upto, str(self.number))).encode()
        return base64.urlsafe_b64encode(hashlib.sha256(text).digest()[:6] + text).decode().rstrip("=")

    @classmethod
    def read(cls, given: str) -> "Position":
        """Back from the text.

        Raises:
            DamagedPosition: it is none.
        """
        try:
            raw = base64.b64decode(given.encode("ascii") + b"=" * (-len(given) % 4), altchars=b"-_", validate=True)
            log, at, seen, upto, number = raw[6:].decode("ascii").split("|")
        except (binascii.Error, ValueError):
            raise DamagedPosition from None
        fits = hashlib.sha256(raw[6:]).digest()[:6] == raw[:6] and _NUMBER.fullmatch(at) and _NUMBER.fullmatch(number)
        if not fits or not _is_snapshot(seen) or not (upto == "" or _is_snapshot(upto)):
            raise DamagedPosition
        return cls(log, int(at), seen, upto, int(number))


@dataclass(frozen=True)
class Here(Position):
    """A position of now, which also tells when the log begins, in seconds."""

    begins_at: int = 0


def _is_snapshot(text: str) -> bool:
    """The checksum keeps nobody from writing one by hand: what PostgreSQL would refuse never reaches it."""
    parts = _SNAPSHOT.fullmatch(text)
    if parts is None:
        return False
    low, high = int(parts[1]), int(parts[2])
    running = [int(each) for each in parts[3].split(",") if each]
    ordered = all(one < other for one, other in itertools.pairwise(running))
    return 0 < low <= high < 2**63 and ordered and all(low <= each < high for each in running)


@dataclass(frozen=True)
class Snapshot:
    """PostgreSQL's pg_snapshot, to be asked without PostgreSQL."""

    text: str
    next_xid: int
    running: frozenset[int]

    @classmethod
    def read(cls, text: str) -> "Snapshot":
        """From `xmin:xmax:xip,...`."""
        _, high, running = text.split(":")
        return cls(text, int(high), frozenset(int(each) for each in running.split(",") if each))

    def shows(self, xid: int) -> bool:
        """Whether what this transaction wrote was visible."""
        return xid < self.next_xid and xid not in self.running


def sequence_of(number: int) -> str:
    """An event's place as a client sorts by it: text of one length, in the order of the log."""
    return f"{number:016x}"
