"""What a suggestion costs whoever has asked for a model that does not answer.

python -m bench.breaker
"""

import json
import socket
import time
import urllib.request

from bench.ground import Service, User, milliseconds, percentile, post, service, show, sign_up, whatsapp

DEADLINE = 1.0  # seconds
FAILURES = 5  # in a row, which open the breaker for 30 seconds
ASKED = 400
TEXTS = ("Oi, tudo bem?", "Qual o prazo de entrega da mesa? Preciso para sexta, se der.")


def main() -> None:
    """By turns: with a model whose breaker is open, and without one."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as silent,  # takes a question, and never answers
        service(private_targets="127.0.0.0/8", ai_timeout=f"{DEADLINE:g}", rate_limit="100000000") as at,
    ):
        model, plain = sign_up(at), sign_up(at)
        conversations = {user.user_id: _customer(at, user) for user in (model, plain)}
        _ask_for_a_model(at, model, silent.getsockname()[1])
        hung = [_seconds(at, model, conversations, "timeout") - DEADLINE for _ in range(FAILURES)]
        taken: dict[str, list[float]] = {model.user_id: [], plain.user_id: []}
        for number in range(ASKED):
            for user in (model, plain) if number % 2 else (plain, model):
                reason = "circuit_open" if user is model else None
                taken[user.user_id].append(_seconds(at, user, conversations, reason))
    shut, without = taken[model.user_id], taken[plain.user_id]
    rows = [
        (what, milliseconds(percentile(each, 0.5)), milliseconds(percentile(each, 0.99)), must)
        for what, each, must in (
            ("without a model", without, ""),
            ("breaker open", shut, "p99 20"),
            ("over the deadline, model silent", hung, "p99 50"),
        )
    ]
    ratios = [f"{percentile(shut, part) / percentile(without, part):.2f}" for part in (0.5, 0.99)]
    show("A suggested reply, in milliseconds", ("", "p50", "p99", "must"), [*rows, ("open / without", *ratios, "")])


def _customer(at: Service, user: User) -> str:
    """The conversation of somebody who has asked something."""
    for number, text in enumerate(TEXTS):
        answer = post(at, "/webhooks/whatsapp", whatsapp(text, 1, number), user.headers)
    return str(answer["messages"][0]["conversation_id"])


def _ask_for_a_model(at: Service, user: User, port: int) -> None:
    account = {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "model": "silent", "features": ["reply"]}
    raw = json.dumps(account).encode()
    request = urllib.request.Request(f"{at.api}/ai/provider", raw, user.headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30):
        return


def _seconds(at: Service, user: User, conversations: dict[str, str], reason: str | None) -> float:
    """How long a suggested reply took, whose words are the built-in assistant's for this reason."""
    began = time.perf_counter()
    answer = post(at, "/ai/suggest-reply", {"conversation_id": conversations[user.user_id]}, user.headers)
    took = time.perf_counter() - began
    if answer["fallback_reason"] != reason:
        raise SystemExit(f"The built-in assistant answered because of {answer['fallback_reason']}, not of {reason}.")
    return took


if __name__ == "__main__":
    main()
