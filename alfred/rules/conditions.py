"""A rule in its compiled form, and whether its condition holds in a situation."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, TypeAdapter

from alfred.rules.actions import Action, AddTag, CreateTask, Notify, SendReply, SetStatus, delay
from alfred.rules.comparing import Text
from alfred.rules.fields import KINDS, FieldName, Op, Scalar, Value, refuse
from alfred.rules.pace import Pace
from alfred.rules.situation import Classified, Contact, Conversation, Situation, SituationInput, fill
from alfred.rules.tree import AllOf, AnyOf, Comparison, Condition, Not, leaves
from alfred.terms import RuleTrigger

__all__ = [
    "ALWAYS",
    "Action",
    "AddTag",
    "AllOf",
    "AnyOf",
    "Classified",
    "Comparison",
    "Compiled",
    "Condition",
    "Contact",
    "Conversation",
    "CreateTask",
    "FieldName",
    "Finding",
    "Not",
    "Notify",
    "RuleTrigger",
    "SendReply",
    "SetStatus",
    "Situation",
    "SituationInput",
    "delay",
    "equals",
    "explain",
    "fill",
    "match",
    "match_in_slices",
    "read_condition",
    "verdict_on",
]  # fmt: skip

MAX_ACTIONS = 20
SHOWN = 200

# What a rule asks when its trigger is all that it waits for: a comparison that always holds.
ALWAYS = Comparison(field="conversation.unread_count", op="gte", value=0)


def _not_endless(raw: object) -> object:
    """A list that is too long is refused before each of its actions is."""
    if isinstance(raw, list) and len(raw) > MAX_ACTIONS:
        raise refuse("value", f"must have at most {MAX_ACTIONS} actions")
    return raw


class Compiled(Value):
    """A rule: when `trigger` happens and `when` holds, do `then` in order."""

    version: Literal[1] = 1
    trigger: RuleTrigger = "message.received"
    when: Condition
    then: Annotated[tuple[Action, ...], Field(min_length=1, max_length=MAX_ACTIONS), BeforeValidator(_not_endless)]


class Finding(Value):
    """One comparison of a rule that was tried: whether it held, and what was there."""

    condition: Comparison
    held: bool
    actual: JsonValue


_CONDITION: TypeAdapter[Condition] = TypeAdapter(Condition, config=ConfigDict(defer_build=True))


def read_condition(raw: object) -> Condition:
    """A condition from JSON; raises pydantic's ValidationError."""
    return _CONDITION.validate_python(raw)


def match(condition: Condition, situation: Situation) -> bool:
    """Whether the condition holds; what is not known (no name, say) equals and contains nothing."""
    if isinstance(condition, AllOf):
        return all(match(part, situation) for part in condition.all)
    if isinstance(condition, AnyOf):
        return any(match(part, situation) for part in condition.any)
    if isinstance(condition, Not):
        return not match(condition.not_, situation)
    return _holds(condition, situation)


async def match_in_slices(condition: Condition, situation: Situation, pace: Pace) -> bool:
    """The same for a condition of any size, value by value, so that nobody else waits for it."""
    await pace.rest()
    if isinstance(condition, AllOf):
        for part in condition.all:
            if not await match_in_slices(part, situation, pace):
                return False
        return True
    if isinstance(condition, AnyOf):
        for part in condition.any:
            if await match_in_slices(part, situation, pace):
                return True
        return False
    if isinstance(condition, Not):
        return not await match_in_slices(condition.not_, situation, pace)
    singly = _SINGLY.get(condition.op)
    if singly is None:
        return _holds(condition, situation)
    found = condition.op == "contains_all"
    for value in condition.value if isinstance(condition.value, tuple) else ():
        await pace.rest()
        if _holds(Comparison.model_construct(field=condition.field, op=singly, value=value), situation) is not found:
            return not found
    return found


# How a list's values are asked one by one.
_SINGLY: dict[Op, Op] = {"in": "eq", "contains_any": "contains", "contains_all": "contains"}


def explain(condition: Condition, situation: Situation) -> list[Finding]:
    """What became of each comparison, from left to right; long texts are cut."""
    return [
        Finding(condition=leaf, held=_holds(leaf, situation), actual=_shown(situation.facts[leaf.field]))
        for leaf in leaves(condition)
        if isinstance(leaf, Comparison)
    ]


def verdict_on(condition: Condition, situation: Situation) -> tuple[bool, list[Finding]]:
    """Whether the condition holds, and what became of each comparison."""
    return match(condition, situation), explain(condition, situation)


def equals(field: FieldName, value: Scalar, situation: Situation) -> bool:
    """Whether a field has this value; tags and attachments have each of theirs."""
    op: Any = "contains" if "eq" not in KINDS[field].ops else "eq"
    return _holds(Comparison(field=field, op=op, value=value), situation)


def _holds(leaf: Comparison, situation: Situation) -> bool:
    wanted: Any = leaf.value
    match leaf.op:
        case "eq":
            return _equal(leaf.field, wanted, situation)
        case "ne":
            return not _equal(leaf.field, wanted, situation)
        case "in":
            return any(_equal(leaf.field, each, situation) for each in wanted)
        case "contains":
            return _contains(leaf.field, wanted, situation)
        case "contains_any":
            return any(_contains(leaf.field, each, situation) for each in wanted)
        case "contains_all":
            return all(_contains(leaf.field, each, situation) for each in wanted)
    return _ordered(leaf, situation.facts[leaf.field])


def _equal(field: FieldName, wanted: Scalar, situation: Situation) -> bool:
    text = situation.words.get(field)
    if text is not None and isinstance(wanted, str):
        return text.equals(wanted)
    return bool(situation.facts[field] == wanted)


def _contains(field: FieldName, wanted: str, situation: Situation) -> bool:
    if field == "conversation.tags":
        return any(tag.equals(wanted) for tag in situation.tags)
    if field == "message.attachments":
        return wanted in situation.attachments
    return situation.words.get(field, _NOTHING).contains(wanted)


_NOTHING = Text.of("")


def _ordered(leaf: Comparison, actual: Any) -> bool:
    levels = KINDS[leaf.field].levels
    place: Any = levels.index if levels else int
    if actual is None:
        return False
    here, wanted = place(actual), leaf.value
    if isinstance(wanted, tuple):
        low, high = map(place, wanted)
        return bool(low <= here <= high if low <= high else here >= low or here <= high)
    there = place(wanted)
    holds = {"gt": here > there, "gte": here >= there, "lt": here < there, "lte": here <= there}
    return bool(holds[leaf.op])


def _shown(actual: Any) -> JsonValue:
    if isinstance(actual, str) and len(actual) > SHOWN:
        return actual[: SHOWN - 1] + "…"
    shown: JsonValue = actual
    return shown
