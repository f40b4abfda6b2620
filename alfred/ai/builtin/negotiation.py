"""Whether a message is about the price: asks, offers, objects or disputes."""

from alfred.ai.builtin.signals import Reading


def is_about_price(reading: Reading) -> bool:
    """Whether the price is asked, offered on, objected to or disputed."""
    if reading.has("price", "discount", "costly", "outrage", "dispute"):
        return True
    if any(reading.asks(hit) for hit in reading.by.get("money", ())):
        return True
    return any(reading.asks(hit) or reading.words() <= 3 for hit in reading.by.get("priceword", ()))
