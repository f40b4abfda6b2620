"""The inbox: conversations by latest activity, and the messages of each."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints, field_validator

from alfred.api.conversation_pages import longest_waiting_first, messages_around, newer_messages
from alfred.crm.conversations import Change, change
from alfred.crm.outbox import Draft, NoSuchConversation, NoSuchMessage, echoed, send
from alfred.http.context import Caller
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import Input, Listing, Moment, Output, Page, SearchText, Tag
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, bad_reference, invalid, not_found
from alfred.queries import Db, Row, sql
from alfred.terms import (
    LONGEST_OUTBOUND_BODY,
    MOST_TAGS,
    AttachmentType,
    ChannelType,
    ConversationStatus,
    Direction,
    Language,
    MessageAuthor,
    MessageSource,
    MessageStatus,
    Sentiment,
    Urgency,
)

routes = Routes("Inbox")

Body = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_OUTBOUND_BODY)]


class ConversationFilter(Listing):
    status: ConversationStatus | None = None
    channel: ChannelType | None = None
    unread_only: bool = False
    q: SearchText | None = Field(
        None, description="Text in the contact's name or handle or in a message. Ignores case and accents."
    )
    needs_reply: bool | None = Field(None, description="Whether the customer waits for an answer.")
    negotiation: bool | None = None
    sentiment: Sentiment | None = None
    urgency: Urgency | None = None
    tag: Tag | None = None
    contact_id: UUID | None = None


class ConversationQuery(ConversationFilter):
    sort: Literal["newest", "waiting"] = Field(
        "newest",
        description="`newest`: latest activity first. `waiting`: who waits longest for an answer first, who does not "
        "wait last.",
    )


class MessageQuery(Listing):
    around: UUID | None = Field(None, description="The id of a message: half a page on both sides of it.")
    after: UUID | None = Field(None, description="The id of a message: the newer ones, oldest first.")


class NewConversation(Input):
    contact_id: UUID
    channel_id: UUID


class ConversationChange(Input):
    status: ConversationStatus | None = None
    tags: list[Tag] | None = Field(None, max_length=MOST_TAGS)
    snoozed_until: Moment | None = None

    @field_validator("tags")
    @classmethod
    def _each_once(cls, tags: list[str] | None) -> list[str] | None:
        return None if tags is None else list(dict.fromkeys(tags))


class NewMessage(Input):
    body: Body = Field(examples=["Bom dia, Marina! Sai hoje às 16h."])
    reply_to_id: UUID | None = None
    external_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=512)] | None = Field(
        None,
        description="The provider's id of a message already sent by other means. Delivery statuses refer to it.",
    )


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
    waiting_since: datetime | None = Field(
        description="When the customer wrote the first message that is not answered; null when answered or closed."
    )
    tags: list[str] = Field(examples=[["vip"]])
    snoozed_until: datetime | None
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


class MessageAttachment(Output):
    type: AttachmentType = Field(examples=["image"])
    url: str | None = None
    external_id: str | None = None
    mime_type: str | None = None
    caption: str | None = None


class Reaction(Output):
    emoji: str = Field(examples=["❤️"])
    sent_at: datetime | None


class ClassificationOut(Output):
    sentiment: Sentiment
    sentiment_score: float = Field(examples=[-0.6], description="-1 to 1.")
    urgency: Urgency
    negotiation: bool
    should_create_task: bool
    intent: str = Field(examples=["complaint"])
    language: Language | None
    confidence: float = Field(examples=[0.8], description="0 to 1.")
    provider: str = Field(examples=["mock"])


class MessageReferral(Output):
    """Which advertisement or link brought the customer."""

    source_type: str | None = Field(None, examples=["ad"])
    source_id: str | None = None
    click_id: str | None = None
    headline: str | None = None
    url: str | None = None


class MessageOrderItem(Output):
    sku: str | None = Field(None, examples=["CAMISA-M"])
    quantity: int | None = Field(None, examples=[2])
    price: str | None = Field(None, examples=["59.90"], description="Of one piece.")
    currency: str | None = Field(None, examples=["BRL"])


class MessageOrder(Output):
    """A basket that the customer sent."""

    catalog_id: str | None = None
    items: list[MessageOrderItem]


class Message(Output):
    id: UUID
    conversation_id: UUID
    direction: Direction
    body: str = Field(examples=["Preciso disso hoje, é urgente"])
    attachments: list[MessageAttachment]
    sent_at: datetime
    created_at: datetime
    external_id: str | None
    reply_to_id: UUID | None
    status: MessageStatus
    error: str | None
    author: MessageAuthor | None = Field(description="Who wrote an outbound message.")
    source: MessageSource | None = Field(
        description="Where an outbound message comes from; `native_app`: written in the messenger's own app."
    )
    subject: str | None = Field(description="Of an e-mail.")
    referral: MessageReferral | None
    order: MessageOrder | None
    edited_at: datetime | None
    deleted_at: datetime | None
    reactions: list[Reaction]
    classification: ClassificationOut | None


@routes.on("GET", "/conversations")
async def list_conversations(
    db: Db, caller: Caller, request: web.Request, query: ConversationQuery
) -> Page[ListedConversation]:
    """List conversations, most recent activity first.

    Filters combine. `sort=waiting` lists who waits longest first.
    """
    given = {"user_id": caller.user_id, **query.model_dump(exclude={"limit", "cursor", "sort"})}
    if query.sort == "waiting":
        rows = await longest_waiting_first(db, request, query, given)
    else:
        rows = await newest_first(db, request, query, sql.conversations.page, "active_at", **given)
    if query.q is None:
        plain: Page[Any] = rows.of(conversation_of)  # what is searched has a match besides
        return plain
    found = await sql.conversations.matches.all(db, q=query.q, ids=[row["id"] for row in rows.items])
    matches = {row["conversation_id"]: SearchMatch.read(row) for row in found}
    return rows.of(lambda row: ListedConversation(**dict(conversation_of(row)), match=matches.get(row["id"])))


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
async def update_conversation(db: Db, caller: Caller, conversation_id: UUID, body: ConversationChange) -> Conversation:
    """Update a conversation's status, tags or snooze time."""
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


