"""Twilio: HMAC-SHA1 of the public URL and the form's fields by the auth token."""

import base64
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlsplit, urlunsplit

from alfred.signatures.post import Post, Verdict, Verified, among, forged, same, unconfigured

MOST_FIELDS = 1000
_PORTS = {"https": 443, "http": 80}


def verify(post: Post, auth_tokens: Sequence[str]) -> Verdict:
    """The URL as Twilio was given it, with query, without fragment, with or without its scheme's port."""
    if not auth_tokens:
        return unconfigured("No auth token is stored. Copy it from Twilio's console into the connection.")
    given = post.header("x-twilio-signature")
    if given is None:
        return forged("The post has no X-Twilio-Signature header, or several.")
    fields = _signed_fields(post)
    if fields is None:
        return forged("The body is not the one that was signed.")
    if _fits(given, _spellings(post.url), fields, auth_tokens):
        return Verified()
    for other in _other_origins(post):
        if _fits(given, _spellings(other), fields, auth_tokens):
            return forged(
                f"Twilio signed {_origin(other)}/…, we were asked as {_origin(post.url)}/…: set ALFRED_PUBLIC_URL."
            )
    return forged(
        "The signature was made with another auth token, or for another address. Copy both from the connection."
    )


def _signed_fields(post: Post) -> bytes | None:
    """Name and value of each field, sorted; of JSON only a digest is signed, as a part of the URL."""
    digest = parse_qs(urlsplit(post.url).query).get("bodySHA256")
    if digest:
        return b"" if same(digest[0].lower(), hashlib.sha256(post.raw).hexdigest()) else None
    values = defaultdict(set)
    try:
        pairs = parse_qsl(
            post.raw.decode("utf-8", "surrogateescape"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        return None
    for name, value in pairs:
        values[name].add(value)
    text = "".join(name + value for name in sorted(values) for value in sorted(values[name]))
    return text.encode("utf-8", "surrogateescape")


def _fits(given: str, urls: Sequence[str], fields: bytes, auth_tokens: Sequence[str]) -> bool:
    expected = [
        base64.b64encode(hmac.new(token.encode(), url.encode() + fields, hashlib.sha1).digest()).decode()
        for token in auth_tokens
        for url in urls
    ]
    return among(given, expected)


def _spellings(url: str) -> list[str]:
    """Without and with the port that its scheme has anyway."""
    parts = urlsplit(url)._replace(fragment="")
    host, port = _host(parts), _port(parts)
    if port is not None and port != _PORTS.get(parts.scheme):
        return [urlunsplit(parts)]
    return [urlunsplit(parts._replace(netloc=name)) for name in (host, f"{host}:{_PORTS.get(parts.scheme)}")]


def _other_origins(post: Post) -> Iterator[str]:
    """Where a proxy in between hides how we are known: to say so."""
    for url in (post.url, post.asked):
        for scheme in ("https", "http"):
            if url:
                yield urlunsplit(urlsplit(url)._replace(scheme=scheme))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(parts: SplitResult) -> str:
    name = parts.netloc.rpartition("@")[2]
    return name if _port(parts) is None else name.rpartition(":")[0]


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None
