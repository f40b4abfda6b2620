"""Cells of a contact file: what each says, whatever the spreadsheet's language has made of it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, ValidationError

from alfred.api.identities import canonical, type_of
from alfred.channels import CHANNEL_TYPES
from alfred.channels.phones import variants
from alfred.fault_sentences import sentence_of
from alfred.http.models import Currency, Handle, Input, Money, Name, Notes
from alfred.terms import NegotiationMode, Tone

_YES = frozenset({"true", "yes", "y", "1", "sim", "s", "sí", "si", "verdadeiro", "verdadero", "x"})
_NO = frozenset({"false", "no", "n", "0", "não", "nao", "falso"})
_COMMA_DECIMAL = re.compile(r"-?(\d{1,3}(\.\d{3})+|\d+),\d{1,2}")
_POINT_DECIMAL = re.compile(r"-?\d{1,3}(,\d{3})+\.\d{1,2}")
_AMBIGUOUS = re.compile(r"-?\d{1,3}([.,]\d{3})+")  # a thousand and two hundred, or one and a fifth
# Phone numbers that a spreadsheet took for amounts: 5511987654321.0, 5,511,987,654,321, 5.511987654321E+12.
_WHOLE = re.compile(r"\+?[0-9]{8,}[.,]0{1,2}")
_COMMAS = re.compile(r"\+?[0-9]{1,3}(,[0-9]{3}){2,}")
_SHORTENED = re.compile(r"(\+?[0-9]{1,20})(?:[.,]([0-9]{1,20}))?E\+?([0-9]{1,3})", re.IGNORECASE)
_TEXT_NUMBER = re.compile(r"'[0-9]{5,}")
_BETWEEN = re.compile(rf"(?<![\s|])[\s|]+(?=(?:{'|'.join(CHANNEL_TYPES)}):)", re.IGNORECASE)
_UNSAFE = re.compile(r"[%|\s]")
_ESCAPE = re.compile(r"%(u[0-9a-f]{4}|[0-9a-f]{2})", re.IGNORECASE)


def _flag(value: object) -> object:
    word = str(value).strip().casefold()
    return True if word in _YES else False if word in _NO else value


def _amount(value: object) -> object:
    text = str(value).strip()
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError("could mean thousands or decimals: write it with two decimals")
    if _COMMA_DECIMAL.fullmatch(text):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "") if _POINT_DECIMAL.fullmatch(text) else text


def _word(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def number_of(value: str) -> str:
    """A phone number that a spreadsheet took for an amount, as it was: without fraction, commas, exponent.

    Raises:
        ValueError: its last digits are lost.
    """
    text = value.strip()
    if _TEXT_NUMBER.fullmatch(text):
        return text[1:]
    if _COMMAS.fullmatch(text):
        return text.replace(",", "")
    if _WHOLE.fullmatch(text):
        return re.split("[.,]", text)[0]
    shortened = _SHORTENED.fullmatch(text)
    if shortened is None:
        return value
    digits = (shortened[1] + (shortened[2] or "")).lstrip("+")
    if len(digits) != int(shortened[3]) + 1:
        raise ValueError("A spreadsheet has shortened this number; format the column as text.")
    return digits


def _phone(value: object) -> object:
    return number_of(value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_flag)]
Amount = Annotated[Money, BeforeValidator(_amount)]


class Details(Input):
    """What a row may say of a person, besides who it is."""

    name: Name | None = None
    email: Handle | None = None
    phone: Annotated[Handle | None, BeforeValidator(_phone)] = None
    notes: Notes | None = None
    negotiation_enabled: Flag = True
    negotiation_mode: Annotated[NegotiationMode, BeforeValidator(_word)] = "suggest"
    base_price: Amount | None = None
    custom_price: Amount | None = None
    currency: Currency | None = None
    vip: Flag = False
    preferred_tone: Annotated[Tone, BeforeValidator(_word)] = "neutral"


DETAILS = tuple(Details.model_fields)
COLUMNS = ("name", "handle", "channel_type", "email", "phone", "notes", "identities", *DETAILS[4:])


class Pair(NamedTuple):
    """An identity."""

    channel_type: str
    value: str

    def ways(self) -> "list[Pair]":
        """As it is, then the other ways to write the same number."""
        values = variants(self.value) if self.channel_type == "whatsapp" else [self.value]
        return [Pair(self.channel_type, value) for value in values]


@dataclass(frozen=True)
class CellFault:
    """One thing wrong with a row."""

    column: str
    message: str
    code: str


class Mention(NamedTuple):
    """An identity as a row writes it."""

    column: str
    written: Pair

    @property
    def canonical(self) -> Pair:
        return Pair(self.written.channel_type, canonical(*self.written))


class Refused(Exception):
    """A row that cannot be taken; the others can."""

    def __init__(self, *faults: CellFault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def mentions(cells: Mapping[str, str]) -> list[Mention]:
    """Whom the row is about, by every identity that it names.

    Raises:
        Refused: it names none, or on no channel that there is.
    """
    found = [*_of_handle(cells), *_of_identities(cells)]
    if not found:
        raise Refused(CellFault("handle", "A contact needs a handle or an identity.", "missing"))
    return found


def write_identities(pairs: Iterable[Pair]) -> str:
    """`type:value`, joined by bars; what would part a value is written as in a URL."""
    return "|".join(f"{type_}:{_UNSAFE.sub(_escaped, value)}" for type_, value in pairs)


def cells_of(values: Mapping[str, object], identities: Iterable[Pair], handle: Pair) -> list[str]:
    """The row that says all of a person."""
    said = {name: shown(value) for name, value in values.items()}
    said |= {"handle": handle.value, "channel_type": handle.channel_type, "identities": write_identities(identities)}
    return [said[name] for name in COLUMNS]


def shown(value: object) -> str:
    """A value as a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:.2f}" if isinstance(value, Decimal) else str(value)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"%{code:02X}" if code < 256 else f"%u{code:04X}"


