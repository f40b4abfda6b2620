"""What single values mean, whoever posts them: strings, times, names, flags, objects and lists."""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeAlias

Object: TypeAlias = dict[str, Any]

SURROGATES = re.compile("[\ud800-\udfff]")
DIGITS = re.compile(r"[0-9]{1,20}(\.[0-9]*)?", re.ASCII)
# Digits, what people write between them, and the direction marks that phones put around them.
NUMBER_ONLY = re.compile(r"[\d\s+().‐-―\u200e\u200f\u202a-\u202e\u2066-\u2069-]*")
HALF = re.compile(r"-?[0-9]{1,10}", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM = 10**11
YEAR_10000 = 253_402_300_800_000
LONGEST_DATE = 200  # a date is short; the parsers are not made for a megabyte of it
BIGGEST_NUMBER_BITS = 400


def obj(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: object) -> str | None:
    """The string or number as a string that every store takes; null when there is nothing in it."""
    if value is None:  # most fields of a payload are left out
        return None
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:  # asked here already: nearly every field of a payload comes by
            value = storable(value)
        return value.replace("\r\n", "\n").strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if sane_number(value) else None


def storable(value: str) -> str:
    if value.isascii() and "\0" not in value:
        return value
    return SURROGATES.sub("\ufffd", value).replace("\0", "")


def sane_number(value: float) -> bool:
    if isinstance(value, int):  # Python refuses to print integers of thousands of digits
        return value.bit_length() <= BIGGEST_NUMBER_BITS
    return math.isfinite(value)


def first(*values: object) -> str | None:
    """The first of the values that is a text."""
    return next((words for value in values if (words := text(value))), None)


def yes(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def name(value: object, handle: str | None) -> str | None:
    """A person's name: what only repeats the handle or a phone number is none."""
    called = text(value)
    if called is None or NUMBER_ONLY.fullmatch(called):
        return None
    return None if handle and called.casefold() == handle.casefold() else called


def one_line(*values: object) -> str | None:
    """The different texts among the values, as one line."""
    different = dict.fromkeys(" ".join(part.split()) for value in values if (part := text(value)))
    return ": ".join(different) or None


def moment(value: object) -> datetime | None:
    """A time as providers write it: seconds or milliseconds by size, a long in two halves, ISO 8601, RFC 2822."""
    written = text(_long(value) if isinstance(value, dict) else value)
    if written is None or len(written) > LONGEST_DATE:
        return None
    if not DIGITS.fullmatch(written):
        return _dated(written)
    number = Decimal(written) if "." in written else int(written)
    milliseconds = int(number if number >= MILLISECONDS_FROM else number * 1000)
    return EPOCH + timedelta(milliseconds=milliseconds) if 0 < milliseconds < YEAR_10000 else None


def _long(value: Object) -> int | None:
    """`{low, high}`: a 64-bit integer as JavaScript writes it, its low half signed or not."""
    low, high = text(value.get("low")), text(value.get("high", 0))
    if low is None or high is None or not HALF.fullmatch(low) or not HALF.fullmatch(high):
        return None
    return (int(high) << 32) + (int(low) & 0xFFFFFFFF)


def _dated(written: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = parse(written.upper())  # some write t and z
            aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
            utc = aware.astimezone(UTC)
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError):
            continue  # not written in this way, or a date that the calendar does not have
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
    return None
