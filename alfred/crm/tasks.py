"""Tasks: what remains to be done for a customer."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from uuid_utils.compat import uuid7

from alfred.events import record
from alfred.queries import Db, sql
from alfred.terms import Priority, TaskStatus


class TaskDraft(BaseModel):
    """A task as it is stored; `depth` counts the rules that led to it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    title: str
    description: str | None = None
    status: TaskStatus = "open"
    priority: Priority = "medium"
    due_at: datetime | None = None
    conversation_id: UUID | None = None
    contact_id: UUID | None = None


async def add(db: Db, user_id: UUID, draft: TaskDraft, *, depth: int = 0) -> UUID:
    """Store a task, and tell of it; its id."""
    task_id = uuid7()
    values = draft.model_dump()
    contact_id = await sql.tasks.add.value(db, user_id=user_id, task_id=task_id, depth=depth, **values)
    about = {"task_id": task_id, "conversation_id": draft.conversation_id, "contact_id": contact_id}
    await record(db, user_id, "task.created", _told(draft), **about)
    if draft.status == "done":
        await record(db, user_id, "task.completed", {"title": draft.title}, **about)
    return task_id


async def hold(db: Db, user_id: UUID, task_id: UUID, conversation_id: UUID | None = None) -> TaskDraft | None:
    """The task, locked for a change after its conversation, and the one that it is to be about."""
    await sql.tasks.hold_conversations.run(db, user_id=user_id, task_id=task_id, conversation_id=conversation_id)
    row = await sql.tasks.hold.one(db, user_id=user_id, task_id=task_id)
    return TaskDraft(**dict(row)) if row else None


async def change(db: Db, user_id: UUID, task_id: UUID, before: TaskDraft, after: TaskDraft) -> None:
    """Store a held task anew; becoming done is told once."""
    if after == before:
        return
    await sql.tasks.update.run(db, user_id=user_id, task_id=task_id, **after.model_dump())
    about = {"task_id": task_id, "conversation_id": after.conversation_id, "contact_id": after.contact_id}
    changed = [name for name, value in after.model_dump().items() if getattr(before, name) != value]
    await record(db, user_id, "task.updated", _told(after) | {"changed": changed}, **about)
    if after.status == "done" and before.status != "done":
        await record(db, user_id, "task.completed", {"title": after.title}, **about)


def _told(task: TaskDraft) -> dict[str, Any]:
    """What a workflow needs to act on a task."""
    due_date = task.due_at.isoformat() if task.due_at else None
    return {"title": task.title, "status": task.status, "priority": task.priority, "due_date": due_date}
