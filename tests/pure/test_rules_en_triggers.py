"""What sellers write in English of what happens, and the rule that it is."""

import pytest

from tests.pure.test_rules_shorthand import (
    ALWAYS,
    FIRST,
    NOTIFY,
    VIP,
    channel,
    check,
    tag,
    task,
)

TRIGGERS = [
    ("Whenever a task is overdue, notify me", ALWAYS, [NOTIFY], "task.overdue"),
    (
        "When a lead goes cold, create a task to call the customer tomorrow",
        ALWAYS,
        [task("Call the customer", due_in="P1D")],
        "lead.stalled",
    ),
    (
        "When a new conversation starts on Instagram, tag it 'new'",
        channel("instagram"),
        [tag("new")],
        "conversation.created",
    ),
    (
        "When a task is overdue and the contact is VIP, create an urgent task",
        VIP,
        [task("Follow up", "urgent")],
        "task.overdue",
    ),
    ('For each new conversation, tag it "new"', ALWAYS, [tag("new")], "conversation.created"),
    ("When a new customer writes, notify me", FIRST, [NOTIFY], "conversation.created"),
    ("When someone writes for the first time, notify me", FIRST, [NOTIFY], "conversation.created"),
]


@pytest.mark.parametrize(("sentence", "when", "then", "trigger"), TRIGGERS)
def test_compiles_what_happens(sentence, when, then, trigger):
    check("en", sentence, when, then, trigger)
