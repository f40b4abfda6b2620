"""Meta (WhatsApp Cloud, Messenger, Instagram): HMAC-SHA256 of the raw body by the app's secret."""

import hashlib
import hmac
from collections.abc import Sequence

from alfred.signatures.post import Post, Verdict, Verified, among, forged, unconfigured

HEADER = "x-hub-signature-256"


def verify(post: Post, app_secrets: Sequence[str]) -> Verdict:
    """Only the SHA-256 header counts."""
    if not app_secrets:
        return unconfigured("No app secret is stored. Copy it from App settings, Basic, into the connection.")
    header = post.header(HEADER)
    if header is None:
        return forged("The post has no X-Hub-Signature-256 header, or several: Meta sends one with each post.")
    scheme, _, given = header.partition("=")
    expected = [hmac.new(secret.encode(), post.raw, hashlib.sha256).hexdigest() for secret in app_secrets]
    if scheme.lower() == "sha256" and among(given.lower(), expected):
        return Verified()
    return forged(
        "The signature was made with another app secret. Copy it from App settings, Basic, into the connection."
    )
