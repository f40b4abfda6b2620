"""Z-API: a hosted gateway to WhatsApp; its token is a part of every URL."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call
from alfred.senders import outcomes
from alfred.senders.addresses import digits
from alfred.senders.errors import Error
from alfred.senders.outcomes import Outcome, judged, text_in
from alfred.senders.parts import Abilities, OutFile, Part
from alfred.senders.probes import Account, probed

CAN = Abilities(text_limit=4_096, captions=frozenset({"image", "video", "document"}), reads=True, rate=1)

BASE = "https://api.z-api.io"


def request(part: Part, to: str, config: Mapping[str, Any], _delivery_id: str) -> HttpCall:
    """The call of one part.

    Raises:
        Unsendable: the handle is no phone number.
    """
    body: dict[str, Any] = {"phone": digits(to)}
    if part.kind == "read":
        return _call(config, "read-message", body | {"messageId": part.reply_to})
    if part.reply_to:
        body["messageId"] = part.reply_to
    if part.file is None:
        return _call(config, "send-text", body | {"message": part.text})
    file = part.file
    body[file.type] = file.url
    if file.caption:
        body["caption"] = file.caption
    if file.type != "document":
        return _call(config, f"send-{file.type}", body)
    if file.file_name:
        body["fileName"] = file.file_name
    return _call(config, f"send-document/{_extension(file)}", body)


def outcome(answer: Answer | NoAnswer, _attempts: int = 1) -> Outcome:
    """What came of a send call; accepted is not sent here, since it queues on its side."""
    return judged(answer, lambda body: text_in(body.get("messageId")), judge)


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where nothing is known of it."""
    words = text_in(body.get("error")) or text_in(body.get("message"))
    if words is None:
        return None
    if status in {401, 403} or "not allowed" in words.lower():
        return outcomes.of("auth_failed", status, words)
    if status == 404:
        return outcomes.of("account_restricted", status, words)
    if status == 429:
        return outcomes.of("rate_limited", status, words)
    if status in {400, 405, 415}:
        return outcomes.of("content_rejected", status, words)
    if status >= 500:
        return outcomes.transient(status, words)
    return outcomes.refused(status, words) if status >= 400 else None


def probe(config: Mapping[str, Any]) -> HttpCall:
    """Whether the session and the phone are online."""
    return HttpCall("GET", _url(config, "status"), _headers(config), seconds=10, own_host=True)


def account(answer: Answer | NoAnswer) -> Account:
    """The instance, where it is connected."""
    body = (answer.object() if isinstance(answer, Answer) and answer.status == 200 else None) or {}
    if body.get("connected") is True:
        return Account()
    if "connected" in body:
        return Account(error=Error.of("channel_down", words=body.get("error")))
    return probed(answer, lambda _: (None, None), judge)


def _extension(file: OutFile) -> str:
    """Of the file's name, else of its address, else of its type."""
    for name in (file.file_name or "", urlsplit(file.url).path):
        suffix = PurePosixPath(name).suffix[1:].lower()
        if re.fullmatch(r"[a-z0-9]{1,8}", suffix):
            return suffix
    kind = (file.mime_type or "").rpartition("/")[2].lower()
    return kind if re.fullmatch(r"[a-z0-9]{1,8}", kind) else "pdf"


def _url(config: Mapping[str, Any], action: str) -> str:
    base = str(config.get("base_url") or BASE).rstrip("/")
    instance, token = (quote(str(config.get(name, "")), safe="") for name in ("instance_id", "instance_token"))
    return f"{base}/instances/{instance}/token/{token}/{action}"


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    return {"Client-Token": str(config["client_token"])} if config.get("client_token") else {}


def _call(config: Mapping[str, Any], action: str, body: dict[str, Any]) -> HttpCall:
    return json_call(_url(config, action), body, _headers(config), seconds=CAN.seconds)
