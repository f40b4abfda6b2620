"""The inbox as a whole: how many conversations each filter shows."""

from pydantic import Field

from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Output
from alfred.queries import Db, sql

routes = Routes("Inbox")

MOST_COUNTED = 1_000


class ConversationCounts(Output):
    """How many conversations `GET /conversations` lists with one filter, up to 1,000."""

    open: int = Field(examples=[42], description="`status=open`")
    pending: int = Field(examples=[3], description="`status=pending`")
    snoozed: int = Field(examples=[2], description="`status=snoozed`")
    closed: int = Field(examples=[1000], description="`status=closed`")
    unread: int = Field(examples=[6], description="`unread_only=true`")
    urgent: int = Field(examples=[2], description="`urgency=high`")
    negative: int = Field(examples=[1], description="`sentiment=negative`")
    negotiation: int = Field(examples=[4], description="`negotiation=true`")
    needs_reply: int = Field(examples=[9], description="`needs_reply=true`")


@routes.on("GET", "/conversations/counts")
async def get_conversation_counts(db: Db, caller: Caller) -> ConversationCounts:
    """Get the number of conversations behind each filter.

    A number of 1,000 means 1,000 or more.
    """
    return ConversationCounts.read(
        await sql.conversations.counts.one(db, user_id=caller.user_id, most=MOST_COUNTED),
    )
