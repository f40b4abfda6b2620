"""Rows of a contact file find whom they name, change what they say, and change nothing a second time."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from alfred.api.contact_files.cells import COLUMNS, DETAILS, Details, cells_of
from alfred.api.contact_files.csv_table import write_row
from alfred.api.contact_files.rows import Import, Person
from tests.pure.csv_cells import MAIL, PAIRS, PHONE, TEXT, read, rows


def person(*identities, **values):
    values = Details().model_dump() | values
    return Person(uuid.uuid4(), values, list(identities), (values, tuple(identities)))


def outcomes(taking, *cells):
    return [outcome.outcome for outcome in taking.take_all(rows(*cells))]


def test_a_row_finds_whom_an_earlier_one_made():
    taking = Import([])
    table = [
        {"handle": "a@b.c"},
        {"handle": "a@b.c", "identities": "whatsapp:+5511900000012"},
        {"handle": "+5511900000012", "name": "Ana"},
        {"handle": "a@b.c", "name": "Ana"},
    ]
    told = taking.take_all(rows(*table))
    assert [each.outcome for each in told] == ["created", "updated", "updated", "unchanged"]
    assert len({each.contact_id for each in told}) == 1
    (made,) = taking.people.values()
    assert (made.identities, made.values["name"]) == ([MAIL, PHONE], "Ana")


def test_a_row_about_two_people_is_refused():
    taking = Import([person(MAIL), person(PHONE)])
    told = taking.take_all(rows({"handle": "a@b.c", "identities": "whatsapp:+5511900000012", "name": "Ana"}))
    assert [(each.outcome, each.errors[0].column, each.errors[0].code) for each in told] == [
        ("refused", "identities", "two_contacts")
    ]
    assert not any(each.is_changed for each in taking.people.values())


def test_rows_that_end_where_they_began_change_nothing():
    known = person(MAIL, name="Bia")
    assert outcomes(Import([known]), {"handle": "a@b.c", "name": "Ana"}, {"handle": "a@b.c", "name": "Bia"}) == [
        "unchanged",
        "unchanged",
    ]


def test_an_empty_cell_leaves_what_is_there():
    known = person(MAIL, name="Ana", vip=True)
    assert outcomes(Import([known]), {"handle": "a@b.c"}) == ["unchanged"]
    assert known.values["name"] == "Ana"


def test_a_shortened_number_is_refused():
    for cells in ({"handle": "5,51199E+12", "channel_type": "whatsapp"}, {"identities": "whatsapp:5.51E12"}):
        (told,) = Import([]).take_all(rows(cells))
        assert (told.outcome, told.errors[0].code) == ("refused", "shortened_number")


NAMED = {
    "handle": st.sampled_from(["a@b.c", "b@b.c", "+5511900000012"]),
    "identities": st.sampled_from(["email:a@b.c", "whatsapp:x y", "!"]),
}
CELLS = st.fixed_dictionaries({}, optional=dict.fromkeys(DETAILS, TEXT) | NAMED)


@given(st.lists(CELLS, max_size=6))
def test_a_second_time_changes_nothing(table):
    first = Import([])
    told = first.take_all(rows(*table))
    stored = [Person(each.contact_id, each.values, each.identities, (each.values, tuple(each.identities)))
              for each in first.people.values()]  # fmt: skip
    again = Import(stored).take_all(rows(*table))
    same = {"created": "unchanged", "updated": "unchanged", "unchanged": "unchanged", "refused": "refused"}
    assert [each.outcome for each in again] == [same[each.outcome] for each in told]
    assert not any(each.is_changed for each in stored)


@given(st.dictionaries(st.sampled_from(["name", "email", "phone", "notes"]), TEXT), PAIRS, st.lists(PAIRS, max_size=3))
def test_an_exported_person_is_imported_unchanged(texts, first, others):
    """Whatever a messenger has stored, also what the API would not take."""
    known = person(first, *(each for each in dict.fromkeys(others) if each != first), **texts)
    text = write_row(COLUMNS) + write_row(cells_of(known.values, known.identities, first))
    told = Import([known]).take_all(read(text))
    assert [each.outcome for each in told] == ["unchanged"], told
