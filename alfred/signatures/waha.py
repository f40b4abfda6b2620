"""WAHA: HMAC-SHA512 of the raw body by the session's key."""

import hashlib
import hmac
from collections.abc import Sequence

from alfred.signatures.post import Post, Verdict, Verified, among, forged, unconfigured


def verify(post: Post, hmac_keys: Sequence[str]) -> Verdict:
    """The algorithm is not the sender's choice."""
    if not hmac_keys:
        return unconfigured("No HMAC key is stored. Set one at the session's webhook, and in the connection.")
    given, algorithm = post.header("x-webhook-hmac"), post.header("x-webhook-hmac-algorithm")
    if given is None or algorithm is None:
        return forged("The post has no X-Webhook-Hmac header: set the HMAC key at the session's webhook.")
    if algorithm.lower() != "sha512":
        return forged("The post is signed by another algorithm than sha512.")
    expected = [hmac.new(key.encode(), post.raw, hashlib.sha512).hexdigest() for key in hmac_keys]
    if among(given.lower(), expected):
        return Verified()
    return forged(
        "The signature was made with another HMAC key. Copy the one of the session's webhook into the connection."
    )
