"""The closed sets of alfred/terms.py are those of the database: one word more on either side fails."""

import re
from typing import get_args

import pytest

from alfred import terms

# Which set a check of the database guards; what only the database knows has none.
GUARDED = {
    "channels_type": terms.ChannelType,
    "connections_provider": terms.Provider,
    "media_state": terms.MediaState,
    "connections_state": terms.ConnectionState,
    "contacts_channel_type": terms.ChannelType,
    "contact_identities_channel_type": terms.ChannelType,
    "contacts_negotiation_mode": terms.NegotiationMode,
    "contacts_preferred_tone": terms.Tone,
    "conversations_status": terms.ConversationStatus,
    "conversations_sentiment": terms.Sentiment,
    "conversations_urgency": terms.Urgency,
    "messages_direction": terms.Direction,
    "messages_status": terms.MessageStatus,
    "messages_author": terms.MessageAuthor,
    "messages_source": terms.MessageSource,
    "deliveries_kind": terms.PartKind,
    "deliveries_state": terms.DeliveryState,
    "deliveries_status": terms.PartStatus,
    "tasks_status": terms.TaskStatus,
    "tasks_priority": terms.Priority,
    "notifications_type": terms.NotificationType,
    "subscriptions_disabled_reason": terms.DisabledReason,
    "webhook_deliveries_state": terms.WebhookState,
    "ai_suggestions_kind": terms.SuggestionKind,
    "ai_suggestions_outcome": terms.SuggestionOutcome,
    "ai_suggestions_fallback": terms.FallbackReason,
    "ai_providers_kind": terms.ModelKind,
    "ai_providers_language": terms.Language,
    "ai_usage_feature": terms.UsageFeature,
    "facts_kind": terms.FactKind,
}
OF_THE_DATABASE = {"channel_states_about", "scan_digests_type", "event_retries_state", "message_updates_kind"}


@pytest.fixture
async def checks(owner_db):
    """Each check that lists words: its name and the words."""
    rows = await owner_db.fetch("""
        select c.conname as name, pg_get_constraintdef(c.oid) as definition
          from pg_constraint c
         where c.contype = 'c' and c.connamespace = 'public'::regnamespace
           and pg_get_constraintdef(c.oid) ~ 'ANY \\(.*ARRAY\\['
    """)
    return {row["name"]: set(re.findall(r"'([^']+)'::", row["definition"])) for row in rows}


async def test_every_check_allows_the_words_of_the_terms(checks):
    expected = {name: set(get_args(term)) for name, term in GUARDED.items()}
    assert {name: words for name, words in checks.items() if name not in OF_THE_DATABASE} == expected


async def test_a_kept_update_is_one_of_the_terms_or_a_reaction(checks):
    assert checks["message_updates_kind"] == {*get_args(terms.MessageUpdate), "reaction"}


async def test_every_check_of_the_database_alone_is_there(checks):
    assert checks.keys() >= OF_THE_DATABASE
