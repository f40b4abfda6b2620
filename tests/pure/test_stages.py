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
    together = Together(halving)

    assert await asyncio.gather(*map(together.results, ([2, 4], [], [6]))) == [[1, 2], [], [3]]
    assert await together.results([8]) == [4]
    assert halving.asked == [[2, 4, 6], [8]]


async def test_who_is_at_fault_fails_alone() -> None:
    together = Together(Halving())
    first, second, third = await asyncio.gather(*map(together.results, ([2], [3], [4])), return_exceptions=True)

    assert (first, third) == ([1], [2])
    assert isinstance(second, ValueError)


async def test_who_leaves_holds_up_nobody() -> None:
    together = Together(Halving())
    leaving, staying = (asyncio.create_task(together.results([number])) for number in (2, 4))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == [2]
    with pytest.raises(asyncio.CancelledError):
        await leaving
