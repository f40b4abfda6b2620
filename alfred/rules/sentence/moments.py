"""The grammar of hours and days: "depois das 18h", "on weekends", "de lunes a viernes"."""

from alfred.rules.sentence.building import Cond, all_of, any_of, leaf
from alfred.rules.sentence.reader import Hit, Reader, Refused

# Business hours are not a setting yet: Monday to Friday, 9:00 to 17:59, and every explanation says so.
OPEN = all_of([leaf("time.hour", "between", [9, 17]), leaf("time.weekday", "between", [1, 5])])
CLOSED = any_of([leaf("time.hour", "between", [18, 8]), leaf("time.weekday", "in", [6, 7])])
WEEKEND = leaf("time.weekday", "in", [6, 7])
WORKDAYS = leaf("time.weekday", "between", [1, 5])
_NAMED = {"out_of_hours": CLOSED, "in_hours": OPEN, "weekend": WEEKEND, "workdays": WORKDAYS}


class Moments:
    """Reads when something must happen, in the user's time zone."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def several(self, i: int) -> Hit[Cond] | None:
        """One moment or several with "or"; "and" between them could mean both or either."""
        if (first := self.moment(i)) is None:
            return None
        joint = self.reader.joint(first[1])
        if joint and joint[0] == "and" and (second := self.moment(joint[2])):
            raise Refused("ambiguous", self.reader.source(i, second[1]))
        return self.reader.series(i, self.moment)

    def moment(self, i: int) -> Hit[Cond] | None:
        for category, meaning in _NAMED.items():
            if hit := self.reader.find(category, i):
                return meaning, hit[1]
        return self._hours(i) or self._days(i)

    def _hours(self, i: int) -> Hit[Cond] | None:
        return self._between(i) or self._since(i) or self._until(i)

    def _between(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "between")
        low = self._hour(start) if start is not None else None
        middle = self.reader.first(low[1], "to") if low else None
        high = self._hour(middle) if middle is not None else None
        if not low or not high:
            return None
        (first, first_marked), (last, last_marked) = low[0], high[0]
        if not (first_marked and last_marked) and max(first, last) < 13:
            raise Refused("half_day", self.reader.source(i, high[1]))
        return self._span(first, last, self.reader.source(i, high[1])), high[1]

    def _since(self, i: int) -> Hit[Cond] | None:
        """After an hour, or after one and before another: that may go over midnight."""
        if (low := self._marked_hour(i, "after")) is None:
            return None
        joint = self.reader.joint(low[1])
        high = self._marked_hour(joint[2], "before") if joint else self._marked_hour(low[1], "before")
        if high and (not joint or joint[0] == "and" or low[0] > high[0]):
            return self._span(low[0], high[0], self.reader.source(i, high[1])), high[1]
        return leaf("time.hour", "gte", low[0]), low[1]

    def _until(self, i: int) -> Hit[Cond] | None:
        if (high := self._marked_hour(i, "before")) is None:
            return None
        if high[0] == 0:
            raise Refused("never", self.reader.source(i, high[1]))
        return leaf("time.hour", "lt", high[0]), high[1]

    def _span(self, low: int, high: int, words: str) -> Cond:
        if low == high:
            raise Refused("never", words)
        return leaf("time.hour", "between", [low, (high - 1) % 24])

    def _marked_hour(self, i: int, category: str) -> Hit[int] | None:
        """An hour that can only be one of the 24: with h, am, pm, minutes, or above 12."""
        start = self.reader.first(i, category)
        hit = self._hour(start) if start is not None else None
        if hit is None:
            return None
        (hour, marked), end = hit
        if not marked:
            raise Refused("half_day", self.reader.source(i, end))
        return hour, end

    def _hour(self, i: int) -> Hit[tuple[int, bool]] | None:
        if hit := self.reader.find("hours", i):
            return (int(hit[0]), True), hit[1]
        read = self._clock(i)
        if read is None:
            return None
        (hour, minutes, marked), end = read
        if minutes:
            raise Refused("full_hours", self.reader.source(i, end))
        pm, am = self.reader.first(end, "pm"), self.reader.first(end, "am")
        hour = hour % 12 + 12 if pm and hour <= 12 else hour % 12 if am and hour <= 12 else hour
        end = pm or am or end
        if hour > 23:
            raise Refused("unknown", self.reader.source(i, end))
        return (hour, bool(marked or pm or am or hour > 12)), end

    def _clock(self, i: int) -> Hit[tuple[int, int, bool]] | None:
        """Hour, minutes and whether it is written as a time: 18, 18:00, 18h, 18h30."""
        if self.reader.kind(i) == "number" and ":" in self.reader.tokens[i].text:
            hours, minutes = self.reader.tokens[i].text.split(":")[:2]
            return (int(hours), int(minutes), True), i + 1
        hit = self.reader.number(i)
        if hit is None or self.reader.find("article", i):  # "from a VIP" is not from one o'clock
            return None
        hour, end = hit
        if (after := self.reader.first(end, "hour_word")) is None:
            return None if self.reader.find("unit", end) else ((hour, 0, False), end)  # "after 2 hours" waits
        glued = (
            self.reader.kind(after) == "number" and self.reader.tokens[after].start == self.reader.tokens[after - 1].end
        )
        minutes_hit = self.reader.number(after) if glued else None
        return ((hour, minutes_hit[0], True), minutes_hit[1]) if minutes_hit else ((hour, 0, True), after)

    def _days(self, i: int) -> Hit[Cond] | None:
        """A range from day to day, or named days: "and" between them means each of them."""
        start = self.reader.skip(i, "day_from", "day_prep", "article", "every")
        low = self.reader.find("days", start)
        middle = self.reader.first(low[1], "day_to") if low else None
        high = self.reader.find("days", self.reader.skip(middle, "article")) if middle is not None else None
        if low and high:
            return leaf("time.weekday", "between", [int(low[0]), int(high[0])]), high[1]
        if low is None or self.reader.skip(i, "day_prep", "every") == i:
            return None
        days, end = [int(low[0])], low[1]
        while (joint := self.reader.joint(end)) and joint[0] != "nor":
            following = self.reader.find("days", self.reader.skip(joint[2], "day_prep", "article", "every"))
            if following is None:
                break
            days, end = [*days, int(following[0])], following[1]
        return any_of([leaf("time.weekday", "eq", day) for day in days]), end
