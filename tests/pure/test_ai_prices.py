"""The built-in suggestions of prices, and the amounts that are read for them."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.ai.builtin.amounts import amounts, number, offered, quantity
from alfred.ai.builtin.prices import price
from alfred.ai.builtin.signals import read
from alfred.ai.money import written
from alfred.ai.provider import PriceRequest


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ("1.200,50", 1200.5),
        ("1,200.50", 1200.5),
        ("1.200", 1200),
        ("1,5", 1.5),
        ("12.345.678", 12345678),
    ],
)
def test_reads_numbers(text: str, value: float) -> None:
    assert number(text) == Decimal(str(value))


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("faz por 80?", 80, None),
        ("R$ 1.200,50 fecha?", 1200.5, "BRL"),
        ("80 bucks?", 80, "USD"),
        ("dou mil e duzentos", 1200, None),
        ("te doy doscientos cincuenta", 250, None),
        ("would you take two hundred and fifty?", 250, None),
        ("faz por 1,5 mil?", 1500, None),
        ("can you do 2k?", 2000, None),
        ("faz por 50€?", 50, "EUR"),
    ],
)
def test_reads_what_the_customer_offers(text: str, value: float, currency: str | None) -> None:
    found = offered(read(text))

    assert found is not None
    assert (found.value, found.currency) == (Decimal(str(value)), currency)


@pytest.mark.parametrize("text", ["entrega em 3 dias?", "somos 4 pessoas", "obrigado", "moro no número 80"])
def test_takes_no_other_number_for_an_offer(text: str) -> None:
    assert offered(read(text)) is None


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("se eu levar 3 faz desconto?", 3), ("10 unidades", 10), ("could you do 200 for both?", 2)],
)
def test_reads_how_many(text: str, pieces: int) -> None:
    found = quantity(read(text))

    assert found is not None
    assert found.value == pieces


def asked(text: str, **settings: Any) -> tuple[str, str, str]:
    request = {
        "base_price": Decimal(100),
        "negotiation_enabled": True,
        "negotiation_mode": "suggest",
    } | settings
    got = price(PriceRequest(texts=(text,), **request), "mock")
    return str(got.minimum), str(got.suggested), str(got.maximum)


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        ("quanto custa?", {}, ("90.00", "100.00", "100.00")),
        ("faz um desconto?", {}, ("90.00", "95.00", "100.00")),
        ("faz por 95?", {}, ("90.00", "97.50", "100.00")),
        ("faz por 95?", {"negotiation_mode": "auto"}, ("90.00", "95.00", "100.00")),
        ("faz por 50?", {"negotiation_mode": "auto"}, ("90.00", "90.00", "100.00")),
        ("faz por 500?", {}, ("90.00", "100.00", "100.00")),
        ("faz por 80?", {"vip": True}, ("85.00", "92.50", "100.00")),
        ("os dois por 190?", {"negotiation_mode": "auto"}, ("90.00", "95.00", "100.00")),
        ("faz por 50 euros?", {}, ("90.00", "95.00", "100.00")),
        ("faz por 80?", {"custom_price": Decimal(90)}, ("85.50", "87.75", "90.00")),
        ("faz por 80?", {"negotiation_enabled": False}, ("100.00", "100.00", "100.00")),
        (
            "¿me lo dejas en 9500?",
            {"base_price": Decimal(9999), "currency": "CLP"},
            ("9000.00", "9750.00", "9999.00"),
        ),
    ],
)
def test_prices(text: str, settings: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert asked(text, **settings) == expected


@given(
    st.text(max_size=80),
    st.decimals(0, 10**9, places=2),
    st.one_of(st.none(), st.decimals(0, 10**9, places=2)),
    st.booleans(),
    st.sampled_from(["off", "suggest", "auto"]),
)
@settings(max_examples=80, deadline=None)
def test_a_price_never_leaves_its_range(text: str, base: Decimal, custom: Decimal | None, vip: bool, mode: Any) -> None:
    request = PriceRequest(
        texts=(text, "faz por 1?"),
        base_price=base,
        custom_price=custom,
        vip=vip,
        negotiation_enabled=True,
        negotiation_mode=mode,
    )
    got = price(request, "mock")

    assert 0 <= got.minimum <= got.suggested <= got.maximum


def test_says_each_step_in_the_users_language() -> None:
    request = PriceRequest(
        texts=("faz por 80?",),
        user_language="en",
        base_price=Decimal(100),
        negotiation_enabled=True,
        negotiation_mode="suggest",
    )

    assert price(request, "mock").rationale == (
        "base price R$ 100,00; up to 10% off; the customer offered R$ 80,00; under the minimum"
    )


@pytest.mark.parametrize(
    ("currency", "text"),
    [
        ("BRL", "R$ 1.234,50"),
        ("USD", "US$ 1,234.50"),
        ("CLP", "CLP$ 1.234"),
        ("EUR", "€ 1.234,50"),
        ("UYU", "UYU 1.234,50"),
    ],
)
def test_writes_each_currency_in_its_own_way(currency: str, text: str) -> None:
    assert written(Decimal("1234.50"), currency) == text


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_amounts_of_any_text(text: str) -> None:
    assert all(amount.value >= 0 for amount in amounts(read(text), counts=True))
