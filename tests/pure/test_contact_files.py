"""Contact files: what spreadsheets write is read, what is written is read back, nothing else is ever raised."""

import contextlib
import csv
import io
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alfred.api.contact_files.cells import COLUMNS, Details, Refused, mentions, write_identities
from alfred.api.contact_files.csv_table import (
    BOM,
    Line,
    UnreadableTable,
    WrongColumns,
    disarmed,
    read_table,
    rearmed,
    write_row,
)
from alfred.api.contact_files.rows import Import
from tests.pure.csv_cells import AWKWARD, PAIRS, TEXT, read, rows


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,handle\nAna,a@b.c\n", [Line(2, {"name": "Ana", "handle": "a@b.c"})]),
        ("\ufeffname,handle\r\nAna,a@b.c\r\n", [Line(2, {"name": "Ana", "handle": "a@b.c"})]),
        ("name;handle\nSilva, Ana;a@b.c", [Line(2, {"name": "Silva, Ana", "handle": "a@b.c"})]),
        ('"name";"handle"\r"Ana";"a@b.c"\r', [Line(2, {"name": "Ana", "handle": "a@b.c"})]),
        (" Name , HANDLE\nAna,x", [Line(2, {"name": "Ana", "handle": "x"})]),
        ('name,notes\nAna,"one\ntwo ""three"""\nBia,four', [
            Line(2, {"name": "Ana", "notes": 'one\ntwo "three"'}), Line(4, {"name": "Bia", "notes": "four"})]),
        ("\n\nname\n\nAna\n,\n  \n\nBia\n", [Line(5, {"name": "Ana"}), Line(9, {"name": "Bia"})]),
        ("name,handle\nAna\n", [Line(2, {"name": "Ana"})]),
        ("name,handle,,\nAna,x,,\n", [Line(2, {"name": "Ana", "handle": "x"})]),
        ("name,handle\nAna,x,,y\n", [Line(2, {"name": "Ana", "handle": "x"}, surplus=True)]),
        ("name,handle,\nAna,x,y\n", [Line(2, {"name": "Ana", "handle": "x"}, surplus=True)]),
        ("name,handle\nAna,'+5511\n", [Line(2, {"name": "Ana", "handle": "+5511"})]),
        ("name,handle\nD'Ávila,+5511\n", [Line(2, {"name": "D'Ávila", "handle": "+5511"})]),
        ("name,handle\n'Zé',x\n", [Line(2, {"name": "'Zé'", "handle": "x"})]),
        ("name\n", []),
        ("name", []),
    ],
)  # fmt: skip
def test_reads_what_spreadsheets_write(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (b"", "empty_file", "empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "empty_file", "empty"),
        (b"name\n\x81\x8d\n", "invalid_encoding", "UTF-8"),
        (b"name\n\xff\x01\n", "invalid_encoding", "UTF-8"),
        (b"PK\x03\x04" + b"\0" * 9, "invalid_encoding", "workbook"),
        (b'name\nAna\n"Bia\nCarla\n', "invalid_csv", "line 3 is broken: a quotation mark is not closed."),
        (b'name\n"Ana" Maria\n', "invalid_csv", "line 2 is broken: a cell goes on behind its closing quotation mark."),
        (b"name\n" + b"x" * 131_073, "invalid_csv", "line 2 is broken: a cell has more than 131072 characters."),
        (b"name\n" + b"x\n" * 4, "too_many_rows", "3 rows"),
    ],
)
def test_says_why_it_cannot_read(raw, code, words):
    with pytest.raises(UnreadableTable, match=words) as told:
        read(raw, most=3)
    assert told.value.code == code


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("codec", "charset", "encoding"),
    [
        ("utf-8", None, "utf-8"),
        ("utf-8-sig", "iso-8859-1", "utf-8"),
        ("utf-16", None, "utf-16"),
        ("utf-16-le", None, "utf-16"),
        ("utf-16-be", None, "utf-16"),
        ("cp1252", None, "windows-1252"),
        ("cp1252", "utf-8", "windows-1252"),
        ("latin-1", "ISO-8859-1", "windows-1252"),
        ("cp850", "cp850", "cp850"),
        ("mac_roman", "macintosh", "mac_roman"),
    ],
)
def test_reads_the_encodings_of_spreadsheets(codec, charset, encoding, separator, line_end):
    lines = [separator.join(cells) for cells in (("name", "notes"), ("José", "ligação às três"))]
    table = read_table((line_end.join(lines) + line_end).encode(codec), COLUMNS, 10, charset)
    assert table == ([Line(2, {"name": "José", "notes": "ligação às três"})], encoding)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ('name,handle\nAna,="+5511987654321"\n', {"name": "Ana", "handle": "+5511987654321"}),
        ('name,handle\nAna,"=""+5511987654321"""\n', {"name": "Ana", "handle": "+5511987654321"}),
        ("sep=;\r\nname;handle\r\nAna;x,y\r\n", {"name": "Ana", "handle": "x,y"}),
        ("name,handle\nAna,=1+1\n", {"name": "Ana", "handle": "=1+1"}),
    ],
)
def test_reads_what_excel_adds(text, cells):
    assert [line.cells for line in read(text)] == [cells]


