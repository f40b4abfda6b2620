"""Whether a message is about the price: asks, offers, objects or disputes."""

from alfred.ai.builtin.signals import Reading


def is_about_price(reading: Reading) -> bool:
    """Whether the price is asked, offered on, objected to or disputed."""
    if reading.has("price", "discount", "costly", "outrage", "dispute"):
        return True
    if "money" in reading.by and any(reading.asks(hit) for hit in reading.by["money"]):
        return True
    if "priceword" not in reading.by:
        return False
    return reading.words() <= 3 or any(reading.asks(hit) for hit in reading.by["priceword"])
