"""How many calls a channel gets that keeps failing."""

from uuid import uuid4

from alfred.crm.deliveries.breaker import FAILURES, Breaker
from alfred.senders.outcomes import Outcome

DEAD, OTHER, WELL = uuid4(), uuid4(), uuid4()


def failed(breaker, channel, times=FAILURES):
    for _ in range(times):
        breaker.note(channel, Outcome("transient"))


def test_a_failing_channel_is_tried_by_one_call():
    breaker = Breaker()
    failed(breaker, DEAD, FAILURES - 1)
    assert breaker.busy({DEAD: 2, WELL: 1}, each=4, calls=16) == {DEAD: 2, WELL: 1}
    failed(breaker, DEAD, 1)
    assert breaker.busy({WELL: 1}, each=4, calls=16) == {DEAD: 3, WELL: 1}
    assert breaker.busy({DEAD: 1, WELL: 1}, each=4, calls=16) == {DEAD: 4, WELL: 1}
    breaker.note(DEAD, Outcome("ok"))
    assert breaker.busy({WELL: 1}, each=4, calls=16) == {WELL: 1}


def test_failing_channels_together_leave_half_of_the_calls():
    breaker = Breaker()
    failed(breaker, DEAD)
    failed(breaker, OTHER)
    assert breaker.busy({DEAD: 1}, each=4, calls=4) == {DEAD: 4, OTHER: 3}
    assert breaker.busy({DEAD: 1}, each=4, calls=2) == {DEAD: 4, OTHER: 4}
