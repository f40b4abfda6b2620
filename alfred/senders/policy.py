"""May this message be sent now? Windows, opt-outs and switched-off channels, as a pure function."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from alfred.senders.errors import Error, ErrorCode
from alfred.senders.parts import Content
from alfred.terms import ChannelType, Provider

ContentKind = Literal["text", "attachment", "template"]
Author = Literal["person", "automation"]

WINDOW = timedelta(hours=24)
HUMAN_WINDOW = timedelta(days=7)

_ALL: tuple[ContentKind, ...] = ("text", "attachment", "template")
_FREE: tuple[ContentKind, ...] = ("text", "attachment")
_WITHOUT_WINDOW = frozenset({"evolution", "waha", "zapi", "email"})


class SendPolicy(BaseModel):
    """What may be sent now; `enforced` is false where Alfred does not send by itself and only advises."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    state: Literal["open", "closed"]
    kinds: tuple[ContentKind, ...]
    expires_at: datetime | None = None
    human_only: bool = False
    template_required: bool = False
    enforced: bool
    reason: Literal["window", "no_inbound", "inactive", "opted_out"] | None = None
    remedy: Literal["use_template", "wait_for_customer", "check_account"] | None = None


@dataclass(frozen=True)
class Line:
    """The channel that a message would take; `provider` is None where none is connected."""

    type: ChannelType
    provider: Provider | None = None
    active: bool = True
    human_agent: bool = False


def policy(line: Line, last_inbound_at: datetime | None, opted_out_at: datetime | None, now: datetime) -> SendPolicy:
    """The policy of a conversation; `last_inbound_at` is when the customer says that they wrote."""
    enforced = line.provider is not None
    if not line.active:
        return SendPolicy(state="closed", kinds=(), enforced=enforced, reason="inactive", remedy="check_account")
    found = _by_window(line, min(last_inbound_at, now) if last_inbound_at else None, now, enforced=enforced)
    if opted_out_at is not None:
        return found.model_copy(update={"human_only": True, "reason": "opted_out"})
    return found


def refusal(found: SendPolicy, kinds: Iterable[ContentKind], author: Author) -> ErrorCode | None:
    """Why a message may not be sent; None where it may."""
    if found.reason == "opted_out" and author == "automation":
        return "recipient_opted_out"
    if not found.enforced:
        return None
    if found.reason == "inactive":
        return "channel_inactive"
    if not set(kinds) <= set(found.kinds) or (found.human_only and author == "automation"):
        return "window_closed"
    return None


def advised(error: Error, channel_type: ChannelType) -> Error:
    """A closed window with the way out that the channel has."""
    if error.code != "window_closed" or channel_type != "whatsapp":
        return error
    return error.model_copy(update={"remedy": "use_template"})


def kinds_of(content: Content) -> set[ContentKind]:
    """What the policy is asked about."""
    present: dict[ContentKind, bool] = {
        "text": bool(content.body),
        "attachment": bool(content.files),
        "template": content.template is not None,
    }
    return {kind for kind, is_there in present.items() if is_there}


def needs_human_tag(line: Line, last_inbound_at: datetime | None, now: datetime) -> bool:
    """Whether a message goes out by the rule that lets a person answer for seven days."""
    return line.human_agent and last_inbound_at is not None and now >= last_inbound_at + WINDOW


_OPEN = {sends: SendPolicy(state="open", kinds=_FREE, enforced=sends) for sends in (True, False)}


def _by_window(line: Line, last_inbound_at: datetime | None, now: datetime, *, enforced: bool) -> SendPolicy:
    if line.type == "email" or line.provider in _WITHOUT_WINDOW:
        return _OPEN[enforced]
    kinds = _ALL if line.type == "whatsapp" else _FREE
    if last_inbound_at is not None and now < last_inbound_at + WINDOW:
        return SendPolicy(state="open", kinds=kinds, expires_at=last_inbound_at + WINDOW, enforced=enforced)
    reason: Literal["window", "no_inbound"] = "no_inbound" if last_inbound_at is None else "window"
    if line.type == "whatsapp":
        return SendPolicy(
            state="closed",
            kinds=("template",),
            template_required=True,
            enforced=enforced,
            reason=reason,
            remedy="use_template",
        )
    if line.human_agent and last_inbound_at is not None and now < last_inbound_at + HUMAN_WINDOW:
        until = last_inbound_at + HUMAN_WINDOW
        return SendPolicy(state="open", kinds=_FREE, expires_at=until, human_only=True, enforced=enforced)
    return SendPolicy(state="closed", kinds=(), enforced=enforced, reason=reason, remedy="wait_for_customer")
