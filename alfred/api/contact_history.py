"""A contact over time: notes, and one timeline across its channels."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints
from uuid_utils.compat import uuid7

from alfred.api.contacts import get_contact
from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Input, Listing, Output, Page
from alfred.http.pages import after, newest_first, page
from alfred.http.problems import not_found
from alfred.queries import Db, sql
from alfred.terms import LONGEST_NOTES

routes = Routes("Contacts")

NoteText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NOTES)]


class NewNote(Input):
    text: NoteText = Field(examples=["Prefere receber à tarde."])


class Note(Output):
    id: UUID
    contact_id: UUID
    text: str = Field(examples=["Prefere receber à tarde."])
    created_at: datetime


class TimelineItem(Output):
    at: datetime
    kind: Literal["message", "task", "note", "merge", "rule_match"]
    id: UUID = Field(description="Of the message, the task, the note, the contact that was merged, or the rule.")
    conversation_id: UUID | None
    title: str | None = Field(
        examples=["inbound"],
        description="A message's direction, a task's title, a merged contact's name, a rule's name.",
    )
    text: str | None = Field(
        examples=["Preciso disso hoje"],
        description="Of a message, a task's description or a note; up to 500 characters.",
    )


@routes.on("GET", "/contacts/{contact_id}/notes", errors=(400, 404))
async def list_contact_notes(
    db: Db, caller: Caller, request: web.Request, contact_id: UUID, query: Listing
) -> Page[Note]:
    """List a contact's notes, newest first."""
    found = await newest_first(
        db, request, query, sql.contact_history.notes, user_id=caller.user_id, contact_id=contact_id
    )
    if not found.items:
        await get_contact(db, caller, contact_id)
    return found.of(Note.read)


@routes.on("POST", "/contacts/{contact_id}/notes", status=201, errors=(404,))
async def create_contact_note(db: Db, caller: Caller, contact_id: UUID, body: NewNote) -> Note:
    """Add a note to a contact."""
    row = await sql.contact_history.add_note.one(
        db, user_id=caller.user_id, contact_id=contact_id, note_id=uuid7(), text=body.text
    )
    if row is None:
        raise not_found("contact")
    return Note.read(row)


@routes.on("DELETE", "/contacts/{contact_id}/notes/{note_id}", status=204, errors=(404,))
async def delete_contact_note(db: Db, caller: Caller, contact_id: UUID, note_id: UUID) -> None:
    """Delete a note."""
    about = {"user_id": caller.user_id, "contact_id": contact_id}
    if not await sql.contact_history.remove_note.run(db, **about, note_id=note_id):
        raise not_found("note")


@routes.on("GET", "/contacts/{contact_id}/timeline", errors=(400, 404))
async def list_contact_timeline(
    db: Db, caller: Caller, request: web.Request, contact_id: UUID, query: Listing
) -> Page[TimelineItem]:
    """List what happened with a contact on all its channels, newest first.

    Messages, tasks, notes, merges and rule matches.
    """
    kind = "contact_history.timeline"
    at, place = after(kind, query, datetime.fromisoformat, UUID)
    rows = await sql.contact_history.timeline.all(
        db, user_id=caller.user_id, contact_id=contact_id, before_at=at, before_id=place, limit=query.limit + 1
    )
    if not rows:
        await get_contact(db, caller, contact_id)
    return page(request, kind, query, rows, lambda row: (row["at"].isoformat(), row["place"])).of(TimelineItem.read)
