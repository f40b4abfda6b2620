"""A conversation's handle as a provider wants it."""

import re

from alfred.senders.errors import Error

_NUMBER = re.compile(r"\+[0-9]{5,20}")
_PRIVACY_ID = re.compile(r"[0-9]+@lid")


class Unsendable(Exception):
    """A message that no call can bring to its recipient; `error` says why."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.code)
        self.error = error


def unreachable() -> Unsendable:
    """Nobody can be reached under this handle."""
    return Unsendable(Error.of("recipient_unreachable"))


def digits(handle: str) -> str:
    """A phone number without its plus.

    Raises:
        Unsendable: the handle is no phone number.
    """
    if not _NUMBER.fullmatch(handle):
        raise unreachable()
    return handle[1:]


def is_privacy_id(handle: str) -> bool:
    """Whether WhatsApp hides the number behind this handle (`...@lid`)."""
    return _PRIVACY_ID.fullmatch(handle) is not None
