"""Amazon SNS (mail by SES): RSA over chosen fields; the certificate is handed in by whoever may fetch it."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from alfred.signatures.post import Post, Refused, Verdict, Verified, forged, unconfigured

OLDEST = timedelta(hours=1)
EARLIEST = timedelta(minutes=15)
_HOST = re.compile(r"sns\.([a-z0-9-]{3,30})\.amazonaws\.com(\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}


@dataclass(frozen=True)
class Envelope:
    """A post of SNS whose topic is one of ours, and whose URLs lead to SNS: nothing else is ever fetched."""

    type: str
    certificate_url: str
    subscribe_url: str | None
    fields: Mapping[str, str] = field(repr=False)


def envelope_of(post: Post, topic_arns: Collection[str]) -> Envelope | Refused:
    """Read before anything is fetched: a signature proves only that somebody's account at Amazon has sent it."""
    if not topic_arns:
        return unconfigured("No topic is stored. Put the ARN of the SNS topic into the connection.")
    fields = fields_of(post.raw)
    kind, topic = fields.get("Type", ""), fields.get("TopicArn", "")
    if kind not in _SIGNED or post.header("x-amz-sns-message-type") != kind:
        return forged("The post is none of SNS: its type is missing, or differs from the header's.")
    if topic not in topic_arns:
        return forged("The post comes from another topic. Put the ARN of yours into the connection.")
    region = topic.split(":")[3]
    certificate = fields.get("SigningCertURL", "")
    if not _is_of_sns(certificate, region) or not _CERTIFICATE.fullmatch(urlsplit(certificate).path):
        return forged("The post names a certificate that is not Amazon's.")
    subscribe = fields.get("SubscribeURL")
    confirms = kind == "SubscriptionConfirmation"
    if confirms and not (subscribe and _is_of_sns(subscribe, region) and _confirms(subscribe)):
        return forged("The post asks to confirm at an address that is not Amazon's.")
    return Envelope(kind, certificate, subscribe if confirms else None, fields)


def verify(envelope: Envelope, certificate: bytes, now: datetime) -> Verdict:
    """Against the certificate that its URL gave."""
    fields = envelope.fields
    try:
        found = x509.load_pem_x509_certificate(certificate)
        key = found.public_key()
        signature = base64.b64decode(fields.get("Signature", ""), validate=True)
        sent_at = datetime.fromisoformat(fields["Timestamp"])
    except (ValueError, KeyError, binascii.Error):
        return forged("The signature, its moment or the certificate cannot be read.")
    if not isinstance(key, RSAPublicKey) or not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        return forged("Amazon's certificate is not valid now.")
    digest = {"1": SHA1, "2": SHA256}.get(fields.get("SignatureVersion", ""))
    if digest is None:
        return forged("The post has another version of signature than 1 or 2.")
    try:
        key.verify(signature, _string_to_sign(envelope), PKCS1v15(), digest())
    except InvalidSignature:
        return forged("The signature is not that of this post.")
    if sent_at.tzinfo is None or not -EARLIEST <= now - sent_at <= OLDEST:
        return forged("The post was signed more than an hour ago, or one of the clocks is wrong.")
    return Verified()


def _string_to_sign(envelope: Envelope) -> bytes:
    names = [name for name in _SIGNED[envelope.type] if name in envelope.fields]
    return "".join(f"{name}\n{envelope.fields[name]}\n" for name in names).encode("utf-8", "surrogatepass")


def fields_of(raw: bytes) -> dict[str, str]:
    """The texts of the JSON object; empty where it is none."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in body.items() if isinstance(value, str)} if isinstance(body, dict) else {}


def _is_of_sns(url: str, region: str) -> bool:
    try:
        parts = urlsplit(url)
        found = _HOST.fullmatch(parts.netloc)  # netloc: neither a user nor a port
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not parts.fragment
    return plain and parts.scheme == "https" and found is not None and found[1] == region


def _confirms(url: str) -> bool:
    return parse_qs(urlsplit(url).query).get("Action") == ["ConfirmSubscription"]
