"""The providers by name: what each can carry, and the functions that speak its language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from alfred.http_calls import Answer, HttpCall, NoAnswer
from alfred.senders import evolution, mail, messenger, outcomes, twilio, waha, whatsapp_cloud, zapi
from alfred.senders.outcomes import Outcome
from alfred.senders.parts import Abilities, Part
from alfred.senders.probes import Account
from alfred.terms import ChannelType, Provider

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Sender:
    """One provider over HTTP: config holds what is no secret and what is, side by side."""

    request: Callable[[Part, str, Config, str], HttpCall]  # part, handle, config, delivery id
    outcome: Callable[[Answer | NoAnswer, int], Outcome]  # answer, attempts so far
    probe: Callable[[Config], HttpCall]
    account: Callable[[Answer | NoAnswer], Account]


SENDERS: dict[Provider, Sender] = {
    "whatsapp_cloud": Sender(
        whatsapp_cloud.request, whatsapp_cloud.outcome, whatsapp_cloud.probe, whatsapp_cloud.account
    ),
    "messenger": Sender(messenger.request, messenger.outcome, messenger.probe, messenger.account),
    "instagram": Sender(messenger.request_instagram, messenger.outcome, messenger.probe_instagram, messenger.account),
    "evolution": Sender(evolution.request, evolution.outcome, evolution.probe, evolution.account),
    "waha": Sender(waha.request, waha.outcome, waha.probe, waha.account),
    "zapi": Sender(zapi.request, zapi.outcome, zapi.probe, zapi.account),
    "twilio": Sender(twilio.request, twilio.outcome, twilio.probe, twilio.account),
}
ABILITIES: dict[Provider, Abilities] = {
    "whatsapp_cloud": whatsapp_cloud.CAN,
    "messenger": messenger.MESSENGER,
    "instagram": messenger.INSTAGRAM,
    "evolution": evolution.CAN,
    "waha": waha.CAN,
    "zapi": zapi.CAN,
    "twilio": twilio.CAN,
    "email": mail.CAN,
}
CHANNEL_OF: dict[Provider, ChannelType] = {
    **dict.fromkeys(("whatsapp_cloud", "evolution", "waha", "zapi", "twilio"), "whatsapp"),
    "messenger": "messenger",
    "instagram": "instagram",
    "email": "email",
}


def provider_fits(provider: Provider, channel_type: ChannelType) -> bool:
    """Whether a channel of this type may be connected to the provider."""
    return CHANNEL_OF[provider] == channel_type


def sender_of(provider: Provider) -> Sender:
    """The sender of a provider over HTTP; e-mail has none, since it speaks SMTP."""
    return SENDERS[provider]


def receipt_outcome(answer: Answer | NoAnswer) -> Outcome:
    """Of a read receipt or a typing sign: nobody waits for more than whether it was taken."""
    if isinstance(answer, NoAnswer):
        return outcomes.of("network_error")
    if 200 <= answer.status < 300:
        return outcomes.ok(None)
    passes = answer.status >= 500 or answer.status == 429
    return outcomes.transient(answer.status) if passes else outcomes.refused(answer.status)
