"""Amazon SES, whose notifications come wrapped by SNS."""

from typing import Any

from alfred.channels.building import ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.decoding import as_bytes, from_base64
from alfred.channels.headers import Headers
from alfred.channels.item import IgnoredKind, InboundItem
from alfred.channels.mail import Letter, read_letter
from alfred.channels.mime import Mime, take_apart
from alfred.channels.strict_json import parsed
from alfred.terms import ChannelType

SNS_TYPES = frozenset({"Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"})
COMMON = {
    "from": "from", "to": "to", "date": "date", "message-id": "messageId", "subject": "subject",
    "return-path": "returnPath",
}  # fmt: skip


def recognise(payload: Object) -> bool:
    kind = payload.get("Type")
    is_sns = isinstance(kind, str) and kind in SNS_TYPES
    return "TopicArn" in payload or (is_sns and "Message" in payload) or _is_notification(payload)


def _is_notification(payload: Object) -> bool:
    return "notificationType" in payload and "mail" in payload


def read(payload: Object, channel: ChannelType) -> list[InboundItem]:
    inner = payload if _is_notification(payload) else _unwrapped(payload)
    if inner.get("notificationType") != "Received":
        kind: IgnoredKind = "mail_event" if inner.get("notificationType") else "subscription"
        return [ignored(channel, kind, _without_token(payload))]
    return [read_letter(_letter(inner))]


def _unwrapped(payload: Object) -> Object:
    return obj(parsed(payload.get("Message"))) if payload.get("Type") == "Notification" else {}


def _without_token(payload: Object) -> Object:
    """The address that confirms the subscription is kept: somebody has to open it once."""
    return {key: value for key, value in payload.items() if key != "Token"}


def _letter(inner: Object) -> Letter:
    mail, receipt = obj(inner.get("mail")), obj(inner.get("receipt"))
    content = _content(inner, receipt)
    recipients = rows(receipt.get("recipients"))
    return Letter(
        raw={"mail": mail, "receipt": receipt, "content": content.raw if content else None},
        headers=(content.headers if content else Headers()) | _given(mail),
        recipient=first(*recipients),
        provider_id=mail.get("messageId"),
        provider_time=mail.get("timestamp"),
        plain=content.text if content else None,
        report=content.report if content else (),
        files=content.files if content else (),
    )


def _given(mail: Object) -> Headers:
    """The common headers come decoded, so they stand before the list of all."""
    common: dict[str, Any] = obj(mail.get("commonHeaders"))
    pairs = ((obj(row).get("name"), obj(row).get("value")) for row in rows(mail.get("headers")))
    return Headers((name, common.get(key)) for name, key in COMMON.items()) | Headers(pairs)


def _content(inner: Object, receipt: Object) -> Mime | None:
    if not text(inner.get("content")):
        return None
    source = as_bytes(str(inner["content"]))
    encoding = text(obj(receipt.get("action")).get("encoding")) or ""
    return take_apart(from_base64(source) if encoding.upper() == "BASE64" else source)
