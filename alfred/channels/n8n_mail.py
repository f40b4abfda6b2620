"""Mails as n8n's own triggers give them: IMAP (simple, resolved, raw) and Gmail (simplified, resolved)."""

from alfred.channels.building import ignored
from alfred.channels.clean import Object, first, obj, rows, text
from alfred.channels.decoding import as_bytes
from alfred.channels.headers import Headers
from alfred.channels.html_text import unescaped
from alfred.channels.item import InboundItem
from alfred.channels.mail import Letter, read_letter
from alfred.channels.mime import looks_like_mail, take_apart
from alfred.terms import ChannelType


def recognise(payload: Object) -> bool:
    return _is_simple(payload) or _is_resolved(payload) or _is_gmail(payload) or _is_raw(payload)


def _is_simple(payload: Object) -> bool:
    return bool({"textPlain", "textHtml"} & payload.keys()) or {"metadata", "from", "subject"} <= payload.keys()


def _is_resolved(payload: Object) -> bool:
    writer = payload.get("from")
    return (isinstance(writer, dict) and isinstance(writer.get("value"), list)) or "textAsHtml" in payload


def _is_gmail(payload: Object) -> bool:
    return {"id", "threadId"} <= payload.keys()


def _is_raw(payload: Object) -> bool:
    """The body alone: who wrote it is not told."""
    return isinstance(payload.get("raw"), str) and not payload.keys() - {"raw", "attributes"}


def read(payload: Object, _channel: ChannelType) -> list[InboundItem]:
    if _is_raw(payload):
        return [_read_raw(payload)]
    letter = _resolved(payload) if _is_resolved(payload) else _simple(payload)
    return [read_letter(letter)]


def _read_raw(payload: Object) -> InboundItem:
    """Mostly the body alone, which nobody can answer; a whole mail is read as one."""
    source = as_bytes(payload["raw"])
    if looks_like_mail(source):
        mail = take_apart(source)
        return read_letter(mail.letter({**payload, "raw": mail.raw}))
    return ignored("email", "no_sender", payload).model_copy(update={"rejected": True})


def _simple(payload: Object) -> Letter:
    """IMAP names headers in lower case, the rest in `metadata`; Gmail capitalises them and cuts the text."""
    names = ("from", "to", "date", "subject")
    given = Headers((name, first(payload.get(name), payload.get(name.title()))) for name in names)
    snippet = unescaped(text(payload.get("snippet")) or "")
    return Letter(
        raw=payload,
        headers=given | Headers(obj(payload.get("metadata")).items()),
        provider_id=_provider_id(payload),
        provider_time=payload.get("internalDate"),
        plain=first(payload.get("textPlain"), snippet),
        page=payload.get("textHtml"),
    )


def _resolved(payload: Object) -> Letter:
    writers = obj(payload.get("from"))
    writer = next((one for one in rows(writers.get("value")) if isinstance(one, dict)), {})
    fields = {
        "message-id": "messageId",
        "in-reply-to": "inReplyTo",
        "references": "references",
        "date": "date",
        "subject": "subject",
    }
    given = Headers((name, payload.get(field)) for name, field in fields.items())
    return Letter(
        raw=payload,
        headers=given
        | _whole_lines(obj(payload.get("headers")))
        | Headers([("to", _first_to(payload)), ("from", writers.get("text"))]),
        writer=text(writer.get("address")),
        name=writer.get("name"),
        provider_id=_provider_id(payload),
        provider_time=payload.get("internalDate"),
        plain=payload.get("text"),
        page=first(payload.get("html"), payload.get("textAsHtml")),
    )


def _provider_id(payload: Object) -> str | None:
    return first(payload.get("id"), obj(payload.get("attributes")).get("uid"))


def _first_to(payload: Object) -> str | None:
    to = payload.get("to")
    lists = (rows(obj(each).get("value")) for each in (to if isinstance(to, list) else [to]))
    return first(*(obj(one).get("address") for each in lists for one in each))


def _whole_lines(headers: Object) -> Headers:
    """Each value repeats its name: `delivered-to: someone@example.com`."""
    lines = (
        (name, line) for name, value in headers.items() for line in (value if isinstance(value, list) else [value])
    )
    return Headers((name, _without_name(name, text(line) or "")) for name, line in lines)


def _without_name(name: str, line: str) -> str:
    start = len(name) + 1
    return line[start:] if line[:start].lower() == f"{name}:".lower() else line
