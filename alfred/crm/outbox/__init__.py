"""Messages out: stored, scheduled, changed, handed to somebody else, tried again."""

from alfred.crm.outbox.changing import NotCancellable, NotScheduled, cancel, change
from alfred.crm.outbox.claiming import NotQueued, Report, claim, report
from alfred.crm.outbox.releasing import Sweep
from alfred.crm.outbox.retrying import NotConnected, NotRetryable, OutcomeUnknown, retry
from alfred.crm.outbox.sending import (
    CannotCarry,
    Draft,
    NoSuchConversation,
    NoSuchMessage,
    PolicyRefuses,
    echoed,
    policy_of,
    send,
)

__all__ = [
    "CannotCarry",
    "Draft",
    "NoSuchConversation",
    "NoSuchMessage",
    "NotCancellable",
    "NotConnected",
    "NotQueued",
    "NotRetryable",
    "NotScheduled",
    "OutcomeUnknown",
    "PolicyRefuses",
    "Report",
    "Sweep",
    "cancel",
    "change",
    "claim",
    "echoed",
    "policy_of",
    "report",
    "retry",
    "send",
]
