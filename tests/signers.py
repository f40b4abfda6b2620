"""Signing as the providers do: an implementation of its own for the tests, from their documents."""

import base64
import datetime
import hashlib
import hmac
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa


def meta(raw, secret):
    return {"X-Hub-Signature-256": "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()}


def waha(raw, key):
    return {"X-Webhook-Hmac": hmac.digest(key.encode(), raw, "sha512").hex(), "X-Webhook-Hmac-Algorithm": "sha512"}


def twilio(url, fields, token):
    """`fields` are pairs, as often as they are in the form."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return {"X-Twilio-Signature": base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()}


def mailgun(key, timestamp, token="t0ken"):
    return {
        "timestamp": str(timestamp),
        "token": token,
        "signature": hmac.digest(key.encode(), f"{timestamp}{token}".encode(), "sha256").hex(),
    }


def svix(raw, secret, timestamp, message_id="msg_1", prefix="svix-"):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = base64.b64encode(hmac.digest(key, f"{message_id}.{timestamp}.".encode() + raw, "sha256")).decode()
    return {f"{prefix}id": message_id, f"{prefix}timestamp": str(timestamp), f"{prefix}signature": f"v1,{signed}"}


class SendGrid:
    """A key pair, and the public half as SendGrid shows it."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public = base64.b64encode(der).decode()

    def __call__(self, raw, timestamp="1700000000"):
        signed = self._key.sign(timestamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signed).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        }


class Sns:
    """A certificate of a year around `now`, and posts that it signs."""

    ARN = "arn:aws:sns:eu-west-1:123456789012:mail"
    CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
    SUBSCRIBE = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=y"

    def __init__(self, now):
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        year = datetime.timedelta(days=365)
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        built = built.serial_number(1).not_valid_before(now - year).not_valid_after(now + year)
        self.pem = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def __call__(self, message, at, *, kind="Notification", version="1", **changes):
        """A signed post: (raw, headers); `changes` of None leave a field out."""
        fields = {"Type": kind, "MessageId": "1", "TopicArn": self.ARN, "Message": message,
                  "Timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "SigningCertURL": self.CERTIFICATE,
                  "SignatureVersion": version}  # fmt: skip
        if kind != "Notification":
            fields |= {"Token": "2336", "SubscribeURL": self.SUBSCRIBE}
        fields = {name: value for name, value in (fields | changes).items() if value is not None}
        names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
        if kind == "Notification":
            names = [name for name in names if name not in {"SubscribeURL", "Token"}]
        else:
            names.remove("Subject")
        text = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
        digest = hashes.SHA1() if version == "1" else hashes.SHA256()
        fields["Signature"] = base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), digest)).decode()
        return json.dumps(fields).encode(), {"x-amz-sns-message-type": kind, "Content-Type": "text/plain"}


def sha256(raw):
    return hashlib.sha256(raw).hexdigest()
