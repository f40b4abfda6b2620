"""The closed sets of words that rooms share, and the bounds; a test compares the words with the database's checks."""

from typing import Literal, get_args

ChannelType = Literal["whatsapp", "instagram", "messenger", "email"]
# Who brings a channel's messages; for mail, SMTP sends and one of the services receives.
Provider = Literal["whatsapp_cloud", "messenger", "instagram", "evolution", "waha", "zapi", "twilio", "email"]
InboundProvider = Literal["mailgun", "sendgrid", "postmark", "ses", "brevo", "resend", "mail"]
MediaState = Literal["pending", "stored", "failed"]
ConnectionState = Literal["connected", "untested", "failing", "auth_failed"]

Language = Literal["pt", "en", "es"]
Sentiment = Literal["positive", "neutral", "negative"]
Urgency = Literal["low", "medium", "high"]
Intent = Literal[
    "cancellation",
    "complaint",
    "discount_request",
    "price_question",
    "order",
    "scheduling",
    "delivery_question",
    "promise",
    "request",
    "question",
    "praise",
    "thanks",
    "greeting",
    "acknowledgement",
    "other",
]
Tone = Literal["formal", "neutral", "friendly", "casual"]
NegotiationMode = Literal["off", "suggest", "auto"]
SuggestionKind = Literal["reply", "price", "follow_up"]
ModelKind = Literal["default", "openai", "anthropic"]  # default: the account of whoever runs the service
FactKind = Literal["text", "product"]
ModelProtocol = Literal["openai", "anthropic"]
ModelFeature = Literal["reply", "follow_up", "refine"]
UsageFeature = Literal["reply", "price", "follow_up", "refine", "test"]
# Why the built-in assistant answered in place of a model that was asked for.
FallbackReason = Literal["timeout", "rate_limited", "circuit_open", "invalid_output", "budget", "auth", "guard"]
SuggestionOutcome = Literal["sent", "edited", "dismissed"]

ConversationStatus = Literal["open", "pending", "snoozed", "closed"]
Direction = Literal["inbound", "outbound"]
MessageStatus = Literal["received", "scheduled", "queued", "sent", "delivered", "read", "failed", "cancelled"]
# Of outbound messages: who wrote them, and by which way they came to us.
MessageAuthor = Literal["person", "automation"]
MessageSource = Literal["api", "rule", "flow", "native_app"]
PartKind = Literal["text", "attachment", "template", "mail", "read", "typing"]
DeliveryState = Literal["blocked", "waiting", "sending", "done", "unknown", "dead", "cancelled"]
PartStatus = Literal["sent", "delivered", "read", "failed"]
# What a provider tells afterwards of a message: how far it came, or that it was changed.
MessageUpdate = Literal["sent", "delivered", "read", "failed", "edited", "deleted"]
AttachmentType = Literal[
    "image",
    "audio",
    "video",
    "document",
    "sticker",
    "location",
    "contact",
    "order",
    "share",
    "story_mention",
    "unsupported",
]

TaskStatus = Literal["open", "in_progress", "done", "cancelled"]
Priority = Literal["low", "medium", "high", "urgent"]

RuleTrigger = Literal["message.received", "conversation.created", "task.overdue", "lead.stalled"]
NotificationType = Literal[
    "urgent_message",
    "overdue_task",
    "stalled_lead",
    "rule_match",
    "channel_error",
    "delivery_failed",
    "subscription.disabled",
]
Scope = Literal["read", "write", "webhooks", "subscriptions", "admin"]
DisabledReason = Literal["by_user", "gone", "failing"]
WebhookState = Literal["waiting", "sending", "delivered", "dead"]

LONGEST_NAME = 200  # names and titles, characters
LONGEST_HANDLE = 256
LONGEST_TAG = 50
MOST_TAGS = 50  # of a conversation
MOST_IDENTITIES = 50  # of a contact
LONGEST_SEARCH = 200
LONGEST_FACT = 500
LONGEST_RULE_TEXT = 1_000
LONGEST_NOTES = 10_000  # notes and descriptions
LONGEST_OUTBOUND_BODY = 65_536
LONGEST_INBOUND_BODY = 1_048_576  # of what is longer the beginning; its payload is kept whole


def language_of(locale: str | None) -> Language | None:
    """The language of a locale such as pt-BR, where Alfred speaks it."""
    spoken = (locale or "").replace("_", "-").partition("-")[0].lower()
    languages: tuple[Language, ...] = get_args(Language)
    return next((language for language in languages if language == spoken), None)


# The roles of the database that log in: for requests, for authentication, for the work in the background; who migrates.
APP, AUTH, BUS, OWNER = "alfred_app", "alfred_auth_app", "alfred_bus_app", "alfred_owner"
# What connections call themselves, so that an upgrade tells them from those of processes with one login for everything.
REQUESTS_ALONE = "alfred-requests"
BELL = "alfred-bell"
