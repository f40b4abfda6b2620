"""Any text is a rule or is refused, quickly; every rule can be said back in each language."""

import time
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.rules.conditions import Compiled, Situation, match
from alfred.rules.sentence.compiler import NotUnderstood, explain_rule
from alfred.rules.sentence.compiler import compile as compile_rule
from alfred.rules.sentence.vocabulary import LANGUAGES, vocabulary

PIECES = {
    "pt": """quando se a mensagem for urgente negativa e ou não o cliente VIP pedir mencionar 'x' desconto
        me avise crie uma tarefa para amanhã marque com a tag responda no whatsapp depois das 18h entre 9h às
        exceto só aos fins de semana nem tanto como ontem 7 em horas que com sem de , . ( )""",
    "en": """when if the message is urgent negative and or not a customer VIP asks mentions 'x' refund , ( )
        notify me create a task tomorrow tag reply with on whatsapp after 6pm between 9am unless except
        only weekends either neither nor both from 7 in hours that without to .""",
    "es": """cuando si el mensaje es urgente negativo y o no un cliente VIP pida mencione 'x' descuento ,
        avísame crea una tarea para mañana etiqueta como responde en whatsapp después de las 18h entre 9h y
        excepto solo los fines de semana ni tanto como 7 horas que con sin de las , . ( )""",
}
salads = st.one_of(
    *(st.lists(st.sampled_from(pieces.split()), min_size=1, max_size=25).map(" ".join) for pieces in PIECES.values())
)


@given(st.text(max_size=80) | salads, st.sampled_from([None, *LANGUAGES]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_rule_or_is_refused(text, language):
    rule = None
    with suppress(NotUnderstood):
        rule = compile_rule(text, language=language)
    if rule is None:
        return
    dumped = rule.compiled.model_dump(mode="json", exclude_none=True)
    assert Compiled.model_validate(dumped) == rule.compiled
    assert match(rule.compiled.when, Situation(at=datetime(2026, 1, 5, tzinfo=UTC))) in (True, False)
    for each in LANGUAGES:
        assert explain_rule(rule.compiled, each)


@pytest.mark.parametrize(
    "sentence",
    [
        "Se " + "a mensagem for urgente ou " * 36 + "o cliente for VIP, me avise",
        "Quando mencionar " + "preço ou mencionar " * 45 + "frete, me avise",
        "If " + "either the message is urgent or " * 28 + "it is negative, notify me",
        "If " + "not (" * 60 + "urgent" + ")" * 60 + ", notify me",
        "Cuando pida " + "descuento, precio, " * 45 + "envío, avísame",
        "notify me " * 99,
        "( " * 499,
        "se " * 333,
        "'" * 999,
        "no " * 333,
        "cuando no " * 99,
        "tag " * 249,
        "& nuevas " * 99,
        "not (" * 199,
    ],
)
def test_long_sentences_take_no_time(sentence):
    started = time.perf_counter()
    with suppress(NotUnderstood):
        compile_rule(sentence)
    assert time.perf_counter() - started < 1


FIELDS = [
    ("message.sentiment", "in", ["negative", "neutral"]),
    ("message.should_create_task", "ne", True),
    ("message.intent", "eq", "greeting"),
    ("contact.handle", "ne", "@ana"),
    ("message.attachments", "contains_all", ["order", "story_mention"]),
    ("contact.first_conversation", "ne", True),
    ("contact.negotiation_mode", "eq", "auto"),
    ("conversation.tags", "contains_all", ["a", "b"]),
    ("conversation.unread_count", "between", [1, 3]),
    ("time.hour", "in", [8, 9]),
    ("time.hour", "gt", 17),
    ("time.hour", "lte", 8),
    ("time.weekday", "gte", 6),
    ("message.urgency", "gte", "medium"),
    ("message.text", "contains_all", ["a", "b"]),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("field", "op", "value"), FIELDS)
def test_says_back_what_no_sentence_says(language, field, op, value):
    leaf = {"field": field, "op": op, "value": value}
    then = [
        {"action": "create_task", "title": "x", "due_in": "P1M2DT3H4M"},
        {"action": "notify", "title": "y"},
    ]
    told = {
        explain_rule(Compiled.model_validate({"when": when, "then": then}), language)
        for when in (leaf, {"not": leaf}, {"any": [leaf, {"not": {"all": [leaf, leaf]}}]})
    }
    assert len(told) == 3


def test_says_whole_hours_and_brackets():
    late = {"field": "time.hour", "op": "gt", "value": 17}
    early = {"field": "time.hour", "op": "lt", "value": 8}
    vip = {"field": "contact.vip", "op": "eq", "value": True}
    when = {"all": [{"any": [late, early]}, {"not": vip}]}
    then = [{"action": "set_status", "status": "closed"}]
    assert explain_rule(Compiled.model_validate({"when": when, "then": then}), "en") == (
        "When a message arrives, if (it is 18:00 or later or it is before 8:00) "
        "and the contact is not a VIP: set the conversation to closed."
    )


def test_the_languages_know_the_same_things():
    known = {name: set(vocabulary(name).categories) for name in LANGUAGES}
    assert known["pt"] == known["en"] == known["es"]
