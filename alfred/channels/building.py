"""Who wrote to whom and when: what a payload's items have in common, and the rules for making one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from alfred.channels.clean import name, text
from alfred.channels.item import (
    Attachment,
    Fact,
    Failure,
    Identity,
    IgnoredKind,
    InboundItem,
    Order,
    Referral,
    Sender,
)
from alfred.channels.redaction import kept
from alfred.terms import ChannelType, MessageUpdate

MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})
MOST_READ = 5000  # elements of a list; a post with so many is refused as a whole, so that nothing is lost
MOST_REMEMBERED = 1000  # ignored items without content, one for all
REASONS: dict[IgnoredKind, str] = {
    "empty_message": "The message has neither text nor attachments.",
    "no_sender": "The payload does not say who wrote it.",
    "group": "Messages in groups are not taken in.",
    "broadcast": "Broadcasts are not taken in.",
    "story": "Stories are not taken in.",
    "channel_post": "Posts in channels are not taken in.",
    "system_note": "The messenger wrote this note, not the customer.",
    "announcement": "It announces messages that come on their own.",
    "pin": "A message was pinned.",
    "keep": "A disappearing message was kept.",
    "opened_chat": "The customer opened the chat and wrote nothing.",
    "presence": "It tells who is online or typing.",
    "own_reaction": "Reactions of the business are not shown.",
    "note_to_self": "The business wrote it to itself.",
    "not_decrypted": "The messenger could not decrypt the message yet.",
    "status": "The status says nothing about one of the business's messages.",
    "edit_without_text": "The edit does not say the new text.",
    "connection": "It tells how the connection to the messenger is.",
    "account": "It tells how the business account fares.",
    "template": "It tells how a message template fares.",
    "preferences": "The customer changed what messages they want.",
    "call": "Calls are not taken in.",
    "comment": "Comments are not taken in.",
    "referral": "It tells where the customer comes from, without a message.",
    "machine_mail": "A machine sent this mail.",
    "delivery_report": "The report does not say that a mail of ours failed.",
    "mail_event": "It tells what became of a mail that was sent.",
    "subscription": "It confirms or ends the subscription to the mail service.",
    "unknown_event": "This kind of event is of no interest.",
    "unreadable": "No provider's shape was recognised in it.",
}


def ignored(channel_type: ChannelType, kind: IgnoredKind, raw: Any = None) -> InboundItem:
    if isinstance(raw, dict | list | str) and raw:
        return _ignored(channel_type, kind, kept(raw))
    return _remembered(channel_type, kind, None if isinstance(raw, dict | list | str) else kept(raw))


def _ignored(channel_type: ChannelType, kind: IgnoredKind, raw: Any) -> InboundItem:
    return InboundItem(kind="ignored", channel_type=channel_type, ignored_kind=kind, reason=REASONS[kind], raw=raw)


# One for all: a hostile post can hold half a million empty elements.
_remembered = lru_cache(MOST_REMEMBERED, typed=True)(_ignored)


def person(handle: str | None, called: object = None) -> Sender:
    return Sender(handle=handle, name=name(called, handle))


@dataclass(frozen=True, slots=True)
class Content:
    """What somebody put into a message."""

    text: str | None = None
    attachments: Sequence[Attachment] = ()
    order: Order | None = None

    @property
    def written(self) -> str | None:
        """The words: the body, else the first caption of a file."""
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
    identities: tuple[Identity, ...] = ()
    own: bool | None = False  # whether the business did it; null where the payload does not tell
    own_handle: str | None = None  # the business, written like a customer
    delivery_id: str | None = None

    def ignored(self, kind: IgnoredKind, facts: Sequence[Fact] = (), referral: Referral | None = None) -> InboundItem:
        return self._item(
            kind="ignored", ignored_kind=kind, reason=REASONS[kind], facts=tuple(facts), referral=referral
        )

    def message(
        self,
        external_id: str | None,
        content: Content,
        reply_to: str | None = None,
        referral: Referral | None = None,
        facts: Sequence[Fact] = (),
    ) -> InboundItem:
        """A message of the customer, or the echo of one of the business's own."""
        if not self.sender.handle:
            return self.ignored("no_sender", facts)
        if not (content.written or content.attachments):
            return self.ignored("empty_message", facts)
        if self.own and self.sender.handle == self.own_handle:
            return self.ignored("note_to_self")
        return self._item(
            kind="echo" if self.own else "message",
            external_id=external_id,
            text=content.written,
            attachments=tuple(content.attachments),
            reply_to=reply_to,
            referral=None if self.own else referral,
            order=content.order,
            facts=tuple(facts),
        )

    def reaction(self, external_id: str | None, reply_to: str | None, emoji: str | None) -> InboundItem:
        """Without an emoji the customer took the reaction away."""
        if self.own:
            return self.ignored("own_reaction")
        if not self.sender.handle:
            return self.ignored("no_sender")
        return self._item(kind="reaction", external_id=external_id, text=emoji, reply_to=reply_to)

    def status(
        self, status: MessageUpdate | None, about: str | None, error: str | None = None, code: str | None = None
    ) -> InboundItem:
        """How the message `about` fares; a status without a meaning for us is ignored."""
        if status is None:
            return self.ignored("status")
        failed = status == "failed" and bool(error or code)
        return self._item(
            kind="status",
            external_id=about,
            status=status,
            error=error or code if failed else None,
            failure=Failure(provider_code=code, detail=error) if failed else None,
        )

    def statuses(self, status: MessageUpdate | None, ids: list[object]) -> list[InboundItem]:
        """One status of many messages; copies of one item, since a post can name half a million ids."""
        one = self.status(status, None)
        nothing = ignored(self.channel_type, "status", self.raw)
        return [
            one.model_copy(update={"external_id": about, "raw": {**self.raw, "id": about}})
            if status and (about := text(message_id))
            else nothing
            for message_id in ids[:MOST_READ]
        ]

    def edited(self, about: str | None, new_text: str | None) -> InboundItem:
        """The new text of a message, by the side that wrote it."""
        if not new_text:
            return self.ignored("edit_without_text")
        return self._item(kind="status", external_id=about, text=new_text, status="edited", from_business=self.own)

    def deleted(self, about: str | None) -> InboundItem:
        return self._item(kind="status", external_id=about, status="deleted", from_business=self.own)

    def at(self, sent_at: datetime | None) -> "Occasion":
        return replace(self, sent_at=sent_at)

    def _item(self, **fields: Any) -> InboundItem:
        return InboundItem(
            channel_type=self.channel_type,
            sender=self.sender,
            identities=self.identities,
            recipient=self.recipient,
            sent_at=self.sent_at,
            delivery_id=self.delivery_id,
            raw=self.raw,
            **fields,
        )
