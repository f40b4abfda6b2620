"""Evolution API, version 2: a gateway to WhatsApp that its owner runs."""

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
    rate=1,  # unofficial numbers are banned for bursts
    seconds=35.0,  # it answers after WhatsApp did
)
_VOICE = ("audio/ogg", "audio/opus")


def request(part: Part, to: str, config: Mapping[str, Any], _delivery_id: str) -> HttpCall:
    """The call of one part.

    Raises:
        Unsendable: the handle is no number and no privacy id.
    """
    number = to if is_privacy_id(to) else digits(to)
    if part.kind == "read":
        key = {
            "remoteJid": number if "@" in number else f"{number}@s.whatsapp.net",
            "fromMe": False,
            "id": part.reply_to,
        }
        return _call(config, "/chat/markMessageAsRead", {"readMessages": [key]})
    if part.kind == "typing":
        return _call(config, "/chat/sendPresence", {"number": number, "delay": 3000, "presence": "composing"})
    quoted = {"quoted": {"key": {"id": part.reply_to}}} if part.reply_to else {}
    if part.file is None:
        body = {"number": number, "text": part.text, "linkPreview": False, **quoted}
        return _call(config, "/message/sendText", body)
    if _is_voice(part.file):
        return _call(config, "/message/sendWhatsAppAudio", {"number": number, "audio": part.file.url, **quoted})
    return _call(config, "/message/sendMedia", {"number": number, **_media(part.file), **quoted})


def outcome(answer: Answer | NoAnswer, _attempts: int = 1) -> Outcome:
    """What came of a send call."""
    return judged(answer, lambda body: text_in(object_in(body.get("key")).get("id")), judge)


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where nothing is known of it."""
    said = object_in(body.get("response")).get("message", body.get("message"))
    words = _words(said)
    if status < 300:
        return None
    if status == 401:
        return outcomes.of("auth_failed", status, words)
    if status == 404:
        return outcomes.of("account_restricted", status, words)
    if _is_no_number(said):
        return outcomes.of("recipient_unreachable", status)
    if "connection closed" in words.lower():
        return outcomes.of("channel_down", status, words)
    if "timed out" in words.lower():
        return outcomes.unknown()
    if status == 429:
        return outcomes.of("rate_limited", status, words)
    if 400 <= status < 500 and ("response" in body or "message" in body or "error" in body):
        return outcomes.of("content_rejected", status, words)
    return None


def probe(config: Mapping[str, Any]) -> HttpCall:
    """Whether the gateway's WhatsApp session is open."""
    return HttpCall("GET", _url(config, "/instance/connectionState"), _headers(config), seconds=10, own_host=True)


def account(answer: Answer | NoAnswer) -> Account:
    """The instance, where its state is open."""
    found = probed(answer, lambda body: (_instance(body).get("state"), _instance(body).get("instanceName")), judge)
    if found.error is None and found.id != "open":
        return Account(error=Error.of("channel_down", words=f"the session is {found.id}" if found.id else None))
    return found if found.error else Account(found.name, found.name)


def _instance(body: dict[str, Any]) -> dict[str, Any]:
    return object_in(body.get("instance"))


def _media(file: OutFile) -> dict[str, Any]:
    media = {"mediatype": file.type, "mimetype": file.mime_type, "media": file.url, "caption": file.caption,
             "fileName": file.file_name}  # fmt: skip
    return {name: value for name, value in media.items() if value is not None}


def _is_voice(file: OutFile) -> bool:
    return file.type == "audio" and (file.mime_type is None or file.mime_type.startswith(_VOICE))


def _is_no_number(said: object) -> bool:
    return isinstance(said, list) and bool(said) and isinstance(said[0], dict) and said[0].get("exists") is False


def _words(said: object) -> str:
    return " ".join(str(one) for one in said) if isinstance(said, list) else said if isinstance(said, str) else ""


def _url(config: Mapping[str, Any], path: str) -> str:
    return f"{str(config['base_url']).rstrip('/')}{path}/{quote(str(config['instance']), safe='')}"


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    return {"apikey": str(config.get("api_key", ""))}


def _call(config: Mapping[str, Any], path: str, body: dict[str, Any]) -> HttpCall:
    return json_call(_url(config, path), body, _headers(config), seconds=CAN.seconds)
