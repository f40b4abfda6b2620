"""How a file is fetched from each provider: pure; the next call, from what is known of the file."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from alfred.channels.html_text import words
from alfred.http_calls import Answer, HttpCall, json_call
from alfred.senders.graph import address
from alfred.senders.outcomes import text_in

SECONDS = 60.0
MOST_TEXT = 4 * 1024 * 1024  # of a mail's words
_META_HOSTS = (".fbsbx.com", ".facebook.com", ".whatsapp.net")


@dataclass(frozen=True)
class File:
    """An attachment as its message tells of it."""

    url: str | None
    external_id: str | None
    message_id: str | None  # the messenger's
    mail_id: str | None = None  # the mail service's

    @classmethod
    def of(cls, attachment: Mapping[str, Any], message_id: str | None, mail_id: str | None) -> "File":
        """From the columns of a message."""
        return cls(attachment.get("url"), attachment.get("external_id"), message_id, mail_id)


@dataclass(frozen=True)
class Found:
    """Where a look-up says that the file is; or the file itself."""

    url: str | None = None
    content: bytes | None = None
    sha256: str | None = None
    mime_type: str | None = None
    file_name: str | None = None


class Unfetchable(Exception):
    """Nothing tells where this file is."""


def look_up(provider: str, file: File, settings: Mapping[str, Any], most_bytes: int) -> HttpCall | None:
    """The call that tells where a file is, for the providers that need one."""
    if provider == "whatsapp_cloud" and file.external_id and not file.url:
        return HttpCall("GET", address(settings, file.external_id), _bearer(settings), seconds=20, own_host=True)
    if provider == "evolution" and file.message_id and _is_encrypted(file.url):
        base = str(settings["base_url"]).rstrip("/")
        url = f"{base}/chat/getBase64FromMediaMessage/{quote(str(settings['instance']), safe='')}"
        body = {"message": {"key": {"id": file.message_id}}}
        call = json_call(url, body, {"apikey": str(settings.get("api_key", ""))}, seconds=SECONDS)
        return HttpCall(call.method, call.url, call.headers, call.body, SECONDS, most_bytes * 4 // 3 + 65_536, True)
    if provider == "email" and file.mail_id and file.external_id:
        return _of_resend(settings, f"/emails/receiving/{_part(file.mail_id)}/attachments/{_part(file.external_id)}")
    return None


def mail_text(settings: Mapping[str, Any], mail_id: str) -> HttpCall:
    """The call that gives the words of a mail that Resend has only told of."""
    return _of_resend(settings, f"/emails/receiving/{_part(mail_id)}")


def text_in_mail(answer: Answer) -> str:
    """The words of that mail; of a mail that is a page only, what a person reads of it.

    Raises:
        Unfetchable: the answer is none.
    """
    body = answer.object()
    if body is None:
        raise Unfetchable
    return text_in(body.get("text")) or words(text_in(body.get("html")) or "") or ""


def found_in(provider: str, answer: Answer) -> Found:
    """What a look-up told.

    Raises:
        Unfetchable: nothing of use.
    """
    body = answer.object() or {}
    if provider == "evolution":
        try:
            content = base64.b64decode(str(body["base64"]).partition("base64,")[2] or str(body["base64"]))
        except (KeyError, binascii.Error, ValueError):
            raise Unfetchable from None
        return Found(None, content, None, text_in(body.get("mimetype")), text_in(body.get("fileName")))
    url = text_in(body.get("url")) or text_in(body.get("download_url"))
    if url is None:
        raise Unfetchable
    return Found(url, None, text_in(body.get("sha256")), text_in(body.get("mime_type")))


def download(provider: str, url: str | None, settings: Mapping[str, Any]) -> HttpCall:
    """The call whose body is the file; a token goes along only to whom it belongs.

    Raises:
        Unfetchable: there is no address.
    """
    if not url or not url.startswith(("https://", "http://")):
        raise Unfetchable
    own = _is_own_origin(url, settings)
    headers: dict[str, str] = {}
    if provider == "whatsapp_cloud" and (own or (urlsplit(url).hostname or "").endswith(_META_HOSTS)):
        headers = _bearer(settings)
    elif provider == "waha" and own:
        headers = {"X-Api-Key": str(settings.get("api_key", ""))}
    elif provider == "twilio" and own:
        headers = _basic(settings)
    return HttpCall("GET", url, headers, seconds=SECONDS, own_host=is_own_host(url, settings))


def as_told(provider: str, file: File, settings: Mapping[str, Any]) -> HttpCall:
    """The call whose body is the file, where the message itself tells of it: Brevo by a token, the others by a URL.

    Raises:
        Unfetchable: there is no address.
    """
    inbound = settings.get("inbound") or {}
    if provider == "email" and inbound.get("provider") == "brevo" and file.external_id:
        base = str(inbound.get("base_url") or "https://api.brevo.com/v3").rstrip("/")
        headers = {"api-key": str(inbound.get("api_key", ""))}
        url = f"{base}/inbound/attachments/{_part(file.external_id)}"
        return HttpCall("GET", url, headers, seconds=SECONDS, own_host=True)
    return download(provider, file.url, settings)


def redirected(call: HttpCall, provider: str, answer: Answer, settings: Mapping[str, Any]) -> HttpCall | None:
    """Twilio's files lie in a storage of somebody else: one step further, without the credentials; None: no step.

    Raises:
        Unfetchable: it leads nowhere.
    """
    if provider != "twilio" or answer.status not in {301, 302, 303, 307, 308}:
        return None
    return download("", urljoin(call.url, answer.headers.get("location", "")), settings)


def is_own_host(url: str, settings: Mapping[str, Any]) -> bool:
    """Whether it is the host that the channel's owner has named: only that one may be private."""
    return _place(url)[1] is not None and _place(url)[1] == _place(settings.get("base_url"))[1]


def _is_own_origin(url: str, settings: Mapping[str, Any]) -> bool:
    """Whether the credentials go there anyway."""
    return _place(url) == _place(settings.get("base_url"))


def _place(url: object) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(str(url or ""))
        port = parts.port
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def fits(sha256: str | None, content_sha256: str) -> bool:
    """Whether the digest is the one that the provider told, in hex or base64; none was told: it does."""
    if not sha256:
        return True
    told = sha256.strip()
    return told.lower() == content_sha256 or told == base64.b64encode(bytes.fromhex(content_sha256)).decode()


def _of_resend(settings: Mapping[str, Any], path: str) -> HttpCall:
    inbound = settings.get("inbound") or {}
    base = str(inbound.get("base_url") or "https://api.resend.com").rstrip("/")
    headers = {"Authorization": f"Bearer {inbound.get('api_key', '')}"}
    return HttpCall("GET", base + path, headers, seconds=20, most_bytes=MOST_TEXT, own_host=True)


def _part(value: str) -> str:
    return quote(value, safe="")


def _is_encrypted(url: str | None) -> bool:
    """WhatsApp's own storage holds what only the phone can read."""
    return url is None or (urlsplit(url).hostname or "").endswith(".whatsapp.net")


def _bearer(settings: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.get('access_token', '')}"}


def _basic(settings: Mapping[str, Any]) -> dict[str, str]:
    user = settings.get("api_key_sid") or settings.get("account_sid", "")
    word = settings.get("api_key_secret") if settings.get("api_key_sid") else (settings.get("auth_tokens") or [""])[0]
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()}
