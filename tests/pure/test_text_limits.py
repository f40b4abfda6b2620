"""Long texts in pieces: nothing lost, nothing too long, no letter torn."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alfred.senders.text_limits import MOST_PARTS, TooLong, split, utf8_bytes, utf16_units

FAMILY = "👩‍👩‍👧‍👦"
LETTERS = [
    "a",
    "é",
    "e\u0301",
    "\u0301",
    "👍🏽",
    FAMILY,
    "🇧🇷",
    "한",
    "\u1112\u1161\u11ab",
    "שלום",
    "。",
    ".",
    "!",
    " ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\u200d",
]
texts = st.lists(st.sampled_from(LETTERS), max_size=120).map("".join) | st.text(max_size=200)


def without_space(text):
    return re.sub(r"\s+", "", text)


@given(texts, st.integers(25, 60), st.sampled_from([utf16_units, utf8_bytes]))
def test_the_pieces_are_the_body(body, limit, size):
    try:
        pieces = split(body, limit, size)
    except TooLong:
        assert size(body) > limit * (MOST_PARTS // 4)
        return
    assert all(size(piece) <= limit for piece in pieces)
    assert len(pieces) <= MOST_PARTS
    assert without_space("".join(pieces)) == without_space(body)
    at = 0
    for piece in pieces:  # each is a run of the body, and only white space lies between
        found = body.index(piece, at)
        assert not body[at:found].strip()
        at = found + len(piece)


@given(st.lists(st.sampled_from([FAMILY, "👍🏽", "🇧🇷", "e\u0301", "\u1112\u1161\u11ab"]), min_size=1, max_size=60))
def test_no_letter_is_torn(letters):
    try:
        pieces = split("".join(letters), 24)
    except TooLong:
        return
    rest = list(letters)
    for piece in pieces:
        built = ""
        while built != piece:
            built += rest.pop(0)
            assert piece.startswith(built)
    assert not rest


@pytest.mark.parametrize(
    ("body", "limit", "pieces"),
    [
        ("curto", 10, ["curto"]),
        ("", 10, [""]),
        ("um\n\ndois\ntrês. quatro", 17, ["um", "dois\ntrês. quatro"]),
        ("um dois\ntrês. quatro", 16, ["um dois", "três. quatro"]),
        ("Olá. Tudo bem? Sim senhor", 18, ["Olá. Tudo bem?", "Sim senhor"]),
        ("um dois tres", 8, ["um dois", "tres"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("abcd efgh", 4, ["abcd", "efgh"]),
        ("他说好。然后走了", 5, ["他说好。", "然后走了"]),
    ],
)
def test_a_cut_is_where_people_pause(body, limit, pieces):
    assert split(body, limit) == pieces


def test_4097_characters_are_two_messages():
    assert [len(piece) for piece in split("a" * 4097, 4096)] == [4096, 1]


def test_more_than_twenty_pieces_are_too_many():
    assert len(split("a" * 200, 10)) == 20
    with pytest.raises(TooLong):
        split("a" * 201, 10)


@pytest.mark.parametrize(
    "body", [" " * 65_000 + "x", "\n" * 65_000 + "x", "\u0301" * 20_000, "a " * 30_000, ".\n" * 30_000]
)
def test_hostile_texts_are_cut_in_no_time(body):
    assert split(body, 4_096)
