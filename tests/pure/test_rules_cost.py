"""What rules and flows cost: others run meanwhile, texts of repetitions take no longer, what is kept is bounded."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from alfred.flows.definition import read
from alfred.flows.simulate import simulate, simulate_in_slices
from alfred.rules.comparing import LONGEST_KEPT, Text, _kept
from alfred.rules.conditions import match, match_in_slices, read_condition
from alfred.rules.keeping import Kept
from alfred.rules.pace import Pace
from alfred.rules.situation import Situation

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REPETITIONS = "a " * 9_990 + "b a b"
COSTLY = [f"{'a ' * (count % 40 + 5)}b b {'a ' * (count % 3)}" for count in range(100)]


def costly(count):
    return {"any": [{"field": "message.text", "op": "contains_any", "value": COSTLY}] * count}


def chain(count):
    nodes = [{"id": f"{n}", "type": "condition", "when": costly(1), "no": f"{n + 1}"} for n in range(count)]
    return {"start": "0", "nodes": [*nodes, {"id": f"{count}", "type": "action", "action": {"action": "notify"}}]}


async def longest_wait(work):
    """The longest that somebody else waits meanwhile, in seconds, and how long it takes."""
    worst, began = 0.0, time.perf_counter()
    task = asyncio.ensure_future(work)
    while not task.done():
        before = time.perf_counter()
        await asyncio.sleep(0)
        worst = max(worst, time.perf_counter() - before)
    return worst, time.perf_counter() - began


@pytest.mark.parametrize("kind", ["rules", "flows"])
async def test_others_run_while_one_tenant_is_matched(kind):
    situation = Situation(text=REPETITIONS, at=NOW)
    if kind == "rules":
        condition, pace = read_condition(costly(20)), Pace()
        waits = [await longest_wait(match_in_slices(condition, situation, pace)) for _ in range(3)]
    else:
        flow, pace = read(chain(20)), Pace()
        waits = [await longest_wait(simulate_in_slices(flow, situation, pace)) for _ in range(3)]
    assert min(took for _, took in waits) > 0.05  # else it is no trial
    assert min(worst for worst, _ in waits) < 0.04


def test_a_flow_goes_the_same_way_in_slices():
    for text in ("a a a a a b b", "something else"):
        situation = Situation(text=text, at=NOW)
        in_slices = asyncio.run(simulate_in_slices(read(chain(3)), situation, Pace(0)))
        assert in_slices == simulate(chain(3), situation)


def seconds(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def test_a_phrase_of_repetitions_is_looked_for_in_linear_time():
    """The time is that of a phrase which is long enough for the linear way by itself."""
    text = Text.of(REPETITIONS)
    short, long = (" ".join(["a"] * count + ["b", "b"]) for count in (46, 60))
    assert len(short) < 100 < len(long)
    assert not text.contains(short)
    took = {phrase: min(seconds(lambda phrase=phrase: [text.contains(phrase) for _ in range(30)]) for _ in range(5))
            for phrase in (short, long)}  # fmt: skip
    assert took[short] < took[long] * 5


def test_a_sign_of_many_letters_does_not_make_a_text_endless():
    sign = "\ufdfa"
    assert len(Text.of(sign * 20_000).folded) <= 80_000
    assert Text.of(f"a {sign} b").contains(sign)
    assert match(read_condition({"field": "message.text", "op": "eq", "value": sign}), Situation(text=sign, at=NOW))


def test_long_phrases_are_not_kept():
    _kept.cache_clear()
    Text.of("x").contains("y" * (LONGEST_KEPT + 1))
    assert _kept.cache_info().currsize == 0


def test_what_is_kept_is_bounded_in_size():
    read_texts = []
    kept = Kept(lambda text: read_texts.append(text) or len(text), 10)
    assert [kept(text) for text in ("aaaa", "bbbb", "aaaa", "cc", "dd")] == [4, 4, 4, 2, 2]
    assert [kept("aaaa"), kept("bbbb")] == [4, 4]
    assert read_texts == ["aaaa", "bbbb", "cc", "dd", "bbbb"]
    assert kept("e" * 11) == 11  # larger than all that is kept: read anew each time
    assert kept("e" * 11) == 11
    assert read_texts[5:] == ["e" * 11] * 2
