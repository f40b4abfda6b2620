"""Who wrote to whom and when: what a payload's items have in common, and the rules for making one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from alfred.channels.clean import name, text
from alfred.channels.item import Attachment, InboundItem, Sender
from alfred.channels.redaction import kept
from alfred.terms import ChannelType, MessageUpdate

MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})


@cache
def _nothing(channel_type: ChannelType) -> InboundItem:
    """One for all: a hostile post can hold half a million empty elements."""
    return InboundItem(kind="ignored", channel_type=channel_type)


def ignored(channel_type: ChannelType, raw: Any = None) -> InboundItem:
    if not isinstance(raw, dict | list) or not raw:
        return _nothing(channel_type)
    return InboundItem(kind="ignored", channel_type=channel_type, raw=kept(raw))


def person(handle: str | None, called: object = None) -> Sender:
    return Sender(handle=handle, name=name(called, handle))


@dataclass(frozen=True, slots=True)
class Content:
    """What a customer put into a message."""

    text: str | None = None
    attachments: Sequence[Attachment] = ()

    @property
    def written(self) -> str | None:
        """The customer's words: the body, else the first caption of a file."""
        captions = (file.caption for file in self.attachments if file.type in MEDIA and file.caption)
        return self.text or next(captions, None)


NOBODY = Sender()
UNSUPPORTED = Content(attachments=(Attachment(type="unsupported"),))


@dataclass(frozen=True, slots=True)
class Occasion:
    """One element of a payload; its methods say what happened, or ignore what cannot be used."""

    channel_type: ChannelType
    raw: Any  # as it is kept
    sender: Sender = NOBODY
    recipient: str | None = None
    sent_at: datetime | None = None

    def ignored(self) -> InboundItem:
        return InboundItem(kind="ignored", channel_type=self.channel_type, raw=self.raw)

    def message(self, external_id: str | None, content: Content, reply_to: str | None = None) -> InboundItem:
        if not self.sender.handle or not (content.written or content.attachments):
            return self.ignored()
        return InboundItem(
            kind="message",
            channel_type=self.channel_type,
            external_id=external_id,
            sender=self.sender,
            recipient=self.recipient,
            sent_at=self.sent_at,
            text=content.written,
            attachments=tuple(content.attachments),
            reply_to=reply_to,
            raw=self.raw,
        )

    def reaction(self, external_id: str | None, reply_to: str | None, emoji: str | None) -> InboundItem:
        """Without an emoji the customer took the reaction away."""
        if not self.sender.handle:
            return self.ignored()
        return InboundItem(
            kind="reaction",
            channel_type=self.channel_type,
            external_id=external_id,
            sender=self.sender,
            recipient=self.recipient,
            sent_at=self.sent_at,
            text=emoji,
            reply_to=reply_to,
            raw=self.raw,
        )

    def status(self, status: MessageUpdate | None, about: str | None, error: str | None = None) -> InboundItem:
        """How the message `about` fares; a status without a meaning for us is ignored."""
        return self._status(status, about, error=error) if status else self.ignored()

    def statuses(self, status: MessageUpdate | None, ids: list[object]) -> list[InboundItem]:
        """One status of many messages; copies of one item, since a post can name half a million ids."""
        one = self.status(status, None)
        return [
            one.model_copy(update={"external_id": about, "raw": {**self.raw, "id": about}})
            if status and (about := text(message_id))
            else ignored(self.channel_type)
            for message_id in ids
        ]

    def edited(self, about: str | None, new_text: str | None) -> InboundItem:
        return self._status("edited", about, new_text=new_text) if new_text else self.ignored()

    def _status(
        self, status: MessageUpdate, about: str | None, *, new_text: str | None = None, error: str | None = None
    ) -> InboundItem:
        return InboundItem(
            kind="status",
            channel_type=self.channel_type,
            external_id=about,
            sender=self.sender,
            recipient=self.recipient,
            sent_at=self.sent_at,
            text=new_text,
            status=status,
            error=error if status == "failed" else None,
            raw=self.raw,
        )
