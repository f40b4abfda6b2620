"""Message and account -> request, answer -> outcome: pure, one file for each provider."""

from alfred.senders.registry import SENDERS, Sender, provider_fits, sender_of

__all__ = ["SENDERS", "Sender", "provider_fits", "sender_of"]
