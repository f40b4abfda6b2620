"""What a connection's test says: whose account answered, or why none did."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from alfred.http_calls import Answer, NoAnswer
from alfred.senders.errors import Error
from alfred.senders.outcomes import Judge, of_silence

Named = Callable[[dict[str, Any]], tuple[str | None, str | None]]


@dataclass(frozen=True)
class Account:
    """Id and name as the provider tells them; `error` is set where the test failed."""

    id: str | None = None
    name: str | None = None
    error: Error | None = None


def probed(answer: Answer | NoAnswer, named: Named, judge: Judge) -> Account:
    """The account in a complete JSON object with status 200; else what is wrong."""
    if isinstance(answer, NoAnswer):
        silent = of_silence(answer).error
        return Account(error=silent if silent and silent.code != "outcome_unknown" else Error.of("network_error"))
    body = answer.object()
    if 200 <= answer.status < 300 and body is not None and "error" not in body:
        found_id, name = named(body)
        return Account(found_id, name)
    found = judge(answer.status, body) if body is not None else None
    if found is not None and found.error is not None:
        return Account(error=found.error)
    return Account(error=Error.of("auth_failed" if answer.status == 401 else "provider_error", answer.status))
