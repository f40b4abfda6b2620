"""Values on a pipe between two of our own processes: each is pickled, behind its length."""

import os
import pickle
from typing import IO, Any, BinaryIO

SIZE = 8  # bytes that tell how long a value is


def framed(value: Any) -> bytes:
    """As it is written."""
    message = pickle.dumps(value)
    return len(message).to_bytes(SIZE) + message


def send(stream: IO[bytes], frame: bytes) -> None:
    """Write what is `framed`, at once."""
    stream.write(frame)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next value.

    Raises:
        EOFError: the other process is gone.
    """
    if not (size := stream.read(SIZE)):
        raise EOFError
    return pickle.loads(stream.read(int.from_bytes(size)))  # noqa: S301 it comes from our own process


def results() -> BinaryIO:
    """This process's standard output; what is printed by mistake goes to standard error from now on."""
    kept = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return kept
