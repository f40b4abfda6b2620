"""Says rules back in the language of their user."""

import re
from collections.abc import Mapping
from typing import Any

from alfred.rules.conditions import ALWAYS, Compiled
from alfred.rules.sentence.building import Cond
from alfred.rules.sentence.moments import CLOSED, OPEN
from alfred.rules.sentence.vocabulary import vocabulary
from alfred.terms import Language

Say = Mapping[str, Any]
_DURATION = re.compile(r"(\d+(?:[.,]\d+)?)([YMWDHS])")


def explain_rule(compiled: Compiled, language: Language) -> str:
    """The whole rule in a sentence, whether it came as a sentence or compiled."""
    say = vocabulary(language).say
    then = say["then_join"].join(
        tell_action(action.model_dump(mode="json", exclude_none=True), language) for action in compiled.then
    )
    event = say["trigger"][compiled.trigger]
    if compiled.when == ALWAYS:
        return str(say["rule_always"].format(event=event, then=then))
    when = tell_condition(compiled.when.model_dump(mode="json", exclude_none=True), language)
    return str(say["rule"].format(event=event, when=when, then=then))


def tell_condition(condition: Cond, language: Language) -> str:
    """A condition in words, with brackets where and meets or."""
    return _tell(condition, vocabulary(language).say, inside=False)


def _tell(condition: Cond, say: Say, *, inside: bool) -> str:
    for known, name in ((CLOSED, "closed"), (OPEN, "open")):
        if condition == known:
            return str(say[name])
    if "trigger" in condition:
        return str(say["trigger"][condition["trigger"]])
    if "not" in condition:
        return _tell_not(condition["not"], say)
    if "field" in condition:
        return _tell_leaf(condition, say, negative=False)
    kind = "all" if "all" in condition else "any"
    told = say["and" if kind == "all" else "or"].join(_tell(part, say, inside=True) for part in condition[kind])
    return f"({told})" if inside and len(condition[kind]) > 1 else told


def _tell_not(part: Cond, say: Say) -> str:
    if "field" in part:
        return _tell_leaf(part, say, negative=True)
    return str(say["not"].format(part=_tell(part, say, inside=False)))


def _tell_leaf(leaf: Cond, say: Say, *, negative: bool) -> str:
    """A comparison; `ne` and a false flag are said as negations."""
    field, op, value = leaf["field"], leaf["op"], leaf["value"]
    if op == "ne":
        op, negative = "eq", not negative
    if isinstance(value, bool):
        return str(say["flag"][field][0 if value is not negative else 1])
    if field == "time.hour":
        told = _tell_hours(op, value, say)
        return str(say["not"].format(part=told) if negative else told)
    verb = say["not_op" if negative else "op"]["has" if field == "conversation.tags" else op]
    return f"{say['subject'][field]} {verb} {_tell_value(field, op, value, say)}"


def _tell_value(field: str, op: str, value: Any, say: Say) -> str:
    if op == "between":
        low, high = (_name(field, each, say) for each in value)
        return str(say["between"].format(low=low, high=high))
    if not isinstance(value, list | tuple):
        return _name(field, value, say)
    joint = say["and"] if op == "contains_all" else say["or"]
    return str(joint.join(_name(field, each, say) for each in value))


def _name(field: str, value: Any, say: Say) -> str:
    names = say["value"].get(field, {})
    if str(value) in names:
        return str(names[str(value)])
    return f"“{value}”" if isinstance(value, str) else str(value)


def _tell_hours(op: str, value: Any, say: Say) -> str:
    """Whole hours: after 17 begins at 18:00, until 17 ends at 17:59."""
    if op == "between":
        return str(say["hours"]["between"].format(low=f"{value[0]}:00", high=f"{value[1]}:59"))
    if op == "eq":
        return str(say["hours"]["between"].format(low=f"{value}:00", high=f"{value}:59"))
    if op == "in":
        return str(say["or"].join(_tell_hours("eq", each, say) for each in value))
    first = value + 1 if op in ("gt", "lte") else value
    return str(say["hours"]["since" if op in ("gt", "gte") else "until"].format(hour=f"{first}:00"))


def tell_action(action: Mapping[str, Any], language: Language) -> str:
    """An action in words."""
    say = vocabulary(language).say
    told = say["action"][action["action"]]
    details = [say["value"]["priority"][action["priority"]]] if "priority" in action else []
    details += [say["due"].format(span=_tell_span(action["due_in"], say))] if "due_in" in action else []
    if action["action"] == "notify" and "title" in action:
        told = say["action"]["notify_titled"]
    status = say["value"]["conversation.status"].get(action.get("status"), "")
    text = told.format(**{"title": "", "tag": "", "body": "", **action, "status": status})
    return f"{text} ({', '.join(details)})" if details else str(text)


def _tell_span(duration: str, say: Say) -> str:
    date, _, time = duration.partition("T")
    found = [(count, say["unit"][unit]) for count, unit in _DURATION.findall(date)]
    found += [(count, say["unit"]["minutes" if unit == "M" else unit]) for count, unit in _DURATION.findall(time)]
    return " ".join(f"{count} {names[0] if count == '1' else names[1]}" for count, names in found)


def tell_refusal(reason: str, words: str, language: Language) -> str:
    """Why there is no rule, in one sentence that a person can act on."""
    return str(vocabulary(language).say["refusal"][reason].format(words=words))
