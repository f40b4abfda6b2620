"""A compiled rule: what is one, how it is kept, and how long a duration lasts."""

import pytest
from pydantic import ValidationError

from alfred.rules.conditions import (
    Compiled,
    delay,
)
from tests.pure.test_conditions import LEAF

RULE = {
    "version": 1,
    "trigger": "message.received",
    "when": {"all": [LEAF, {"not": {"field": "time.hour", "op": "between", "value": [18, 8]}}]},
    "then": [
        {"action": "notify"},
        {"action": "create_task", "title": "Ligar", "priority": "urgent", "due_in": "PT2H"},
        {"action": "add_tag", "tag": "vip"},
        {"action": "set_status", "status": "closed"},
        {"action": "send_reply", "body": "Olá"},
    ],
}


def test_a_rule_goes_through_json_unchanged():
    for without in (True, False):
        assert Compiled.model_validate(RULE).model_dump(mode="json", exclude_none=without) == RULE
    assert Compiled.model_validate_json(Compiled.model_validate(RULE).model_dump_json(exclude_none=True))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2}, {"trigger": "message.sent"}, {"when": None}, {"then": []}, {"then": None},
        {"then": [{"action": "notify"}] * 21}, {"name": "x"},
        {"then": [{"action": "explode"}]}, {"then": [{"action": "notify", "body": "x"}]},
        {"then": [{"action": "create_task"}]}, {"then": [{"action": "create_task", "title": ""}]},
        {"then": [{"action": "create_task", "title": "x" * 201}]},
        {"then": [{"action": "create_task", "title": "x", "priority": "huge"}]},
        {"then": [{"action": "create_task", "title": "x", "due_in": "tomorrow"}]},
        {"then": [{"action": "create_task", "title": "x", "due_in": "P2Y"}]},
        {"then": [{"action": "create_task", "title": "x", "due_in": "-P1D"}]},
        {"then": [{"action": "add_tag", "tag": ""}]}, {"then": [{"action": "add_tag", "tag": "x" * 51}]},
        {"then": [{"action": "set_status", "status": "lost"}]},
        {"then": [{"action": "send_reply", "body": " "}]},
        {"then": [{"action": "send_reply", "body": "x\0"}]},
        {"then": [{"action": "send_reply", "body": "x" * 65_537}]},
    ],
)  # fmt: skip
def test_refuses_what_is_no_rule(change):
    with pytest.raises(ValidationError):
        Compiled.model_validate(RULE | change)


@pytest.mark.parametrize(
    ("duration", "hours"),
    [("PT2H", 2), ("P1D", 24), ("P1W", 168), ("P1M", 720), ("PT90M", 1.5), ("P1DT1H", 25), ("PT0.5H", 0.5)],
)
def test_reads_durations(duration, hours):
    assert delay(duration).total_seconds() == hours * 3600


@pytest.mark.parametrize("duration", ["", "P", "PT", "1D", "P1H", "PT1D", "P1DT", "p1d", "P1D ", "P١D"])
def test_refuses_what_is_no_duration(duration):
    with pytest.raises(ValueError, match="ISO 8601"):
        delay(duration)
