"""Is this post genuine? One file a scheme, pure; a secret that is not stored closes the door."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from alfred.signatures import mailgun, meta, sendgrid, shared, sns, svix, twilio, waha
from alfred.signatures.post import Post, Refused, Verdict, Verified

__all__ = ["Post", "Refused", "Verdict", "Verified", "sns", "verify"]


def verify(provider: str, post: Post, secrets: Mapping[str, Any], now: datetime) -> Verdict:
    """`secrets` are the connection's, for mail those of `inbound`. SES has `sns` instead, which needs a certificate."""
    match provider:
        case "whatsapp_cloud" | "messenger" | "instagram":
            return meta.verify(post, secrets.get("app_secrets") or ())
        case "twilio":
            return twilio.verify(post, secrets.get("auth_tokens") or ())
        case "waha":
            return waha.verify(post, secrets.get("hmac_keys") or ())
        case "mailgun":
            return mailgun.verify(post, secrets.get("signing_keys") or (), now)
        case "resend":
            return svix.verify(post, secrets.get("signing_secrets") or (), now)
        case "sendgrid" if secrets.get("public_key"):
            signed = sendgrid.verify(post, secrets["public_key"])
            return signed if isinstance(signed, Refused) else shared.verify(post, secrets, now)
        case "sendgrid" | "postmark" | "brevo" | "evolution" | "zapi" | "mail":
            return shared.verify(post, secrets, now)
    raise ValueError(f"{provider} has no scheme here")
