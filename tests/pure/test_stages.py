"""Requests that come together do each stage one after the other."""

import asyncio
from collections.abc import Sequence

import pytest

from alfred.stages import Together, next_stage


async def test_what_comes_together_goes_side_by_side() -> None:
    done: list[tuple[str, str]] = []

    async def work(name: str) -> None:
        for stage in ("read", "classify", "write"):
            await next_stage()
            done.append((stage, name))

    await asyncio.gather(work("a"), work("b"))
    assert done == [(stage, name) for stage in ("read", "classify", "write") for name in "ab"]


def halves(work: "Halving") -> Together[int, int]:
    """Done by calls of three numbers at most, or of one request."""
    return Together(work, size=bool, most=3)


class Halving:
    """Halves even numbers, and notes what it was asked at once."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        if any(number % 2 for number in numbers):
            raise ValueError("odd")
        return [number // 2 for number in numbers]


async def test_what_comes_together_is_done_by_one_call() -> None:
    halving = Halving()
    together = halves(halving)

    asked = map(together.results, ("a", "b", "c"), ([2, 4], [], [6]))
    assert await asyncio.gather(*asked) == [[1, 2], [], [3]]
    assert await together.results("a", [8]) == [4]
    assert halving.asked == [[2, 4, 6], [8]]


async def test_who_is_at_fault_fails_alone() -> None:
    together = halves(Halving())
    first, second, third = await asyncio.gather(*map(together.results, "abc", ([2], [3], [4])), return_exceptions=True)

    assert (first, third) == ([1], [2])
    assert isinstance(second, ValueError)


async def test_who_leaves_holds_up_nobody() -> None:
    together = halves(Halving())
    leaving, staying = (asyncio.create_task(together.results("a", [number])) for number in (2, 4))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == [2]
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_flood_of_one_holds_up_the_others_by_a_call_at_most() -> None:
    halving = Halving()
    together = halves(halving)
    flood = [asyncio.create_task(together.results("a", [number, number])) for number in (10, 12, 14, 16)]
    others = [asyncio.create_task(together.results(name, [2])) for name in "bc"]

    await asyncio.gather(*flood, *others)
    assert halving.asked == [[10, 10, 2], [2, 12, 12], [14, 14, 16, 16]]
