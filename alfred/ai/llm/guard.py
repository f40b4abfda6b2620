"""What a model may say to a customer: no price, date, promise or address that the seller has not given it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from alfred.ai.builtin.amounts import Amount, amounts, number
from alfred.ai.builtin.signals import Reading, read
from alfred.ai.llm import guard_words
from alfred.ai.llm.masking import REACHING, findings, plain
from alfred.terms import Language

LONGEST = 600
SAME_WORDS = 4  # of the instructions, one after the other, give them away
Fault = Literal["length", "markup", "amount", "number", "free", "date", "contact", "language", "prompt", "placeholder"]

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_BARE = re.compile(r"\d+(?:[.,]\d+)*(?![.,]?\d|\s?%)")
_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,40}\}\}")
_SENTENCE = re.compile(r"[.!?;](?:\s|$)|\n")


@dataclass(frozen=True)
class Allowed:
    """What an answer may hold: amounts in figures, and the texts of the seller's own that it may repeat."""

    language: Language
    amounts: frozenset[Decimal] = frozenset()
    sources: tuple[str, ...] = field(default=(), repr=False)  # facts, and the built-in assistant's draft
    heard: tuple[str, ...] = field(default=(), repr=False)  # the customer's words, which allow nothing but counts
    instructions: str = field(default="", repr=False)
    placeholders: frozenset[str] = frozenset()
    returned: tuple[str, ...] = field(default=(), repr=False)  # the customer's street and the like
    name: str = field(default="", repr=False)  # the customer's: its letters may stand, and no day is meant by it


def fault_of(text: str, allowed: Allowed) -> Fault | None:
    """What speaks against a text, with the customer's data in it again; None where it may be shown."""
    if not text.strip() or len(text) > LONGEST:
        return "length"
    bare = _PLACEHOLDER.sub(" ", unicodedata.normalize("NFC", text))
    for value in allowed.returned:
        bare = bare.replace(value, " ")
    sources = "\n".join(allowed.sources)
    if fault := _wrong_signs(text, bare, allowed):
        return fault
    folded = fold(bare)
    if guard_words.INSIDE.search(folded) or _repeats(folded, fold(allowed.instructions)):
        return "prompt"
    if _reaching(bare) - _reaching(sources):
        return "contact"
    reading = read(bare)
    if not _speaks(reading, allowed.language):
        return "language"
    return _wrong_number(bare, reading, allowed) or _wrong_words(bare, folded, allowed)


def _wrong_signs(text: str, bare: str, allowed: Allowed) -> Fault | None:
    """Braces, tags, and signs that look like others: digits and letters of other writings than the seller's."""
    kept = {f"{{{{{one}}}}}".lower() for one in allowed.placeholders}
    if {found.lower() for found in _PLACEHOLDER.findall(text)} - kept:
        return "placeholder"
    if guard_words.MARKUP.search(bare):
        return "markup"
    foreign = {sign for sign in bare if sign > "\x7f"} - set("\n".join((*allowed.sources, allowed.name)))
    if any(sign.isalpha() and not (sign <= "\u024f" or "\u1e00" <= sign <= "\u1eff") for sign in foreign):
        return "markup"
    if any(sign.isnumeric() or unicodedata.category(sign) == "Sc" for sign in foreign):
        return "number"
    return None


def _wrong_words(bare: str, folded: str, allowed: Allowed) -> Fault | None:
    """Amounts, gifts and days in words that the seller has not said."""
    ours = fold("\n".join(allowed.sources))
    if any(found[0] not in ours for found in guard_words.IN_WORDS.finditer(folded)) or _is_shared(bare, ours, allowed):
        return "amount"
    if any(found[0] not in ours for found in guard_words.FREE.finditer(folded)):
        return "free"
    own = guard_words.ALSO_NAMES.intersection(fold(allowed.name).split())
    days = {found[0].removesuffix("-feira") for found in guard_words.DAYS.finditer(folded)}
    if any(day not in ours for day in days - own):
        return "date"
    said = "\n".join(allowed.sources).lower()
    return "date" if any(found[0].lower() not in said for found in guard_words.O_CLOCK.finditer(bare)) else None


def fold(text: str) -> str:
    """Lower case, no accents, one blank between words; other alphabets stay what they are."""
    flat = unicodedata.normalize("NFKD", text)
    return " ".join("".join(sign for sign in flat if not unicodedata.combining(sign)).lower().split())


def amounts_in(texts: Sequence[str]) -> frozenset[Decimal]:
    """The amounts of money in the seller's own texts."""
    return frozenset(value for value, _ in _priced(texts))


def _priced(texts: Sequence[str]) -> set[tuple[Decimal, str]]:
    """The amounts of money, each with its currency."""
    read_out = {(one.value, one.currency) for text in texts for one in amounts(read(text)) if one.currency is not None}
    return read_out | {
        (value, currency)
        for text in texts
        for found in _DIGITS.finditer(text)
        if (currency := _currency_of(text, found)) is not None and (value := number(found[0])) is not None
    }


