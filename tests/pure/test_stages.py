"""Requests that come together do each stage one after the other."""

import asyncio

from alfred.stages import next_stage


async def test_what_comes_together_goes_side_by_side() -> None:
    done: list[tuple[str, str]] = []

    async def work(name: str) -> None:
        for stage in ("read", "classify", "write"):
            await next_stage()
            done.append((stage, name))

    await asyncio.gather(work("a"), work("b"))
    assert done == [(stage, name) for stage in ("read", "classify", "write") for name in "ab"]
