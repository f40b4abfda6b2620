"""What the worst legal tenant costs another one: rules that all match, with all the actions they may have.

python -m bench.neighbour
"""

import json
import statistics
import time
import urllib.request

from bench.ground import Service, User, milliseconds, percentile, post, service, show, sign_up, whatsapp

RULES, ACTIONS, MESSAGES, PROBES = 400, 20, 300, 60
EVERY = {"field": "message.text", "op": "contains", "value": "a"}


def main() -> None:
    """A match of the neighbour, alone and beside."""
    with service(rate_limit="100000000") as at:
        worst, neighbour = sign_up(at), sign_up(at)
        _rule(at, neighbour, [{"action": "notify"}])
        alone = [_match(at, neighbour, number) for number in range(PROBES)]
        for _ in range(RULES):
            _rule(at, worst, [{"action": "create_task", "title": "x"}] * ACTIONS)
        for number in range(MESSAGES):
            post(at, "/webhooks/whatsapp", whatsapp("a casa", number % 50, number), worst.headers)
        beside = [_match(at, neighbour, PROBES + number) for number in range(PROBES)]
    rows = [
        (what, milliseconds(statistics.median(taken)), milliseconds(percentile(taken, 0.99)))
        for what, taken in (
            ("alone", alone),
            (f"beside {RULES} rules x {ACTIONS} actions x {MESSAGES}", beside),
        )
    ]
    show("A neighbour's match, in milliseconds from its message", ("", "p50", "p99"), rows)


def _rule(at: Service, user: User, then: list[dict[str, str]]) -> None:
    compiled = {"version": 1, "trigger": "message.received", "when": EVERY, "then": then}
    post(at, "/rules", {"name": "x", "compiled": compiled}, user.headers)


def _match(at: Service, user: User, number: int) -> float:
    """Seconds from a message's post until its match is counted."""
    before = _matches(at, user)
    began = time.perf_counter()
    post(at, "/webhooks/whatsapp", whatsapp("a casa", 1, number), user.headers)
    while _matches(at, user) == before and time.perf_counter() - began < 30:
        time.sleep(0.002)
    return time.perf_counter() - began


def _matches(at: Service, user: User) -> int:
    request = urllib.request.Request(f"{at.api}/rules", headers=user.headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(json.load(answer)["items"][0]["match_count"])


if __name__ == "__main__":
    main()
