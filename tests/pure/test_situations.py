"""A situation that a request describes in part: what it leaves out is filled in from the classification."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from alfred.rules.conditions import (
    Contact,
    Conversation,
    Situation,
    SituationInput,
    fill,
)
from tests.pure.test_conditions import MONDAY_20H

CLASSIFIED = Situation(sentiment="negative", urgency="high", negotiation=True, language="pt", at=MONDAY_20H)


def test_fills_what_a_request_leaves_out():
    given = SituationInput.model_validate({"text": "Oi", "urgency": "low", "contact": {"vip": "true"}})
    assert fill(given, CLASSIFIED, MONDAY_20H, "UTC") == Situation(
        text="Oi", sentiment="negative", urgency="low", negotiation=True, language="pt",
        contact=Contact(vip=True), at=MONDAY_20H,
    )  # fmt: skip


def test_takes_everything_that_a_request_gives():
    raw = {
        "text": "", "sentiment": "positive", "urgency": "", "negotiation": "false",
        "should_create_task": None, "intent": "greeting", "language": "es-MX", "channel": "email",
        "at": "2026-01-05T20:30:00",
        "contact": {"name": "Ana", "handle": "a@b.c", "negotiation_mode": "auto"},
        "conversation": {"status": "closed", "tags": ["vip"], "unread_count": "4"},
    }  # fmt: skip
    filled = fill(SituationInput.model_validate(raw), CLASSIFIED, datetime.now(UTC), "Europe/Lisbon")
    assert filled.urgency == "high"
    assert filled.negotiation is False
    assert filled.language == "es"
    assert filled.at == MONDAY_20H
    assert filled.contact == Contact(name="Ana", handle="a@b.c", negotiation_mode="auto")
    assert filled.conversation == Conversation(status="closed", tags=("vip",), unread_count=4)


@pytest.mark.parametrize(
    "raw",
    [
        {}, {"text": None}, {"text": "x", "mood": 1}, {"text": "x", "channel": "telegram"},
        {"text": "x", "contact": {"age": 5}}, {"text": "x", "conversation": {"unread_count": -1}},
        {"text": "x", "at": "soon"}, {"text": "x", "language": "fr"}, {"text": "x", "conversation": []},
    ],
)  # fmt: skip
def test_refuses_what_is_no_situation(raw):
    with pytest.raises(ValidationError):
        SituationInput.model_validate(raw)