@routes.on("GET", "/conversations/{conversation_id}/messages", errors=(404,))
async def list_messages(
    db: Db, caller: Caller, request: web.Request, conversation_id: UUID, query: MessageQuery
) -> Page[Message]:
    """List a conversation's messages, newest first.

    Ordered by the sender's time. `around` shows half a page on both sides of a message, and the cursor goes on with
    older ones. `after` lists the messages that are newer than one, oldest first.
    """
    about = {"user_id": caller.user_id, "conversation_id": conversation_id}
    if query.around and query.after:
        raise invalid([Fault("after", "Give either this or `around`.", "not_both")])
    if query.after:
        return (await newer_messages(db, request, query, about, query.after)).of(message_of)
    if query.around and not query.cursor:
        return (await messages_around(db, request, query, about, query.around)).of(message_of)
    found = await newest_first(db, request, query, sql.messages.page, "sent_at", **about)
    if not found.items:
        await get_conversation(db, caller, conversation_id)
    return found.of(message_of)


@routes.on("POST", "/conversations/{conversation_id}/messages", status=201, also=(200,), errors=(404, 409))
async def send_message(db: Db, caller: Caller, conversation_id: UUID, body: NewMessage) -> Answer[Message]:
    """Send a message to the customer.

    With the `external_id` of a message that the provider has reported already (one written in its own app), that
    message is the answer (200).
    """
    try:
        if body.external_id is not None:
            told = await echoed(db, caller.user_id, conversation_id, body.external_id)
            if told is not None:
                return Answer(message_of(told), 200)
        author: MessageAuthor = "person" if caller.token_id is None else "automation"
        row = await send(db, caller.user_id, conversation_id, Draft(**body.model_dump(), author=author))
    except NoSuchConversation:
        raise not_found("conversation") from None
    except NoSuchMessage:
        raise bad_reference("/reply_to_id", "message in this conversation") from None
    return Answer(message_of(row))


def conversation_of(row: Row) -> Conversation:
    """A row of sql/conversations.sql as the API shows it."""
    values: dict[str, Any] = dict(row)
    contact = {name: values[f"contact_{name}"] for name in ("id", "name", "handle", "vip")}
    channel = {name: values[f"channel_{name}"] for name in ("id", "type", "name")}
    return Conversation(**values, contact=ConversationContact(**contact), channel=ConversationChannel(**channel))


def message_of(row: Row) -> Message:
    """A row of sql/messages.sql as the API shows it."""
    return Message.read(row)


async def _set_unread(db: Db, caller: Caller, conversation_id: UUID, *, unread: bool) -> Conversation:
    about = {"user_id": caller.user_id, "conversation_id": conversation_id}
    if await sql.conversations.set_unread.value(db, **about, unread=unread) is None:
        raise not_found("conversation")
    return await get_conversation(db, caller, conversation_id)
