"""The built-in classifier answers for any text."""

import pytest

from alfred.ai.mock import MockAIProvider, classify


@pytest.mark.parametrize("text", ["", "   ", "\n", "🤷", "zxqw"])
def test_unknown_is_neutral_low_and_false(text: str) -> None:
    got = classify(text)

    assert (got.sentiment, got.urgency, got.negotiation, got.should_create_task) == (
        "neutral",
        "low",
        False,
        False,
    )
    assert got.language is None


async def test_the_provider_answers_as_the_function_does() -> None:
    assert await MockAIProvider().classify("adorei!") == classify("adorei!")
