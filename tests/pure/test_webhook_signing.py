"""Signatures are those of the standard: its vector, its library, and both secrets while one replaces the other."""

import hashlib
import hmac
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from alfred.webhook_signing import new_secret, signed

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
EVENT = "0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11"
BODY = (
    '{"id":"0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11","type":"message.received",'
    '"timestamp":"2026-11-26T10:00:00.000Z","data":{"text":"Olá, preço?"}}'
).encode()


def test_the_vector():
    assert signed([SECRET], EVENT, 1795687200, BODY) == {
        "webhook-id": EVENT,
        "webhook-timestamp": "1795687200",
        "webhook-signature": "v1,4b/DzcX1GaQZQML7jNSyc4iVdcjB+3ZLg97edS6tyD0=",
        "X-Alfred-Signature": "sha256=b707a09a72d2ad34285d59c7c89f83dfe1a3a1aa5ff3db9c944d4ce5de6eab17",
    }


def test_the_library_of_the_standard_verifies_it_with_either_secret():
    old, new = new_secret(), new_secret()
    headers = signed([new, old], EVENT, int(time.time()), BODY)
    for secret in (new, old):
        assert Webhook(secret).verify(BODY, headers)["data"] == {"text": "Olá, preço?"}
    for secret, body in ((new_secret(), BODY), (new, BODY + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
    for name, secret in (("X-Alfred-Signature", new), ("X-Alfred-Signature-Previous", old)):
        assert headers[name] == "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()


def test_every_secret_is_another():
    assert len({new_secret() for _ in range(100)}) == 100
    assert all(len(new_secret()) == len(SECRET) for _ in range(10))
