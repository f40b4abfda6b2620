"""Conditions keep the laws of logic and survive JSON, whatever they are about."""

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from alfred.rules.comparing import Text
from alfred.rules.conditions import (
    AllOf,
    AnyOf,
    Compiled,
    Contact,
    Conversation,
    Not,
    Situation,
    explain,
    match,
    match_in_slices,
    read_condition,
)
from alfred.rules.pace import Pace

VALUES = {
    "text": ["desconto", "não é", "R$ 50", "?", "👍"],
    "sentiment": ["positive", "neutral", "negative"],
    "urgency": ["low", "medium", "high"],
    "hour": list(range(24)),
    "weekday": list(range(1, 8)),
    "count": [0, 1, 2, 3, 100],
    "flag": [True, False],
}


def ask(field, values, single, many):
    value = st.sampled_from(values)
    one = st.tuples(st.sampled_from(single), value)
    some = st.tuples(st.sampled_from(many), st.lists(value, min_size=1, max_size=4)) if many else st.nothing()
    return st.one_of(one, some).map(lambda pair: {"field": field, "op": pair[0], "value": pair[1]})


ORDER = ["eq", "ne", "gt", "gte", "lt", "lte"]
TEXT = ["eq", "ne", "contains"]
LISTS = ["in", "contains_any", "contains_all"]
leaves = st.one_of(
    *(ask(name, VALUES["text"], TEXT, LISTS) for name in ("message.text", "contact.name", "contact.handle")),
    ask("conversation.tags", VALUES["text"], ["contains"], LISTS[1:]),
    ask("message.sentiment", VALUES["sentiment"], ["eq", "ne"], ["in"]),
    ask("message.urgency", VALUES["urgency"], ORDER, ["in"]),
    ask("conversation.unread_count", VALUES["count"], ORDER, ["in"]),
    ask("time.hour", VALUES["hour"], ORDER, ["in"]),
    ask("time.weekday", VALUES["weekday"], ORDER, ["in"]),
    ask("contact.vip", VALUES["flag"], ["eq", "ne"], None),
    st.tuples(*[st.integers(0, 23)] * 2).map(lambda pair: {"field": "time.hour", "op": "between", "value": list(pair)}),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=8,
)
texts = st.one_of(st.text(max_size=30), st.sampled_from(["Quero desconto", "R$50?", "não é 👍"]))
names = st.none() | texts
situations = st.builds(
    Situation,
    text=texts,
    sentiment=st.none() | st.sampled_from(VALUES["sentiment"]),
    urgency=st.none() | st.sampled_from(VALUES["urgency"]),
    contact=st.builds(Contact, name=names, handle=names, vip=st.booleans()),
    conversation=st.builds(Conversation, tags=st.lists(texts, max_size=3).map(tuple), unread_count=st.integers(0, 5)),
    at=st.datetimes(timezones=st.just(UTC)),
    timezone=st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Tokyo"]),
)


@given(conditions)
@settings(max_examples=100, deadline=None)
def test_survives_json_exactly(raw):
    condition = read_condition(raw)
    dumped = condition.model_dump(mode="json", exclude_none=True)
    assert dumped == raw
    assert read_condition(json.loads(json.dumps(dumped))) == condition


@given(conditions, conditions, situations)
@settings(max_examples=150, deadline=None)
def test_keeps_the_laws_of_logic(one, two, situation):
    a, b = read_condition(one), read_condition(two)
    held_a, held_b = match(a, situation), match(b, situation)
    assert match(Not.model_validate({"not": a}), situation) is not held_a
    assert match(read_condition({"not": {"not": one}}), situation) is held_a
    assert match(AllOf(all=(a, b)), situation) is (held_a and held_b)
    assert match(AnyOf(any=(a, b)), situation) is (held_a or held_b)
    either = read_condition({"not": {"all": [{"not": one}, {"not": two}]}})
    assert match(either, situation) is (held_a or held_b)


@given(conditions, situations)
@settings(max_examples=100, deadline=None)
def test_the_explanation_agrees_with_the_verdict(raw, situation):
    found = explain(read_condition(raw), situation)
    for finding in found:
        assert match(finding.condition, situation) is finding.held
    if len(found) == 1 and "field" in raw:
        assert match(read_condition(raw), situation) is found[0].held


@given(conditions, situations)
@settings(max_examples=150, deadline=None)
def test_in_slices_the_verdict_is_the_same(raw, situation):
    condition = read_condition(raw)
    assert asyncio.run(match_in_slices(condition, situation, Pace(0))) is match(condition, situation)


keys = st.sampled_from(["all", "any", "not", "field", "op", "value", "when", "then", "trigger", "action"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from("\0\ud800")
near = st.sampled_from(["message.text", "time.hour", "eq", "in", "between", "notify", "task.overdue"])
anything = st.recursive(
    scalars | near | leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_any_json_is_read_or_refused(raw):
    for read in (read_condition, Compiled.model_validate):
        with suppress(ValidationError):
            read(raw)


@given(st.text(max_size=40), st.text(max_size=10))
@settings(max_examples=200, deadline=None)
def test_a_text_contains_itself_and_words_alone(text, other):
    whole = Text.of(text)
    assert whole.equals(text)
    assert whole.contains(text)
    assert Text.of(f"{other} {text} {other}").contains(text.upper()) or not whole.words
    for word in whole.words:
        assert whole.contains(word)


def test_never_leaves_the_calendar():
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    late = read_condition({"field": "time.hour", "op": "gte", "value": 0})
    for at in (first, last):
        for zone in ("America/Sao_Paulo", "Asia/Tokyo"):
            assert match(late, Situation(at=at, timezone=zone))
