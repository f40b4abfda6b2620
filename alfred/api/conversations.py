"""The inbox: conversations by latest activity, and the messages of each."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, field_validator

from alfred.api.inbox_page import NEWEST, WAITING, Selection, inbox_page, listed, search_page, walked
from alfred.crm.conversations import Change, change
from alfred.crm.outbox import policy_of
from alfred.events import record
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import IfGiven, Input, Listing, Moment, Output, Page, SearchText, Tag
from alfred.http.pages import written
from alfred.http.problems import Fault, bad_reference, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.senders.policy import SendPolicy
from alfred.terms import (
    MOST_TAGS,
    ChannelType,
    ConversationStatus,
    Direction,
    Sentiment,
    Urgency,
)

routes = Routes("Inbox")


class ConversationFilter(Input):
    status: ConversationStatus | None = None
    channel: ChannelType | None = None
    unread_only: bool = False
    q: SearchText | None = Field(
        None,
        description="Text in the contact's name or handle or in a message. Ignores case and accents. One or two "
        "letters are looked for where words begin.",
    )
    needs_reply: bool | None = Field(None, description="Whether the customer waits for an answer.")
    negotiation: bool | None = None
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    tag: Tag | None = None
    contact_id: UUID | None = None

    def is_unfiltered(self) -> bool:
        """Whether nothing but `q` says what to list."""
        plain = ConversationFilter(q=self.q)
        return all(getattr(self, name) == getattr(plain, name) for name in ConversationFilter.model_fields)


class ConversationQuery(ConversationFilter, Listing):
    sort: Literal["newest", "waiting"] = Field(
        "newest",
        description="`newest`: latest activity first. `waiting`: who waits longest for an answer first, who does not "
        "wait last.",
    )


class NewConversation(Input):
    contact_id: UUID
    channel_id: UUID


class ConversationChange(Input):
    status: IfGiven[ConversationStatus] = None
    tags: IfGiven[list[Tag]] = Field(None, max_length=MOST_TAGS)
    snoozed_until: Moment | None = None

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: list[str] | None) -> list[str] | None:
        return None if tags is None else list(dict.fromkeys(tags))


class ConversationContact(Output):
    id: UUID
    name: str | None = Field(examples=["Marina Quintela"])
    handle: str = Field(examples=["+5511900000012"])
    vip: bool


class ConversationChannel(Output):
    id: UUID
    type: ChannelType = Field(examples=["whatsapp"])
    name: str = Field(examples=["Loja Centro"])


class Conversation(Output):
    """Sentiment, urgency and negotiation are those of the last inbound message."""

    id: UUID
    contact: ConversationContact
    channel: ConversationChannel
    status: ConversationStatus = Field(examples=["open"])
    unread_count: int = Field(examples=[1])
    sentiment: Sentiment | None
    urgency: Urgency | None
    negotiation: bool
    snippet: str | None = Field(examples=["Preciso disso hoje, é urgente"])
    last_message_at: datetime | None
    last_message_direction: Direction | None
    last_message_failed: bool = Field(description="Whether the last message is ours and was not sent.")
    waiting_since: datetime | None = Field(
        description="When the customer wrote the first message that is not answered; null when answered or closed."
    )
    tags: list[str] = Field(examples=[["vip"]])
    snoozed_until: datetime | None
    send_policy: SendPolicy = Field(description="What may be sent now, and until when.")
    created_at: datetime
    updated_at: datetime


class SearchMatch(Output):
    """Where the search text stands."""

    message_id: UUID
    excerpt: str = Field(examples=["…a mesa de jantar com quatro cadeiras ainda está à venda?"])


class ListedConversation(Conversation):
    match: SearchMatch | None = Field(
        None,
        description="With `q` only: the newest message that holds the text; null where only the contact matches.",
    )


@routes.on("GET", "/conversations")
async def list_conversations(
    services: Services, caller: Caller, request: web.Request, query: ConversationQuery
) -> Page[ListedConversation]:
    """List conversations, most recent activity first.

    Filters combine. `sort=waiting` lists who waits longest first. A page of a search may hold fewer than `limit`, or
    none, though more follow: go on while `has_more` is true.
    """
    listed: Any  # written by PostgreSQL in the shape of the model
    if query.sort != "newest" or not query.is_unfiltered():
        async with services.database.acting_as(caller.user_id) as db:
            listed = await _filtered_page(db, caller, request, query)
    elif query.q is None:
        listed = await inbox_page(services, caller, request, query)
    else:
        listed = await search_page(services, caller, request, query, query.q)
    return listed  # type: ignore[no-any-return]


async def _filtered_page(db: Db, caller: Caller, request: web.Request, query: ConversationQuery) -> web.Response:
    order, rows_of = NEWEST, sql.conversations.page if query.channel is None else sql.conversations.page_of_channel
    if query.sort == "waiting":
        order, rows_of = WAITING, sql.conversations.page_by_waiting
    filters = query.model_dump(exclude={"limit", "cursor", "sort", "q"})
    chosen = Selection(order, rows_of, {"user_id": caller.user_id, "ids": None, "q": None, **filters})
    if query.q is None:
        found = await listed(db, request, query, chosen)
        return written(found, await sql.conversations.items.value(db, ids=found.items))
    rare = await sql.conversations.containing_rare.value(db, q=query.q)
    if rare is None:
        found = await walked(db, request, query, chosen, query.q)
    else:
        found = await listed(db, request, query, replace(chosen, given=chosen.given | {"ids": rare}))
    about = {"q": query.q, "is_common": rare is None, "ids": found.items}
    return written(found, await sql.conversations.found_items_of.value(db, **about))


@routes.on("POST", "/conversations", status=201, also=(200,))
async def create_conversation(db: Db, caller: Caller, body: NewConversation) -> Answer[Conversation]:
    """Create a conversation, or get the existing one.

    Answers 200 with the existing conversation where the contact has one on the channel.
    """
    # Locked, so that of two who ask at once the second finds what the first has made.
    if not await sql.contacts.hold.run(db, user_id=caller.user_id, contact_id=body.contact_id):
        raise bad_reference("/contact_id", "contact")
    channel = await sql.channels.get.one(db, user_id=caller.user_id, channel_id=body.channel_id)
    if channel is None:
        raise bad_reference("/channel_id", "channel")
    about = {"user_id": caller.user_id, "contact_id": body.contact_id}
    known = await sql.conversations.of_contact.value(db, **about, channel_id=body.channel_id)
    if known is not None:
        return Answer(await get_conversation(db, caller, known), 200)
    handle = await sql.contacts.identity_for.value(db, **about, channel_type=channel["type"])
    if handle is None:
        detail = f"The contact has no {channel['type']} identity to be reached by."
        raise invalid([Fault("/channel_id", detail, "no_identity")])
    made = await sql.conversations.open.value(db, **about, channel_id=body.channel_id, handle=handle)
    return Answer(await get_conversation(db, caller, made))


@routes.on("GET", "/conversations/{conversation_id}", errors=(404,))
async def get_conversation(db: Db, caller: Caller, conversation_id: UUID) -> Conversation:
    """Get a conversation."""
    row = await sql.conversations.get.one(db, user_id=caller.user_id, conversation_id=conversation_id)
    if row is None:
        raise not_found("conversation")
    return conversation_of(row)


@routes.on("PATCH", "/conversations/{conversation_id}", errors=(404,))
async def update_conversation(
    db: Db, caller: Caller, services: Services, conversation_id: UUID, body: ConversationChange
) -> Conversation:
    """Update a conversation's status, tags or snooze time.

    The snooze time lies in the future; one in the past is 422 `not_in_future`.
    """
    refuse_past(body.snoozed_until, services.clock(), "/snoozed_until")
    if not await change(db, caller.user_id, conversation_id, Change(**body.given())):
        raise not_found("conversation")
    return await get_conversation(db, caller, conversation_id)


@routes.on("POST", "/conversations/{conversation_id}/read", errors=(404,))
async def mark_conversation_read(db: Db, caller: Caller, conversation_id: UUID) -> Conversation:
    """Mark a conversation as read.

    Sets the unread count to 0.
    """
    return await _set_unread(db, caller, conversation_id, unread=False)


@routes.on("POST", "/conversations/{conversation_id}/unread", errors=(404,))
async def mark_conversation_unread(db: Db, caller: Caller, conversation_id: UUID) -> Conversation:
    """Mark a conversation as unread.

    Sets the unread count to at least 1.
    """
    return await _set_unread(db, caller, conversation_id, unread=True)


def refuse_past(moment: datetime | None, now: datetime, pointer: str) -> None:
    """Nobody can wait for a moment that is over."""
    if moment is not None and moment <= now:
        raise invalid([Fault(pointer, "This lies in the past; choose a moment to come.", "not_in_future")])


def conversation_of(row: Row) -> Conversation:
    """A row of sql/conversations.sql as the API shows it."""
    values: dict[str, Any] = dict(row)
    contact = {name: values[f"contact_{name}"] for name in ("id", "name", "handle", "vip")}
    channel = {name: values[f"channel_{name}"] for name in ("id", "type", "name")}
    return Conversation(
        **values,
        contact=ConversationContact(**contact),
        channel=ConversationChannel(**channel),
        send_policy=policy_of(row, datetime.now(UTC)),
    )


async def _set_unread(db: Db, caller: Caller, conversation_id: UUID, *, unread: bool) -> Conversation:
    about = {"user_id": caller.user_id, "conversation_id": conversation_id}
    contact_id = await sql.conversations.set_unread.value(db, **about, unread=unread)
    if contact_id is None:
        raise not_found("conversation")
    if not unread:
        told = {"contact_id": contact_id, "conversation_id": conversation_id}
        await record(db, caller.user_id, "conversation.read", {}, **told)
    return await get_conversation(db, caller, conversation_id)
