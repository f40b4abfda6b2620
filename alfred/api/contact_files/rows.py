"""Rows of a contact file: what taking them in, one after another, comes to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from uuid_utils.compat import uuid7

from alfred.api.contact_files.cells import (
    DETAILS,
    CellFault,
    Details,
    Mention,
    Pair,
    Refused,
    faults_in,
    mentions,
    shown,
    unstorable,
)
from alfred.api.contact_files.csv_table import Line
from alfred.http.models import Handle
from alfred.terms import MOST_IDENTITIES

_HANDLE: TypeAdapter[str] = TypeAdapter(Handle)


@dataclass
class Person:
    """A contact on its way through a file; `stored` is how the database has it, None while it is new."""

    contact_id: UUID
    values: dict[str, Any]
    identities: list[Pair]
    stored: tuple[dict[str, Any], tuple[Pair, ...]] | None = None
    rows: list["Outcome"] = field(default_factory=list)

    @property
    def is_changed(self) -> bool:
        return self.stored != (self.values, tuple(self.identities))


@dataclass
class Outcome:
    """What became of a row."""

    line: int
    outcome: str
    contact_id: UUID | None = None
    errors: tuple[CellFault, ...] = ()


class Import:
    """Takes rows one after another, in memory; a row finds whom the rows before it have made."""

    def __init__(self, known: Iterable[Person], erased: Collection[Pair] = ()) -> None:
        self._erased = erased
        self.people = {person.contact_id: person for person in known}
        self._owners = {pair: person for person in self.people.values() for pair in person.identities}

    def take_all(self, lines: Iterable[Line]) -> list[Outcome]:
        """One outcome for each row. Where the rows about a person end in what was stored, none has changed anything."""
        outcomes = [self._take_or_refuse(line) for line in lines]
        for person in self.people.values():
            if not person.is_changed:
                for outcome in person.rows:
                    outcome.outcome = "unchanged"
        return outcomes

    def _take_or_refuse(self, line: Line) -> Outcome:
        try:
            return self._take(line)
        except Refused as refusal:
            return Outcome(line.number, "refused", errors=refusal.faults)

    def _take(self, line: Line) -> Outcome:
        mentioned = [(mention, self._known_as(mention)) for mention in mentions(line.cells)]
        person = self._owner(mentioned)
        new = _new_identities(mentioned, person)
        values = _details(line, person)
        if person is None:
            if any(way in self._erased for pair in new for way in pair.ways()):
                words = (
                    "This person was erased. A new message from them makes a new contact; so does adding them by hand."
                )
                raise Refused(CellFault(mentioned[0][0].column, words, "erased"))
            defaults = Details().model_dump()
            person = Person(uuid7(), defaults | values, [])
            self.people[person.contact_id] = person
            outcome = Outcome(line.number, "created", person.contact_id)
        else:
            is_news = bool(new) or any(person.values[name] != value for name, value in values.items())
            person.values = person.values | values
            outcome = Outcome(line.number, "updated" if is_news else "unchanged", person.contact_id)
        person.identities += new
        person.rows.append(outcome)
        self._owners |= dict.fromkeys(new, person)
        return outcome

    def _known_as(self, mention: Mention) -> Pair:
        return mention.written if mention.written in self._owners else mention.canonical

    def _owner(self, mentioned: list[tuple[Mention, Pair]]) -> Person | None:
        found: Person | None = None
        for mention, pair in mentioned:
            owner = next((self._owners[way] for way in pair.ways() if way in self._owners), None)
            if owner is not None and found is not None and owner is not found:
                words = f"{pair.value} is another contact than the one this row names before."
                raise Refused(CellFault(mention.column, words, "two_contacts"))
            found = found or owner
        return found


def _new_identities(mentioned: list[tuple[Mention, Pair]], person: Person | None) -> list[Pair]:
    known = person.identities if person else []
    new: list[Pair] = []
    for mention, pair in mentioned:
        if pair in known or pair in new:
            continue
        if "\0" in pair.value:
            raise Refused(unstorable(mention.column))
        try:
            new.append(Pair(pair.channel_type, _HANDLE.validate_python(pair.value)))
        except ValidationError as error:
            raise Refused(*faults_in(error, mention.column)) from None
    if new and len(known) + len(new) > MOST_IDENTITIES:
        raise Refused(CellFault("identities", f"A contact has at most {MOST_IDENTITIES}.", "too_long"))
    return new


def _details(line: Line, person: Person | None) -> dict[str, Any]:
    """The values that the row says otherwise than they are; an empty cell says nothing."""
    if line.surplus:
        raise Refused(CellFault("", "The row has more cells than the header has columns.", "too_many_cells"))
    said = {name: line.cells[name] for name in DETAILS if name in line.cells}
    told = {name: cell for name, cell in said.items() if person is None or cell != shown(person.values[name])}
    if broken := [unstorable(name) for name, cell in told.items() if "\0" in cell]:
        raise Refused(*broken)
    try:
        return Details.model_validate(told).given()
    except ValidationError as error:
        raise Refused(*faults_in(error)) from None
