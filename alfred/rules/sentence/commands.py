"""The grammar of actions: notify, create a task, tag, set the status, reply."""

from typing import Any

from alfred.rules.sentence.building import ANYTHING, Cond
from alfred.rules.sentence.nouns import Nouns
from alfred.rules.sentence.reader import Hit, Reader, Refused

Command = tuple[list[dict[str, Any]], Cond]
LONGEST_TITLE = 12


class Commands:
    """Reads one command: its actions, and what its object restricts ("tag urgent messages 'x'")."""

    def __init__(self, reader: Reader, nouns: Nouns) -> None:
        self.reader, self.nouns = reader, nouns
        self._commands: dict[int, Hit[Command] | None] = {}

    def begins(self, i: int) -> bool:
        """Whether a command begins here, one that is refused too."""
        try:
            return self.command(i) is not None
        except Refused:
            return True

    def command(self, i: int) -> Hit[Command] | None:
        if i not in self._commands:
            self._commands[i] = self._command(self.reader.skip(i, "polite", "then"))
        return self._commands[i]

    def _command(self, i: int) -> Hit[Command] | None:
        if (start := self.reader.first(i, "aux_not")) is not None:
            with self.reader.inside():
                hit = self._command(start)
            if hit:
                raise Refused("negated_action", self.reader.source(i, hit[1]))
            return None
        return (
            self._remind(i)
            or self._notify(i)
            or self._create(i)
            or self._set_status(i)
            or self._tag(i)
            or self._reply(i)
        )

    def _notify(self, i: int) -> Hit[Command] | None:
        if (start := self.reader.first(i, "notify")) is None:
            return None
        start = self.reader.skip(start, "polite")
        title, end = self._titled(start) or (None, start)
        action = {"action": "notify"} | ({"title": title} if title else {})
        return ([action], ANYTHING), self._not_elsewhere(i, end)

    def _not_elsewhere(self, start: int, end: int) -> int:
        """ "Notify me on WhatsApp" would say where to, which is not on offer."""
        if channel := self.nouns.on_channel(end):
            raise Refused("channel_after_action", self.reader.source(start, channel[1]))
        return self.reader.skip(end, "polite")

    def _titled(self, i: int) -> Hit[str] | None:
        start = self.reader.skip(i, "title_is")
        return self.reader.quoted(start + 1 if self.reader.mark(":", start) else start)

    def _create(self, i: int) -> Hit[Command] | None:
        start = self.reader.first(i, "create")
        return self.task(start) if start is not None else None

    def task(self, i: int) -> Hit[Command] | None:
        """ "an urgent task 'Call' for tomorrow", in whatever order the details stand."""
        start, found = self.reader.skip(i, "article", "new"), dict[str, Any]()
        if urgent := self.reader.find("priority", start):
            found["priority"], start = urgent
        if (noun := self.reader.first(start, "task")) is None:
            return None
        details, end = self._details(noun)
        title = {"title": self.reader.words.say["task_title"]}
        return ([{"action": "create_task", **title, **found, **details}], ANYTHING), end

    def _details(self, i: int) -> Hit[dict[str, Any]]:
        found: dict[str, Any] = {}
        end = i
        while True:
            joint = self.reader.joint(end)
            after = joint[2] if joint and joint[0] in ("and", ",") else end
            hit = self._detail(after, spoken=after == end)
            if hit is None or hit[0].keys() & found.keys():
                return found, end
            found |= hit[0]
            end = hit[1]

    def _detail(self, i: int, *, spoken: bool) -> Hit[dict[str, Any]] | None:
        """A title, a priority or a term; a spoken title only right behind the task itself."""
        if hit := self._due(i):
            return {"due_in": hit[0]}, hit[1]
        if found := self.reader.find("priority", i):
            return {"priority": found[0]}, found[1]
        if titled := self._titled(i):
            return {"title": titled[0]}, titled[1]
        if (after := self.reader.first(i, "for_whom")) is not None:
            return {}, after
        start = self.reader.first(i, "purpose") if spoken else None
        return self._spoken_title(start) if start is not None else None

    def _spoken_title(self, i: int) -> Hit[dict[str, Any]] | None:
        """A title in plain words, which begins with an infinitive: "para ligar para o cliente"."""
        if self.reader.kind(i) != "word" or not self.reader.tokens[i].text.endswith(self.reader.words.infinitives):
            return None
        end = i
        while self.reader.kind(end) in ("word", "number", "other") and not self._title_ends(end):
            end += 1
        title = self.reader.source(i, end)
        if end - i > LONGEST_TITLE:
            raise Refused("quotes", title)
        return ({"title": title[0].upper() + title[1:]}, end) if title else None

    def _title_ends(self, i: int) -> bool:
        return bool(self.nouns.ends(i) or self.reader.joint(i) or self._due(i) or self.reader.find("priority", i))

    def _due(self, i: int) -> Hit[str] | None:
        if found := self.reader.find("due", i):
            return found
        start = self.reader.first(i, "due_prep")
        if start is None:
            return None
        half = self.reader.first(start, "half")
        if half is not None and (unit := self.reader.find("unit", half)) and unit[0] == "hours":
            return "PT30M", unit[1]
        count = self.reader.number(start)
        unit = self.reader.find("unit", count[1]) if count else None
        if not count or not unit:
            return None
        form = {"minutes": "PT{}M", "hours": "PT{}H", "days": "P{}D", "weeks": "P{}W"}[unit[0]]
        return form.format(count[0]), unit[1]

    def _remind(self, i: int) -> Hit[Command] | None:
        if (start := self.reader.first(i, "remind")) is None:
            return None
        hit = self._spoken_title(start)
        if hit is None:
            titled = self._titled(start)
            hit = ({"title": titled[0]}, titled[1]) if titled else None
        if hit is None:
            return None
        details, end = self._details(hit[1])
        return ([{"action": "create_task", **hit[0], **details}], ANYTHING), end

    def target(self, i: int) -> Hit[tuple[str, Cond]] | None:
        """What a command is done to, without what hangs on to it: that belongs to the command."""
        start = self.reader.skip(i, "article", "every")
        said, place = self.nouns.qualities(start)
        for kind in ("conversation", "message", "contact", "someone"):
            if (end := self.reader.first(place, kind)) is not None:
                after, end = self.nouns.qualities(end) if kind in ("message", "contact") else ([], end)
                return (kind, self.nouns.fitting(said + after, kind, i, end)), end
        return None

    def _set_status(self, i: int) -> Hit[Command] | None:
        if verb := self.reader.find("status_verb", i):
            what = self.target(verb[1])
            if what and what[0][0] in ("conversation", "someone"):
                return ([{"action": "set_status", "status": verb[0]}], what[0][1]), what[1]
            return None
        start = self.reader.first(i, "set_status")
        value = self.reader.find("value_status", self.reader.skip(start, "article")) if start is not None else None
        return (([{"action": "set_status", "status": value[0]}], ANYTHING), value[1]) if value else None

    def _tag(self, i: int) -> Hit[Command] | None:
        strong = self.reader.first(i, "tag_verb_strong")
        start = strong if strong is not None else self.reader.first(i, "tag_verb")
        if start is None:
            return None
        what = self._tagged_ones(start) or self.target(start)
        place = what[1] if what else start
        as_ = self.reader.skip(place, "tag_as", "article")
        named = self.reader.skip(as_, "tag_noun")
        plain = named > as_ or (strong is not None and (what is not None or as_ > place))
        tags, end = self._tag_list(named, plain=plain)
        if not tags:
            return None
        return ([{"action": "add_tag", "tag": tag} for tag in tags], what[0][1] if what else ANYTHING), end

    def _tagged_ones(self, i: int) -> Hit[tuple[str, Cond]] | None:
        """Messages said in full, where the tag still follows: "tag messages from VIPs as 'x'"."""
        whole = self.nouns.noun(i)
        follows = whole and (self.reader.find("tag_as", whole[1]) or self.reader.kind(whole[1]) == "quoted")
        return whole if whole and follows and whole[0][1] != ANYTHING else None

    def _tag_list(self, i: int, *, plain: bool) -> Hit[list[str]]:
        """Tags in quotation marks; one plain word where the sentence says that it is a tag."""
        tags: list[str] = []
        place = end = i
        while hit := self.nouns.tag_name(place) if plain and not tags else self.reader.quoted(place):
            tags, end = [*tags, hit[0]], hit[1]
            joint = self.reader.joint(end)
            if joint is None or joint[0] in ("or", "nor"):
                break
            place = self.reader.skip(joint[2], "article", "tag_noun", "tag_as")
        back = self.reader.first(end, "on_it")
        return tags, back if tags and back is not None else end

    def _reply(self, i: int) -> Hit[Command] | None:
        start = self.reader.first(i, "reply")
        said = start if start is not None else self.reader.first(i, "send")
        if said is None:
            return None
        limit: Cond = ANYTHING
        place = self.reader.skip(said, "recipient", "send_what", "title_is")
        to = self.reader.first(place, "reply_to")
        if start is not None and (whom := self.nouns.noun(place if to is None else to)):
            limit, place = whom[0][1], self.reader.skip(whom[1], "title_is", "send_what")
        body = self.reader.quoted(place + 1 if self.reader.mark(":", place) else place)
        if body is None and start is not None and self.reader.kind(place) != "end":
            raise Refused("quotes", self.reader.source(i, len(self.reader.tokens)))
        if body is None:
            return None
        end = self.reader.skip(body[1], "recipient", "polite")
        return ([{"action": "send_reply", "body": body[0]}], limit), self._not_elsewhere(i, end)
