"""What a model may say to a customer: no price, date, promise or address that the seller has not given it."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from alfred.ai.builtin.amounts import Amount, amounts, number
from alfred.ai.builtin.signals import Reading, read
from alfred.ai.llm.masking import REACHING, findings, plain
from alfred.terms import Language

LONGEST = 600
SAME_WORDS = 6  # of the instructions, one after the other, give them away
Fault = Literal["length", "markup", "amount", "number", "free", "date", "contact", "language", "prompt", "placeholder"]

_MONEY = r"(?:r\$|us\$|\$|€|£|reais|real|brl|usd|eur|d[oó]lar(?:es)?|dollars?|bucks|euros?|pesos?|pila|conto)"
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_IN_WORDS = re.compile(r"[^\W\d_]+ (?:reais|dollars?|dolar(?:es)?|bucks|euros?|pesos?)\b")  # an amount without figures
_TIMED = re.compile(
    r"\s*(?:h\b|hs\b|hrs?\b|horas?\b|hours?\b|a\.?m\b|p\.?m\b|d(?:ia|ía|ay)s?\b|min|seman|week|m[eê]s"
    r"|mes|month|%|x\b|º|°)"
)
_FREE = re.compile(
    r"\b(?:gratis|gratuit[oa]s?|de graca|sem custo|sin costo|cortesia|brinde|free(?! to\b)|no charge"
    r"|on the house|half price|half off"
    r"|metade do preco|mitad de precio|a mitad|meio preco|dobro|double|reembols\w+|refund\w*|devolvemos o dinheiro"
    r"|vale.?presente|gift card|voucher|cupom|cupon|coupon|promo ?code|desconto de|discount of"
    r"|descuento de|garant\w+|guarante\w+"
    r"|desconto|descuento|discount)\b"
)
_DAYS = re.compile(
    r"\b(?:amanha|tomorrow|(?<!la )(?<!de )manana|segunda(?:.feira)?|terca(?:.feira)?"
    r"|quarta(?:.feira)?|quinta(?:.feira)?"
    r"|sexta(?:.feira)?|sabado|domingo|monday|tuesday|wednesday|thursday|friday|saturday|sunday|lunes"
    r"|martes|miercoles|jueves"
    r"|viernes|tonight|next week|semana que vem|proxima semana|hoje mesmo|hoy mismo|today)\b"
)
_INSIDE = re.compile(
    r"system prompt|prompt d[eo] sistema|\bprompt\b|instruc(?:oes|ciones)|instructions|language model"
    r"|modelo de (?:linguagem|lenguaje)"
    r"|developer mode|modo desenvolvedor|modo desarrollador|jailbreak|\bdan mode\b|api.?key"
    r"|chave (?:da|de) api|clave (?:de la|de) api"
    r"|customer_messages|shop_facts|\bassistant:|\bsystem:|\bopenai\b|\bchatgpt\b|\banthropic\b"
    r"|inteligencia artificial"
    r"|artificial intelligence|\bmy rules\b|minhas regras|mis reglas|preco minimo|precio minimo"
    r"|minimum price|lowest price|floor price"
)
_MARKUP = re.compile(r"```|</?\w+[^>]*>|\]\(|!\[|[{}<>]|\\u|[\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_PLACEHOLDER = re.compile(r"\{\{[^{}]{1,40}\}\}")


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


def fault_of(text: str, allowed: Allowed) -> Fault | None:
    """What speaks against a text, with the customer's data in it again; None where it may be shown."""
    bare = _PLACEHOLDER.sub(" ", text)
    for value in allowed.returned:
        bare = bare.replace(value, " ")
    if not text.strip() or len(text) > LONGEST:
        return "length"
    if {found.lower() for found in _PLACEHOLDER.findall(text)} - {
        f"{{{{{one}}}}}".lower() for one in allowed.placeholders
    }:
        return "placeholder"
    if _MARKUP.search(bare):
        return "markup"
    folded, ours = fold(bare), fold("\n".join(allowed.sources))
    if _INSIDE.search(folded) or _repeats(folded, fold(allowed.instructions)):
        return "prompt"
    if _reaching(bare) - _reaching("\n".join(allowed.sources)):
        return "contact"
    reading = read(bare)
    if not _speaks(reading, allowed.language):
        return "language"
    if fault := _wrong_number(bare, reading, allowed):
        return fault
    if any(found[0] not in ours for found in _IN_WORDS.finditer(folded)):
        return "amount"
    if any(found[0] not in ours for found in _FREE.finditer(folded)):
        return "free"
    if any(found[0] not in ours for found in _DAYS.finditer(folded)):
        return "date"
    return None


def fold(text: str) -> str:
    """Lower case, no accents, one blank between words; other alphabets stay what they are."""
    flat = unicodedata.normalize("NFKD", text)
    return " ".join("".join(sign for sign in flat if not unicodedata.combining(sign)).lower().split())


def amounts_in(texts: Sequence[str]) -> frozenset[Decimal]:
    """The amounts of money in the seller's own texts."""
    read_out = {amount.value for text in texts for amount in amounts(read(text)) if amount.currency is not None}
    return frozenset(
        read_out
        | {
            value
            for text in texts
            for found in _DIGITS.finditer(text)
            if _is_money(text, found) and (value := number(found[0])) is not None
        }
    )


def _reaching(text: str) -> set[str]:
    return {plain(found.kind, found.of(text)) for found in findings(text, kinds=REACHING)}


def _speaks(reading: Reading, language: Language) -> bool:
    """Whether it is that language, or too short to tell."""
    best = max(reading.scores.values())
    return best < 2.0 or reading.scores[language] >= 0.7 * best


def _wrong_number(text: str, reading: Reading, allowed: Allowed) -> Fault | None:
    sources = "\n".join(allowed.sources)
    ours = {value for found in _DIGITS.findall(sources) if (value := number(found)) is not None} | allowed.amounts
    for amount in amounts(reading, counts=True):
        if amount.currency is not None and amount.value not in allowed.amounts:
            return "amount"
        if amount.percent and f"{amount.value.normalize():f}%" not in sources.replace(" ", "").replace(",", "."):
            return "amount"
        if not _is_in_figures(reading, amount) and amount.value >= 10 and amount.value not in ours:
            return "amount"
    for found in _DIGITS.finditer(text):
        value = number(found[0])
        if value is None:
            return "number"
        if _is_money(text, found):
            if value not in allowed.amounts:
                return "amount"
        elif value not in ours and not _is_a_count(text, found, allowed):
            return "number"
    return None


def _is_money(text: str, digits: re.Match[str]) -> bool:
    before, after = (
        fold(text[max(0, digits.start() - 8) : digits.start()]),
        fold(text[digits.end() : digits.end() + 10]),
    )
    return re.search(_MONEY + r"\s*$", before) is not None or re.match(_MONEY + r"\b", after) is not None


def _is_in_figures(reading: Reading, amount: Amount) -> bool:
    return any(sign.isdigit() for sign in reading.tokens[amount.first].form)


def _is_a_count(text: str, found: re.Match[str], allowed: Allowed) -> bool:
    """Whether the customer spoke of as many of the same thing ("4 cadeiras"); never a price, a time or a discount."""
    after = text[found.end() : found.end() + 40]
    if _TIMED.match(fold(after)) or after[:1] in "%:/":
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
