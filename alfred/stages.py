"""Requests that come together go through their work side by side, one stage after the other."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from alfred.turns import QueueInTurn

Item = TypeVar("Item")
Result = TypeVar("Result")


async def next_stage() -> None:
    """Let the others come this far first.

    Before work that reads much code and many tables, and that many requests have to do: done for one after the other it
    finds them in the processor's caches, and takes about half of what it takes between other work.
    """
    await asyncio.sleep(0)


@dataclass(frozen=True)
class _Asked(Generic[Item, Result]):
    """What one request wants done, and where it waits for it."""

    owner: Hashable
    items: Sequence[Item]
    done: "asyncio.Future[list[Result]]"


class Together(Generic[Item, Result]):
    """A stage that is done by one call for the requests that come together; `work` has a result for each item.

    A call takes of one owner after the other, until it has items of the size `most`, or one request's. Before the next
    one, the event loop looks after whoever else is there.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], list[Result]], *, size: Callable[[Item], int], most: int
    ) -> None:
        self._work, self._size, self._most = work, size, most
        self._waiting: QueueInTurn[_Asked[Item, Result]] = QueueInTurn(lambda asked: asked.owner)

    async def results(self, owner: Hashable, items: Sequence[Item]) -> list[Result]:
        """The results of a request's items; raises what the work raises for these items alone."""
        loop = asyncio.get_running_loop()
        if self._waiting.empty():
            loop.call_soon(self._begin)
        done: asyncio.Future[list[Result]] = loop.create_future()
        self._waiting.put_nowait(_Asked(owner, items, done))
        return await done

    def _begin(self) -> None:
        taken = self._taken()
        if not self._waiting.empty():
            asyncio.get_running_loop().call_soon(self._begin)
        try:
            results = self._work([item for asked in taken for item in asked.items])
        except Exception:  # noqa: BLE001 it is raised once more, to those whose items are at fault
            for asked in taken:
                self._answer(asked)
            return
        end = 0
        for asked in taken:
            begin, end = end, end + len(asked.items)
            if not asked.done.done():
                asked.done.set_result(results[begin:end])

    def _taken(self) -> list[_Asked[Item, Result]]:
        taken, size = [], 0
        while not self._waiting.empty() and size < self._most:
            asked = self._waiting.get_nowait()
            if not asked.done.done():
                taken.append(asked)
                size += sum(map(self._size, asked.items))
        return taken

    def _answer(self, asked: _Asked[Item, Result]) -> None:
        """To one request alone."""
        try:
            asked.done.set_result(self._work(asked.items))
        except Exception as error:  # noqa: BLE001 the request's own matter
            asked.done.set_exception(error)
