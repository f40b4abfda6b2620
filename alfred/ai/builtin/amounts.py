"""Money in text: "R$ 1.200,50", "80 bucks", "1,5 mil", "mil e duzentos", and how many of a thing."""

import re
import tomllib
from decimal import Decimal
from typing import NamedTuple

from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.signals import Reading

LARGEST = Decimal(10) ** 12
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")
_PLAIN = re.compile(r"[\d.,]+")
_DATA = tomllib.loads((FOLDER / "amounts.toml").read_text(encoding="utf-8"))
_CURRENCIES: dict[str, str] = _DATA["currencies"]
_SCALES: dict[str, int] = _DATA["scales"]
_AND, _UNITS, _PIECES = frozenset(_DATA["and"]), frozenset(_DATA["units"]), frozenset(_DATA["pieces"])
_OFFER = frozenset(_DATA["offer"])
_TAKE, _PAIRS = frozenset(_DATA["take"]), frozenset(_DATA["pairs"])
_WORDS: dict[str, int] = {
    word: int(value)
    for table in _DATA["numbers"].values()
    for word, value in zip(table.split()[::2], table.split()[1::2], strict=True)
}


class Amount(NamedTuple):
    """A number in the text: its value, its currency where that was said, its first and last token."""

    value: Decimal
    currency: str | None
    first: int
    last: int
    percent: bool = False


def number(written: str) -> Decimal | None:
    """The value of "1.200,50", "1,200.50", "1.200", "80" or "2k"."""
    found = _PLAIN.match(written)
    if not found:
        return None
    digits = found[0].rstrip(".,")
    last = max(digits.rfind("."), digits.rfind(","))
    grouped = _GROUPED.fullmatch(digits) is not None and len(set(digits) & set(".,")) == 1
    if last < 0 or grouped:
        plain = re.sub(r"[.,]", "", digits)
    else:
        plain = re.sub(r"[.,]", "", digits[:last]) + "." + digits[last + 1 :]
    scale = 1000 if written[found.end() :].strip() == "k" else 1
    value = Decimal(plain) * scale
    return value if value <= LARGEST else None


def amounts(reading: Reading, *, counts: bool = False) -> list[Amount]:
    """The numbers of a text that may be money, and percentages; with `counts` also those of days."""
    found: list[Amount] = []
    at = 0
    while at < len(reading.tokens):
        amount = _written(reading, at) or _spoken(reading, at)
        if amount is not None and (counts or not _counts(reading, amount)):
            found.append(_named(reading, amount))
        at = amount.last + 1 if amount else at + 1
    return found


def _written(reading: Reading, at: int) -> Amount | None:
    tokens = reading.tokens
    if tokens[at].kind not in ("number", "amount", "percent"):
        return None
    value = number(tokens[at].form)
    if value is None:
        return None
    last = at
    if at + 1 < len(tokens) and tokens[at + 1].form in _SCALES and tokens[at].kind != "percent":
        value, last = value * _SCALES[tokens[at + 1].form], at + 1
    before = tokens[at - 1].form.lower() if at and tokens[at - 1].kind == "money" else ""
    return Amount(value, _CURRENCIES.get(before) or None, at, last, tokens[at].kind == "percent")


def _spoken(reading: Reading, at: int) -> Amount | None:
    """A number in words: "mil e duzentos", "two hundred and fifty"."""
    total, part, last, at_start = 0, 0, at - 1, at
    while at < len(reading.tokens):
        word = reading.tokens[at].form
        if word in _WORDS:
            part += _WORDS[word]
        elif word in _SCALES and word != "k" and (part or word == "mil"):
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word not in _AND or last < at_start:
            break
        else:
            at += 1
            continue
        last, at = at, at + 1
    if last < at_start:
        return None
    return Amount(Decimal(total + part), None, at_start, last)


def _counts(reading: Reading, amount: Amount) -> bool:
    """Whether days, people or the like follow the number."""
    return _after(reading, amount) in _UNITS


def _named(reading: Reading, amount: Amount) -> Amount:
    """The amount with the currency that follows it."""
    after = _after(reading, amount)
    if after in _CURRENCIES and amount.currency is None:
        return amount._replace(currency=_CURRENCIES[after] or None, last=amount.last + 1)
    return amount


def _after(reading: Reading, amount: Amount) -> str:
    return reading.tokens[amount.last + 1].form.lower() if amount.last + 1 < len(reading.tokens) else ""


def quantity(reading: Reading) -> Amount | None:
    """How many pieces the customer speaks of: "levar 3", "10 unidades", "both"."""
    for amount in amounts(reading):
        if amount.percent or amount.currency or not 2 <= amount.value <= 10_000 or amount.value % 1:
            continue
        before = reading.tokens[amount.first - 1].form if amount.first else ""
        after = _after(reading, amount)
        paired = amount.value == 2 and reading.tokens[amount.first].form in _PAIRS
        if after in _PIECES or _is_plural(after) or (before in _TAKE and (amount.value < 20 or paired)) or paired:
            return amount
    return None


def offered(reading: Reading) -> Amount | None:
    """The price or the discount in percent that the customer names, where the message is about the price."""
    if not any(label in reading.by for label in ("price", "discount", "money", "costly", "outrage", "dispute")):
        return None
    pieces = quantity(reading)
    named = [amount for amount in amounts(reading) if pieces is None or amount.first != pieces.first]
    named = [amount for amount in named if amount.value > 0 and not (amount.percent and amount.value >= 100)]
    marked = [amount for amount in named if amount.currency or amount.percent]
    choices = marked or [
        amount for amount in named if _is_led(reading, amount) and not _is_plural(_after(reading, amount))
    ]
    return choices[-1] if choices else None


def _is_led(reading: Reading, amount: Amount) -> bool:
    """Whether a word that offers stands before it, or the number alone is what is said."""
    before = [token.form.lower() for token in reading.tokens[max(0, amount.first - 3) : amount.first]]
    return not _OFFER.isdisjoint(before) or (not before and amount.last + 1 >= len(reading.tokens))


def _is_plural(word: str) -> bool:
    """Whether a number before it counts things ("4 cadeiras"): a plural, and no word of money or time."""
    return len(word) > 3 and word.endswith("s") and word not in _UNITS and word not in _CURRENCIES