@pytest.mark.parametrize("column", ["handle", "identities"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5511987654321.0", "+5511987654321"),
        ("5511987654321,00", "+5511987654321"),
        ("+5511987654321.0", "+5511987654321"),
        ("5.511987654321E+12", "+5511987654321"),
        ("5,511987654321e12", "+5511987654321"),
        ("5,511,987,654,321", "+5511987654321"),
        ("5.511.987.654.321", "+5511987654321"),
        ("'5511987654321", "+5511987654321"),
        ("5.51199E+12", None),
        ("5,51198765432E+12", None),
    ],
)
def test_a_number_is_read_as_it_was_or_refused(column, written, meant):
    cells = {"handle": written} if column == "handle" else {"identities": f"whatsapp:{written}"}
    taking = Import([])
    (outcome,) = taking.take_all(rows(cells))
    identities = [pair.value for person in taking.people.values() for pair in person.identities]
    assert identities == ([meant] if meant else [])
    assert [fault.code for fault in outcome.errors] == ([] if meant else ["shortened_number"])


def test_a_phone_is_read_as_it_was_or_refused():
    def phone_of(written):
        taking = Import([])
        taking.take_all(rows({"handle": "a@b.example", "phone": written}))
        return [person.values["phone"] for person in taking.people.values()]

    assert phone_of("5511987654321.0") == phone_of("5.511987654321E+12") == ["5511987654321"]
    assert phone_of("(11) 98765-4321") == ["(11) 98765-4321"]
    assert phone_of("5.51199E+12") == []


@pytest.mark.parametrize(
    ("header", "faults"),
    [
        ("name,adress", {"adress": "unknown_column"}),
        ("name;adress;zip", {"adress": "unknown_column", "zip": "unknown_column"}),
        ("name,Name", {"name": "repeated_column"}),
        ("id", {"id": "unknown_column"}),
    ],
)
def test_names_the_wrong_columns(header, faults):
    with pytest.raises(WrongColumns) as told:
        read(header + "\n")
    assert {name: code for name, (code, _) in told.value.faults.items()} == faults


@given(st.binary() | TEXT.map(str.encode) | AWKWARD.map(lambda text: ("name,notes\n" + text).encode()))
@example(b'name,notes\n=""')
def test_never_raises_anything_else(raw):
    try:
        lines = read(raw)
    except (UnreadableTable, WrongColumns):
        return
    assert all(cell.strip() or cell for line in lines for cell in line.cells.values())


@given(st.lists(st.lists(TEXT, min_size=3, max_size=3)))
def test_what_is_written_is_read_back(table):
    names = ["name", "handle", "notes"]
    text = BOM + write_row(names) + "".join(write_row(cells) for cells in table)
    expected = [
        {name: cell for name, cell in zip(names, cells, strict=True) if disarmed(cell).strip()} for cells in table
    ]
    assert [line.cells for line in read(text)] == [cells for cells in expected if cells]


