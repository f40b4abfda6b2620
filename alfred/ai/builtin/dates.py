"""Days that a customer names: "sexta", "semana que vem", "after the 5th", "el lunes", "dia 12/06"."""

import calendar
import re
import tomllib
from datetime import date, timedelta
from typing import NamedTuple

from alfred.ai.builtin.amounts import amounts
from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.signals import Reading

_DATA = tomllib.loads((FOLDER / "dates.toml").read_text(encoding="utf-8"))
_SHIFTS: dict[str, int] = _DATA["shifts"]
_WEEKDAYS: dict[str, int] = _DATA["weekdays"]
_MONTHS: dict[str, int] = _DATA["months"]
_SPANS: dict[str, int] = _DATA["spans"]
_SAID: dict[str, frozenset[str]] = {name: frozenset(words) for name, words in _DATA["words"].items()}
_NUMERIC = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{2,4}))?$")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|º|ª|°)?$")


class Named(NamedTuple):
    """A day that was named, and the tokens that name it."""

    day: date
    first: int
    last: int


def named_day(reading: Reading, today: date) -> Named | None:
    """The first day to come that the text names, seen from today; None where it names none."""
    words = Words(reading, today)
    for at in range(len(reading.tokens)):
        for look in (words.shift, words.span, words.numeric, words.of_month, words.weekday, words.period):
            found = look(at)
            if found is not None and found.day >= today:
                return found
    return None


class Words:
    """The tokens as words that may name a day."""

    def __init__(self, reading: Reading, today: date) -> None:
        self.reading = reading
        self.today = today
        self.forms = [token.form for token in reading.tokens]
        self.values = {amount.first: int(amount.value) for amount in amounts(reading, counts=True)}

    def said(self, kind: str, first: int, last: int) -> bool:
        """Whether a word of this kind stands from `first` to before `last`."""
        return any(form in _SAID[kind] for form in self.forms[max(0, first) : last])

    def shift(self, at: int) -> Named | None:
        """today, tomorrow, the day after tomorrow."""
        days = _SHIFTS.get(self.forms[at])
        if days is None or (self.forms[at] == "manana" and at and self.forms[at - 1] in ("la", "esta")):
            return None
        further = days == 1 and (self.said("after", at - 2, at) or self.forms[at - 1 : at] == ["pasado"])
        return Named(self.today + timedelta(days + further), at, at)

    def span(self, at: int) -> Named | None:
        """in 3 days, daqui a duas semanas, en un mes."""
        days = _SPANS.get(self.forms[at])
        if days is None or not self.said("in", at - 4, at) or self.said("past", at - 4, at + 2):
            return None
        count = next((self.values[place] for place in (at - 1, at - 2) if place in self.values), None)
        if count is None and self.forms[at - 1] in ("um", "uma", "un", "una", "a", "one"):
            count = 1
        return Named(self.today + timedelta(min(count * days, 3650)), at, at) if count else None

    def numeric(self, at: int) -> Named | None:
        """12/06, 12/06/2026: day first, but month first in English where that can be."""
        match = _NUMERIC.match(self.forms[at])
        if match is None:
            return None
        day, month = int(match[1]), int(match[2])
        if (self.reading.language == "en" and day <= 12) or month > 12:
            day, month = month, day
        year = int(match[3]) if match[3] else None
        return self._coming(at, (year + 2000 if year is not None and year < 100 else year), month, day)

    def of_month(self, at: int) -> Named | None:
        """dia 5, the 5th, el 5 de marzo, March 5th, after the 5th."""
        match = _DAY.match(self.forms[at])
        if match is None or not 1 <= int(match[1]) <= 31:
            return None
        day = int(match[1])
        near = self.forms[at + 1 : at + 3] + self.forms[max(0, at - 1) : at]
        month = next((_MONTHS[form] for form in near if form in _MONTHS), None)
        ordinal = self.reading.tokens[at].kind == "ordinal"
        if month is None and not ordinal and not self._called_day(at):
            return None
        return self._coming(at, None, month, day)

    def _called_day(self, at: int) -> bool:
        """Whether a bare number is called a day: "dia 5", "el 5 te pago"."""
        before = self.forms[at - 1] if at else ""
        follows = self.forms[at + 1] if at + 1 < len(self.forms) else ""
        return before in ("dia", "day") or (before == "el" and follows not in _SPANS)

    def weekday(self, at: int) -> Named | None:
        """friday, sexta que vem, el lunes; "next friday" is that of next week."""
        number = _WEEKDAYS.get(self.forms[at])
        if number is None or self.said("past", at - 2, at + 2) or self.said("ordinals", at + 1, at + 2):
            return None
        days = (number - self.today.weekday()) % 7 or 7
        if self.forms[at - 1 : at] == ["next"] and number > self.today.weekday():
            days += 7
        return Named(self.today + timedelta(days + self.said("after", at - 2, at)), at, at)

    def period(self, at: int) -> Named | None:
        """next week (its monday), next month (its first), the end of the month, the weekend."""
        form, first = self.forms[at], self.today.replace(day=1)
        if form in _SAID["weekend"] or (form == "semana" and self.said("end", at - 2, at)):
            return Named(self.today + timedelta((5 - self.today.weekday()) % 7), at, at)
        coming = self.said("next", at - 2, at) or self.said("next", at + 1, at + 3)
        if form in ("semana", "week") and coming:
            return Named(self.today + timedelta(7 - self.today.weekday()), at, at)
        if form in ("mes", "month") and (coming or self.said("end", at - 3, at)):
            following = (first + timedelta(32)).replace(day=1)
            day = following - timedelta(1) if self.said("end", at - 3, at) else following
            return Named(day, at, at)
        return None

    def _coming(self, at: int, year: int | None, month: int | None, day: int) -> Named | None:
        """The next such day; the last of the month where the month is shorter."""
        wanted = date(year or self.today.year, month or self.today.month, 1) if _fits(year, month) else None
        if wanted is None:
            return None
        found = _in_month(wanted, day)
        if found < self.today and year is None:
            later = wanted.replace(year=wanted.year + 1) if month else (wanted + timedelta(32)).replace(day=1)
            found = _in_month(later, day)
        return Named(found + timedelta(self.said("after", at - 3, at)), at, at)


def _fits(year: int | None, month: int | None) -> bool:
    return (month is None or 1 <= month <= 12) and (year is None or 1 <= year <= 9000)


def _in_month(first: date, day: int) -> date:
    return first.replace(day=min(max(day, 1), calendar.monthrange(first.year, first.month)[1]))
