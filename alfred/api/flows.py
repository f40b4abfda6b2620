"""Flows: what to do step by step, drawn as a graph; they suggest, and do nothing by themselves."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import AfterValidator, Field
from uuid_utils.compat import uuid7

from alfred.api.assistant import MOST_READ_HERE
from alfred.api.conversations import get_conversation
from alfred.api.message_models import ClassificationOut
from alfred.api.situations import situation
from alfred.crm.automation import shown
from alfred.flows.definition import InvalidFlow, Validation, validate
from alfred.flows.simulate import Step, simulate
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Listing, Name, Notes, Output, Page
from alfred.http.pages import after, page
from alfred.http.problems import Fault, invalid, not_found
from alfred.http.quotas import make_room, within_size
from alfred.queries import Db, sql
from alfred.rules.situation import SituationInput

routes = Routes("Flows")
T = TypeVar("T")

MOST_VALUES_HERE = 2_000  # of a definition; more take too long for the event loop

_DEFINITION = {
    "start": "urgent",
    "nodes": [
        {
            "id": "urgent",
            "type": "condition",
            "label": "É urgente?",
            "when": {"field": "message.urgency", "op": "eq", "value": "high"},
            "yes": "tell",
            "no": None,
        },
        {"id": "tell", "type": "action", "action": {"action": "notify", "title": "Urgente"}, "next": None},
    ],
}


def _finite(definition: dict[str, Any]) -> dict[str, Any]:
    """A draft may be anything that can be kept: 1e400 is JSON, but is read as infinity, which is not."""
    waiting: list[Any] = [definition]
    while waiting:
        value = waiting.pop()
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must hold no number that is too large to be kept")
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return definition


DefinitionIn = Annotated[dict[str, Any], AfterValidator(_finite)]


class NewFlow(Input):
    name: Name = Field(examples=["Triagem"])
    description: Notes | None = None
    enabled: bool = False
    definition: DefinitionIn = Field(examples=[_DEFINITION])


class FlowChange(Input):
    name: IfGiven[Name] = None
    description: Notes | None = None
    enabled: IfGiven[bool] = None
    definition: IfGiven[DefinitionIn] = Field(None, examples=[_DEFINITION])


class GivenDefinition(Input):
    definition: Any = Field(examples=[_DEFINITION])


class DefinitionSituation(SituationInput):
    definition: Any = Field(examples=[_DEFINITION])


class Flow(Output):
    id: UUID
    name: str = Field(examples=["Triagem"])
    description: str | None
    enabled: bool
    definition: dict[str, Any] = Field(examples=[_DEFINITION])
    created_at: datetime
    updated_at: datetime


class SimulationOut(Output):
    classification: ClassificationOut
    matched_nodes: list[Step]
    actions: list[dict[str, Any]] = Field(examples=[[{"action": "notify", "title": "Urgente"}]])
    end_node: str = Field(examples=["tell"])


class Suggestion(Output):
    id: UUID
    flow_id: UUID
    flow_name: str = Field(examples=["Triagem"])
    message_id: UUID
    matched_nodes: list[dict[str, Any]]
    actions: list[dict[str, Any]] = Field(examples=[[{"action": "notify", "title": "Urgente"}]])
    end_node: str = Field(examples=["tell"])
    created_at: datetime


class Suggestions(Output):
    items: list[Suggestion]


@routes.on("GET", "/flows")
async def list_flows(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[Flow]:
    """List flows, newest first."""
    at, before = after("flows", query, datetime.fromisoformat, UUID)
    rows = await sql.flows.page.all(db, user_id=caller.user_id, before_at=at, before_id=before, limit=query.limit + 1)
    return page(request, "flows", query, rows, lambda row: (row["created_at"].isoformat(), row["id"])).of(Flow.read)


@routes.on("POST", "/flows", status=201, errors=(409,))
async def create_flow(db: Db, caller: Caller, services: Services, body: NewFlow) -> Flow:
    """Create a flow.

    An invalid definition can be stored as a draft, but not enabled.
    """
    await _refuse_invalid(services, caller, body.definition, enabled=body.enabled)
    await make_room(db, caller.user_id, "flows")
    flow_id = uuid7()
    async with within_size(db, caller.user_id, "flows"):
        await sql.flows.add.run(db, user_id=caller.user_id, flow_id=flow_id, **body.model_dump())
    return await get_flow(db, caller, flow_id)


@routes.on("POST", "/flows/validate")
async def validate_flow_definition(caller: Caller, services: Services, body: GivenDefinition) -> Validation:
    """Validate a flow definition without storing it."""
    return await _here_or_elsewhere(services, caller, body.definition, "", validate)


@routes.on("POST", "/flows/simulate")
async def simulate_flow_definition(
    db: Db, caller: Caller, services: Services, body: DefinitionSituation
) -> SimulationOut:
    """Simulate a flow definition on a situation without storing it.

    Nothing is sent or stored.
    """
    given = SituationInput.model_validate(body.model_dump(exclude={"definition"}, exclude_none=True))
    return await _simulated(db, caller, services, body.definition, given)


@routes.on("GET", "/flows/{flow_id}", errors=(404,))
async def get_flow(db: Db, caller: Caller, flow_id: UUID) -> Flow:
    """Get a flow."""
    row = await sql.flows.get.one(db, user_id=caller.user_id, flow_id=flow_id)
    if row is None:
        raise not_found("flow")
    return Flow.read(row)


@routes.on("PUT", "/flows/{flow_id}", errors=(404, 409))
async def replace_flow(db: Db, caller: Caller, services: Services, flow_id: UUID, body: NewFlow) -> Flow:
    """Replace a flow."""
    return await _store(db, caller, services, flow_id, body.model_dump())


@routes.on("PATCH", "/flows/{flow_id}", errors=(404, 409))
async def update_flow(db: Db, caller: Caller, services: Services, flow_id: UUID, body: FlowChange) -> Flow:
    """Update a flow."""
    before = await get_flow(db, caller, flow_id)
    fields = before.model_dump(include=set(NewFlow.model_fields)) | body.given()
    return await _store(db, caller, services, flow_id, fields)


@routes.on("DELETE", "/flows/{flow_id}", status=204, errors=(404,))
async def delete_flow(db: Db, caller: Caller, flow_id: UUID) -> None:
    """Delete a flow."""
    if not await sql.flows.remove.run(db, user_id=caller.user_id, flow_id=flow_id):
        raise not_found("flow")


@routes.on("POST", "/flows/{flow_id}/validate", errors=(404,))
async def validate_flow(db: Db, caller: Caller, services: Services, flow_id: UUID) -> Validation:
    """Validate a stored flow."""
    definition = (await get_flow(db, caller, flow_id)).definition
    return await _here_or_elsewhere(services, caller, definition, "", validate)


@routes.on("POST", "/flows/{flow_id}/simulate", errors=(404,))
async def simulate_flow(
    db: Db, caller: Caller, services: Services, flow_id: UUID, body: SituationInput
) -> SimulationOut:
    """Simulate a flow on a situation.

    Nothing is sent or stored.
    """
    return await _simulated(db, caller, services, (await get_flow(db, caller, flow_id)).definition, body)


@routes.on("GET", "/conversations/{conversation_id}/suggestions", errors=(404,))
async def list_conversation_suggestions(db: Db, caller: Caller, conversation_id: UUID) -> Suggestions:
    """List what the enabled flows suggest for a conversation's latest message."""
    await get_conversation(db, caller, conversation_id)
    rows = await sql.flows.suggestions.all(db, user_id=caller.user_id, conversation_id=conversation_id)
    return Suggestions(items=[Suggestion(**row["payload"], **dict(row)) for row in rows])


