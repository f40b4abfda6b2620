"""A flow's nodes as the API takes them, each sound on its own."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from alfred.rules.actions import optional
from alfred.rules.conditions import Action, Condition, FieldName
from alfred.rules.fields import KINDS, Kind, Scalar, Value

MAX_NODES = 500
MAX_CASES = 100
NodeId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Label = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]


class ConditionNode(Value):
    """Goes one way or the other."""

    id: NodeId
    type: Literal["condition"]
    label: Label | None = optional()
    when: Condition
    yes: NodeId | None = None
    no: NodeId | None = None


class Case(Value):
    """One way out of a switch."""

    value: Scalar
    next: NodeId | None = None


class SwitchNode(Value):
    """Goes the way of the first case that the field equals (for tags: that is among them)."""

    id: NodeId
    type: Literal["switch"]
    label: Label | None = optional()
    field: FieldName
    cases: tuple[Case, ...] = Field(default=(), max_length=MAX_CASES)
    default: NodeId | None = None

    @model_validator(mode="before")
    @classmethod
    def _values_fit(cls, raw: object) -> object:
        """Reads each case's value as one of the field's, so that "true" is true and "monday" 1."""
        if not isinstance(raw, dict) or not isinstance(raw.get("cases"), list | tuple):
            return raw
        kind = next((kind for field, kind in KINDS.items() if field == raw.get("field")), None)
        if kind is None:
            return raw
        return {**raw, "cases": [_with_value(kind, case) for case in raw["cases"][: MAX_CASES + 1]]}


def _with_value(kind: Kind, case: Any) -> Any:
    if not isinstance(case, dict) or "value" not in case:
        return case
    return {**case, "value": kind.read(case["value"])}


class ActionNode(Value):
    """Does one thing and goes on."""

    id: NodeId
    type: Literal["action"]
    label: Label | None = optional()
    action: Action
    next: NodeId | None = None


Node = Annotated[ConditionNode | SwitchNode | ActionNode, Field(discriminator="type")]


class Definition(Value):
    """A flow whose parts are sound; that the graph is too, only `validate` tells."""

    start: NodeId
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MAX_NODES)
