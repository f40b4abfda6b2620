"""The built-in suggestions: replies and follow-ups."""

from datetime import UTC, date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.ai.builtin.dates import named_day
from alfred.ai.builtin.follow_ups import follow_up
from alfred.ai.builtin.replies import phrases, reply
from alfred.ai.builtin.signals import read
from alfred.ai.provider import FollowUpRequest, ReplyRequest
from alfred.terms import Language, Tone

TUESDAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


def answer(*texts: str, **settings: Any) -> str:
    return reply(ReplyRequest(texts=texts, **settings), "mock").reply


def test_answers_the_whole_turn() -> None:
    said = answer("oi", "quanto custa o bolo?", "qual o prazo de entrega?", facts={"price": "R$ 90"})

    assert "R$ 90" in said
    assert "{{prazo}}" in said


def test_leaves_a_placeholder_where_a_fact_is_missing() -> None:
    assert "{{price}}" in answer("how much is it?")


def test_calls_the_contact_by_the_first_name() -> None:
    assert "Ana" in answer("oi", contact_name="Ana Paula Souza")
    assert "Souza" not in answer("oi", contact_name="Ana Paula Souza")


def test_writes_in_the_customers_language_first() -> None:
    def language(*texts: str, **settings: Any) -> str:
        return reply(ReplyRequest(texts=texts, **settings), "mock").language

    assert language("quanto custa isso?", conversation_language="en", user_language="es") == "pt"
    assert language("👍", conversation_language="en", user_language="es") == "en"
    assert language("👍", user_language="es") == "es"
    assert language("quanto custa isso?", language="en") == "en"


def test_offers_only_where_the_settings_allow_it() -> None:
    facts = {"price": "R$ 100", "offer": "R$ 90"}

    assert "R$ 90" not in answer("faz por 80?", facts=facts)
    assert "R$ 90" not in answer("faz por 80?", facts=facts, negotiation_enabled=True, negotiation_mode="off")
    assert "R$ 90" in answer("faz por 80?", facts=facts, negotiation_enabled=True, negotiation_mode="auto")


def test_varies_by_conversation_but_not_by_chance() -> None:
    said = {answer("oi", contact_name="Ana", seed=str(seed)) for seed in range(20)}

    assert len(said) > 1
    assert answer("oi", seed="7") == answer("oi", seed="7")


@pytest.mark.parametrize("language", get_args(Language))
def test_every_tone_has_every_situation(language: Language) -> None:
    found = phrases(language)
    keys = set(found["neutral"])

    assert {"greeting", "price_question", "discount_fixed", "complaint", "order", "thanks", "unclear"} <= keys
    assert all(set(found[tone]) == keys for tone in get_args(Tone))


@given(
    st.lists(st.text(max_size=60), max_size=4),
    st.text(max_size=250),
    st.dictionaries(st.sampled_from(["price", "offer", "answer", "order"]), st.text(max_size=800), max_size=4),
    st.sampled_from(get_args(Tone)),
)
@settings(max_examples=80, deadline=None)
def test_a_reply_is_never_empty_nor_too_long(texts: list[str], name: str, facts: dict[str, str], tone: Tone) -> None:
    said = answer(*texts, contact_name=name, facts=facts, tone=tone)

    assert 0 < len(said) <= 600


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("te pago hoje", "2026-11-24"),
        ("amanhã eu passo aí", "2026-11-25"),
        ("depois de amanhã", "2026-11-26"),
        ("pago na sexta", "2026-11-27"),
        ("el lunes te confirmo", "2026-11-30"),
        ("on tuesday", "2026-12-01"),
        ("next friday", "2026-12-04"),
        ("semana que vem", "2026-11-30"),
        ("next week", "2026-11-30"),
        ("la próxima semana", "2026-11-30"),
        ("mês que vem te pago", "2026-12-01"),
        ("no fim do mês", "2026-11-30"),
        ("after the 5th", "2026-12-06"),
        ("depois do dia 5", "2026-12-06"),
        ("dia 12/12 eu acerto", "2026-12-12"),
        ("on 12/03", "2026-12-03"),
        ("el 5 de marzo", "2027-03-05"),
        ("March 5th", "2027-03-05"),
        ("te deposito en 3 días", "2026-11-27"),
        ("daqui a duas semanas", "2026-12-08"),
        ("dia 31", "2026-11-30"),
    ],
)
def test_reads_promised_days(text: str, day: str) -> None:
    found = named_day(read(text), TUESDAY)

    assert found is not None
    assert found.day == date.fromisoformat(day)


@pytest.mark.parametrize("text", ["sexta passada", "last friday", "segunda via do boleto", "o pedido 45", "obrigado"])
def test_reads_no_day_where_none_is_promised(text: str) -> None:
    assert named_day(read(text), TUESDAY) is None


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("pago na sexta", "2026-11-27 10:00"),
        ("meu pedido chegou quebrado", "2026-11-24 14:00"),
        ("preciso disso urgente", "2026-11-24 11:30"),
        ("quanto custa?", "2026-11-25 10:00"),
        ("ok", "2026-11-27 10:00"),
    ],
)
def test_follows_up_in_time(text: str, due: str) -> None:
    request = FollowUpRequest(texts=(text,), now=NOW, timezone="America/Sao_Paulo")
    local = follow_up(request, "mock").due_date.astimezone(ZoneInfo("America/Sao_Paulo"))

    assert f"{local:%Y-%m-%d %H:%M}" == due


def test_follows_up_in_working_hours() -> None:
    saturday_night = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)
    got = follow_up(FollowUpRequest(texts=("preciso disso urgente",), now=saturday_night), "mock")

    assert got.due_date == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@given(
    st.text(max_size=80),
    st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "America/Sao_Paulo", "Pacific/Apia", "nowhere/at all", "../../etc/passwd", ""]),
)
@settings(max_examples=100, deadline=None)
def test_a_follow_up_is_never_in_the_past(text: str, now: datetime, zone: str) -> None:
    for words in (text, "amanhã " + text, "31/12 " + text):
        assert follow_up(FollowUpRequest(texts=(words,), now=now, timezone=zone), "mock").due_date >= now
