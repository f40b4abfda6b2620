"""SendGrid: ECDSA P-256 over a timestamp and the raw body, where its security policy signs."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from alfred.signatures.post import Post, Verdict, Verified, forged, unconfigured

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def verify(post: Post, public_key: str) -> Verdict:
    """`public_key` as SendGrid shows it: base64 of DER, with or without PEM's lines."""
    key = _key(public_key)
    if key is None:
        return unconfigured("The stored public key cannot be read. Copy it from SendGrid's security policy again.")
    given, timestamp = post.header(SIGNATURE), post.header(TIMESTAMP)
    if given is None or timestamp is None:
        return forged("The post is not signed: add the security policy to the parse setting at SendGrid.")
    try:
        signature = base64.b64decode(given, validate=True)
        key.verify(signature, timestamp.encode("utf-8", "replace") + post.raw, ECDSA(SHA256()))
    except (binascii.Error, ValueError, InvalidSignature):
        return forged(
            "The signature was made with another key. Copy the public key of SendGrid's security policy again."
        )
    return Verified()


def _key(text: str) -> EllipticCurvePublicKey | None:
    lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
    try:
        key = load_der_public_key(base64.b64decode("".join(lines)))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None
