"""Messages: read them, write them now or later."""

from uuid import UUID

from aiohttp import web
from pydantic import Field

from alfred.api.conversation_pages import messages_around, newer_messages
from alfred.api.message_models import (
    Accepted,
    Message,
    PartDeliveries,
    PartDelivery,
    message_of,
)
from alfred.api.new_message import NewMessage
from alfred.api.outbox import refuse_moment, refused
from alfred.crm import outbox
from alfred.crm.deliveries import show_typing
from alfred.crm.outbox import Draft
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Answer, Routes
from alfred.http.models import Listing, Page
from alfred.http.pages import ROOM, after, newest_first, page
from alfred.http.problems import Fault, bad_reference, invalid, not_found
from alfred.queries import Db, sql
from alfred.terms import Direction, MessageAuthor, MessageStatus

routes = Routes("Messages")


class MessageFilter(Listing):
    status: MessageStatus | None = None
    channel_id: UUID | None = None
    conversation_id: UUID | None = None
    direction: Direction | None = None


class MessageQuery(Listing):
    around: UUID | None = Field(None, description="The id of a message: half a page on both sides of it.")
    after: UUID | None = Field(None, description="The id of a message: the newer ones, oldest first.")


@routes.on("GET", "/messages")
async def list_all_messages(db: Db, caller: Caller, request: web.Request, query: MessageFilter) -> Page[Message]:
    """List messages of all conversations, newest first.

    Filters combine. `status=failed` and `status=scheduled` show what needs a look.
    A page ends earlier than its limit where its texts have a mebibyte.
    """
    (before,) = after("messages", query, UUID)
    given = query.model_dump(exclude={"limit", "cursor"}) | {"user_id": caller.user_id, "room": ROOM}
    rows = await sql.messages.list.all(db, before=before, limit=query.limit + 1, **given)
    return page(request, "messages", query, rows, lambda row: (str(row["id"]),)).of(message_of)


@routes.on("GET", "/messages/{message_id}", errors=(404,))
async def get_message(db: Db, caller: Caller, message_id: UUID) -> Message:
    """Get a message."""
    row = await sql.messages.get.one(db, user_id=caller.user_id, message_id=message_id)
    if row is None:
        raise not_found("message")
    return message_of(row)


@routes.on("GET", "/messages/{message_id}/deliveries", errors=(404,))
async def list_message_deliveries(db: Db, caller: Caller, message_id: UUID) -> PartDeliveries:
    """List the deliveries of a message, one for each part that goes over the wire."""
    about = {"user_id": caller.user_id, "message_id": message_id}
    if await sql.messages.get.one(db, **about) is None:
        raise not_found("message")
    rows = await sql.deliveries.of_message.all(db, **about)
    return PartDeliveries(items=[PartDelivery.read(row) for row in rows])


@routes.on("GET", "/conversations/{conversation_id}/messages", errors=(404,))
async def list_messages(
    db: Db, caller: Caller, request: web.Request, conversation_id: UUID, query: MessageQuery
) -> Page[Message]:
    """List a conversation's messages, newest first.

    Ordered by the sender's time. `around` shows half a page on both sides of a message, and the cursor goes on with
    older ones. `after` lists the messages that are newer than one, oldest first.
    A page ends earlier than its limit where its texts have a mebibyte.
    """
    about = {"user_id": caller.user_id, "conversation_id": conversation_id}
    if query.around and query.after:
        raise invalid([Fault("after", "Give either this or `around`.", "not_both")])
    if query.after:
        return (await newer_messages(db, request, query, about, query.after)).of(message_of)
    if query.around and not query.cursor:
        return (await messages_around(db, request, query, about, query.around)).of(message_of)
    found = await newest_first(db, request, query, sql.messages.page, "sent_at", **about, room=ROOM)
    if not found.items and not await sql.conversations.get.one(db, **about):
        raise not_found("conversation")
    return found.of(message_of)


@routes.on("POST", "/conversations/{conversation_id}/typing", status=202, repeatable=False, errors=(404,))
async def show_typing_in_conversation(db: Db, caller: Caller, services: Services, conversation_id: UUID) -> Accepted:
    """Show the customer that somebody is typing.

    Does nothing where the messenger cannot show it.
    """
    if not await show_typing(db, caller.user_id, conversation_id):
        raise not_found("conversation")
    services.deliveries.expect()
    return Accepted()


@routes.on("POST", "/conversations/{conversation_id}/messages", status=201, also=(200,), errors=(404, 409))
async def send_message(
    db: Db, caller: Caller, services: Services, conversation_id: UUID, body: NewMessage
) -> Answer[Message]:
    """Send a message to the customer, now or later.

    With the `external_id` of a message that the provider has reported already (one written in its own app), that
    message is the answer (200).
    """
    if body.is_empty:
        raise invalid([Fault("/body", "Give a body, an attachment or a template.", "empty_message")])
    if body.scheduled_at is not None:
        if body.external_id is not None:
            raise invalid([Fault("/scheduled_at", "A message that was sent already cannot be scheduled.", "sent")])
        refuse_moment(body.scheduled_at, services.clock())
    try:
        if body.external_id is not None:
            told = await outbox.echoed(db, caller.user_id, conversation_id, body.external_id)
            if told is not None:
                return Answer(message_of(told), 200)
        row = await outbox.send(db, caller.user_id, conversation_id, _draft(body, caller))
    except outbox.NoSuchConversation:
        raise not_found("conversation") from None
    except outbox.NoSuchMessage:
        raise bad_reference("/reply_to_id", "message in this conversation") from None
    except (outbox.CannotCarry, outbox.PolicyRefuses) as error:
        raise refused(error) from None
    return Answer(message_of(row))


def _draft(body: NewMessage, caller: Caller) -> Draft:
    author: MessageAuthor = "person" if caller.token_id is None else "automation"
    return Draft(
        body=body.body,
        reply_to_id=body.reply_to_id,
        external_id=body.external_id,
        author=body.author or author,
        files=body.files,
        template=body.chosen_template,
        subject=body.subject,
        scheduled_at=body.scheduled_at,
        cancel_on_reply=body.cancel_on_reply is not False,
    )
