"""WAHA: a gateway to WhatsApp that its owner runs, with several engines."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call
from alfred.senders import outcomes
from alfred.senders.addresses import digits, is_privacy_id
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome, judged, object_in, text_in
from alfred.senders.parts import Abilities, OutFile, Part
from alfred.senders.probes import Account, probed

CAN = Abilities(
    text_limit=4_096,
    captions=frozenset({"image", "video", "document"}),
    reads=True,
    types=True,
    rate=1,
    seconds=35.0,
)
_PATHS = {"image": "/api/sendImage", "video": "/api/sendVideo", "audio": "/api/sendVoice", "document": "/api/sendFile"}


def request(part: Part, to: str, config: Mapping[str, Any], _delivery_id: str) -> HttpCall:
    """The call of one part.

    Raises:
        Unsendable: the handle is no number and no privacy id.
    """
    chat = to if is_privacy_id(to) else f"{digits(to)}@c.us"
    body: dict[str, Any] = {"session": config.get("session") or "default", "chatId": chat}
    if part.kind == "read":
        return _call(config, "/api/sendSeen", body | {"messageIds": [f"false_{chat}_{part.reply_to}"]})
    if part.kind == "typing":
        return _call(config, "/api/startTyping", body)
    if part.reply_to:
        body["reply_to"] = f"false_{chat}_{part.reply_to}"
    if part.file is None:
        return _call(config, "/api/sendText", body | {"text": part.text})
    if part.file.caption:
        body["caption"] = part.file.caption
    return _call(config, _PATHS[part.file.type], body | {"file": _file(part.file)})


def outcome(answer: Answer | NoAnswer, _attempts: int = 1) -> Outcome:
    """What came of a send call."""
    return judged(answer, _bare_id, judge)


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where nothing is known of it."""
    words = text_in(body.get("message")) or text_in(body.get("error"))
    match status:
        case 401 | 403:
            return outcomes.of("auth_failed", status, words)
        case 404:
            return outcomes.of("channel_down", status, words)
        case 422 if "session status" in (words or "").lower():
            return outcomes.of("channel_down", status, words)
        case 429:
            return outcomes.of("rate_limited", status, words)
        case _ if 400 <= status < 500:
            return outcomes.of("content_rejected", status, words)
    return None


def probe(config: Mapping[str, Any]) -> HttpCall:
    """Whether the session works."""
    session = quote(str(config.get("session") or "default"), safe="")
    return HttpCall("GET", _url(config, f"/api/sessions/{session}"), _headers(config), seconds=10, own_host=True)


def account(answer: Answer | NoAnswer) -> Account:
    """The session's own number, as webhooks name it."""
    found = probed(answer, lambda body: (text_in(_me(body).get("id")), text_in(_me(body).get("pushName"))), judge)
    body = (answer.object() if isinstance(answer, Answer) else None) or {}
    if found.error is None and body.get("status") != "WORKING":
        state = text_in(body.get("status"))
        return Account(error=Error.of("channel_down", words=f"the session is {state}" if state else None))
    return found


def _me(body: dict[str, Any]) -> dict[str, Any]:
    return object_in(body.get("me"))


def _bare_id(body: dict[str, Any]) -> str | None:
    """The last piece of the id, whatever shape this engine gives it, as the normaliser names it."""
    own = body.get("id")
    whole = text_in(own) or text_in(object_in(own).get("_serialized")) or text_in(object_in(own).get("id"))
    whole = whole or text_in(object_in(body.get("key")).get("id"))
    if whole is None:
        return None
    pieces = whole.split("_")
    return pieces[2] if len(pieces) >= 3 and pieces[0] in {"true", "false"} else pieces[-1]


def _file(file: OutFile) -> dict[str, Any]:
    named = {"mimetype": file.mime_type, "filename": file.file_name, "url": file.url}
    return {name: value for name, value in named.items() if value is not None}


def _url(config: Mapping[str, Any], path: str) -> str:
    return str(config["base_url"]).rstrip("/") + path


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    return {"X-Api-Key": str(config.get("api_key", ""))}


def _call(config: Mapping[str, Any], path: str, body: dict[str, Any]) -> HttpCall:
    return json_call(_url(config, path), body, _headers(config), seconds=CAN.seconds)