async def _simulated(
    db: Db, caller: Caller, services: Services, definition: Any, given: SituationInput
) -> SimulationOut:
    asked, read = await situation(db, caller, services, given)
    try:
        found = await _here_or_elsewhere(services, caller, definition, given.text, simulate, asked)
    except InvalidFlow as error:
        raise _invalid_definition(error.verdict) from None
    return SimulationOut(
        classification=ClassificationOut.model_validate(read), **dict(found) | {"actions": shown(found.actions)}
    )


async def _here_or_elsewhere(
    services: Services, caller: Caller, definition: Any, text: str, work: Callable[..., T], *given: Any
) -> T:
    """Large definitions and long texts are worked on in another process."""
    if len(text) <= MOST_READ_HERE and _is_small(definition):
        return work(definition, *given)
    return await services.heavy.run(caller.user_id, work, definition, *given)


def _is_small(definition: Any) -> bool:
    """Whether it has few values, whatever its shape; looks at no more of them."""
    waiting, seen = [definition], 0
    while waiting and seen <= MOST_VALUES_HERE:
        value = waiting.pop()
        seen += 1
        if isinstance(value, dict | list):
            seen += len(value)
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return seen <= MOST_VALUES_HERE


async def _store(db: Db, caller: Caller, services: Services, flow_id: UUID, values: dict[str, Any]) -> Flow:
    await _refuse_invalid(services, caller, values["definition"], enabled=values["enabled"])
    async with within_size(db, caller.user_id, "flows"):
        if not await sql.flows.update.run(db, user_id=caller.user_id, flow_id=flow_id, **values):
            raise not_found("flow")
    return await get_flow(db, caller, flow_id)


async def _refuse_invalid(services: Services, caller: Caller, definition: dict[str, Any], *, enabled: bool) -> None:
    verdict = await _here_or_elsewhere(services, caller, definition, "", validate)
    if enabled and not verdict.valid:
        raise _invalid_definition(verdict)


def _invalid_definition(verdict: Validation) -> Exception:
    words = [f"{fault.node_id}: {fault.message}" if fault.node_id else fault.message for fault in verdict.errors]
    codes = [fault.code for fault in verdict.errors]
    return invalid([Fault("/definition", said, code) for said, code in zip(words, codes, strict=True)][:50])
