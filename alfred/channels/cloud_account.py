"""What Meta tells of a WhatsApp account beside its messages: opt-outs, quality, templates, restrictions."""

from typing import Any

from alfred.channels.building import Occasion
from alfred.channels.clean import Object, moment, obj, one_line, rows, text
from alfred.channels.item import Fact, IgnoredKind, InboundItem
from alfred.channels.whatsapp import other_ids, phone
from alfred.terms import ChannelType

KINDS: dict[str, IgnoredKind] = {
    "user_preferences": "preferences",
    "calls": "call",
    "message_template_status_update": "template",
    "message_template_quality_update": "template",
    "message_template_components_update": "template",
    "template_category_update": "template",
}
LOST = frozenset({"PAUSED", "DISABLED", "FLAGGED", "REJECTED"})
REGAINED = frozenset({"APPROVED", "REINSTATED", "UNPAUSED"})
WORSE = frozenset({"FLAGGED", "DOWNGRADE", "RED", "LOW"})
BETTER = frozenset({"UNFLAGGED", "UPGRADE", "GREEN", "HIGH"})
RESTRICTED = frozenset(
    {"ACCOUNT_RESTRICTION", "ACCOUNT_VIOLATION", "DISABLED_UPDATE", "ACCOUNT_DELETED", "PARTNER_REMOVED"}
)


def read_account_change(field: object, value: Object, channel: ChannelType, raw: Any) -> InboundItem:
    """A change without messages: ignored, with the facts that it tells."""
    name = field if isinstance(field, str) else ""
    metadata = obj(value.get("metadata"))
    number = text(metadata.get("phone_number_id")) or phone(value.get("display_phone_number"))
    facts = READERS[name](value) if name in READERS else []
    default: IgnoredKind = "account" if name.startswith(("account_", "phone_number_", "business_")) else "unknown_event"
    kind = KINDS.get(name, "account" if facts else default)
    at = moment(value.get("timestamp"))
    return Occasion(channel, raw, recipient=number, sent_at=at).ignored(kind, facts)


def _preferences(value: Object) -> list[Fact]:
    """Customers who stopped or resumed marketing messages."""
    facts = (_preference(row) for row in rows(value.get("user_preferences")) if isinstance(row, dict))
    return [fact for fact in facts if fact]


def _preference(row: Object) -> Fact | None:
    wish = (text(row.get("value")) or "").lower()
    handle = phone(row.get("wa_id")) or text(row.get("user_id"))
    if wish not in {"stop", "resume"} or handle is None:
        return None
    stopped = wish == "stop"
    return Fact(
        type="opt_out" if stopped else "opt_in",
        about="contact",
        subject=handle,
        identities=other_ids(handle, (), row.get("user_id")),
        provider_code=wish,
        detail="The customer stopped marketing messages." if stopped else "The customer resumed marketing messages.",
        at=moment(row.get("timestamp")),
    )


def _template_status(value: Object) -> list[Fact]:
    word = (text(value.get("event")) or "").upper()
    reason = one_line(value.get("reason"), *(obj(value.get("other_info")).get(key) for key in ("title", "description")))
    return _template(value, word, word in LOST, word in REGAINED, reason)


def _template_quality(value: Object) -> list[Fact]:
    word = (text(value.get("new_quality_score")) or "").upper()
    return _template(value, word, word in WORSE, word in BETTER, "its quality")


def _template(value: Object, word: str, lost: bool, regained: bool, reason: str | None) -> list[Fact]:
    if not lost and not regained:
        return []
    name = text(value.get("message_template_name"))
    about = f" ({reason})" if reason and reason != "NONE" else ""
    fact = Fact(
        type="channel_error" if lost else "channel_recovered",
        about="template",
        subject=name,
        code="template_rejected" if lost else None,
        provider_code=word,
        detail=f"The template {name or 'without a name'} is now {word.lower()} at WhatsApp{about}.",
    )
    return [fact]


def _quality(value: Object) -> list[Fact]:
    words = (text(value.get(key)) for key in ("event", "new_quality_score", "quality_rating"))
    word = next((word.upper() for word in words if word), "")
    if word not in WORSE | BETTER:
        return []
    limit = text(value.get("current_limit"))
    sentence = f"WhatsApp rates the quality of the number: {word.lower()}"
    fact = Fact(
        type="channel_error" if word in WORSE else "channel_recovered",
        about="quality",
        code="account_restricted" if word in WORSE else None,
        provider_code=word,
        detail=f"{sentence} (limit {limit})." if limit else f"{sentence}.",
    )
    return [fact]


def _account(value: Object) -> list[Fact]:
    word = (text(value.get("event")) or "").upper()
    ban = (text(obj(value.get("ban_info")).get("waba_ban_state")) or "").upper()
    back = ban == "REINSTATE"
    if word not in RESTRICTED:
        return []
    fact = Fact(
        type="channel_recovered" if back else "channel_error",
        about="account",
        code=None if back else "account_restricted",
        provider_code=ban or word,
        detail="WhatsApp has reinstated the account."
        if back
        else f"WhatsApp has restricted the account: {ban or word}.",
    )
    return [fact]


def _errors(value: Object) -> list[Fact]:
    """Errors of the account, where a change of the field `messages` holds nothing else."""
    errors = [error for error in rows(value.get("errors")) if isinstance(error, dict)]
    return [
        Fact(
            type="channel_error",
            about="account",
            code="provider_error",
            provider_code=text(error.get("code")),
            detail=one_line(error.get("title"), error.get("message"), obj(error.get("error_data")).get("details")),
        )
        for error in errors[:1]
    ]


READERS = {
    "user_preferences": _preferences,
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "phone_number_quality_update": _quality,
    "account_update": _account,
    "messages": _errors,
}
