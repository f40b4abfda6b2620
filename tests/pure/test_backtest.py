"""A condition tried on the past ends in time."""

from datetime import UTC, datetime

from alfred.rules.backtest import Backtest, backtest
from alfred.rules.conditions import Compiled
from alfred.rules.situation import Situation

RULE = Compiled.model_validate(
    {
        "version": 1,
        "trigger": "message.received",
        "when": {"field": "message.text", "op": "contains", "value": "preço"},
        "then": [{"action": "notify"}],
    }
)


def situations(*texts):
    return (Situation(text=text, at=datetime(2026, 1, 1, tzinfo=UTC)) for text in texts)


def test_tells_which_match():
    assert backtest(RULE.when, situations("oi", "Qual o preco?", "PREÇO"), 60) == Backtest(3, [1, 2])
    assert backtest(RULE.when, situations(), 60) == Backtest(0, [])


def test_stops_when_the_time_is_over():
    assert backtest(RULE.when, situations("preço", "preço", "preço"), -1) == Backtest(1, [0])
