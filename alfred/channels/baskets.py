"""Baskets: prices and quantities as providers write them."""

from decimal import Decimal, InvalidOperation

from alfred.channels.clean import Object, first, text
from alfred.channels.item import OrderItem

CENT = Decimal("0.01")
BIGGEST = Decimal(10**12)
MOST_PIECES = 10**9


def price_of(value: object) -> str | None:
    """A decimal string with two places; null where it is no price."""
    written = text(value)
    try:
        amount = Decimal(written) if written and len(written) < 50 else None
    except InvalidOperation:
        return None
    if amount is None or not amount.is_finite() or not 0 <= amount < BIGGEST:
        return None
    return str(amount.quantize(CENT))


def quantity_of(value: object) -> int | None:
    written = text(value) or ""
    number = int(float(written)) if written.replace(".0", "").isdigit() and len(written) < 20 else 0
    return number if 0 < number < MOST_PIECES else None


def line_of(product: Object, sku: str, price: str | None) -> OrderItem:
    """A line of a basket; `sku` and `price` are the provider's fields for them."""
    currency = first(product.get("currency"))
    return OrderItem(
        sku=text(product.get(sku)),
        quantity=quantity_of(product.get("quantity")),
        price=price_of(product.get(price)) if price else None,
        currency=currency,
    )
