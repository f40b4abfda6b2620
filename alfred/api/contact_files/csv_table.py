"""CSV as spreadsheets write and read it: separators, quotes, and cells that would run as formulas."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from alfred.api.contact_files.encodings import UnknownEncoding, decoded

BOM = "\ufeff"  # without it Excel takes UTF-8 for its own code page
_PLAIN = re.compile(r"[^\s\",;]+(?: [^\s\",;]+)*")
# Excel, LibreOffice and Google Sheets run a cell that begins with one of these; an apostrophe makes it text.
# Cells that only look disarmed get one more, so that disarming can always be undone.
# So does what follows a separator or a line break inside a cell: who parts the row elsewhere sees a cell begin there.
_FORMULA = re.compile(r"(\A)('*[=+\-@\t\r\n＝＋－＠])|((?<=[,;\t\r\n])[\" ]*)('*[=+\-@＝＋－＠])")
_DISARMED = re.compile(r"(\A)'('*[=+\-@\t\r\n＝＋－＠])|((?<=[,;\t\r\n])[\" ]*)'('*[=+\-@＝＋－＠])")
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')  # how people keep a spreadsheet from counting with a number
_HINT = re.compile(r"sep=(.)[\r\n]", re.IGNORECASE)
SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Line:
    """A row of the file: the number of the line that it begins on, and its cells that are not empty."""

    number: int
    cells: dict[str, str]
    surplus: bool = False  # cells beyond the last column


class Table(NamedTuple):
    """A file that was read: its rows, and what was seen of how it is written."""

    lines: list[Line]
    encoding: str


class UnreadableTable(Exception):
    """The file is no CSV; `code` is stable, the text is one sentence for the person who sent it."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class WrongColumns(Exception):
    """What is wrong with the first row: for each column a code and a sentence."""

    def __init__(self, faults: dict[str, tuple[str, str]]) -> None:
        super().__init__(", ".join(faults))
        self.faults = faults


def write_row(cells: Iterable[str]) -> str:
    """One row, disarmed, with commas; quoted where any spreadsheet could see a separator in it."""
    return ",".join(_quoted(disarmed(cell)) for cell in cells) + "\r\n"


def disarmed(cell: str) -> str:
    """A cell that no spreadsheet runs."""
    return _FORMULA.sub(r"\1\3'\2\4", cell)


def rearmed(cell: str) -> str:
    """What was disarmed, as it was; a formula that is nothing but a text is that text."""
    if _DISARMED.search(cell):
        return _DISARMED.sub(r"\1\3\2\4", cell)
    formula = _TEXT_FORMULA.fullmatch(cell.strip())
    return formula.group(1).replace('""', '"') if formula else cell


def read_table(raw: bytes, columns: Iterable[str], most: int, charset: str | None = None) -> Table:
    """The rows below the header, without those that are empty; more than `most` are too many.

    `charset` is what the sender of the file calls its encoding; without a name the bytes tell it.

    Raises:
        UnreadableTable, WrongColumns, and nothing else, on any bytes.
    """
    try:
        text, encoding = decoded(raw, charset)
    except UnknownEncoding as error:
        raise UnreadableTable("invalid_encoding", str(error)) from None
    hint = _HINT.match(text)
    records = _records(text, hint.group(1) if hint else _separator(text))
    if hint:
        next(records, None)
    header = next((cells for _, cells in records), None)
    if header is None:
        raise UnreadableTable("empty_file", "The file is empty; its first row names the columns.")
    names = [name.strip().lower() for name in header]
    _refuse_wrong(names, set(columns))
    filled = ((number, cells) for number, cells in records if any(cell.strip() for cell in cells))
    lines = [_line(number, names, cells) for number, cells in islice(filled, most + 1)]
    if len(lines) > most:
        raise UnreadableTable("too_many_rows", f"The file has more than {most} rows; send it in parts.")
    return Table(lines, encoding)


def _separator(text: str) -> str:
    """Of comma, semicolon and tab the one that the header has most of, outside of quotes."""
    header = re.split(r"[\r\n]", re.sub(r'"[^"]*"', "", text.lstrip("\r\n")), maxsplit=1)[0]
    return max(SEPARATORS, key=header.count)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            words = f"The row that begins on line {number} is broken: {_fault_of(error)}."
            raise UnreadableTable("invalid_csv", words) from None
        if cells:
            yield number, cells


def _fault_of(error: csv.Error) -> str:
    told = str(error)
    if "field limit" in told:
        return f"a cell has more than {csv.field_size_limit()} characters"
    if "end of data" in told:
        return "a quotation mark is not closed"
    return (
        "a cell goes on behind its closing quotation mark" if "expected after" in told else "it is not written as CSV"
    )


def _refuse_wrong(names: list[str], known: set[str]) -> None:
    faults = {}
    for name, times in Counter(name for name in names if name).items():
        if name not in known:
            told = ("unknown_column", f"There is no column {name[:100]!r}; known are {', '.join(sorted(known))}.")
            faults[name[:100]] = told
        elif times > 1:
            faults[name] = ("repeated_column", f"There are several columns {name!r}.")
    if faults:
        raise WrongColumns(dict(islice(faults.items(), 20)))


def _line(number: int, names: list[str], cells: list[str]) -> Line:
    texts = {name: rearmed(cell) for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
    named = {name: text for name, text in texts.items() if text}  # ="" is an empty cell too
    nameless = any(cell.strip() for name, cell in zip(names, cells, strict=False) if not name)
    beyond = any(cell.strip() for cell in cells[len(names) :])
    return Line(number, named, surplus=nameless or beyond)


def _quoted(cell: str) -> str:
    return cell if not cell or _PLAIN.fullmatch(cell) else '"' + cell.replace('"', '""') + '"'
