"""A client's place in the log survives its way there and back, and nothing else passes for one."""

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alfred.events import DOUBLED, EVENT_TYPES, UnknownType, types_of
from alfred.positions import DamagedPosition, Position, Snapshot, sequence_of

XIDS = st.integers(3, 2**40)


@st.composite
def snapshots(draw):
    running = sorted(draw(st.sets(XIDS, max_size=5)))
    high = (running[-1] if running else draw(XIDS)) + 1
    return f"{running[0] if running else high}:{high}:{','.join(map(str, running))}"


@given(snapshots(), st.one_of(st.just(""), snapshots()), st.integers(0, 2**50))
def test_is_read_as_it_was_written(seen, upto, number):
    position = Position("0a1b2c3d4e5f", 1795687200, seen, upto, number)
    assert Position.read(str(position)) == position


@given(snapshots(), st.integers(0, 10_000))
def test_a_changed_letter_is_noticed(seen, at):
    text = str(Position("0a1b2c3d4e5f", 1795687200, seen))
    at %= len(text)
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    with contextlib.suppress(DamagedPosition):  # the last letter may hold bits that carry nothing
        assert Position.read(changed) == Position.read(text)


@pytest.mark.parametrize("text", ["", "x", "1", "é", "A" * 50, "=" * 8, "//++"])
def test_refuses_what_is_none(text):
    with pytest.raises(DamagedPosition):
        Position.read(text)


@pytest.mark.parametrize("seen", ["5:4:", "1:5:7", "1:5:3,2", "0:5:", "1:5:2,2", "a:b:", "1:99999999999999999999:", ""])
def test_refuses_a_snapshot_that_postgresql_would_refuse(seen):
    text = f"0a1b|1|{seen}||0".encode()
    made = base64.urlsafe_b64encode(hashlib.sha256(text).digest()[:6] + text).decode().rstrip("=")
    with pytest.raises(DamagedPosition):
        Position.read(made)


def test_a_snapshot_tells_what_it_shows():
    snapshot = Snapshot.read("10:20:12,15")
    assert [xid for xid in range(8, 22) if snapshot.shows(xid)] == [8, 9, 10, 11, 13, 14, 16, 17, 18, 19]


@given(st.lists(st.integers(0, 2**62), min_size=2))
def test_sequences_sort_as_text(numbers):
    texts = [sequence_of(number) for number in numbers]
    assert sorted(texts) == [sequence_of(number) for number in sorted(numbers)]
    assert {len(text) for text in texts} == {16}


def test_types_by_name_noun_or_all():
    assert types_of(["task.created"]) == {"task.created"}
    assert types_of(["task.*", "lead.stalled"]) == {t for t in EVENT_TYPES if t.startswith("task.")} | {"lead.stalled"}
    assert types_of(["*"]) == set(EVENT_TYPES)
    assert types_of([]) == set(EVENT_TYPES) - DOUBLED
    for unknown in ("task.lost", "tas*", "nobody.*", "task*", "", "*.created"):
        with pytest.raises(UnknownType):
            types_of([unknown])
