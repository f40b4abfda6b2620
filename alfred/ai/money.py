"""Amounts of money: rounded to what the currency has, and written as people write them."""

from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

_WHOLE = frozenset(("CLP", "COP", "PYG", "JPY", "KRW", "ISK", "HUF", "VND"))
_POINT = frozenset(("USD", "GBP", "MXN", "PEN", "JPY", "KRW", "CAD", "AUD"))
_SIGNS = {"BRL": "R$ ", "USD": "US$ ", "EUR": "€ ", "GBP": "£", "MXN": "MX$ ", "ARS": "AR$ ", "CLP": "CLP$ "}


def rounded(value: Decimal, currency: str, *, up: bool = False) -> Decimal:
    """An amount with the places that its currency has, always written with two."""
    unit = Decimal(1) if currency in _WHOLE else Decimal("0.01")
    return value.quantize(unit, ROUND_CEILING if up else ROUND_HALF_UP).quantize(Decimal("0.01"))


def written(value: Decimal, currency: str) -> str:
    """An amount as it is written where the currency is used: "R$ 1.200,50", "US$ 1,200.50"."""
    text = f"{value:,.0f}" if currency in _WHOLE else f"{value:,.2f}"
    if currency not in _POINT:
        text = text.translate(str.maketrans(",.", ".,"))
    return f"{_SIGNS.get(currency, currency + ' ')}{text}"