@given(TEXT)
def test_no_cell_runs_and_every_cell_comes_back(cell):
    safe = disarmed(cell)
    assert rearmed(safe) == cell
    assert not safe.startswith(tuple("=+-@\t\r\n"))
    written = next(csv.reader(io.StringIO(write_row([cell, "end"]), newline="")))
    assert written == [safe, "end"]


@given(st.lists(PAIRS, min_size=1, max_size=5))
def test_identities_come_back(pairs):
    assert [mention.written for mention in mentions({"identities": write_identities(pairs)})] == pairs


@given(TEXT)
def test_any_text_is_read_as_identities_or_refused(text):
    for column in ("handle", "identities", "channel_type"):
        with contextlib.suppress(Refused):
            assert mentions({column: text, "identities": text})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"handle": "+5511900000012"}, [("whatsapp", "+5511900000012")]),
        ({"handle": "55 (11) 90000-0012"}, [("whatsapp", "+5511900000012")]),
        ({"handle": "84251122@lid"}, [("whatsapp", "84251122@lid")]),
        ({"handle": "Marina@Example.COM"}, [("email", "marina@example.com")]),
        ({"handle": "17841", "channel_type": "Instagram"}, [("instagram", "17841")]),
        (
            {"identities": "whatsapp:+55 11 90000-0012 email:A@b.c"},
            [("whatsapp", "+5511900000012"), ("email", "a@b.c")],
        ),
        ({"identities": "email:a@b.c | Messenger:99|"}, [("email", "a@b.c"), ("messenger", "99")]),
        ({"identities": "email:50%@b.c"}, [("email", "50%@b.c")]),
        ({"handle": "a@b.c", "identities": "messenger:1"}, [("email", "a@b.c"), ("messenger", "1")]),
    ],
)
def test_knows_people_by_what_a_row_names(cells, expected):
    assert [tuple(mention.canonical) for mention in mentions(cells)] == expected


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"name": "Ana"}, "handle", "missing"),
        ({"handle": "marina.q"}, "channel_type", "missing"),
        ({"handle": "1", "channel_type": "telegram"}, "channel_type", "unknown_channel_type"),
        ({"identities": "telegram:1"}, "identities", "unknown_channel_type"),
        ({"identities": "+5511900000012"}, "identities", "invalid_identity"),
        ({"identities": "email:"}, "identities", "invalid_identity"),
    ],
)
def test_refuses_a_row_that_names_nobody(cells, column, code):
    with pytest.raises(Refused) as refusal:
        mentions(cells)
    assert [(fault.column, fault.code) for fault in refusal.value.faults] == [(column, code)]


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("120", "120.00"),
        ("120.5", "120.50"),
        ("120,50", "120.50"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("1.234.567,8", "1234567.80"),
        (" 7 ", "7.00"),
        ("1.200", None),
        ("1,200", None),
        ("-1", None),
        ("R$ 10", None),
        ("NaN", None),
        ("1e3", "1000.00"),
    ],
)
def test_reads_amounts_as_people_write_them(written, amount):
    (outcome,) = Import([]).take_all(rows({"handle": "a@b.c", "base_price": written}))
    taking = Import([])
    taking.take_all(rows({"handle": "a@b.c", "base_price": written}))
    found = [person.values["base_price"] for person in taking.people.values()]
    assert (outcome.outcome, found) == (("created", [Decimal(amount)]) if amount else ("refused", []))


@pytest.mark.parametrize(
    ("written", "flag"),
    [("true", True), ("VERDADEIRO", True), ("Sim", True), ("1", True), ("FALSO", False), ("não", False), ("no", False)],
)
def test_reads_flags_in_the_spreadsheets_language(written, flag):
    assert Details(vip=written).vip is flag


@pytest.mark.parametrize("separator", [";", ",", "\t", "\n", "\r\n", '";"', "; "])
@pytest.mark.parametrize("start", ["=cmd", "+1", "-1", "@SUM(1)", "＝1"])
def test_a_part_of_a_cell_is_harmless_wherever_a_spreadsheet_parts_it(separator, start):
    """Brazil's Excel parts at semicolons, also within the quotes that it does not see as such."""
    cell = f"nota{separator}{start}"
    assert disarmed(cell) == f"nota{separator}'{start}"
    assert rearmed(disarmed(cell)) == cell
