"""Conversations: what is changed of one, each with its event."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alfred.events import Event, record
from alfred.queries import Db, sql
from alfred.terms import ConversationStatus


class Change(BaseModel):
    """What to change; a field that is not set stays as it is."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: ConversationStatus | None = None
    tags: list[str] | None = None
    snoozed_until: datetime | None = None


async def change(db: Db, user_id: UUID, conversation_id: UUID, changes: Change) -> bool:
    """Change a conversation; False where it is not there, or another tenant's."""
    contact_id = await sql.conversations.update.value(
        db,
        user_id=user_id,
        conversation_id=conversation_id,
        set_snoozed="snoozed_until" in changes.model_fields_set,
        **changes.model_dump(),
    )
    if contact_id is None:
        return False
    payload = changes.model_dump(mode="json", include=changes.model_fields_set)
    about = {"contact_id": contact_id, "conversation_id": conversation_id}
    await record(db, user_id, "conversation.updated", payload, **about)
    return True


class BulkChange(BaseModel):
    """What to change of many; a field that is not set stays as it is."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    status: ConversationStatus | None = None
    snoozed_until: datetime | None = None
    add_tags: list[str] = []
    remove_tags: list[str] = []
    unread: bool | None = None


async def change_many(db: Db, user_id: UUID, selection: Mapping[str, Any], changes: BulkChange, most: int) -> int:
    """Change the conversations that a selection (the filters of sql/conversations.sql) holds, and that the change makes
    another, at most so many; how many. Each is told, unless it was only read.
    """
    payload = changes.model_dump(mode="json", include=changes.model_fields_set & {"status", "snoozed_until"})
    return int(
        await sql.conversations.change_many.value(
            db,
            user_id=user_id,
            most=most,
            payload=payload,
            is_told=bool(changes.model_fields_set - {"unread"}),
            **selection,
            **_to(changes),
        )
    )


async def more_to_change(db: Db, user_id: UUID, selection: Mapping[str, Any], changes: BulkChange) -> bool:
    """Whether the selection holds any that the change would still make another."""
    return bool(await sql.conversations.more_to_change.value(db, user_id=user_id, **selection, **_to(changes)))


def _to(changes: BulkChange) -> dict[str, Any]:
    values = changes.model_dump()
    return {
        "status_to": values.pop("status"),
        "set_snoozed": "snoozed_until" in changes.model_fields_set,
        **values,
    }


async def add_tag(db: Db, cause: Event, tag: str, *, by_rule: UUID) -> None:
    """Tag the conversation of an event; one that has the tag, or no room for it, stays as it is."""
    tags = await sql.conversations.add_tag.value(
        db, user_id=cause.user_id, conversation_id=cause.conversation_id, tag=tag
    )
    if tags:
        await _changed_by_rule(db, cause, {"tags": tags}, by_rule)


async def set_status(db: Db, cause: Event, status: ConversationStatus, *, by_rule: UUID) -> None:
    """Set the status of the conversation of an event; only a change is told."""
    changed = await sql.conversations.set_status.value(
        db, user_id=cause.user_id, conversation_id=cause.conversation_id, status=status
    )
    if changed:
        await _changed_by_rule(db, cause, {"status": status}, by_rule)


async def _changed_by_rule(db: Db, cause: Event, changes: dict[str, Any], rule_id: UUID) -> None:
    payload = changes | {"by_rule": str(rule_id)}
    await record(db, cause.user_id, "conversation.updated", payload, **cause.about())
