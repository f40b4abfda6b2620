"""The inbox as a whole: how many conversations each filter shows, changes of many at once, tags."""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from alfred.api.conversations import ConversationFilter, refuse_past
from alfred.crm.conversations import BulkChange, change_many, more_to_change
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Moment, Output, Tag
from alfred.http.problems import bad_reference
from alfred.queries import Db, sql
from alfred.terms import MOST_TAGS, ConversationStatus

routes = Routes("Inbox")

MOST_COUNTED = 1_000
MOST_TAGS_LISTED = 1_000
MOST_IDS = 200
MOST_CHANGED = 1_000


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


class ConversationBulkChange(Input):
    status: IfGiven[ConversationStatus] = None
    snoozed_until: Moment | None = None
    add_tags: IfGiven[list[Tag]] = Field(None, max_length=MOST_TAGS)
    remove_tags: IfGiven[list[Tag]] = Field(None, max_length=MOST_TAGS)
    unread: IfGiven[bool] = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        nothing = self.status is None and self.unread is None and not self.add_tags and not self.remove_tags
        if nothing and "snoozed_until" not in self.model_fields_set:
            raise ValueError("must name at least one change")
        return self

    def as_changes(self) -> BulkChange:
        """As the verb takes it."""
        return BulkChange(**self.given())


class ConversationBulk(Input):
    ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST_IDS)
    filter: ConversationFilter | None = Field(
        None, examples=[{"status": "open", "tag": "feira"}], description="The filters of `GET /conversations`."
    )
    change: ConversationBulkChange = Field(examples=[{"status": "closed", "add_tags": ["feira"]}])

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or filter")
        return self


class BulkResult(Output):
    updated: int = Field(examples=[120], description="How many conversations this call changed.")
    has_more: bool = Field(description="Whether the filter still shows conversations to change: call again.")


class TagCount(Output):
    tag: str = Field(examples=["vip"])
    count: int = Field(examples=[12], description="Conversations with the tag, up to 1,000.")


class Tags(Output):
    items: list[TagCount]


@routes.on("GET", "/conversations/counts")
async def get_conversation_counts(db: Db, caller: Caller) -> ConversationCounts:
    """Get the number of conversations behind each filter.

    A number of 1,000 means 1,000 or more.
    """
    return ConversationCounts.read(
        await sql.conversations.counts.one(db, user_id=caller.user_id, most=MOST_COUNTED),
    )


@routes.on("POST", "/conversations/bulk")
async def update_conversations(db: Db, caller: Caller, services: Services, body: ConversationBulk) -> BulkResult:
    """Change many conversations at once.

    Takes up to 200 ids, or the filters of the list. With a filter a call changes at most 1,000 conversations, the most
    recently active first; while `has_more` is true, call again. Conversations that already are as the change says do
    not count. A conversation that would get more than 50 tags keeps its tags.
    """
    refuse_past(body.change.snoozed_until, services.clock(), "/change/snoozed_until")
    filters = (body.filter or ConversationFilter()).model_dump()
    selection = {"ids": body.ids, **filters}
    if body.ids is not None:
        missing = await sql.conversations.missing.value(db, user_id=caller.user_id, ids=body.ids)
        if missing is not None:
            raise bad_reference(f"/ids/{missing}", "conversation")
    changes = body.change.as_changes()
    updated = await change_many(db, caller.user_id, selection, changes, MOST_CHANGED)
    more = updated == MOST_CHANGED and await more_to_change(db, caller.user_id, selection, changes)
    return BulkResult(updated=updated, has_more=more)


@routes.on("GET", "/tags")
async def list_tags(db: Db, caller: Caller) -> Tags:
    """List the tags in use, with the number of conversations of each.

    Ordered by tag. Lists at most 1,000 tags.
    """
    rows = await sql.tags.counts.all(db, user_id=caller.user_id, most=MOST_TAGS_LISTED, most_counted=MOST_COUNTED)
    return Tags(items=[TagCount.read(row) for row in rows])
