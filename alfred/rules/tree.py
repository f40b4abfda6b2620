"""The condition tree as the API shows it: all, any, not, and comparisons of one field."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Union

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator

from alfred.rules.fields import FieldName, Op, Scalar, Value, check_op, read_value, refuse

MAX_DEPTH = 20
MAX_LEAVES = 200


class Comparison(Value):
    """A leaf: one field, one operator, one value."""

    field: FieldName
    op: Op
    value: Scalar | tuple[Scalar, ...]

    @field_validator("op", mode="after")
    @classmethod
    def _op_fits(cls, op: Op, info: ValidationInfo) -> Op:
        return check_op(info.data["field"], op) if "field" in info.data else op

    @field_validator("value", mode="before")
    @classmethod
    def _value_fits(cls, raw: object, info: ValidationInfo) -> object:
        if "field" not in info.data or "op" not in info.data:
            return False  # the field or the operator is reported; about the value nothing can be said
        return read_value(info.data["field"], info.data["op"], raw)


class AllOf(Value):
    """Holds when every part holds."""

    all: tuple["Part", ...] = Field(min_length=1, max_length=MAX_LEAVES)


class AnyOf(Value):
    """Holds when at least one part holds."""

    any: tuple["Part", ...] = Field(min_length=1, max_length=MAX_LEAVES)


class Not(Value):
    """Holds when its part does not."""

    not_: "Part" = Field(alias="not")


_TAGS = {"all": "all_of", "any": "any_of", "not": "none_of", "field": "comparison"}
_CLASSES = {AllOf: "all_of", AnyOf: "any_of", Not: "none_of", Comparison: "comparison"}


def _shape(raw: object) -> str | None:
    if isinstance(raw, Mapping):
        return next((tag for key, tag in _TAGS.items() if key in raw), None)
    return next((tag for kind, tag in _CLASSES.items() if isinstance(raw, kind)), None)


# The tags are no keys of the tree, so that a reader of an error's path can tell the two apart.
Part = Annotated[
    Union[  # noqa: UP007 - the names inside are still to be defined
        Annotated[AllOf, Tag("all_of")],
        Annotated[AnyOf, Tag("any_of")],
        Annotated[Not, Tag("none_of")],
        Annotated[Comparison, Tag("comparison")],
    ],
    Discriminator(
        _shape,
        custom_error_type="invalid_condition",
        custom_error_message="must have all, any, not, or field with op and value",
    ),
]


def parts_of(node: object) -> tuple[object, ...]:
    """The parts below a node, raw or built; none below a comparison."""
    match node:
        case AllOf():
            return node.all
        case AnyOf():
            return node.any
        case Not():
            return (node.not_,)
        case {"all": list() | tuple() as parts} | {"any": list() | tuple() as parts}:
            return tuple(parts)
        case {"not": part}:
            return (part,)
    return ()


def leaves(condition: object) -> Iterator[object]:
    """Each comparison from left to right."""
    waiting = [condition]
    while waiting:
        node = waiting.pop()
        below = parts_of(node)
        if not below:
            yield node
        waiting.extend(reversed(below))


def _within_bounds(raw: object) -> object:
    """Measured before anything is built, and without recursion: the tree may come from a stranger."""
    waiting, found = [(raw, 1)], 0
    while waiting:
        node, depth = waiting.pop()
        below = parts_of(node)
        found += not below
        if depth > MAX_DEPTH:
            raise refuse("condition", f"must be at most {MAX_DEPTH} levels deep")
        if found > MAX_LEAVES:
            raise refuse("condition", f"must hold at most {MAX_LEAVES} comparisons")
        waiting.extend((part, depth + 1) for part in below)
    return raw


Condition = Annotated[Part, BeforeValidator(_within_bounds)]
