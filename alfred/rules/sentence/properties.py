"""The grammar of named properties: "a urgência for alta", "the channel is email or whatsapp"."""

from alfred.rules.sentence.building import ANYTHING, Cond, leaf, negated
from alfred.rules.sentence.moments import Moments
from alfred.rules.sentence.nouns import Nouns
from alfred.rules.sentence.reader import Hit, Reader

_VALUES = {
    "message.sentiment": "value_sentiment",
    "message.urgency": "value_urgency",
    "message.language": "language_name",
    "channel.type": "channel",
    "contact.negotiation_mode": "value_mode",
    "conversation.status": "value_status",
    "time.weekday": "days",
}
_TEXTS = ("message.text", "message.intent", "contact.name", "contact.handle")


class Properties:
    """Reads what is said of a property that the sentence calls by its name."""

    def __init__(self, reader: Reader, moments: Moments, nouns: Nouns) -> None:
        self.reader, self.moments, self.nouns = reader, moments, nouns

    def property(self, i: int) -> Hit[Cond] | None:
        named = self._named_property(i)
        if named is None:
            owner = self.nouns.noun(i)
            named = self._named_property(owner[1]) if owner and owner[0][1] == ANYTHING else None
        if named is None:
            return None
        field, place = named
        if (start := self.reader.first(place, "copula_not")) is not None:
            hit = self._values(start, field)
            return (negated(hit[0]), hit[1]) if hit else None
        if (start := self.reader.first(place, "aux_not")) is not None:
            hit = self._containing(start, field)
            return (negated(hit[0]), hit[1]) if hit else None
        if (start := self.reader.first(place, "copula")) is not None:
            return self._values(start, field)
        if field in ("conversation.unread_count", "time.hour") and self.reader.find("compare", place):
            return self._compared(place, field)
        return self._containing(place, field)

    def _named_property(self, i: int) -> Hit[str] | None:
        hit = self.reader.find("property", self.reader.skip(i, "article"))
        if hit is None:
            return None
        of = self.reader.first(hit[1], "of")
        owner = self.nouns.noun(of) if of is not None else None
        return (hit[0], owner[1]) if owner and owner[0][1] == ANYTHING else hit

    def _containing(self, i: int, field: str) -> Hit[Cond] | None:
        start = self.reader.first(i, "contains")
        if start is None or field not in ("message.text", "contact.name", "contact.handle"):
            return None
        return self.reader.series(start, lambda place: self._text(place, field, "contains"))

    def _values(self, i: int, field: str) -> Hit[Cond] | None:
        return self.reader.series(i, lambda place: self._value(place, field))

    def _value(self, i: int, field: str) -> Hit[Cond] | None:
        if (start := self.reader.first(i, "not")) is not None:
            with self.reader.inside():
                hit = self._value(start, field)
            return (negated(hit[0]), hit[1]) if hit else None
        if field in _TEXTS:
            return self._text(i, field, "eq")
        if field == "conversation.tags":
            hit_tag = self.nouns.tag_name(i)
            return (leaf(field, "contains", hit_tag[0]), hit_tag[1]) if hit_tag else None
        if field.startswith("time.") and (moment := self.moments.moment(i)):
            return moment
        if field in ("conversation.unread_count", "time.hour"):
            return self._compared(i, field)
        found = self.reader.find(_VALUES[field], self.reader.skip(i, "article"))
        value: object = int(found[0]) if found and field == "time.weekday" else found and found[0]
        return (leaf(field, "eq", value), found[1]) if found else None

    def _compared(self, i: int, field: str) -> Hit[Cond] | None:
        how = self.reader.find("compare", i)
        count = self.reader.number(how[1] if how else i)
        if count is None or (field == "time.hour" and count[0] > 23):
            return None
        end = self.reader.skip(count[1], "hour_word") if field == "time.hour" else count[1]
        return leaf(field, how[0] if how else "eq", count[0]), end

    def _text(self, i: int, field: str, op: str) -> Hit[Cond] | None:
        hit = self.reader.quoted(i) or (self.nouns.name(i) if field == "contact.name" else None)
        return (leaf(field, op, hit[0]), hit[1]) if hit else None
