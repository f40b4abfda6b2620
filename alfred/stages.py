"""Requests that come together go through their work side by side, one stage after the other."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def next_stage() -> None:
    """Let the others come this far first.

    Before work that reads much code and many tables, and that many requests have to do: done for one after the other it
    finds them in the processor's caches, and takes about half of what it takes between other work.
    """
    await asyncio.sleep(0)


class Together(Generic[Item, Result]):
    """A stage that is done by one call for all requests that come together; `work` has a result for each item."""

    def __init__(self, work: Callable[[Sequence[Item]], list[Result]]) -> None:
        self._work = work
        self._waiting: list[tuple[Sequence[Item], asyncio.Future[list[Result]]]] = []

    async def results(self, items: Sequence[Item]) -> list[Result]:
        """The results of a request's items; raises what the work raises for these items alone."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin)
        done: asyncio.Future[list[Result]] = loop.create_future()
        self._waiting.append((items, done))
        return await done

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            results = self._work([item for items, _ in waiting for item in items])
        except Exception:  # noqa: BLE001 it is raised once more, to those whose items are at fault
            for items, done in waiting:
                self._answer(items, done)
            return
        end = 0
        for items, done in waiting:
            begin, end = end, end + len(items)
            if not done.done():
                done.set_result(results[begin:end])

    def _answer(self, items: Sequence[Item], done: "asyncio.Future[list[Result]]") -> None:
        """To one request alone."""
        if done.done():
            return
        try:
            done.set_result(self._work(items))
        except Exception as error:  # noqa: BLE001 the request's own matter
            done.set_exception(error)
