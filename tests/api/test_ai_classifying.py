"""The assistant reads messages, as it does those that come in."""

import pytest

from tests.api.suggesting import CLASSIFICATION, asked


async def test_reads_a_message(ana):
    answer = await asked(ana, "classify-message", {"text": "Cadê meu pedido? Preciso hoje!"})
    assert answer.keys() == CLASSIFICATION | {"signals"}
    assert answer == answer | {
        "sentiment": "negative",
        "urgency": "high",
        "negotiation": False,
        "should_create_task": True,
        "language": "pt",
        "provider": "mock",
    }
    assert -1 <= answer["sentiment_score"] < 0
    assert 0 <= answer["confidence"] <= 1
    assert answer["signals"]
    assert all(each.keys() == {"label", "rule", "span"} for each in answer["signals"])


async def test_reads_as_a_webhook_does(ana):
    text = "Me faz um desconto? Pago hoje"
    entry = await ana.hears(text)
    answer = await asked(ana, "classify-message", {"text": text})
    assert {name: answer[name] for name in CLASSIFICATION} == entry["classification"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bom dia, vocês entregam amanhã?", "pt"),
        ("Good morning, do you deliver tomorrow?", "en"),
        ("Buenos días, ¿entregan mañana?", "es"),
    ],
)
async def test_tells_the_language(ana, text, language):
    assert (await asked(ana, "classify-message", {"text": text}))["language"] == language


@pytest.mark.parametrize("text", ["", "   ", "😀", "?", "\u200b", "1234567890", "x" * 65_536, "preço " * 10_000])
async def test_reads_anything(ana, text):
    answer = await asked(ana, "classify-message", {"text": text})
    assert answer.keys() == CLASSIFICATION | {"signals"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": None}, "/text"),
        ({"text": ["x"]}, "/text"),
        ({"text": "x" * 65_537}, "/text"),
        ({"text": "a\x00b"}, "/text"),
        ({"text": "\ud800"}, "/text"),
        ({"text": "x", "language": "klingon"}, "/language"),
        ({"text": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_refuses_what_is_no_message(ana, body, pointer):
    status, problem = await ana.post("/ai/classify-message", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
