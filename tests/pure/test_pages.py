"""Cursors: opaque, exact, and of one list only."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alfred.http.models import Listing
from alfred.http.pages import after, decode, encode
from alfred.http.problems import Problem

KINDS = st.sampled_from(["conversations", "contacts", "events"])
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
KEYS = st.tuples(MOMENTS, st.uuids())
CURSORS = st.builds(lambda kind, key: encode(kind, (key[0].isoformat(), key[1])), KINDS, KEYS)


def refused(kind, cursor):
    with pytest.raises(Problem) as raised:
        after(kind, Listing(cursor=cursor), datetime.fromisoformat, UUID)
    return (raised.value.status, raised.value.code) == (400, "invalid_cursor")


@given(KINDS, KEYS)
def test_a_key_comes_back_as_it_was(kind, key):
    cursor = encode(kind, (key[0].isoformat(), key[1]))
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert tuple(after(kind, Listing(cursor=cursor), datetime.fromisoformat, UUID)) == key


@given(KINDS, st.integers(0, 2**63))
def test_a_number_comes_back_as_it_was(kind, number):
    assert decode(kind, encode(kind, (number,))) == [number]


@given(CURSORS, st.data())
def test_a_changed_letter_is_told(cursor, data):
    at = data.draw(st.integers(0, len(cursor) - 2))  # the last one may carry unused bits
    letter = data.draw(st.sampled_from("ABCabc019-_"))
    assume(cursor[at] != letter)
    assert all(
        refused(kind, cursor[:at] + letter + cursor[at + 1 :]) for kind in ("conversations", "contacts", "events")
    )


@given(CURSORS, st.data())
def test_a_cut_cursor_is_told(cursor, data):
    length = data.draw(st.integers(1, len(cursor) - 1))
    assert refused("conversations", cursor[:length])
    assert refused("conversations", cursor[-length:])


@given(st.text(min_size=1, max_size=60))
def test_any_other_text_is_told(text):
    assert refused("conversations", text)


@given(KEYS, st.lists(st.one_of(st.text(max_size=20), st.integers(), st.none()), max_size=4))
def test_a_cursor_of_another_list_is_told(key, other):
    assert refused("conversations", encode("contacts", (key[0].isoformat(), key[1])))
    assume(len(other) != 2)
    assert refused("conversations", encode("conversations", other))


def test_an_empty_cursor_is_the_first_page():
    for cursor in ("", None):
        assert after("contacts", Listing(cursor=cursor), datetime.fromisoformat, UUID) == [None, None]
