"""What an outcome means for its row and its channel: again and when, never, or nobody knows. Pure."""

import random
from collections.abc import Sequence
from typing import Any

from alfred.queries import Row
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome

MOST_RECEIPT_ATTEMPTS = 3
LONGEST_PAIR_SECONDS = 600.0


def result_of(outcome: Outcome, row: Row, backoff: Sequence[float]) -> dict[str, Any]:
    """As app.settle_delivery() takes it; `row` is a claimed one, whose attempts count this call."""
    error = None if outcome.error is None else outcome.error.row()
    if row["kind"] in {"read", "typing"}:
        return _receipt(outcome, row, error, backoff)
    match outcome.kind:
        case "ok":
            return {"kind": "done", "external_id": outcome.external_id, "channel": "well"}
        case "transient":
            return _later(outcome.error, row, backoff) | {"channel": "failing"}
        case "rate_limited" if outcome.limit == "pair":
            wait = outcome.retry_after or min(4.0 ** (row["limited"] + 1), LONGEST_PAIR_SECONDS)
            return {"kind": "wait", "wait": wait, "counts": False, "error": error}
        case "rate_limited":
            pause = outcome.retry_after
            return {"kind": "wait", "wait": pause or 0.0, "counts": False, "error": error, "channel": "paused",
                    "pause": pause}  # fmt: skip
        case "auth":
            return {"kind": "held", "error": error, "channel": "auth_failed"}
        case "unknown_outcome":
            if on_unknown(row) == "retry":
                return _later(outcome.error, row, backoff) | {"channel": "failing"}
            return {"kind": "unknown", "error": error}
        case _:
            return {"kind": "dead", "error": error}


def on_unknown(row: Row) -> str:
    """Chats are not written to twice by themselves; a mail has one Message-ID, however often it is sent."""
    chosen = (row["options"] or {}).get("on_unknown")
    return str(chosen) if chosen else "retry" if row["provider"] == "email" else "hold"


def _later(error: Error | None, row: Row, backoff: Sequence[float]) -> dict[str, Any]:
    """Another attempt, or none any more."""
    told = None if error is None else error.row()
    if row["attempts"] > len(backoff):
        return {"kind": "dead", "error": told}
    wait = backoff[row["attempts"] - 1] * random.uniform(0.8, 1.2)  # noqa: S311 it only spreads
    return {"kind": "wait", "wait": wait, "counts": True, "error": told}


def _receipt(outcome: Outcome, row: Row, error: dict[str, Any] | None, backoff: Sequence[float]) -> dict[str, Any]:
    if outcome.kind == "ok":
        return {"kind": "done"}
    if outcome.kind == "transient" and row["kind"] == "read" and row["attempts"] < MOST_RECEIPT_ATTEMPTS:
        return {"kind": "wait", "wait": backoff[row["attempts"] - 1], "counts": True, "error": error}
    return {"kind": "dead", "error": error}
