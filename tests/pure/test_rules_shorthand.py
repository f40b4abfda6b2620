"""A short way to write compiled rules in the tables of sentences, and that it writes real ones."""

import pytest

from alfred.rules.conditions import Compiled
from alfred.rules.sentence import compiler as rules


def ask(field, op, value):
    return {"field": field, "op": op, "value": value}


def says(*phrases, every=False):
    if len(phrases) == 1:
        return ask("message.text", "contains", phrases[0])
    return ask("message.text", "contains_all" if every else "contains_any", list(phrases))


def either(*parts):
    return {"any": list(parts)}


def both(*parts):
    return {"all": list(parts)}


def no(part):
    return {"not": part}


def urgency(*levels):
    return ask("message.urgency", "in", list(levels))


def channel(*types):
    op, value = ("eq", types[0]) if len(types) == 1 else ("in", list(types))
    return ask("channel.type", op, value)


def tagged(*tags):
    op, value = ("contains", tags[0]) if len(tags) == 1 else ("contains_any", list(tags))
    return ask("conversation.tags", op, value)


def sends(*kinds):
    op, value = ("contains", kinds[0]) if len(kinds) == 1 else ("contains_any", list(kinds))
    return ask("message.attachments", op, value)


def named(name):
    return ask("contact.name", "contains", name)


def speaks(language):
    return ask("message.language", "eq", language)


def unread(op, count):
    return ask("conversation.unread_count", op, count)


def hours(low, high):
    return ask("time.hour", "between", [low, high])


def since(hour):
    return ask("time.hour", "gte", hour)


def until(hour):
    return ask("time.hour", "lt", hour)


def on(*days):
    op, value = ("eq", days[0]) if len(days) == 1 else ("in", list(days))
    return ask("time.weekday", op, value)


URGENT = ask("message.urgency", "eq", "high")
NEGATIVE = ask("message.sentiment", "eq", "negative")
POSITIVE = ask("message.sentiment", "eq", "positive")
HAGGLING = ask("message.negotiation", "eq", True)
VIP = ask("contact.vip", "eq", True)
NOT_VIP = ask("contact.vip", "eq", False)
WORKDAYS = ask("time.weekday", "between", [1, 5])
WEEKEND = on(6, 7)
CLOSED = either(hours(18, 8), WEEKEND)
ALWAYS = unread("gte", 0)
FIRST = ask("contact.first_conversation", "eq", True)
NOTIFY = {"action": "notify"}


def notify(title):
    return {"action": "notify", "title": title}


def task(title, priority=None, due_in=None):
    more = {"priority": priority, "due_in": due_in}
    return {"action": "create_task", "title": title} | {key: value for key, value in more.items() if value}


def tag(name):
    return {"action": "add_tag", "tag": name}


def status(name):
    return {"action": "set_status", "status": name}


def reply(body):
    return {"action": "send_reply", "body": body}


def check(language, sentence, when, then, trigger="message.received"):
    """The sentence compiles to exactly this, without warnings, and can be said back."""
    rule = rules.compile(sentence)
    expected = {"version": 1, "trigger": trigger, "when": when, "then": then}
    assert rule.compiled.model_dump(mode="json", exclude_none=True) == expected
    assert (rule.language, rule.warnings) == (language, ())
    assert rule.explanation.endswith(".")
    assert rules.compile(sentence, language=language) == rule


@pytest.mark.parametrize("when", [says("a", "b"), no(VIP), both(URGENT, CLOSED), channel("email"), ALWAYS])
def test_shorthand_is_a_rule(when):
    assert Compiled.model_validate({"when": when, "then": [task("x", "low", "P1D"), tag("a"), NOTIFY]})
