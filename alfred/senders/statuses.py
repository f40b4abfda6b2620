"""Failures that are told later, by a webhook: judged by the same tables as an answer."""

import re

from alfred.senders import messenger, twilio, whatsapp_cloud
from alfred.senders.errors import Error
from alfred.senders.graph import GraphError
from alfred.senders.policy import advised
from alfred.terms import ChannelType

_CODE = re.compile(r"([0-9]{1,9})(?:/([0-9]{1,9}))?\b[\s:.,-]*(.*)", re.DOTALL)
_NO_RECIPIENT = re.compile(r"\b5\.1\.\d+")


def failure_of(channel_type: ChannelType, provider: str | None, code: str | None, words: str | None) -> Error:
    """The error of a failed status; a code may also begin the words (`131026: Undeliverable`)."""
    return advised(_judged(channel_type, provider, code, words), channel_type)


def _judged(channel_type: ChannelType, provider: str | None, code: str | None, words: str | None) -> Error:
    if words is not None and (found := _CODE.fullmatch(words)):
        begins = f"{found[1]}/{found[2]}" if found[2] else found[1]
        if code in {None, begins}:
            code, words = begins, found[3]
    if channel_type == "email":
        gone = _NO_RECIPIENT.search(f"{code or ''} {words or ''}") is not None
        return Error.of("recipient_unreachable", code, words=words) if gone else _plain(code, words)
    number, _, sub = (code or "").partition("/")
    if not number.isdigit():
        return _plain(code, words)
    if provider == "twilio":
        return twilio.judge_code(number, 400, words).error or _plain(code, words)
    error = GraphError(int(number), int(sub) if sub.isdigit() else None, words, transient=False)
    if channel_type in {"messenger", "instagram"}:
        return messenger.judge_error(error, 400).error or _plain(code, words)
    if provider in {"whatsapp_cloud", None}:
        return whatsapp_cloud.judge_error(error, 400).error or _plain(code, words)
    return _plain(code, words)


def _plain(code: str | None, words: str | None) -> Error:
    return Error.of("provider_error", code, words=words, retryable=False)
