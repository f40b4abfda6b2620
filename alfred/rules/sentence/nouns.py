"""The grammar of who and what: "mensagens urgentes de clientes VIP", "on WhatsApp", "with the tag 'x'"."""

from alfred.rules.sentence.attachments import Attachments
from alfred.rules.sentence.building import ANYTHING, Cond, all_of, any_of, from_key, leaf, negated, trigger
from alfred.rules.sentence.moments import Moments
from alfred.rules.sentence.reader import Hit, Reader, Refused

MOST_QUALITIES = 20
NOUNS = ("message", "contact", "conversation", "task", "someone")
_STATES = {"new": "conversation.created", "overdue": "task.overdue", "stalled": "lead.stalled"}
_FITS = {
    "new": ("conversation", "contact"),
    "overdue": ("task",),
    "stalled": ("contact", "conversation"),
    "status": ("conversation",),
}


class Nouns:
    """Reads noun phrases with all that restricts them, and the phrases that hang on to a verb."""

    def __init__(self, reader: Reader, moments: Moments) -> None:
        self.reader, self.moments = reader, moments
        self.attachments = Attachments(reader)

    def noun(self, i: int) -> Hit[tuple[str, Cond]] | None:
        """A noun phrase: what it is about, and what it says of it."""
        start = self.reader.skip(i, "article", "every")
        said, place = self.qualities(start)
        head = next((kind for kind in NOUNS if self.reader.find(kind, place)), None)
        if head is None:
            vip = any(part == leaf("contact.vip", "eq", True) for _, part in said)
            return (("contact", self.fitting(said, "contact", i, place)), place) if vip else None
        place = self.reader.first(place, head) or place
        after, place = ([], place) if head == "someone" else self.qualities(place)
        parts = [self.fitting(said + after, head, i, place)]
        if head == "contact" and (name := self.name(place)):
            parts, place = [*parts, leaf("contact.name", "contains", name[0])], name[1]
        while more := self._attached(place):
            parts, place = [*parts, more[0]], more[1]
        return (head, all_of(parts)), place

    def qualities(self, i: int) -> Hit[list[tuple[str, Cond]]]:
        """Adjectives in a row: what each needs its noun to be, and what it says."""
        said: list[tuple[str, Cond]] = []
        while hit := self.quality(i):
            if len(said) == MOST_QUALITIES:
                raise Refused("too_long")
            said.append(hit[0])
            i = hit[1]
            joint = self.reader.joint(i)
            if joint and joint[0] == "and" and not joint[1] and self.quality(joint[2]):
                i = joint[2]
        return said, i

    def quality(self, i: int) -> Hit[tuple[str, Cond]] | None:
        if (after_not := self.reader.first(i, "not")) is not None:
            with self.reader.inside():
                hit = self.quality(after_not)
            return ((hit[0][0], negated(hit[0][1])), hit[1]) if hit else None
        if found := self.reader.find("adjective", i):
            return ("", from_key(found[0])), found[1]
        if found := self.reader.find("channel", i):
            return ("", leaf("channel.type", "eq", found[0])), found[1]
        for state, event in _STATES.items():
            if found := self.reader.find(state, i):
                return (state, trigger(event)), found[1]
        if found := self.reader.find("value_status", i):
            return ("status", leaf("conversation.status", "eq", found[0])), found[1]
        return None

    def fitting(self, said: list[tuple[str, Cond]], head: str, start: int, end: int) -> Cond:
        for needs, _ in said:
            if (needs and head not in _FITS[needs]) or (head == "task" and not needs):
                raise Refused("unknown", self.reader.source(start, end))
        return all_of([_of_contact(part) if (needs, head) == ("new", "contact") else part for needs, part in said])

    def name(self, i: int) -> Hit[str] | None:
        """A name in quotation marks or in capitals: the client João Silva."""
        if quoted := self.reader.quoted(i):
            return quoted
        end = i
        while self.reader.kind(end) == "word" and self.reader.source(end, end + 1)[0].isupper() and not self.ends(end):
            end += 1
        return (self.reader.source(i, end), end) if end > i else None

    def ends(self, i: int) -> bool:
        """No name, tag or loose word begins here: it belongs to the sentence."""
        ending = ("when", "only_when", "unless", "except", "only", "then", "and", "or", "nor", "otherwise")
        return self.reader.first(i, *ending, "either", "neither") is not None

    def _attached(self, i: int) -> Hit[Cond] | None:
        return self.on_channel(i) or self._from_whom(i) or self.carrying(i) or self._in_language(i)

    def adverbial(self, i: int) -> Hit[Cond] | None:
        """What hangs on to a verb: time, channel, sender, tags, language."""
        only = self.reader.skip(i, "only")
        hit = self.moments.several(only) or self._attached(only)
        if hit and only > i and self.reader.negative:
            raise Refused("ambiguous", self.reader.source(i, hit[1]))  # "not only on WhatsApp" is not "not there"
        return hit if hit and hit[0] != ANYTHING else None

    def on_channel(self, i: int) -> Hit[Cond] | None:
        """On one channel or several; "and" means any of them, since a message has only one."""
        channels: list[Cond] = []
        place, end = i, i
        while (start := self.reader.skip(place, "channel_prep", "article", "property_channel")) > i or channels:
            hit = self.reader.find("channel", start)
            if hit is None:
                break
            channels, end = [*channels, leaf("channel.type", "eq", hit[0])], hit[1]
            joint = self.reader.joint(end)
            if joint is None or joint[0] == "nor":
                break
            place = joint[2]
        return (any_of(channels), end) if channels else None

    def _from_whom(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "of")
        if start is not None and (name := self.reader.quoted(start)):
            return leaf("contact.name", "contains", name[0]), name[1]
        hit = self.noun(start) if start is not None else None
        return (hit[0][1], hit[1]) if hit and hit[0][0] == "contact" else None

    def _in_language(self, i: int) -> Hit[Cond] | None:
        start = self.reader.first(i, "language_prep")
        hit = self.reader.find("language_name", start) if start is not None else None
        return (leaf("message.language", "eq", hit[0]), hit[1]) if hit else None

    def carrying(self, i: int) -> Hit[Cond] | None:
        """With or without tags, with unread messages, by a name."""
        if (start := self.reader.first(i, "without")) is not None:
            missing = self.tags(start) or self.attachments.some(start)
            return (negated(missing[0]), missing[1]) if missing else None
        if (start := self.reader.first(i, "tagged")) is not None:
            return self._tag_names(self._behind_tag_noun(start))
        if (start := self.reader.first(i, "named")) is not None:
            return self.reader.series(start, self._one_name)
        start = self.reader.first(i, "with")
        if start is None:
            return None
        return self.tags(start) or self.unread(start) or self.attachments.some(start)

    def _one_name(self, i: int) -> Hit[Cond] | None:
        hit = self.name(i)
        return (leaf("contact.name", "contains", hit[0]), hit[1]) if hit else None

    def _behind_tag_noun(self, i: int) -> int:
        start = self.reader.skip(i, "article")
        return self.reader.skip(start, "tag_noun") if self.reader.find("tag_noun", start) else i

    def tags(self, i: int) -> Hit[Cond] | None:
        start = self._behind_tag_noun(i)
        return self._tag_names(start) if start > i else None

    def _tag_names(self, i: int) -> Hit[Cond] | None:
        return self.reader.series(i, self._tag_condition)

    def _tag_condition(self, i: int) -> Hit[Cond] | None:
        start = self._behind_tag_noun(i)
        hit = None if self.reader.begins_command(start) else self.tag_name(start)
        return (leaf("conversation.tags", "contains", hit[0]), hit[1]) if hit else None

    def tag_name(self, i: int) -> Hit[str] | None:
        """In quotation marks, or a single plain word, which may be a compound: after-hours."""
        if quoted := self.reader.quoted(i):
            return quoted
        start = i + (self.reader.kind(i) == "other" and self.reader.tokens[i].text == "#")
        end = self._compound(start)
        small = ("suspicious", "of", "channel_prep", "with", "without", "article", "tag_as", "mention_prep")
        lone = end == start + 1 and (self.ends(start) or self.reader.first(start, *small) is not None)
        return (self.reader.source(start, end), end) if self.reader.kind(start) == "word" and not lone else None

    def _compound(self, i: int) -> int:
        """Behind a word and what is written together with it."""
        end = i + 1
        while self.reader.kind(end) in ("word", "number", "other"):
            between = self.reader.text[self.reader.tokens[end - 1].end : self.reader.tokens[end].start]
            if between not in ("", "-"):
                break
            end += 1
        return end

    def unread(self, i: int) -> Hit[Cond] | None:
        """ "more than 3 unread messages", "3 or more", or just "unread messages"."""
        start = self.reader.skip(i, "article")
        how = self.reader.find("compare", start)
        count = self.reader.number(how[1] if how else start)
        if count is None:
            end = None if how else self.reader.first(start, "unread")
            return (leaf("conversation.unread_count", "gt", 0), end) if end else None
        op, place = how[0] if how else "eq", count[1]
        for category, meaning in (("or_more", "gte"), ("or_less", "lte")):
            if (after := self.reader.first(place, category)) is not None:
                op, place = meaning, after
        end = self.reader.first(place, "unread")
        for category, meaning in (("or_more", "gte"), ("or_less", "lte")):
            if end and (after := self.reader.first(end, category)) is not None:
                op, end = meaning, after
        return (leaf("conversation.unread_count", op, count[0]), end) if end else None


def _of_contact(part: Cond) -> Cond:
    """A new customer begins their first conversation; one who is not new has had it."""
    first = leaf("contact.first_conversation", "eq", "trigger" in part)
    return all_of([part, first]) if "trigger" in part else first
