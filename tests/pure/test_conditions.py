"""Conditions say what is so: by table, operator by operator, with what is refused."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from alfred.rules.conditions import (
    ALWAYS,
    Contact,
    Conversation,
    Situation,
    explain,
    match,
    read_condition,
)

MONDAY_20H = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)

ANA = Situation(
    text="Olá! Não é URGENTE, mas quero um *Desconto* na água de coco: R$50 👍",
    sentiment="negative",
    urgency="medium",
    negotiation=True,
    intent="price_question",
    language="pt",
    attachments=("image", "audio"),
    channel="whatsapp",
    contact=Contact(name="João da Silva", handle="@joao", vip=True, first_conversation=True),
    conversation=Conversation(status="pending", tags=("Atenção", "lead quente"), unread_count=3),
    at=MONDAY_20H,
)

HELD = [
    ("message.text", "contains", "desconto"),
    ("message.text", "contains", "nao e urgente"),
    ("message.text", "contains", "AGUA de Côco"),
    ("message.text", "contains", "R$ 50"),
    ("message.text", "contains", "👍"),
    ("message.text", "contains", "!"),
    ("message.text", "contains_any", ["preço", "desconto"]),
    ("message.text", "contains_all", ["olá", "desconto"]),
    ("message.text", "ne", "desconto"),
    ("message.sentiment", "eq", "negative"),
    ("message.sentiment", "ne", "positive"),
    ("message.sentiment", "in", ["negative", "neutral"]),
    ("message.urgency", "gte", "medium"),
    ("message.urgency", "gt", "low"),
    ("message.urgency", "lt", "high"),
    ("message.negotiation", "eq", True),
    ("message.negotiation", "eq", "true"),
    ("message.should_create_task", "eq", False),
    ("message.intent", "eq", "PRICE question"),
    ("message.intent", "in", ["greeting", "price_question"]),
    ("message.language", "eq", "pt-BR"),
    ("channel.type", "in", ["email", "WhatsApp"]),
    ("message.attachments", "contains", "Audio"),
    ("message.attachments", "contains_any", ["video", "image"]),
    ("message.attachments", "contains_all", ["audio", "image"]),
    ("contact.first_conversation", "eq", "true"),
    ("contact.vip", "ne", False),
    ("contact.name", "contains", "joao"),
    ("contact.name", "eq", "joao da silva"),
    ("contact.name", "in", ["Ana", "JOÃO DA SILVA"]),
    ("contact.handle", "eq", "joao"),
    ("contact.negotiation_mode", "eq", "suggest"),
    ("conversation.status", "in", ["open", "pending"]),
    ("conversation.tags", "contains", "atencao"),
    ("conversation.tags", "contains_any", ["vip", "lead quente"]),
    ("conversation.tags", "contains_all", ["atenção", "LEAD QUENTE"]),
    ("conversation.unread_count", "gt", 2),
    ("conversation.unread_count", "gte", "3"),
    ("conversation.unread_count", "between", [3, 5]),
    ("conversation.unread_count", "in", [1, 3]),
    ("time.hour", "eq", 20),
    ("time.hour", "between", [18, 8]),
    ("time.hour", "between", [20, 20]),
    ("time.hour", "between", [20, 23]),
    ("time.hour", "lte", 20.0),
    ("time.weekday", "eq", "monday"),
    ("time.weekday", "eq", "Mon"),
    ("time.weekday", "between", ["saturday", "monday"]),
    ("time.weekday", "in", [1, "tuesday"]),
]

NOT_HELD = [
    ("message.text", "contains", "desc"),
    ("message.text", "contains", "quero desconto"),
    ("message.text", "contains", "?"),
    ("message.text", "eq", "desconto"),
    ("message.text", "in", ["desconto", "olá"]),
    ("message.text", "contains_all", ["olá", "preço"]),
    ("message.sentiment", "eq", "neutral"),
    ("message.urgency", "gte", "high"),
    ("message.urgency", "lt", "medium"),
    ("message.language", "in", ["en", "es"]),
    ("message.attachments", "contains", "video"),
    ("message.attachments", "contains_all", ["audio", "video"]),
    ("contact.first_conversation", "ne", True),
    ("contact.vip", "eq", False),
    ("contact.name", "contains", "Jo"),
    ("conversation.tags", "contains", "lead"),
    ("conversation.tags", "contains_all", ["atenção", "vip"]),
    ("conversation.unread_count", "lt", 3),
    ("conversation.unread_count", "between", [4, 9]),
    ("time.hour", "between", [21, 19]),
    ("time.hour", "between", [8, 18]),
    ("time.weekday", "in", ["saturday", 7]),
    ("time.weekday", "between", [2, 7]),
]


def leaf(field, op, value):
    return read_condition({"field": field, "op": op, "value": value})


@pytest.mark.parametrize(("field", "op", "value"), HELD)
def test_holds(field, op, value):
    assert match(leaf(field, op, value), ANA)


@pytest.mark.parametrize(("field", "op", "value"), NOT_HELD)
def test_does_not_hold(field, op, value):
    assert not match(leaf(field, op, value), ANA)


REFUSED = [
    ("message.attachments", "contains", "photo"),
    ("message.attachments", "eq", "image"),
    ("contact.first_conversation", "eq", 1),
    ("message.text", "gt", "a"),
    ("message.text", "contains", ""),
    ("message.text", "contains", "  "),
    ("message.text", "contains", 5),
    ("message.text", "contains", ["a"]),
    ("message.text", "contains_any", "a"),
    ("message.text", "contains_any", []),
    ("message.text", "contains_any", ["a"] * 101),
    ("message.text", "contains", "a" * 1001),
    ("message.text", "contains", "a\0b"),
    ("message.text", "contains", "a\ud800"),
    ("message.sentiment", "eq", "furious"),
    ("message.sentiment", "gt", "negative"),
    ("message.sentiment", "in", "negative"),
    ("message.urgency", "eq", None),
    ("message.negotiation", "eq", "yes"),
    ("message.negotiation", "in", [True]),
    ("message.negotiation", "eq", 1),
    ("channel.type", "eq", "telegram"),
    ("contact.vip", "contains", True),
    ("conversation.tags", "eq", "vip"),
    ("conversation.tags", "contains", "a" * 51),
    ("conversation.unread_count", "gt", -1),
    ("conversation.unread_count", "gt", 1.5),
    ("conversation.unread_count", "gt", True),
    ("conversation.unread_count", "between", [5, 3]),
    ("conversation.unread_count", "between", [5]),
    ("time.hour", "eq", 24),
    ("time.hour", "between", 18),
    ("time.weekday", "eq", 0),
    ("time.weekday", "eq", 8),
    ("time.weekday", "eq", "someday"),
    ("message.sentiments", "eq", "negative"),
    ("message.text", "matches", ".*"),
]


@pytest.mark.parametrize(("field", "op", "value"), REFUSED)
def test_refuses_what_a_field_cannot_be_asked(field, op, value):
    with pytest.raises(ValidationError):
        leaf(field, op, value)


LEAF = {"field": "contact.vip", "op": "eq", "value": True}


def nested(depth):
    return LEAF if depth == 1 else {"not": nested(depth - 1)}


@pytest.mark.parametrize(
    "raw",
    [
        None, [], "vip", 5, {}, {"all": []}, {"any": []}, {"all": LEAF}, {"not": None}, {"not": [LEAF]},
        {"all": [LEAF], "any": [LEAF]}, {**LEAF, "note": "x"}, {"field": "contact.vip", "op": "eq"},
        nested(21), {"all": [LEAF] * 201}, {"any": [{"all": [LEAF] * 101}, {"all": [LEAF] * 100}]},
    ],
)  # fmt: skip
def test_refuses_what_is_no_condition(raw):
    with pytest.raises(ValidationError):
        read_condition(raw)


def test_takes_the_largest_that_is_allowed():
    assert match(read_condition({"all": [LEAF] * 200}), ANA)
    assert not match(read_condition(nested(20)), ANA)


def test_a_very_deep_condition_is_refused_without_recursion():
    raw = LEAF
    for _ in range(100_000):
        raw = {"not": raw}
    with pytest.raises(ValidationError, match="20 levels"):
        read_condition(raw)


def test_weekdays_and_flags_are_stored_in_one_form():
    stored = leaf("time.weekday", "in", ["Sunday", "mon", 3, "4"])
    assert stored.model_dump(mode="json")["value"] == [7, 1, 3, 4]
    assert leaf("contact.vip", "eq", "True").value is True


def test_hours_and_weekdays_are_the_users_own():
    in_tokyo = ANA.model_copy(update={"timezone": "Asia/Tokyo"})
    assert match(leaf("time.weekday", "eq", 2), Situation(at=MONDAY_20H, timezone="Asia/Tokyo"))
    assert match(leaf("time.hour", "eq", 17), Situation(at=MONDAY_20H, timezone="America/Sao_Paulo"))
    assert in_tokyo.timezone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "America", "a\0b"])
def test_refuses_an_unknown_time_zone(zone):
    with pytest.raises(ValidationError):
        Situation(at=MONDAY_20H, timezone=zone)


def test_explains_each_comparison():
    condition = read_condition(
        {
            "all": [
                {"field": "message.urgency", "op": "eq", "value": "medium"},
                {"not": {"field": "conversation.tags", "op": "contains", "value": "vip"}},
                {"any": [LEAF, {"field": "time.hour", "op": "lt", "value": 9}]},
            ]
        }
    )
    found = [finding.model_dump(mode="json") for finding in explain(condition, ANA)]
    assert [(each["condition"]["field"], each["held"], each["actual"]) for each in found] == [
        ("message.urgency", True, "medium"),
        ("conversation.tags", False, ["Atenção", "lead quente"]),
        ("contact.vip", True, True),
        ("time.hour", False, 20),
    ]
    assert found[2]["condition"] == LEAF


def test_explains_long_texts_in_short():
    long = Situation(text="a" * 10_000, at=MONDAY_20H)
    (finding,) = explain(leaf("message.text", "contains", "b"), long)
    assert len(str(finding.actual)) == 200


def test_unknown_facts_equal_and_contain_nothing():
    nothing = Situation(at=MONDAY_20H)
    for field in ("contact.name", "message.intent"):
        assert not match(leaf(field, "eq", "x"), nothing)
        assert match(leaf(field, "ne", "x"), nothing)
    assert not match(leaf("contact.name", "contains", "x"), nothing)
    assert not match(leaf("message.attachments", "contains", "image"), nothing)
    assert not match(leaf("message.urgency", "lt", "high"), nothing)
    assert match(ALWAYS, nothing)
