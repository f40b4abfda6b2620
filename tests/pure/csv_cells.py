"""Tables of contacts as tests write and read them, and texts that are awkward in a cell."""

from hypothesis import strategies as st

from alfred.api.contact_files.cells import COLUMNS, Pair
from alfred.api.contact_files.csv_table import Line, read_table

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]))
AWKWARD = st.text("=+-@'\",;\t\r\n |%aé１\ufeff\x00")
TEXT = ANYTHING | AWKWARD
MAIL, PHONE = Pair("email", "a@b.c"), Pair("whatsapp", "+5511900000012")
PAIRS = st.builds(Pair, st.sampled_from(["whatsapp", "instagram", "messenger", "email"]), TEXT.filter(str.strip))


def read(text, columns=COLUMNS, most=10_000):
    return read_table(text if isinstance(text, bytes) else text.encode(), columns, most).lines


def rows(*cells, start=2):
    return [Line(number, each) for number, each in enumerate(cells, start)]
