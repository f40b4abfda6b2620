"""Tasks: what remains to be done, by when, for whom."""

from datetime import date, datetime, time
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, WithJsonSchema

from alfred.crm import tasks
from alfred.crm.tasks import TaskDraft
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Listing, Moment, Name, Notes, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import bad_reference, not_found
from alfred.queries import Db, sql
from alfred.terms import Priority, TaskStatus

routes = Routes("Tasks")

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def _day_or_moment(value: object) -> object:
    """A plain date stays one: which moment it means depends on the user's time zone."""
    if isinstance(value, str) and len(value.strip()) == 10:
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("must be a date such as 2026-05-31, or a date and time") from None
    return _MOMENT.validate_python(value)


def _in_range(value: Any) -> Any:
    if not 1900 <= value.year < 2200:
        raise ValueError("must lie between 1900 and 2200")
    return value


Due = Annotated[
    Any,
    BeforeValidator(_day_or_moment),
    AfterValidator(_in_range),
    WithJsonSchema({"type": "string", "examples": ["2026-05-08", "2026-05-08T15:00:00Z"]}),
]


class NewTask(Input):
    title: Name = Field(examples=["Enviar orçamento"])
    description: Notes | None = None
    status: TaskStatus = "open"
    priority: Priority = "medium"
    due_date: Due | None = Field(
        None, description="A timestamp, or a date, which means the end of that day in the user's time zone."
    )
    conversation_id: UUID | None = None
    contact_id: UUID | None = None


class TaskChange(Input):
    title: IfGiven[Name] = Field(None, examples=["Enviar orçamento"])
    description: Notes | None = None
    status: IfGiven[TaskStatus] = None
    priority: IfGiven[Priority] = None
    due_date: Due | None = None
    conversation_id: UUID | None = None
    contact_id: UUID | None = None


class TaskFilter(Listing):
    status: TaskStatus | None = None
    priority: Priority | None = None
    conversation_id: UUID | None = None
    contact_id: UUID | None = None
    overdue: bool | None = None
    due_before: Due | None = None
    due_after: Due | None = None


class Task(Output):
    id: UUID
    title: str = Field(examples=["Enviar orçamento"])
    description: str | None
    status: TaskStatus = Field(examples=["open"])
    priority: Priority = Field(examples=["high"])
    due_date: datetime | None
    conversation_id: UUID | None
    contact_id: UUID | None
    overdue: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime


@routes.on("GET", "/tasks")
async def list_tasks(db: Db, caller: Caller, services: Services, request: web.Request, query: TaskFilter) -> Page[Task]:
    """List tasks, newest first."""
    filters = query.model_dump(exclude={"limit", "cursor"})
    for name in ("due_before", "due_after"):
        filters[name] = await _moment(db, caller, filters[name])
    given = {"user_id": caller.user_id, "now": services.clock(), **filters}
    return (await newest_first(db, request, query, sql.tasks.page, **given)).of(task_of)


@routes.on("POST", "/tasks", status=201)
async def create_task(db: Db, caller: Caller, services: Services, body: NewTask) -> Task:
    """Create a task."""
    values = body.model_dump(exclude={"due_date"})
    await _check_references(db, caller, values)
    draft = TaskDraft(**values, due_at=await _moment(db, caller, body.due_date))
    return await _task(db, caller, services, await tasks.add(db, caller.user_id, draft))


@routes.on("GET", "/tasks/{task_id}", errors=(404,))
async def get_task(db: Db, caller: Caller, services: Services, task_id: UUID) -> Task:
    """Get a task."""
    return await _task(db, caller, services, task_id)


@routes.on("PATCH", "/tasks/{task_id}", errors=(404,))
async def update_task(db: Db, caller: Caller, services: Services, task_id: UUID, body: TaskChange) -> Task:
    """Update a task.

    A new due date can become overdue again.
    """
    given = body.given()
    before = await _held(db, caller, task_id, given.get("conversation_id"))
    if "due_date" in given:
        given["due_at"] = await _moment(db, caller, given.pop("due_date"))
    await _check_references(db, caller, given)
    await tasks.change(db, caller.user_id, task_id, before, before.model_copy(update=given))
    return await _task(db, caller, services, task_id)


@routes.on("DELETE", "/tasks/{task_id}", status=204, errors=(404,))
async def delete_task(db: Db, caller: Caller, task_id: UUID) -> None:
    """Delete a task."""
    if not await sql.tasks.remove.run(db, user_id=caller.user_id, task_id=task_id):
        raise not_found("task")


@routes.on("POST", "/tasks/{task_id}/complete", errors=(404,))
async def complete_task(db: Db, caller: Caller, services: Services, task_id: UUID) -> Task:
    """Mark a task as done.

    Repeating the call changes nothing.
    """
    before = await _held(db, caller, task_id)
    await tasks.change(db, caller.user_id, task_id, before, before.model_copy(update={"status": "done"}))
    return await _task(db, caller, services, task_id)


def task_of(row: Any) -> Task:
    """A row of sql/tasks.sql as the API shows it; without a due date nothing lapses."""
    return Task.model_validate(dict(row) | {"overdue": bool(row["overdue"])})


async def _held(db: Db, caller: Caller, task_id: UUID, conversation_id: UUID | None = None) -> TaskDraft:
    held = await tasks.hold(db, caller.user_id, task_id, conversation_id)
    if held is None:
        raise not_found("task")
    return held


async def _task(db: Db, caller: Caller, services: Services, task_id: UUID) -> Task:
    row = await sql.tasks.get.one(db, user_id=caller.user_id, task_id=task_id, now=services.clock())
    if row is None:
        raise not_found("task")
    return task_of(row)


async def _check_references(db: Db, caller: Caller, given: dict[str, Any]) -> None:
    if given.get("conversation_id") is not None:
        about = {"user_id": caller.user_id, "conversation_id": given["conversation_id"]}
        if await sql.conversations.get.one(db, **about) is None:
            raise bad_reference("/conversation_id", "conversation")
    contact_id = given.get("contact_id")
    if contact_id is not None and not await sql.contacts.get.one(db, user_id=caller.user_id, contact_id=contact_id):
        raise bad_reference("/contact_id", "contact")


async def _moment(db: Db, caller: Caller, due: date | datetime | None) -> datetime | None:
    """The end of a plain day is that of the user's time zone."""
    if due is None or isinstance(due, datetime):
        return due
    zone = await sql.users.timezone.value(db, user_id=caller.user_id)
    # Where clocks go back at midnight, the day ends with its second last hour.
    return datetime.combine(due, time(23, 59, 59, fold=1), ZoneInfo(zone))
