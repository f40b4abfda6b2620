"""What went wrong, in neutral words: a stable code, a sentence for people, and what to do about it."""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

ErrorCode = Literal[
    "window_closed",
    "recipient_unreachable",
    "recipient_opted_out",
    "content_rejected",
    "template_rejected",
    "rate_limited",
    "auth_failed",
    "account_restricted",
    "payment_required",
    "channel_down",
    "provider_error",
    "network_error",
    "outcome_unknown",
    "cancelled_by_reply",
    "expired",
    "private_address",
    "channel_inactive",
]
Remedy = Literal[
    "use_template",
    "wait_for_customer",
    "check_recipient",
    "fix_content",
    "fix_template",
    "retry_later",
    "reconnect_channel",
    "check_account",
    "check_gateway",
    "check_then_retry",
    "none",
]

LONGEST_DETAIL = 500  # characters of a provider's words

_MEANINGS: dict[ErrorCode, tuple[Remedy, bool, str]] = {
    "window_closed": ("wait_for_customer", False, "The time in which this customer may be answered is over."),
    "recipient_unreachable": ("check_recipient", False, "This customer cannot be reached at this address."),
    "recipient_opted_out": ("wait_for_customer", False, "This customer does not want to get such messages."),
    "content_rejected": ("fix_content", False, "The messenger refuses the content of this message."),
    "template_rejected": ("fix_template", False, "The messenger refuses this template."),
    "rate_limited": ("retry_later", True, "Too many messages were sent in a short time."),
    "auth_failed": ("reconnect_channel", True, "The messenger refuses the credentials of this channel."),
    "account_restricted": ("check_account", False, "The messenger has restricted the account of this channel."),
    "payment_required": ("check_account", False, "The account of this channel has a problem with its payment."),
    "channel_down": ("check_gateway", True, "The gateway or the phone of this channel is offline."),
    "provider_error": ("retry_later", True, "The messenger reports an error of its own."),
    "network_error": ("retry_later", True, "The messenger could not be reached."),
    "outcome_unknown": (
        "check_then_retry",
        False,
        "The messenger did not confirm this message, so it may have arrived: check before you send it again.",
    ),
    "cancelled_by_reply": ("none", False, "The customer wrote first, so this message was not sent."),
    "expired": ("retry_later", False, "This message waited too long and was given up."),
    "private_address": ("check_gateway", False, "The address of this channel's gateway is not allowed here."),
    "channel_inactive": ("check_account", False, "This channel is switched off."),
}
_ADDRESS = re.compile(r"\S+://\S+|\bwww\.\S+", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9_\-+/=.]{24,}")


class Error(BaseModel):
    """One reason; `provider_code` is the messenger's own, as text (`131047`, `10/2018278`)."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    code: ErrorCode
    detail: str
    remedy: Remedy
    provider_code: str | None = None
    retryable: bool

    @classmethod
    def of(
        cls,
        code: ErrorCode,
        provider_code: object = None,
        *,
        words: object = None,
        remedy: Remedy | None = None,
        retryable: bool | None = None,
    ) -> Self:
        """The error of a code; `words` are the messenger's own and are shown after cleaning."""
        usual, again, sentence = _MEANINGS[code]
        said = clean_words(words) if isinstance(words, str) else ""
        return cls(
            code=code,
            detail=f"{sentence} The messenger says: {said}" if said else sentence,
            remedy=remedy or usual,
            provider_code=None if provider_code is None else str(provider_code)[:100],
            retryable=again if retryable is None else retryable,
        )

    def row(self) -> dict[str, Any]:
        """As a jsonb column keeps it."""
        return self.model_dump(mode="json")


def clean_words(words: str) -> str:
    """A messenger's words without addresses and tokens, on one line and cut."""
    bare = _TOKEN.sub("…", _ADDRESS.sub("…", words))
    return " ".join("".join(letter if letter.isprintable() else " " for letter in bare).split())[:LONGEST_DETAIL]