def _reaching(text: str) -> set[str]:
    spelt = {plain("link", found[0].strip()) for found in guard_words.ADDRESS.finditer(text)}
    return spelt | {plain(found.kind, found.of(text)) for found in findings(text, kinds=REACHING)}


def _unreaching(text: str) -> str:
    """Without what reaches somebody, whose figures are no numbers: it is judged apart."""
    for found in reversed(findings(text, kinds=REACHING)):
        text = f"{text[: found.start]} {text[found.end :]}"
    return text


def _is_of_instalments(text: str, digits: re.Match[str]) -> bool:
    return guard_words.INSTALMENTS.match(fold(text[digits.end() : digits.end() + 16])) is not None


def _speaks(reading: Reading, language: Language) -> bool:
    """Whether it is that language, or too short to tell."""
    best = max(reading.scores.values())
    return best < 2.0 or reading.scores[language] >= 0.7 * best


def _wrong_number(text: str, reading: Reading, allowed: Allowed) -> Fault | None:
    sources, text = _unreaching("\n".join(allowed.sources)), _unreaching(text)
    ours = {value for found in _BARE.findall(sources) if (value := number(found)) is not None} | allowed.amounts
    priced = _priced(allowed.sources)
    for amount in amounts(reading, counts=True):
        if amount.currency is not None and amount.value not in allowed.amounts:
            return "amount"
        if amount.percent and f"{amount.value.normalize():f}%" not in sources.replace(" ", "").replace(",", "."):
            return "amount"
        if amount.value >= 10 and amount.value not in ours and _is_in_words(reading, amount, allowed.language):
            return "amount"
    for found in _BARE.finditer(text):  # percentages are judged above
        value, currency = number(found[0]), _currency_of(text, found)
        if value is None:
            return "number"
        if guard_words.THOUSAND.match(text, found.end()):
            value *= 1000
        if currency is not None:
            if value not in allowed.amounts or not any(value == one and _is_same(currency, of) for one, of in priced):
                return "amount"
        elif value not in ours and not _is_a_count(text, found, allowed):
            return "number"
        if _is_of_instalments(text, found) and not any(
            value == number(one[0]) and _is_of_instalments(sources, one) for one in _DIGITS.finditer(sources)
        ):
            return "number"
    return None


def _currency_of(text: str, digits: re.Match[str]) -> str | None:
    """The currency that stands beside a number; None where it is no money."""
    around = text[max(0, digits.start() - 4) : digits.start()], text[digits.end() : digits.end() + 4]
    if code := guard_words.CODE.search(around[0]) or guard_words.CODE.match(around[1].lstrip()):
        return code[1]
    before = guard_words.MONEY_BEFORE.search(fold(text[max(0, digits.start() - 8) : digits.start()]))
    after = guard_words.MONEY_AFTER.match(fold(text[digits.end() : digits.end() + 12]))
    sign = before or after
    return guard_words.CURRENCIES.get(sign[1], sign[1]) if sign else None


def _is_same(currency: str, other: str) -> bool:
    """Whether two ways of writing may mean the same currency: "$" is that of the place."""
    return currency == other or ("" in (currency, other) and {currency, other} <= guard_words.OF_DOLLARS_OR_PESOS)


def _is_shared(text: str, ours: str, allowed: Allowed) -> bool:
    """Whether a sentence names several things and one price, and not that it is for each: "the 2 for 90"."""
    for sentence in _SENTENCE.split(text):
        folded, numbers = fold(sentence), list(_DIGITS.finditer(sentence))
        if guard_words.FOR_EACH.search(folded) or not any(_currency_of(sentence, found) for found in numbers):
            continue
        counts = [found[0] for found in numbers if _is_a_count(sentence, found, allowed)]
        counts += [found[0] for found in guard_words.A_COUNT.finditer(folded)]
        if any(count != "1" and not re.search(rf"(?<!\w){re.escape(count)}(?!\w)", ours) for count in counts):
            return True
    return False


def _is_in_words(reading: Reading, amount: Amount, language: Language) -> bool:
    """Whether no figure stands for it, and its word is a number in this language."""
    form = reading.tokens[amount.first].form
    return not any(sign.isdigit() for sign in form) and form not in guard_words.NO_NUMBERS[language]


def _is_a_count(text: str, found: re.Match[str], allowed: Allowed) -> bool:
    """Whether the customer spoke of as many of the same thing ("4 cadeiras"); never a price, a time or a discount."""
    after = text[found.end() : found.end() + 40]
    if guard_words.TIMED.match(fold(after)) or after[:1] in "%:/":
        return False
    word = re.match(r"\s+([^\W\d_]{3,})", after)
    if word is None or "," in found[0] or "." in found[0]:
        return False
    said = re.compile(rf"(?<!\d){re.escape(found[0])}\s+{re.escape(fold(word[1]))}")
    return any(said.search(fold(heard)) for heard in allowed.heard)


def _repeats(text: str, instructions: str) -> bool:
    words, theirs = re.findall(r"\w+", text), " ".join(re.findall(r"\w+", instructions))
    runs = (" ".join(words[at : at + SAME_WORDS]) for at in range(len(words) - SAME_WORDS + 1))
    return bool(theirs) and any(f" {run} " in f" {theirs} " for run in runs)
