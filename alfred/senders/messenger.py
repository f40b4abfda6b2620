"""Messenger and Instagram: one API of Meta's, with small differences."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call
from alfred.senders import outcomes
from alfred.senders.addresses import unreachable
from alfred.senders.errors import ErrorCode
from alfred.senders.graph import GraphError, address, bearer, error_in
from alfred.senders.outcomes import Outcome, judged, text_in
from alfred.senders.parts import Abilities, Part
from alfred.senders.probes import Account, probed
from alfred.senders.text_limits import utf8_bytes

MESSENGER = Abilities(text_limit=2_000, reads=True, types=True, rate=40)
INSTAGRAM = Abilities(text_limit=1_000, size=utf8_bytes, reads=True, types=True, rate=40)

_INSTAGRAM_BASE = "https://graph.instagram.com"
_SHUT = (2018278, 2534022)  # subcodes of 10: outside of the window
_UNREACHABLE = frozenset({(551, None), (1545041, None), (200, 1545041), (100, 2018001), (100, 33)})
_RESTRICTED = frozenset({(368, None), (10, 1893063)})
_CODES: dict[int, ErrorCode] = {
    **dict.fromkeys((190, 102, 200, 230, 10, 3), "auth_failed"),
    **dict.fromkeys((4, 17, 32, 613, *range(80001, 80007)), "rate_limited"),
    **dict.fromkeys((100, 2018109), "content_rejected"),
}
_PASSING = frozenset({1, 2, 1200})
_HIDES_A_PERMISSION = "1/99"
_PATIENCE = 3  # attempts after which a hidden permission is taken for missing


def request(part: Part, to: str, config: Mapping[str, Any], delivery_id: str) -> HttpCall:
    """A call to Messenger.

    Raises:
        Unsendable: the handle is empty.
    """
    body = _body(part, to)
    if part.kind not in {"read", "typing"}:
        body["message"]["metadata"] = delivery_id
        body = {"messaging_type": "RESPONSE"} | body
    return json_call(address(config, config["page_id"], "/messages"), body, bearer(config), seconds=MESSENGER.seconds)


def request_instagram(part: Part, to: str, config: Mapping[str, Any], _delivery_id: str) -> HttpCall:
    """A call to Instagram.

    Raises:
        Unsendable: the handle is empty.
    """
    url = address(config, _node(config), "/messages", _base(config))
    return json_call(url, _body(part, to), bearer(config), seconds=INSTAGRAM.seconds)


def outcome(answer: Answer | NoAnswer, attempts: int = 1) -> Outcome:
    """What came of a send call; the reply context may be what was refused."""
    found = judged(answer, lambda body: text_in(body.get("message_id")), judge)
    error = found.error
    if error is not None and error.provider_code == _HIDES_A_PERMISSION and attempts >= _PATIENCE:
        return outcomes.of("auth_failed", error.provider_code)
    if error is not None and (error.provider_code or "").split("/")[0] == "100" and error.code == "content_rejected":
        found = replace(found, without_reply=True)
    if found.kind == "rate_limited" and found.retry_after is None and isinstance(answer, Answer):
        return replace(found, retry_after=_regain_seconds(answer))
    return found


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where it is none."""
    error = error_in(body)
    return None if error is None else judge_error(error, status)


def judge_error(error: GraphError, status: int) -> Outcome:
    """By code and subcode: a closed window is 400 on one, 403 on the other."""
    pair = (error.code, error.subcode)
    if error.code == 10 and (error.subcode in _SHUT or "outside of allowed window" in (error.words or "").lower()):
        return outcomes.of("window_closed", error.shown, error.words)
    if pair in _UNREACHABLE or (error.code, None) in _UNREACHABLE:
        return outcomes.of("recipient_unreachable", error.shown, error.words)
    if pair in _RESTRICTED or (error.code, None) in _RESTRICTED:
        return outcomes.of("account_restricted", error.shown, error.words)
    code = _CODES.get(error.code) if error.code is not None else None
    if code is not None:
        return outcomes.of(code, error.shown, error.words)
    if status == 429:
        return outcomes.of("rate_limited", error.shown or status, error.words)
    if error.code is None and status == 401:
        return outcomes.of("auth_failed", status, error.words)
    if error.code in _PASSING or error.transient or status >= 500:
        return outcomes.transient(error.shown or status, error.words)
    return outcomes.refused(error.shown or status, error.words)


def probe(config: Mapping[str, Any]) -> HttpCall:
    """Messenger: the page's name."""
    return HttpCall(
        "GET", address(config, config["page_id"], "?fields=name"), bearer(config), seconds=10, own_host=True
    )


def probe_instagram(config: Mapping[str, Any]) -> HttpCall:
    """Instagram: the account's user name."""
    url = address(config, config["account_id"], "?fields=username", _base(config))
    return HttpCall("GET", url, bearer(config), seconds=10, own_host=True)


def account(answer: Answer | NoAnswer) -> Account:
    """Whose account answered the probe."""
    return probed(answer, lambda body: (text_in(body.get("id")), text_in(body.get("name") or body.get("username"))),
                  judge)  # fmt: skip


def _body(part: Part, to: str) -> dict[str, Any]:
    if not to:
        raise unreachable()
    body: dict[str, Any] = {"recipient": {"id": to}}
    if part.kind in {"read", "typing"}:
        return body | {"sender_action": "mark_seen" if part.kind == "read" else "typing_on"}
    if part.file:
        kind = "file" if part.file.type == "document" else part.file.type
        body["message"] = {"attachment": {"type": kind, "payload": {"url": part.file.url}}}
    else:
        body["message"] = {"text": part.text}
    if part.human_tag:
        body = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"} | body
    if part.reply_to:
        body["reply_to"] = {"mid": part.reply_to}
    return body


def _node(config: Mapping[str, Any]) -> object:
    return config["page_id"] if config.get("login") == "facebook" else config["account_id"]


def _base(config: Mapping[str, Any]) -> str:
    return "https://graph.facebook.com" if config.get("login") == "facebook" else _INSTAGRAM_BASE


def _regain_seconds(answer: Answer) -> float | None:
    """Minutes in `X-Business-Use-Case-Usage`: `{"<id>": [{"estimated_time_to_regain_access": 5, ...}]}`."""
    usage = Answer(200, body=answer.headers.get("x-business-use-case-usage", "").encode()).object() or {}
    minutes = [
        row["estimated_time_to_regain_access"]
        for rows in usage.values()
        if isinstance(rows, list)
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("estimated_time_to_regain_access"), int)
    ]
    return min(max(minutes) * 60.0, outcomes.LONGEST_RETRY_AFTER) if minutes and max(minutes) > 0 else None