def _unescaped(found: re.Match[str]) -> str:
    """Only what is ever escaped: other percent signs are the value's own."""
    character = chr(int(found[1].lstrip("uU"), 16))
    return character if _UNSAFE.fullmatch(character) else found[0]


def _of_handle(cells: Mapping[str, str]) -> Iterator[Mention]:
    if handle := cells.get("handle"):
        channel_type = cells.get("channel_type", "").strip().lower() or _type_of(handle)
        if channel_type is None:
            raise Refused(CellFault("channel_type", "Say the channel_type of this handle.", "missing"))
        yield Mention("handle", _pair("handle", channel_type, handle))


def _type_of(handle: str) -> str | None:
    try:
        return type_of(number_of(handle).strip())
    except ValueError:
        return "whatsapp"


def _of_identities(cells: Mapping[str, str]) -> Iterator[Mention]:
    for piece in _BETWEEN.split(cells.get("identities", "").strip(" |\t\r\n")):
        if piece:
            channel_type, colon, written = piece.partition(":")
            value = _ESCAPE.sub(_unescaped, written)
            if not colon or not value.strip():
                raise Refused(
                    CellFault("identities", f"Write each as type:value, not {piece[:50]!r}.", "invalid_identity")
                )
            yield Mention("identities", _pair("identities", channel_type.lower(), value))


def _pair(column: str, channel_type: str, value: str) -> Pair:
    if channel_type not in CHANNEL_TYPES:
        words = f"{channel_type[:50]!r} is no channel type; there are {', '.join(CHANNEL_TYPES)}."
        where = "channel_type" if column == "handle" else column
        raise Refused(CellFault(where, words, "unknown_channel_type"))
    try:
        return Pair(channel_type, number_of(value) if channel_type == "whatsapp" else value)
    except ValueError as error:
        raise Refused(CellFault(column, str(error), "shortened_number")) from None


def faults_in(error: ValidationError, column: str = "") -> list[CellFault]:
    """pydantic's complaints; the column is the field, unless it is given."""
    return [
        CellFault(column or str(fault["loc"][0]), sentence_of(fault), fault["type"])
        for fault in error.errors(include_url=False, include_input=False)
    ]


def unstorable(column: str) -> CellFault:
    """PostgreSQL has no NUL."""
    return CellFault(column, "NUL characters cannot be stored.", "invalid_characters")
