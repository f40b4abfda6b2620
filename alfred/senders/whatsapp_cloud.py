"""WhatsApp's Cloud API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call
from alfred.senders import outcomes
from alfred.senders.addresses import digits, is_privacy_id, unreachable
from alfred.senders.errors import ErrorCode
from alfred.senders.graph import GraphError, address, bearer, error_in
from alfred.senders.outcomes import Outcome, judged, object_in, text_in
from alfred.senders.parts import Abilities, Part, Template
from alfred.senders.probes import Account, probed

CAN = Abilities(
    text_limit=4_096,
    captions=frozenset({"image", "video", "document"}),
    templates=True,
    reads=True,
    types=True,
    rate=20,
)

_CODES: dict[int, ErrorCode] = {
    **dict.fromkeys((0, 3, 10, 190, 131005, *range(200, 300)), "auth_failed"),
    **dict.fromkeys((4, 80007, 130429, 131064, 131048, 133016, 131056), "rate_limited"),
    **dict.fromkeys((131047, 470), "window_closed"),
    **dict.fromkeys((131026, 131021, 131030, 131062, 130472), "recipient_unreachable"),
    **dict.fromkeys((131050, 131049), "recipient_opted_out"),
    **dict.fromkeys((100, 33, 131008, 131009, 131051, 131052, 131053, 131063, 135000), "content_rejected"),
    **dict.fromkeys((132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068), "template_rejected"),
    **dict.fromkeys((368, 131031, 130497, 131037, 131045), "account_restricted"),
    **dict.fromkeys((131042, 131044), "payment_required"),
}
_PASSING = frozenset({1, 2, 131000, 131016, 131057, 133004, 132069})
_PAIR = 131056
_SPAM = 131048  # an hour at least


def request(part: Part, to: str, config: Mapping[str, Any], delivery_id: str) -> HttpCall:
    """The call of one part.

    Raises:
        Unsendable: the handle is none that this API takes.
    """
    url = address(config, config["phone_number_id"], "/messages")
    body: dict[str, Any] = {"messaging_product": "whatsapp"}
    if part.kind in {"read", "typing"}:
        body |= {"status": "read", "message_id": part.reply_to}
        if part.kind == "typing":
            body["typing_indicator"] = {"type": "text"}
    else:
        body |= {"recipient_type": "individual", **_recipient(to), **_content(part)}
        if part.reply_to:
            body["context"] = {"message_id": part.reply_to}
        body["biz_opaque_callback_data"] = delivery_id
    return json_call(url, body, bearer(config), seconds=CAN.seconds)


def outcome(answer: Answer | NoAnswer, _attempts: int = 1) -> Outcome:
    """What came of a send call."""
    found = judged(answer, _message_id, judge)
    if found.kind == "ok" and isinstance(answer, Answer):
        contacts = (answer.object() or {}).get("contacts")
        first = object_in(contacts[0]) if isinstance(contacts, list) and contacts else {}
        number = text_in(first.get("wa_id"))
        return replace(found, handle=f"+{number}" if number and number.isascii() and number.isdigit() else None)
    return found


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where it is none."""
    error = error_in(body)
    if error is None:
        return None
    return judge_error(error, status)


def judge_error(error: GraphError, status: int) -> Outcome:
    """By the code, not by the HTTP status: the vendor says so."""
    code = _CODES.get(error.code) if error.code is not None else None
    if code == "rate_limited":
        limit = "pair" if error.code == _PAIR else "channel"
        wait = outcomes.LONGEST_RETRY_AFTER if error.code == _SPAM else None
        return outcomes.of(code, error.shown, error.words, limit=limit, retry_after=wait)
    if code is not None and not error.transient:
        return outcomes.of(code, error.shown, error.words)
    if error.code is None and status == 401:
        return outcomes.of("auth_failed", status, error.words)
    if status == 429:
        return outcomes.of("rate_limited", error.shown or status, error.words)
    if error.code in _PASSING or error.transient or status >= 500:
        return outcomes.transient(error.shown or status, error.words)
    return outcomes.refused(error.shown or status, error.words)


def probe(config: Mapping[str, Any]) -> HttpCall:
    """A call that sends no message and tells whether the credentials are good."""
    fields = "?fields=display_phone_number,verified_name,quality_rating"
    return HttpCall(
        "GET", address(config, config["phone_number_id"], fields), bearer(config), seconds=10, own_host=True
    )


def account(answer: Answer | NoAnswer) -> Account:
    """Whose account answered the probe."""
    return probed(answer, lambda body: (text_in(body.get("id")), text_in(body.get("verified_name"))), judge)


def _recipient(to: str) -> dict[str, str]:
    if to.startswith("+"):
        return {"to": digits(to)}
    if is_privacy_id(to) or "@" in to or not to:
        raise unreachable()
    return {"recipient": to}


def _content(part: Part) -> dict[str, Any]:
    if part.template:
        return {"type": "template", "template": _template(part.template)}
    if part.file:
        file = part.file
        media: dict[str, Any] = {"link": file.url}
        if file.caption and file.type != "audio":
            media["caption"] = file.caption
        if file.file_name and file.type == "document":
            media["filename"] = file.file_name
        return {"type": file.type, file.type: media}
    return {"type": "text", "text": {"body": part.text, "preview_url": False}}


def _template(template: Template) -> dict[str, Any]:
    written: dict[str, Any] = {"name": template.name, "language": {"code": template.language or "pt_BR"}}
    if template.components is not None:
        written["components"] = template.components
    elif template.variables:
        values = template.variables
        texts = list(values.values()) if isinstance(values, dict) else values
        parameters = [{"type": "text", "text": text} for text in texts]
        written["components"] = [{"type": "body", "parameters": parameters}]
    return written


def _message_id(body: dict[str, Any]) -> str | None:
    messages = body.get("messages")
    return text_in(object_in(messages[0]).get("id")) if isinstance(messages, list) and messages else None
